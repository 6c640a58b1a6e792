// Looks after labs while they are written: whenever a file is saved its lab is linted and proved again. Knows no page.

import { watch } from 'node:fs';
import { join, sep } from 'node:path';
import type { Clock, Timer } from '../clock.ts';
import { lintLab } from './lint.ts';
import { listLabs } from './load.ts';

/** Editors write in several steps; a burst is one change. Milliseconds. */
const SETTLE = 200;

export interface WatchOptions {
  labs: string;
  /** Only these; all when empty. */
  ids: readonly string[];
  clock: Clock;
  /** Proves one lab; resolves with what is wrong with it. Told to stop when the lab was saved meanwhile. */
  prove(id: string, signal: AbortSignal): Promise<readonly string[]>;
  say(line: string): void;
}

/** Returns what stops it. */
export function watchLabs({ labs, ids, clock, prove, say }: WatchOptions): () => Promise<void> {
  const waiting = new Set<string>();
  let settling: Timer | undefined;
  let current: { id: string; life: AbortController } | undefined;
  let working: Promise<void> | undefined;
  let stopped = false;

  const work = async () => {
    for (const id of waiting) {
      waiting.delete(id);
      if (stopped) return;
      const problems = lintLab(labs, id);
      if (problems.length > 0) {
        for (const problem of problems) say(`✖ labs/${problem}`);
        continue;
      }
      const life = new AbortController();
      current = { id, life };
      say(`… ${id}: proving`);
      const failures = await prove(id, life.signal).catch((error: unknown) => [String(error)]);
      current = undefined;
      if (life.signal.aborted) continue;
      for (const failure of failures) say(`✖ ${id}: ${failure}`);
      if (failures.length === 0) say(`✔ ${id} is proven`);
    }
  };

  const watcher = watch(labs, { recursive: true }, (_event, file) => {
    const [id = ''] = (file ?? '').split(sep);
    if (ids.length > 0 && !ids.includes(id)) return;
    if (!listLabs(labs).includes(id)) return;
    waiting.add(id);
    if (current?.id === id) current.life.abort();
    settling?.cancel();
    settling = clock.after(SETTLE, () => {
      working = (working ?? Promise.resolve()).then(work);
    });
  });
  watcher.on('error', error => say(`✖ ${join(labs)}: ${error}`));

  return async () => {
    stopped = true;
    settling?.cancel();
    current?.life.abort();
    watcher.close();
    await working;
  };
}
