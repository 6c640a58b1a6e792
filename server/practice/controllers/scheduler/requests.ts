// What a pod asks of a node: resources and host ports. Pure; knows no nodes.

import { milliValue, parseQuantity, wholeValue } from '#common/quantity/index.ts';
import type { KubeObject } from '../../../kube/index.ts';

/** Amounts by resource name: cpu in thousandths, everything else in whole units (bytes, devices). */
export type Amounts = Record<string, number>;

const parsed = new Map<string, number>();
/** Quantities repeat endlessly; this many different ones are remembered. */
const REMEMBERED = 4096;

/** A quantity as a number: thousandths for cpu, whole units otherwise; 0 when it cannot be read. */
export function amountOf(resource: string, quantity: string | number): number {
  const key = `${resource === 'cpu' ? 'm' : ''}${quantity}`;
  const known = parsed.get(key);
  if (known !== undefined) return known;
  const value = parseQuantity(String(quantity));
  const amount = value === undefined ? 0 : resource === 'cpu' ? milliValue(value) : wholeValue(value);
  if (parsed.size >= REMEMBERED) parsed.clear();
  parsed.set(key, amount);
  return amount;
}

export function amountsOf(list: Record<string, string | number> | undefined): Amounts {
  const amounts: Amounts = {};
  for (const resource in list) amounts[resource] = amountOf(resource, list[resource] as string);
  return amounts;
}

export function add(total: Amounts, more: Amounts, sign = 1): Amounts {
  for (const resource in more) total[resource] = (total[resource] ?? 0) + sign * (more[resource] as number);
  return total;
}

function raise(total: Amounts, other: Amounts): Amounts {
  for (const resource in other) total[resource] = Math.max(total[resource] ?? 0, other[resource] as number);
  return total;
}

interface Container {
  name: string;
  restartPolicy?: string;
  resources?: { requests?: Record<string, string>; limits?: Record<string, string> };
  ports?: { hostPort?: number; hostIP?: string; protocol?: string }[];
}

/**
 * What a container counts for: while a resize waits or is under way the larger of what it asks for and what it holds; what
 * it cannot get on its node does not count.
 */
function requestsOf(pod: KubeObject, container: Container, field: 'requests' | 'limits'): Amounts {
  const asked = amountsOf(container.resources?.[field]);
  if (field === 'limits') return asked;
  const { conditions = [], containerStatuses = [], initContainerStatuses = [] } = pod['status'] ?? {};
  const status = [...containerStatuses, ...initContainerStatuses].find((s: any) => s.name === container.name);
  if (!status?.allocatedResources) return asked;
  const held = raise(amountsOf(status.allocatedResources), amountsOf(status.resources?.requests));
  const infeasible = conditions.some((c: any) => c.type === 'PodResizePending' && c.reason === 'Infeasible');
  return infeasible ? held : raise(asked, held);
}

/**
 * The pod's total: containers and sidecars together, or the largest init container with the sidecars started before it, whichever
 * is more; then pod-level requests where given, then the overhead of its runtime class.
 */
export function podRequests(pod: KubeObject, field: 'requests' | 'limits' = 'requests'): Amounts {
  const spec = pod['spec'];
  const total: Amounts = {};
  for (const container of (spec.containers ?? []) as Container[])
    add(total, requestsOf(pod, container, field));
  const sidecars: Amounts = {};
  const init: Amounts = {};
  for (const container of (spec.initContainers ?? []) as Container[]) {
    const own = requestsOf(pod, container, field);
    if (container.restartPolicy === 'Always') {
      add(total, own);
      add(sidecars, own);
      raise(init, sidecars);
    } else raise(init, add({ ...own }, sidecars));
  }
  raise(total, init);
  Object.assign(total, amountsOf(spec.resources?.[field]));
  return add(total, amountsOf(spec.overhead));
}

export interface HostPort {
  ip: string;
  protocol: string;
  port: number;
}

export function hostPorts(pod: KubeObject): HostPort[] {
  const containers = [
    ...((pod['spec'].containers ?? []) as Container[]),
    ...((pod['spec'].initContainers ?? []) as Container[]).filter(c => c.restartPolicy === 'Always'),
  ];
  return containers.flatMap(c =>
    (c.ports ?? [])
      .filter(p => (p.hostPort ?? 0) > 0)
      .map(p => ({ ip: p.hostIP || '0.0.0.0', protocol: p.protocol ?? 'TCP', port: p.hostPort as number })),
  );
}

export function portsCollide(a: HostPort, b: HostPort): boolean {
  return (
    a.port === b.port &&
    a.protocol === b.protocol &&
    (a.ip === b.ip || a.ip === '0.0.0.0' || b.ip === '0.0.0.0')
  );
}
