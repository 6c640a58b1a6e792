// The rules that a node must pass for a pod, in upstream's order; the first that fails gives the reason. Pure: knows snapshots of
// nodes and volumes, not the API.

import type { KubeObject } from '../../../kube/index.ts';
import type { AffinityState } from './affinity.ts';
import { refusedByAffinity } from './affinity.ts';
import type { Refusal } from './message.ts';
import type { NodeInfo, PodInfo } from './node-info.ts';
import { matchesNodeAffinity, tolerates, untolerated } from './node-rules.ts';
import { portsCollide } from './requests.ts';
import type { SpreadState } from './spread.ts';
import { refusedBySpread } from './spread.ts';
import type { VolumeState } from './volumes.ts';
import { refusedByVolumes } from './volumes.ts';

/** What one scheduling attempt computed once for all nodes. */
export interface CycleState {
  affinity: AffinityState;
  spread: SpreadState;
  volumes: VolumeState;
}

const refuse = (reason: string, unresolvable: boolean): Refusal => ({ reasons: [reason], unresolvable });

type Filter = (incoming: PodInfo, info: NodeInfo, node: KubeObject, state: CycleState) => Refusal | undefined;

const nodeUnschedulable: Filter = ({ pod }, _info, node) =>
  node['spec']?.unschedulable &&
  !tolerates(pod['spec'].tolerations, { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' })
    ? refuse('node(s) were unschedulable', true)
    : undefined;

const taintToleration: Filter = ({ pod }, _info, node) =>
  untolerated(pod, node, ['NoSchedule', 'NoExecute'])
    ? refuse('node(s) had untolerated taint(s)', true)
    : undefined;

const nodeAffinity: Filter = ({ pod }, _info, node) =>
  matchesNodeAffinity(pod, node)
    ? undefined
    : refuse("node(s) didn't match Pod's node affinity/selector", true);

const nodePorts: Filter = (incoming, info) => {
  if (incoming.ports.length === 0) return undefined;
  for (const other of info.pods.values())
    for (const port of other.ports)
      if (incoming.ports.some(p => portsCollide(p, port)))
        return refuse("node(s) didn't have free ports for the requested pod ports", false);
  return undefined;
};

/** The order in which upstream looks at resources; others follow by name. */
const FIRST_RESOURCES = ['cpu', 'memory', 'ephemeral-storage'];

const resourcesFit: Filter = (incoming, info) => {
  const reasons: string[] = [];
  let unresolvable = false;
  const slots = info.allocatable['pods'] ?? 0;
  if (info.pods.size + 1 > slots) reasons.push('Too many pods');
  const names = [
    ...FIRST_RESOURCES,
    ...Object.keys(incoming.requests)
      .filter(r => !FIRST_RESOURCES.includes(r))
      .sort(),
  ];
  for (const resource of names) {
    const wanted = incoming.requests[resource] ?? 0;
    const allocatable = info.allocatable[resource] ?? 0;
    if (wanted <= 0 || wanted <= allocatable - (info.requested[resource] ?? 0)) continue;
    reasons.push(`Insufficient ${resource}`);
    if (wanted > allocatable) unresolvable = true;
  }
  return reasons.length > 0 ? { reasons, unresolvable } : undefined;
};

const FILTERS: readonly Filter[] = [
  nodeUnschedulable,
  taintToleration,
  nodeAffinity,
  nodePorts,
  resourcesFit,
  (incoming, info, node, state) => refusedByVolumes(incoming, info, node, state.volumes),
  (incoming, info, _node, state) => refusedBySpread(incoming, info, state.spread),
  (incoming, info, _node, state) => refusedByAffinity(incoming, info, state.affinity),
];

/** Why this node will not do, or undefined when it will. */
export function refusal(incoming: PodInfo, info: NodeInfo, state: CycleState): Refusal | undefined {
  const { node } = info;
  if (!node) return refuse('node not found', true);
  for (const filter of FILTERS) {
    const found = filter(incoming, info, node, state);
    if (found) return found;
  }
  return undefined;
}
