// What an author sees of a lab at work: each check as written, the objects it means, how long a look takes; and when a file changed.

import { watch } from 'node:fs';
import { stringify } from 'yaml';
import type { Check, Ref } from '#common/lab/index.ts';
import { match } from '#common/match/index.ts';
import type { AuthorCheck } from '#common/protocol/index.ts';
import type { CheckTiming, KubeWatch } from '../check/index.ts';
import type { Clock, Timer } from '../clock.ts';

/** Editors write in several steps; a burst is one change. Milliseconds. */
const SETTLE = 200;
/** More objects are no help to a reader. */
const MAX_CANDIDATES = 12;

export async function authorCheck(
  { kind, spec, id: _, ...envelope }: Check,
  timing: CheckTiming | undefined,
  kube: KubeWatch,
): Promise<AuthorCheck> {
  const { ref, match: tree } = spec as { ref?: Ref; match?: unknown };
  const objects = ref ? await kube.list(ref).catch(() => []) : [];
  return {
    spec: stringify({ [kind]: spec, ...envelope }, { lineWidth: 100 }),
    looks: timing?.looks ?? 0,
    lastMs: timing?.lastMs ?? 0,
    mostMs: timing?.mostMs ?? 0,
    candidates: objects.slice(0, MAX_CANDIDATES).map(object => ({
      name: [object.metadata.namespace, object.metadata.name].filter(Boolean).join('/'),
      findings: match(tree ?? {}, object),
    })),
  };
}

/** Calls `changed` some moments after a file below `folder` was written. Returns what stops it. */
export function watchLab(folder: string, clock: Clock, changed: () => void): () => void {
  let pending: Timer | undefined;
  const watcher = watch(folder, { recursive: true }, () => {
    pending?.cancel();
    pending = clock.after(SETTLE, changed);
  });
  watcher.on('error', () => {});
  return () => {
    pending?.cancel();
    watcher.close();
  };
}
