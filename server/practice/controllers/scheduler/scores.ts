// How well a node that passed the filters suits a pod, as upstream's default plugins weigh it. Pure.

import type { KubeObject } from '../../../kube/index.ts';
import { affinityScore, type NamespaceLabels } from './affinity.ts';
import type { NodeInfo, PodInfo } from './node-info.ts';
import { matchesNodeTerms, type Taint, tolerates } from './node-rules.ts';
import { countsAsSpread, spreadConstraints } from './spread.ts';

/** What a pod without requests is taken to use, for scoring only. */
const DEFAULT_CPU = 100;
const DEFAULT_MEMORY = 200 * 1024 * 1024;
const BEST = 100;

type Score = (
  incoming: PodInfo,
  info: NodeInfo,
  nodes: readonly NodeInfo[],
  labelsOf: NamespaceLabels,
) => number;

function usedFractions(incoming: PodInfo, info: NodeInfo): [number, number] {
  const bare = [...info.pods.values()].filter(p => !p.requests['cpu'] && !p.requests['memory']).length;
  const share = (resource: 'cpu' | 'memory', otherwise: number) => {
    const used =
      (info.requested[resource] ?? 0) + bare * otherwise + (incoming.requests[resource] || otherwise);
    const allocatable = info.allocatable[resource] ?? 0;
    return allocatable > 0 ? Math.min(1, used / allocatable) : 1;
  };
  return [share('cpu', DEFAULT_CPU), share('memory', DEFAULT_MEMORY)];
}

const leastAllocated: Score = (incoming, info) => {
  const [cpu, memory] = usedFractions(incoming, info);
  return ((1 - cpu + (1 - memory)) / 2) * BEST;
};

const balanced: Score = (incoming, info) => {
  const [cpu, memory] = usedFractions(incoming, info);
  return (1 - Math.abs(cpu - memory) / 2) * BEST;
};

const fewerBadTaints: Score = ({ pod }, info) =>
  -((info.node?.['spec']?.taints ?? []) as Taint[]).filter(
    t => t.effect === 'PreferNoSchedule' && !tolerates(pod['spec'].tolerations, t),
  ).length;

const nodePreference: Score = ({ pod }, info) => {
  const preferred = pod['spec'].affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  return preferred
    .filter((p: { preference: object }) => info.node && matchesNodeTerms([p.preference], info.node))
    .reduce((sum: number, p: { weight: number }) => sum + p.weight, 0);
};

/** Without constraints of its own a pod is kept away from its siblings. */
const spreading: Score = ({ pod }, info, nodes) => {
  const constraints = spreadConstraints(pod, 'ScheduleAnyway');
  if (constraints.length === 0) {
    const owner = pod.metadata.ownerReferences?.find(r => r.controller)?.uid;
    if (!owner || (pod['spec'].topologySpreadConstraints?.length ?? 0) > 0) return 0;
    return -count(info, other => other.metadata.ownerReferences?.find(r => r.controller)?.uid === owner);
  }
  let crowd = 0;
  for (const constraint of constraints)
    for (const other of nodes)
      if (other.labels[constraint.topologyKey] === info.labels[constraint.topologyKey])
        crowd += count(other, p => countsAsSpread(constraint, pod, p));
  return -crowd;
};

function count(info: NodeInfo, matches: (pod: KubeObject) => boolean): number {
  let n = 0;
  for (const { pod } of info.pods.values()) if (matches(pod)) n++;
  return n;
}

/** Scores that are compared as they are, and those that are stretched to 0..100 over the candidates first. */
const SCORES: readonly { score: Score; weight: number; stretch: boolean }[] = [
  { score: leastAllocated, weight: 1, stretch: false },
  { score: balanced, weight: 1, stretch: false },
  { score: fewerBadTaints, weight: 3, stretch: true },
  { score: nodePreference, weight: 2, stretch: true },
  { score: spreading, weight: 2, stretch: true },
  { score: affinityScore, weight: 2, stretch: true },
];

/** The best candidates, all with the same score. `nodes` are all nodes, for what neighbours matter. */
export function best(
  incoming: PodInfo,
  candidates: readonly NodeInfo[],
  nodes: readonly NodeInfo[],
  labelsOf: NamespaceLabels,
): NodeInfo[] {
  if (candidates.length <= 1) return [...candidates];
  const totals = candidates.map(() => 0);
  for (const { score, weight, stretch } of SCORES) {
    const raw = candidates.map(info => score(incoming, info, nodes, labelsOf));
    const [low, high] = [Math.min(...raw), Math.max(...raw)];
    if (stretch && low === high) continue;
    raw.forEach((value, i) => {
      const points = stretch ? ((value - low) / (high - low)) * BEST : value;
      totals[i] = (totals[i] ?? 0) + weight * Math.floor(points);
    });
  }
  const top = Math.max(...totals);
  return candidates.filter((_, i) => totals[i] === top);
}
