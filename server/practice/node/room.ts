// Whether a node has room for a pod, in the kubelet's words. Pure; knows sums, no pods' lives.

import type { KubeObject } from '../../kube/index.ts';
import { quantityNumber } from '../programs/index.ts';

/** What a pod may ask for that a node can run out of. */
const WEIGHED = ['cpu', 'memory', 'ephemeral-storage'] as const;
type Weighed = (typeof WEIGHED)[number];
/** Sums of decimal fractions are not exact. */
const TOLERANCE = 1 + 1e-9;

const shown = (resource: Weighed, amount: number) => Math.round(resource === 'cpu' ? amount * 1000 : amount);

/** The larger of what the containers ask for together and what one init container asks for, as the scheduler adds up. */
function requestOf(pod: KubeObject, resource: Weighed): number {
  const spec = pod['spec'];
  const of = (c: any) => quantityNumber(c.resources?.requests?.[resource]);
  let sidecars = 0;
  let largest = 0;
  for (const c of spec.initContainers ?? []) {
    if (c.restartPolicy === 'Always') sidecars += of(c);
    else largest = Math.max(largest, of(c) + sidecars);
  }
  const sum = (spec.containers ?? []).reduce((total: number, c: any) => total + of(c), 0) + sidecars;
  return Math.max(sum, largest) + quantityNumber(spec.overhead?.[resource]);
}

/** Why `pod` does not fit beside the others; undefined when it does. */
export function outOfResource(
  pod: KubeObject,
  others: Iterable<KubeObject>,
  capacity: Record<string, string>,
): { resource: Weighed; message: string } | undefined {
  const rest = [...others];
  for (const resource of WEIGHED) {
    const wanted = requestOf(pod, resource);
    if (wanted === 0) continue;
    const used = rest.reduce((sum, other) => sum + requestOf(other, resource), 0);
    const whole = quantityNumber(capacity[resource]);
    if (used + wanted <= whole * TOLERANCE) continue;
    const [asked, taken, all] = [wanted, used, whole].map(amount => shown(resource, amount));
    return {
      resource,
      message: `Node didn't have enough resource: ${resource}, requested: ${asked}, used: ${taken}, capacity: ${all}`,
    };
  }
  return undefined;
}

/** Why `pod` would not even fit on an empty node of this kind; undefined when it would. */
export function outOfCapacity(pod: KubeObject, capacity: Record<string, string>): string | undefined {
  for (const resource of ['memory', 'cpu'] as const) {
    const wanted = requestOf(pod, resource);
    const whole = quantityNumber(capacity[resource]);
    if (wanted > whole * TOLERANCE)
      return `Node didn't have enough capacity: ${resource}, requested: ${shown(resource, wanted)}, capacity: ${shown(resource, whole)}`;
  }
  return undefined;
}
