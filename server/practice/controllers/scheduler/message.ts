// The sentence that says why a pod found no node, worded and ordered as kube-scheduler 1.36 does. Pure.

/** Why one node was refused. `unresolvable`: removing pods from it would not help. */
export interface Refusal {
  reasons: readonly string[];
  unresolvable: boolean;
}

export const NO_NODES = 'no nodes available to schedule pods';
export const NO_VICTIMS = 'No preemption victims found for incoming pod';
export const NOT_HELPFUL = 'Preemption is not helpful for scheduling';

/** `0/2 nodes are available: 1 Insufficient cpu, 1 node(s) were unschedulable.`: reasons counted, then sorted as text. */
export function fitError(nodeCount: number, refusals: Iterable<Refusal>): string {
  const counts = new Map<string, number>();
  for (const refusal of refusals)
    for (const reason of refusal.reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  const parts = [...counts].map(([reason, count]) => `${count} ${reason}`).sort();
  return parts.length > 0
    ? `0/${nodeCount} nodes are available: ${parts.join(', ')}.`
    : `0/${nodeCount} nodes are available:`;
}

/** After a refusal by filters: what preemption found. `preemption` is its own sentence, absent when it made room. */
export function unschedulable(
  nodeCount: number,
  refusals: Iterable<Refusal>,
  preemption: string | undefined,
): string {
  const message = fitError(nodeCount, refusals);
  return preemption === undefined
    ? message
    : `${message} no new claims to deallocate, preemption: ${preemption}`;
}

/** When a look at the pod alone already decides (its claims), no node is counted and preemption has nothing to go by. */
export function refusedBeforehand(nodeCount: number, reason: string): string {
  return `0/${nodeCount} nodes are available: ${reason}. not found`;
}
