// Who has to go when a node runs short, and what is said about it. Knows pods and numbers, no node and no API.

import type { KubeObject } from '../../kube/index.ts';
import { quantityNumber } from '../programs/index.ts';

/** What a node can run short of. */
export type Scarce = 'memory' | 'ephemeral-storage';

/** Pods of the node itself are never evicted. */
const CRITICAL_PRIORITY = 2_000_000_000;

export interface Evictable {
  readonly pod: KubeObject;
  readonly isMirror: boolean;
  readonly active: boolean;
}

export interface PodUse<P extends Evictable> {
  worker: P;
  /** Bytes of the scarce resource. */
  total: number;
  containers: { name: string; bytes: number }[];
}

const kibibytes = (bytes: number) => `${Math.round(bytes / 1024)}Ki`;
const priorityOf = (worker: Evictable): number => worker.pod['spec']?.priority ?? 0;

export const isCritical = (pod: Evictable): boolean => pod.isMirror || priorityOf(pod) >= CRITICAL_PRIORITY;

/** Who goes first: above its requests, then lowest priority, then furthest above its requests (disk: using most). */
export function chooseVictim<P extends Evictable>(
  scarce: Scarce,
  pods: readonly PodUse<P>[],
): PodUse<P> | undefined {
  return pods
    .filter(({ worker }) => worker.active && !isCritical(worker))
    .map(use => ({ use, excess: use.total - requestOf(use.worker, scarce) }))
    .sort(
      (a, b) =>
        Number(b.excess > 0) - Number(a.excess > 0) ||
        priorityOf(a.use.worker) - priorityOf(b.use.worker) ||
        (scarce === 'memory' ? b.excess - a.excess : b.use.total - a.use.total),
    )[0]?.use;
}

/** What the evicted pod carries as its message. `threshold` as the kubelet prints it. */
export function evictionMessage(
  scarce: Scarce,
  victim: PodUse<Evictable>,
  threshold: string,
  availableBytes: number,
): string {
  const low = `The node was low on resource: ${scarce}. Threshold quantity: ${threshold}, available: ${kibibytes(Math.max(0, availableBytes))}. `;
  const uses = victim.containers
    .filter(c => c.bytes > containerRequest(victim.worker, c.name, scarce))
    .map(c => {
      const request = containerRequest(victim.worker, c.name, scarce);
      return `Container ${c.name} was using ${kibibytes(c.bytes)}, request is ${request === 0 ? '0' : kibibytes(request)}, has larger consumption of ${scarce}. `;
    });
  return low + uses.join('');
}

function containerRequest({ pod }: Evictable, name: string, scarce: Scarce): number {
  const spec = pod['spec'];
  const found = [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])].find(
    (c: any) => c.name === name,
  );
  return quantityNumber(found?.resources?.requests?.[scarce]);
}

function requestOf({ pod }: Evictable, scarce: Scarce): number {
  return (pod['spec']?.containers ?? []).reduce(
    (sum: number, c: any) => sum + quantityNumber(c.resources?.requests?.[scarce]),
    0,
  );
}
