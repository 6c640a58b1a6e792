// The language of a page from its address. Knows nothing else.

import type { Language } from './schema.ts';

export function languageOf(url: URL): Language {
  return url.pathname.startsWith('/en/') ? 'en' : 'zh-TW';
}
