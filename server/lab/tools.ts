// The commands a practice shell has besides the machine's own, for rehearsals. Loaded late, and an empty list while there are none.

import type { Tool } from '../workspace/index.ts';

export async function practiceTools(): Promise<readonly Tool[]> {
  const folder = new URL('../practice/tools/index.ts', import.meta.url);
  try {
    const module = (await import(folder.href)) as { practiceTools?: () => Tool[] };
    return module.practiceTools?.() ?? [];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND') return [];
    throw error;
  }
}
