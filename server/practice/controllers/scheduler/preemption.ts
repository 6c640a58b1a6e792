// Which pods would have to go so that a more important one fits, and on which node that hurts least. Pure.

import type { KubeObject } from '../../../kube/index.ts';
import { selects } from '../workloads/selector.ts';
import { fitError, NO_VICTIMS, NOT_HELPFUL, type Refusal } from './message.ts';
import type { NodeInfo, PodInfo } from './node-info.ts';

export interface PreemptionInput {
  incoming: PodInfo;
  nodes: readonly NodeInfo[];
  refusals: ReadonlyMap<string, Refusal>;
  budgets: readonly KubeObject[];
  /** Why the pod would not fit on this variant of a node (other nodes as they are). */
  refusal(variant: NodeInfo): Refusal | undefined;
}

export interface Preemption {
  node?: NodeInfo;
  victims: PodInfo[];
  /** What to say when no node was found. */
  message?: string;
}

interface Candidate {
  node: NodeInfo;
  victims: PodInfo[];
  violations: number;
}

const started = (info: PodInfo) =>
  Date.parse(info.pod['status']?.startTime ?? info.pod.metadata.creationTimestamp ?? '') || 0;

/** More important first: by priority, then by who runs longer. */
const byImportance = (a: PodInfo, b: PodInfo) => b.priority - a.priority || started(a) - started(b);

export function preempt(input: PreemptionInput): Preemption {
  const { incoming, nodes, refusals } = input;
  const { pod } = incoming;
  if (pod['spec'].preemptionPolicy === 'Never')
    return { victims: [], message: 'not eligible due to preemptionPolicy=Never.' };
  const nominated = nodes.find(n => n.name === pod['status']?.nominatedNodeName);
  if (nominated && !refusals.get(nominated.name)?.unresolvable) {
    const leaving = [...nominated.pods.values()].some(
      p => p.pod.metadata.deletionTimestamp && p.priority < incoming.priority,
    );
    if (leaving)
      return { victims: [], message: 'not eligible due to a terminating pod on the nominated node.' };
  }
  const candidates: Candidate[] = [];
  const failures: Refusal[] = [];
  for (const node of nodes) {
    const refusal = refusals.get(node.name);
    if (!refusal || refusal.unresolvable) {
      failures.push({ reasons: [NOT_HELPFUL], unresolvable: true });
      continue;
    }
    const found = victimsOn(node, input);
    if ('victims' in found) candidates.push(found);
    else failures.push(found);
  }
  const chosen = candidates.sort(leastHarm)[0];
  return chosen
    ? { node: chosen.node, victims: chosen.victims }
    : { victims: [], message: fitError(nodes.length, failures) };
}

function victimsOn(node: NodeInfo, { incoming, budgets, refusal }: PreemptionInput): Candidate | Refusal {
  const variant = node.copy();
  const lower = [...node.pods.values()].filter(p => p.priority < incoming.priority);
  if (lower.length === 0) return { reasons: [NO_VICTIMS], unresolvable: true };
  for (const info of lower) variant.remove(info.uid);
  const still = refusal(variant);
  if (still) return still;
  // Put back as many as possible, the protected and the important first; who does not fit any more is a victim.
  const left = new Map(budgets.map(b => [b, (b['status']?.disruptionsAllowed ?? 0) as number]));
  const isProtected = (info: PodInfo) => {
    let violating = false;
    for (const [budget, allowed] of left)
      if (
        budget.metadata.namespace === info.pod.metadata.namespace &&
        selects(budget['spec'].selector, info.pod.metadata.labels)
      ) {
        left.set(budget, allowed - 1);
        if (allowed - 1 < 0) violating = true;
      }
    return violating;
  };
  const sorted = lower.sort(byImportance).map(info => ({ info, guarded: isProtected(info) }));
  const victims: PodInfo[] = [];
  let violations = 0;
  for (const { info, guarded } of [...sorted.filter(s => s.guarded), ...sorted.filter(s => !s.guarded)]) {
    variant.add(info);
    if (!refusal(variant)) continue;
    variant.remove(info.uid);
    victims.push(info);
    if (guarded) violations++;
  }
  return { node, victims: victims.sort(byImportance), violations };
}

function leastHarm(a: Candidate, b: Candidate): number {
  const highest = (c: Candidate) => Math.max(...c.victims.map(v => v.priority), Number.NEGATIVE_INFINITY);
  const sum = (c: Candidate) => c.victims.reduce((total, v) => total + v.priority + 2 ** 31, 0);
  const latest = (c: Candidate) => Math.min(...c.victims.filter(v => v.priority === highest(c)).map(started));
  return (
    a.violations - b.violations ||
    highest(a) - highest(b) ||
    sum(a) - sum(b) ||
    a.victims.length - b.victims.length ||
    latest(b) - latest(a)
  );
}
