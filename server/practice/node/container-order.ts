// In which order the containers of a pod start and stop: init containers one by one with sidecars between them, the others
// together, sidecars last to go. Knows no volumes and no network.

import type { KubeObject } from '../../kube/index.ts';
import type { ContainerRecord } from './container-record.ts';
import { graceOf } from './container-stop.ts';
import type { ContainerKind } from './pod-status.ts';

/** The least that a sidecar gets to end itself. */
const SIDECAR_GRACE_MS = 2_000;

const ofKind = (records: readonly ContainerRecord[], ...kinds: ContainerKind[]) =>
  records.filter(({ facts }) => kinds.includes(facts.kind));

/**
 * Starts what should run now. `initialised` says whether init containers are behind it, before and after; `over` that the pod
 * has come to its end by itself.
 */
export function startInTurn(
  pod: KubeObject,
  records: readonly ContainerRecord[],
  initialised: boolean,
): { initialised: boolean; over: boolean } {
  const policy = pod['spec'].restartPolicy ?? 'Always';
  const wind = () => {
    for (const sidecar of ofKind(records, 'sidecar')) void sidecar.stop(graceOf(pod));
    return records.every(record => !record.alive);
  };
  for (const record of ofKind(records, 'init', 'sidecar')) {
    if (record.facts.kind === 'sidecar') {
      record.ensureRunning();
      if (!initialised && !record.facts.started) return { initialised, over: false };
    } else if (!initialised && !record.succeeded) {
      if (record.facts.exited && policy === 'Never') return { initialised, over: wind() };
      record.ensureRunning();
      return { initialised, over: false };
    }
  }
  for (const record of ofKind(records, 'ephemeral')) if (!record.facts.exited) record.ensureRunning();
  let open = false;
  for (const record of ofKind(records, 'main')) {
    const { exited } = record.facts;
    const again = policy === 'Always' || (policy === 'OnFailure' && exited?.exitCode !== 0);
    if (!record.alive && exited && !again) continue;
    record.ensureRunning();
    open = true;
  }
  return { initialised: true, over: !open && wind() };
}

/** Sidecars go once nothing needs them any more, the last one first. */
export async function stopInTurn(records: readonly ContainerRecord[], graceMs: number): Promise<void> {
  await Promise.all(ofKind(records, 'init', 'main', 'ephemeral').map(record => record.stop(graceMs)));
  for (const sidecar of ofKind(records, 'sidecar').reverse())
    await sidecar.stop(Math.max(SIDECAR_GRACE_MS, graceMs / 2));
}
