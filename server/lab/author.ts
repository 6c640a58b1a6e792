// What an author sees of a lab at work: each check as written, the objects it means, how long a look takes; and when a file changed.

import { watch } from 'node:fs';
import { stringify } from 'yaml';
import type { Check, Ref } from '#common/lab/index.ts';
import { match, show } from '#common/match/index.ts';
import type { AuthorCheck, Finding } from '#common/protocol/index.ts';
import type { CheckTiming, KubeWatch } from '../check/index.ts';
import type { Clock, Timer } from '../clock.ts';
import type { KubeObject } from '../kube/index.ts';

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
  const { apiVersion, kind: named } = ref ?? {};
  // Where nothing is meant, what is there of that kind says why; the nearest first.
  const others =
    named && objects.length === 0 ? await kube.list({ apiVersion, kind: named }).catch(() => []) : [];
  others.sort((a, b) => alike(b, ref as Ref) - alike(a, ref as Ref));
  return {
    spec: stringify({ [kind]: spec, ...envelope }, { lineWidth: 100 }),
    looks: timing?.looks ?? 0,
    lastMs: timing?.lastMs ?? 0,
    mostMs: timing?.mostMs ?? 0,
    candidates: [
      ...objects.map(object => ({ name: fullName(object), findings: match(tree ?? {}, object) })),
      ...others.map(object => ({ name: fullName(object), findings: [notMeant(object, ref as Ref)] })),
    ].slice(0, MAX_CANDIDATES),
  };
}

const fullName = ({ metadata: { namespace, name } }: KubeObject) =>
  [namespace, name].filter(Boolean).join('/');

const alike = ({ metadata }: KubeObject, ref: Ref) =>
  Number(metadata.namespace === ref.namespace) + Number(metadata.name === ref.name);

/** Why an object of the right kind is not one that the check means. */
function notMeant({ metadata: { namespace = '', name, labels } }: KubeObject, ref: Ref): Finding {
  if (ref.namespace !== undefined && ref.namespace !== namespace)
    return { path: 'ref.namespace', expected: ref.namespace, actual: namespace };
  if (ref.name !== undefined && ref.name !== name)
    return { path: 'ref.name', expected: ref.name, actual: name };
  return { path: 'ref.selector', expected: show(ref.selector), actual: show(labels ?? {}) };
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
