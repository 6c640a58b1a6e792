// Topology spread constraints: how evenly a kind of pod lies over zones, hosts and the like. Pure.

import type { KubeObject } from '../../../kube/index.ts';
import { type LabelSelector, selects } from '../workloads/selector.ts';
import type { Refusal } from './message.ts';
import type { NodeInfo, PodInfo } from './node-info.ts';
import { matchesNodeAffinity, untolerated } from './node-rules.ts';

interface Constraint {
  topologyKey: string;
  maxSkew: number;
  whenUnsatisfiable: string;
  labelSelector?: LabelSelector;
  minDomains?: number;
  nodeAffinityPolicy?: string;
  nodeTaintsPolicy?: string;
  matchLabelKeys?: string[];
}

export interface SpreadState {
  constraints: { constraint: Constraint; counts: Map<string, number>; least: number; self: number }[];
}

const REASON = "node(s) didn't match pod topology spread constraints";

export const spreadConstraints = (pod: KubeObject, when: 'DoNotSchedule' | 'ScheduleAnyway'): Constraint[] =>
  ((pod['spec'].topologySpreadConstraints ?? []) as Constraint[]).filter(c => c.whenUnsatisfiable === when);

export function countsAsSpread(constraint: Constraint, pod: KubeObject, other: KubeObject): boolean {
  return (
    other.metadata.namespace === pod.metadata.namespace &&
    !other.metadata.deletionTimestamp &&
    selects(constraint.labelSelector, other.metadata.labels) &&
    (constraint.matchLabelKeys ?? []).every(k => other.metadata.labels?.[k] === pod.metadata.labels?.[k])
  );
}

export function spreadState(incoming: PodInfo, nodes: Iterable<NodeInfo>): SpreadState {
  const { pod } = incoming;
  const constraints = spreadConstraints(pod, 'DoNotSchedule');
  if (constraints.length === 0) return { constraints: [] };
  const all = [...nodes].filter(
    info => info.node && constraints.every(c => info.labels[c.topologyKey] !== undefined),
  );
  return {
    constraints: constraints.map(constraint => {
      const counts = new Map<string, number>();
      for (const info of all) {
        const node = info.node as KubeObject;
        if ((constraint.nodeAffinityPolicy ?? 'Honor') === 'Honor' && !matchesNodeAffinity(pod, node))
          continue;
        if (constraint.nodeTaintsPolicy === 'Honor' && untolerated(pod, node, ['NoSchedule', 'NoExecute']))
          continue;
        const value = info.labels[constraint.topologyKey] as string;
        let count = counts.get(value) ?? 0;
        for (const other of info.pods.values()) if (countsAsSpread(constraint, pod, other.pod)) count++;
        counts.set(value, count);
      }
      const least = counts.size < (constraint.minDomains ?? 1) ? 0 : Math.min(...counts.values());
      return {
        constraint,
        counts,
        least,
        self: selects(constraint.labelSelector, pod.metadata.labels) ? 1 : 0,
      };
    }),
  };
}

export function refusedBySpread(_incoming: PodInfo, info: NodeInfo, state: SpreadState): Refusal | undefined {
  for (const { constraint, counts, least, self } of state.constraints) {
    const value = info.labels[constraint.topologyKey];
    if (value === undefined) return { reasons: [`${REASON} (missing required label)`], unresolvable: true };
    if ((counts.get(value) ?? 0) + self - least > constraint.maxSkew)
      return { reasons: [REASON], unresolvable: false };
  }
  return undefined;
}
