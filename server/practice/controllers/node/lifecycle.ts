// The node life cycle controller: registers nodes, notices when one falls silent, and marks it and its pods accordingly. Evicts
// nobody: see the taint controller.

import { type KubeObject, timestamp } from '../../../kube/index.ts';
import { LEASES, NODES, PODS } from '../resources.ts';
import type { Taint } from '../scheduler/node-rules.ts';
import type { Controller, ControllerContext } from '../types.ts';
import { same } from '../workloads/compare.ts';
import { type Condition, conditionOf } from '../workloads/pods.ts';

/** A node that has said nothing for this long is unknown; upstream's node-monitor-grace-period in milliseconds. */
const GRACE = 50_000;
const LEASE_NAMESPACE = 'kube-node-lease';

const NOT_READY = 'node.kubernetes.io/not-ready';
const UNREACHABLE = 'node.kubernetes.io/unreachable';
/** The taint that stands for a condition, and the status in which it does. */
const CONDITION_TAINTS: [type: string, status: string, key: string][] = [
  ['Ready', 'False', NOT_READY],
  ['Ready', 'Unknown', UNREACHABLE],
  ['MemoryPressure', 'True', 'node.kubernetes.io/memory-pressure'],
  ['DiskPressure', 'True', 'node.kubernetes.io/disk-pressure'],
  ['PIDPressure', 'True', 'node.kubernetes.io/pid-pressure'],
  ['NetworkUnavailable', 'True', 'node.kubernetes.io/network-unavailable'],
];
const UNSCHEDULABLE = 'node.kubernetes.io/unschedulable';
const MANAGED = new Set([...CONDITION_TAINTS.map(([, , key]) => key), UNSCHEDULABLE]);
/** Conditions that nobody vouches for when a kubelet is silent. */
const VOUCHED = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure'];

const TTL = 'node.alpha.kubernetes.io/ttl';
/** Pod addresses: one /24 a node out of this /16. */
const POD_RANGE = '10.244';

export const nodeLifecycleController: Controller = {
  name: 'node-controller',
  watches: [
    { resource: NODES },
    {
      resource: LEASES,
      keys: lease => (lease.metadata.namespace === LEASE_NAMESPACE ? [lease.metadata.name] : []),
    },
  ],
  reads: [PODS],
  async reconcile(name, context) {
    let node = context.cache(NODES).get(undefined, name);
    if (!node) {
      context.memory.delete(`seen/${name}`);
      return;
    }
    node = await register(node, context);
    const silentFor = silence(node, context);
    if (silentFor >= GRACE) node = await markUnknown(node, context);
    else context.requeueAfter(name, GRACE - silentFor);
    await writeTaints(node, context);
    const ready = conditionOf(node, 'Ready');
    if (ready && ready.status !== 'True') await markPodsNotReady(node, context);
  },
};

async function register(node: KubeObject, context: ControllerContext): Promise<KubeObject> {
  const { name, uid, annotations } = node.metadata;
  if (context.memory.get(`registered/${name}`) !== uid) {
    context.memory.set(`registered/${name}`, uid);
    const text = `Node ${name} event: Registered Node ${name} in Controller`;
    context.events.event(node, 'Normal', 'RegisteredNode', text);
  }
  const next = {
    ...node,
    metadata: { ...node.metadata, annotations: { [TTL]: '0', ...annotations } },
    spec: node['spec']?.podCIDR ? node['spec'] : { ...node['spec'], ...freeRange(context) },
  };
  return same(node, next) ? node : context.client.update(NODES, next);
}

function freeRange(context: ControllerContext) {
  const taken = new Set(
    context
      .cache(NODES)
      .list()
      .map(n => n['spec']?.podCIDR),
  );
  let i = 0;
  while (taken.has(`${POD_RANGE}.${i}.0/24`)) i++;
  const range = `${POD_RANGE}.${i}.0/24`;
  return { podCIDR: range, podCIDRs: [range] };
}

/** How long since the node's lease or heartbeat was last seen to change, by this controller's own watch. */
function silence(node: KubeObject, context: ControllerContext): number {
  const { name, uid } = node.metadata;
  const lease = context.cache(LEASES).get(LEASE_NAMESPACE, name);
  const sign = `${uid}/${lease?.['spec']?.renewTime}/${heartbeat(node)}`;
  const now = context.clock.now();
  const seen = context.memory.get(`seen/${name}`) as { sign: string; at: number } | undefined;
  if (seen?.sign === sign) return now - seen.at;
  context.memory.set(`seen/${name}`, { sign, at: now });
  return 0;
}

const heartbeat = (node: KubeObject) =>
  (node['status']?.conditions ?? []).find((c: { type: string }) => c.type === 'Ready')?.lastHeartbeatTime ??
  '';

async function markUnknown(node: KubeObject, context: ControllerContext): Promise<KubeObject> {
  const old: Condition[] = node['status']?.conditions ?? [];
  const at = timestamp(context.clock.now());
  const conditions = old.map(c =>
    VOUCHED.includes(c.type) && c.status !== 'Unknown'
      ? {
          ...c,
          status: 'Unknown',
          reason: 'NodeStatusUnknown',
          message: 'Kubelet stopped posting node status.',
          lastTransitionTime: at,
        }
      : c,
  );
  if (!old.some(c => c.type === 'Ready'))
    conditions.push({
      type: 'Ready',
      status: 'Unknown',
      reason: 'NodeStatusNeverUpdated',
      message: 'Kubelet never posted node status.',
      lastTransitionTime: at,
    });
  if (same(old, conditions)) return node;
  const written = await context.client.update(
    NODES,
    { ...node, status: { ...node['status'], conditions } },
    'status',
  );
  if (old.some(c => c.type === 'Ready' && c.status === 'True')) {
    const text = `Node ${node.metadata.name} status is now: NodeNotReady`;
    context.events.event(written, 'Normal', 'NodeNotReady', text);
  }
  return written;
}

async function writeTaints(node: KubeObject, context: ControllerContext): Promise<void> {
  const wanted = wantedTaints(node);
  const old: Taint[] = node['spec']?.taints ?? [];
  const others = old.filter(t => !MANAGED.has(t.key));
  const kept = old.filter(
    t => MANAGED.has(t.key) && wanted.some(w => w.key === t.key && w.effect === t.effect),
  );
  const missing = wanted.filter(w => !kept.some(k => k.key === w.key && k.effect === w.effect));
  if (missing.length === 0 && kept.length + others.length === old.length) return;
  const at = timestamp(context.clock.now());
  const taints = [...others, ...kept, ...missing.map(t => ({ ...t, timeAdded: at }))];
  const { name, resourceVersion } = node.metadata;
  await context.client.patch(NODES, { name }, 'merge', {
    metadata: { resourceVersion },
    spec: { taints: taints.length > 0 ? taints : null },
  });
}

function wantedTaints(node: KubeObject): Taint[] {
  const taints: Taint[] = [];
  for (const [type, status, key] of CONDITION_TAINTS) {
    if (conditionOf(node, type)?.status !== status) continue;
    taints.push({ key, effect: 'NoSchedule' });
    if (type === 'Ready') taints.push({ key, effect: 'NoExecute' });
  }
  if (node['spec']?.unschedulable) taints.push({ key: UNSCHEDULABLE, effect: 'NoSchedule' });
  return taints;
}

async function markPodsNotReady(node: KubeObject, context: ControllerContext): Promise<void> {
  for (const pod of context.cache(PODS).list()) {
    if (pod['spec'].nodeName !== node.metadata.name || conditionOf(pod, 'Ready')?.status !== 'True') continue;
    const condition = { type: 'Ready', status: 'False', lastTransitionTime: timestamp(context.clock.now()) };
    await context.client
      .patch(
        PODS,
        pod.metadata,
        'strategic',
        { status: { conditions: [condition] } },
        { subresource: 'status' },
      )
      .catch(() => undefined);
    context.events.event(pod, 'Warning', 'NodeNotReady', 'Node is not ready');
  }
}
