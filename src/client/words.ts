// The interface words of this page's language; only that language is fetched.

import type { Language } from '#common/protocol/session.ts';
import type { ClientStrings } from '../strings/client.zh-TW.ts';

export type { ClientStrings } from '../strings/client.zh-TW.ts';

export const language: Language = document.documentElement.lang === 'en' ? 'en' : 'zh-TW';

export async function loadWords(): Promise<ClientStrings> {
  const module =
    language === 'en' ? await import('../strings/client.en.ts') : await import('../strings/client.zh-TW.ts');
  return module.strings;
}

/** Fills `{name}` places. */
export function fill(sentence: string, values: Record<string, string | number>): string {
  return sentence.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}
