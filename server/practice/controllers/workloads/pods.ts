// What controllers ask about pods: are they active, ready, available; how one is made from a template; which goes first.

import type { KubeObject, OwnerReference } from '../../../kube/index.ts';

const DELETION_COST = 'controller.kubernetes.io/pod-deletion-cost';

export function isTerminal(pod: KubeObject): boolean {
  const phase = pod['status']?.phase;
  return phase === 'Succeeded' || phase === 'Failed';
}

/** Neither finished nor being deleted. */
export function isActive(pod: KubeObject): boolean {
  return !pod.metadata.deletionTimestamp && !isTerminal(pod);
}

/** Being deleted but still running. */
export function isTerminating(pod: KubeObject): boolean {
  return pod.metadata.deletionTimestamp !== undefined && !isTerminal(pod);
}

export interface Condition {
  type: string;
  status: string;
  reason?: string;
  message?: string;
  lastTransitionTime?: string;
  lastUpdateTime?: string;
  lastProbeTime?: string | null;
  observedGeneration?: number;
}

export function conditionOf(object: KubeObject, type: string): Condition | undefined {
  return (object['status']?.conditions as Condition[] | undefined)?.find(c => c.type === type);
}

export function isReady(pod: KubeObject): boolean {
  return conditionOf(pod, 'Ready')?.status === 'True';
}

const time = (text: string | null | undefined) => (text ? Date.parse(text) : 0);

/** Ready for at least `minReadySeconds`; `now` in milliseconds since the epoch. */
export function isAvailable(pod: KubeObject, minReadySeconds: number, now: number): boolean {
  const ready = conditionOf(pod, 'Ready');
  if (ready?.status !== 'True') return false;
  if (minReadySeconds === 0) return true;
  const since = time(ready.lastTransitionTime);
  return since > 0 && since + minReadySeconds * 1000 <= now;
}

/** Milliseconds until the last ready pod becomes available; undefined when none is waiting. */
export function untilAvailable(pods: readonly KubeObject[], minReadySeconds: number, now: number) {
  const waits = pods
    .filter(pod => isReady(pod) && !isAvailable(pod, minReadySeconds, now))
    .map(pod => time(conditionOf(pod, 'Ready')?.lastTransitionTime) + minReadySeconds * 1000 - now);
  return waits.length > 0 ? Math.max(1, Math.min(...waits)) : undefined;
}

/** The reference by which `owner` controls what it makes. */
export function controllerReference(owner: KubeObject): OwnerReference {
  return {
    apiVersion: owner.apiVersion,
    kind: owner.kind,
    name: owner.metadata.name,
    uid: owner.metadata.uid ?? '',
    controller: true,
    blockOwnerDeletion: true,
  };
}

export interface PodTemplate {
  metadata?: { labels?: Record<string, string>; annotations?: Record<string, string>; finalizers?: string[] };
  spec: Record<string, any>;
}

/** A new pod of `owner`, named `<owner>-xxxxx` unless `name` is given. */
export function podFromTemplate(template: PodTemplate, owner: KubeObject, name?: string): KubeObject {
  const { labels, annotations, finalizers } = template.metadata ?? {};
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: name ?? '',
      generateName: `${owner.metadata.name}-`,
      namespace: owner.metadata.namespace,
      ...(labels ? { labels: { ...labels } } : {}),
      ...(annotations ? { annotations: { ...annotations } } : {}),
      ...(finalizers ? { finalizers: [...finalizers] } : {}),
      ownerReferences: [controllerReference(owner)],
    },
    spec: structuredClone(template.spec),
  };
}

const PHASE_RANK: Record<string, number> = { Pending: 0, Unknown: 1, Running: 2 };

const restartsOf = (pod: KubeObject) =>
  Math.max(
    0,
    ...(pod['status']?.containerStatuses ?? []).map((s: { restartCount?: number }) => s.restartCount ?? 0),
  );

/** Ages that differ by less than a power of two count as equal (upstream's logarithmic scale-down). */
const ageRank = (since: number, now: number) =>
  now > since ? Math.floor(Math.log2((now - since) * 1e6)) : -1;

/** `pods` in the order in which they are deleted. `sharing(pod)` is how many related pods its node runs. */
export function inDeletionOrder(
  pods: readonly KubeObject[],
  sharing: (pod: KubeObject) => number,
  now: number,
) {
  const cost = (pod: KubeObject) => Number(pod.metadata.annotations?.[DELETION_COST] ?? 0) || 0;
  const byAge = (a: KubeObject, b: KubeObject, since: (pod: KubeObject) => number) => {
    const [left, right] = [since(a), since(b)];
    if (left === right) return 0;
    const difference = ageRank(left, now) - ageRank(right, now);
    return difference !== 0 ? difference : (a.metadata.uid ?? '') < (b.metadata.uid ?? '') ? -1 : 1;
  };
  return [...pods].sort(
    (a, b) =>
      Number(Boolean(a['spec'].nodeName)) - Number(Boolean(b['spec'].nodeName)) ||
      (PHASE_RANK[a['status']?.phase] ?? 0) - (PHASE_RANK[b['status']?.phase] ?? 0) ||
      Number(isReady(a)) - Number(isReady(b)) ||
      cost(a) - cost(b) ||
      sharing(b) - sharing(a) ||
      (isReady(a) && isReady(b)
        ? byAge(a, b, pod => time(conditionOf(pod, 'Ready')?.lastTransitionTime))
        : 0) ||
      restartsOf(b) - restartsOf(a) ||
      byAge(a, b, pod => time(pod.metadata.creationTimestamp)),
  );
}

/** `conditions` with `next` put in, as the older controllers do it: unchanged when status and reason are, moved to the end when not. */
export function withCondition(conditions: readonly Condition[], next: Condition): Condition[] {
  const current = conditions.find(c => c.type === next.type);
  if (current && current.status === next.status && current.reason === next.reason) return [...conditions];
  const kept =
    current && current.status === next.status
      ? { ...next, lastTransitionTime: current.lastTransitionTime }
      : next;
  return [...conditions.filter(c => c.type !== next.type), kept];
}

export function withoutCondition(conditions: readonly Condition[], type: string): Condition[] {
  return conditions.filter(c => c.type !== type);
}

/** The object without members that Go's `omitempty` would drop: zero, empty text, false, empty lists. */
export function omitEmpty<T extends Record<string, unknown>>(
  value: T,
  keep: readonly string[] = [],
): Partial<T> {
  const rest = Object.entries(value).filter(([key, v]) =>
    keep.includes(key)
      ? v !== undefined
      : !(
          v === undefined ||
          v === null ||
          v === 0 ||
          v === '' ||
          v === false ||
          (Array.isArray(v) && v.length === 0)
        ),
  );
  return Object.fromEntries(rest) as Partial<T>;
}
