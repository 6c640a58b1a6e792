// Node pressure: when the programs together use more memory than the node has to spare, the kubelet says so and ends the
// pod that uses most beyond what it asked for. Knows numbers and pods, not the API.

import { quantityNumber } from '../programs/index.ts';
import type { PodWorker } from './pod-worker.ts';
import type { Usage } from './types.ts';

/** The kubelet's default hard threshold memory.available<100Mi. */
const THRESHOLD_BYTES = 100 * 1024 * 1024;
/** Pods of the node itself are never evicted. */
const CRITICAL_PRIORITY = 2_000_000_000;

export interface PodUse {
  worker: PodWorker;
  containers: { name: string; usage: Usage }[];
}

export interface Pressure {
  victim: PodWorker;
  message: string;
}

const kibibytes = (bytes: number) => `${Math.round(bytes / 1024)}Ki`;

/** Memory left on the node, bytes. */
export function availableMemory(capacityBytes: number, usedBytes: number): number {
  return capacityBytes - usedBytes;
}

export const isUnderPressure = (availableBytes: number) => availableBytes < THRESHOLD_BYTES;

/** Who goes first: above its requests, then lowest priority, then furthest above its requests. */
export function chooseVictim(pods: readonly PodUse[], availableBytes: number): Pressure | undefined {
  const ranked = pods
    .filter(p => p.worker.active && !p.worker.isMirror && priorityOf(p.worker) < CRITICAL_PRIORITY)
    .map(p => {
      const used = p.containers.reduce((sum, c) => sum + c.usage.memoryBytes, 0);
      return { ...p, excess: used - requestOf(p.worker) };
    })
    .sort(
      (a, b) =>
        Number(b.excess > 0) - Number(a.excess > 0) ||
        priorityOf(a.worker) - priorityOf(b.worker) ||
        b.excess - a.excess,
    );
  const first = ranked[0];
  if (!first) return undefined;
  const threshold = `The node was low on resource: memory. Threshold quantity: 100Mi, available: ${kibibytes(Math.max(0, availableBytes))}. `;
  const uses = first.containers
    .filter(c => c.usage.memoryBytes > containerRequest(first.worker, c.name))
    .map(c => {
      const request = containerRequest(first.worker, c.name);
      return `Container ${c.name} was using ${kibibytes(c.usage.memoryBytes)}, request is ${request === 0 ? '0' : kibibytes(request)}, has larger consumption of memory. `;
    });
  return { victim: first.worker, message: threshold + uses.join('') };
}

const priorityOf = (worker: PodWorker): number => worker.pod['spec'].priority ?? 0;

function containerRequest(worker: PodWorker, name: string): number {
  const spec = worker.pod['spec'];
  const found = [...(spec.containers ?? []), ...(spec.initContainers ?? [])].find(
    (c: any) => c.name === name,
  );
  return quantityNumber(found?.resources?.requests?.memory);
}

function requestOf(worker: PodWorker): number {
  return (worker.pod['spec'].containers ?? []).reduce(
    (sum: number, c: any) => sum + quantityNumber(c.resources?.requests?.memory),
    0,
  );
}
