// Affinity and anti-affinity between pods: which topologies hold pods that a newcomer wants, shuns, or is shunned by. Pure.

import type { KubeObject } from '../../../kube/index.ts';
import { type LabelSelector, selects } from '../workloads/selector.ts';
import type { Refusal } from './message.ts';
import type { NodeInfo, PodInfo } from './node-info.ts';

interface Term {
  topologyKey: string;
  labelSelector?: LabelSelector;
  namespaces?: string[];
  namespaceSelector?: LabelSelector;
  matchLabelKeys?: string[];
  mismatchLabelKeys?: string[];
}

/** Counts by `topologyKey=value`, one map a purpose. */
export interface AffinityState {
  /** For each required affinity term, how many pods match it in each topology. */
  wanted: { term: Term; counts: Map<string, number>; total: number }[];
  shunned: { term: Term; counts: Map<string, number> }[];
  /** Topologies where a pod lives that refuses the newcomer. */
  refusing: Map<string, number>;
  /** The newcomer matches all of its own affinity terms: it may be the first of its kind. */
  matchesItself: boolean;
}

/** Labels of a namespace, for namespace selectors. */
export type NamespaceLabels = (name: string) => Record<string, string> | undefined;

const required = (pod: KubeObject, kind: 'podAffinity' | 'podAntiAffinity'): Term[] =>
  pod['spec'].affinity?.[kind]?.requiredDuringSchedulingIgnoredDuringExecution ?? [];

/** Does `other` fall under `term`, written in `owner`? */
function termMatches(term: Term, owner: KubeObject, other: KubeObject, labelsOf: NamespaceLabels): boolean {
  const namespace = other.metadata.namespace ?? '';
  const listed = term.namespaces?.includes(namespace);
  const selected = term.namespaceSelector && selects(term.namespaceSelector, labelsOf(namespace));
  const own = !term.namespaces?.length && !term.namespaceSelector && namespace === owner.metadata.namespace;
  if (!listed && !selected && !own) return false;
  const labels = other.metadata.labels;
  const mine = owner.metadata.labels;
  return (
    selects(term.labelSelector, labels) &&
    (term.matchLabelKeys ?? []).every(k => mine?.[k] === undefined || mine[k] === labels?.[k]) &&
    (term.mismatchLabelKeys ?? []).every(k => mine?.[k] === undefined || mine[k] !== labels?.[k])
  );
}

export function affinityState(
  incoming: PodInfo,
  nodes: Iterable<NodeInfo>,
  labelsOf: NamespaceLabels,
): AffinityState {
  const { pod } = incoming;
  const affinity = required(pod, 'podAffinity');
  const state: AffinityState = {
    wanted: affinity.map(term => ({ term, counts: new Map(), total: 0 })),
    shunned: required(pod, 'podAntiAffinity').map(term => ({ term, counts: new Map() })),
    refusing: new Map(),
    matchesItself: affinity.length > 0 && affinity.every(term => termMatches(term, pod, pod, labelsOf)),
  };
  const looks = state.wanted.length > 0 || state.shunned.length > 0;
  for (const info of nodes) {
    if (!info.node || (!looks && info.refusing === 0)) continue;
    const topology = (key: string) =>
      info.labels[key] === undefined ? undefined : `${key}=${info.labels[key]}`;
    for (const other of info.pods.values()) {
      if (other.hasAntiAffinity)
        for (const term of required(other.pod, 'podAntiAffinity')) {
          const where = topology(term.topologyKey);
          if (where && termMatches(term, other.pod, pod, labelsOf)) bump(state.refusing, where);
        }
      // All terms must match one pod for it to count as company; each term is then looked up in its own topology.
      if (affinity.length > 0 && affinity.every(term => termMatches(term, pod, other.pod, labelsOf)))
        for (const entry of state.wanted) {
          const where = topology(entry.term.topologyKey);
          if (where) {
            bump(entry.counts, where);
            entry.total++;
          }
        }
      for (const entry of state.shunned) {
        const where = topology(entry.term.topologyKey);
        if (where && termMatches(entry.term, pod, other.pod, labelsOf)) bump(entry.counts, where);
      }
    }
  }
  return state;
}

function bump(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

export function refusedByAffinity(
  _incoming: PodInfo,
  info: NodeInfo,
  state: AffinityState,
): Refusal | undefined {
  const where = (key: string) => `${key}=${info.labels[key]}`;
  const present = (key: string) => info.labels[key] !== undefined;
  if (state.wanted.length > 0) {
    const together = state.wanted.every(
      e => present(e.term.topologyKey) && (e.counts.get(where(e.term.topologyKey)) ?? 0) > 0,
    );
    const first =
      state.matchesItself &&
      state.wanted.every(e => e.total === 0) &&
      state.wanted.every(e => present(e.term.topologyKey));
    if (!together && !first)
      return { reasons: ["node(s) didn't match pod affinity rules"], unresolvable: true };
  }
  if (
    state.shunned.some(e => present(e.term.topologyKey) && (e.counts.get(where(e.term.topologyKey)) ?? 0) > 0)
  )
    return { reasons: ["node(s) didn't match pod anti-affinity rules"], unresolvable: false };
  for (const topology of state.refusing.keys()) {
    const equals = topology.indexOf('=');
    if (info.labels[topology.slice(0, equals)] === topology.slice(equals + 1))
      return { reasons: ["node(s) didn't satisfy existing pods anti-affinity rules"], unresolvable: false };
  }
  return undefined;
}

interface WeightedTerm {
  weight: number;
  podAffinityTerm: Term;
}

/** How much the newcomer and the pods of this node's topologies prefer each other's company. */
export function affinityScore(
  incoming: PodInfo,
  info: NodeInfo,
  nodes: readonly NodeInfo[],
  labelsOf: NamespaceLabels,
): number {
  const { pod } = incoming;
  let score = 0;
  const weigh = (owner: KubeObject, other: KubeObject, at: NodeInfo) => {
    for (const [kind, sign] of [
      ['podAffinity', 1],
      ['podAntiAffinity', -1],
    ] as const)
      for (const { weight, podAffinityTerm: term } of (owner['spec'].affinity?.[kind]
        ?.preferredDuringSchedulingIgnoredDuringExecution ?? []) as WeightedTerm[]) {
        const value = info.labels[term.topologyKey];
        if (
          value !== undefined &&
          value === at.labels[term.topologyKey] &&
          termMatches(term, owner, other, labelsOf)
        )
          score += sign * weight;
      }
  };
  for (const at of nodes)
    for (const other of at.pods.values()) {
      if (incoming.hasAffinity) weigh(pod, other.pod, at);
      if (other.hasAffinity) weigh(other.pod, pod, at);
    }
  return score;
}
