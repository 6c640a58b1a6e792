// The disruption controller: how many pods of a budget may be disturbed now. Evicts nobody.

import { type KubeObject, StatusError, timestamp } from '../../../kube/index.ts';
import {
  DEPLOYMENTS,
  POD_DISRUPTION_BUDGETS,
  PODS,
  REPLICA_SETS,
  REPLICATION_CONTROLLERS,
  STATEFUL_SETS,
} from '../resources.ts';
import { parseKey } from '../runtime/keys.ts';
import type { Controller, ControllerContext } from '../types.ts';
import { same, scaled } from '../workloads/compare.ts';
import { type Condition, isReady, isTerminal } from '../workloads/pods.ts';
import { selects } from '../workloads/selector.ts';

/** An eviction that was granted counts as done at the latest after this, in milliseconds. */
const DISRUPTION_TIMEOUT = 120_000;

const matching = (pod: KubeObject, context: ControllerContext) =>
  context
    .cache(POD_DISRUPTION_BUDGETS)
    .list(pod.metadata.namespace)
    .filter(b => selects(b['spec'].selector, pod.metadata.labels))
    .map(b => `${b.metadata.namespace}/${b.metadata.name}`);

export const disruptionController: Controller = {
  name: 'disruption-controller',
  component: 'controllermanager',
  watches: [
    { resource: POD_DISRUPTION_BUDGETS },
    {
      resource: PODS,
      keys: (pod, previous, context) => [
        ...matching(pod, context),
        ...(previous ? matching(previous, context) : []),
      ],
    },
    ...[REPLICA_SETS, STATEFUL_SETS, DEPLOYMENTS, REPLICATION_CONTROLLERS].map(resource => ({
      resource,
      keys: (owner: KubeObject, previous: KubeObject | undefined, context: ControllerContext) =>
        previous && previous['spec'] === owner['spec']
          ? []
          : context
              .cache(POD_DISRUPTION_BUDGETS)
              .list(owner.metadata.namespace)
              .map(b => `${b.metadata.namespace}/${b.metadata.name}`),
    })),
  ],
  async reconcile(key, context) {
    const { namespace, name } = parseKey(key);
    const budget = context.cache(POD_DISRUPTION_BUDGETS).get(namespace, name);
    if (!budget) return;
    const pods = context
      .cache(PODS)
      .list(namespace)
      .filter(p => selects(budget['spec'].selector, p.metadata.labels) && !isTerminal(p));
    const now = context.clock.now();
    const disrupted: Record<string, string> = {};
    for (const [pod, at] of Object.entries(
      (budget['status']?.disruptedPods ?? {}) as Record<string, string>,
    )) {
      const present = pods.find(p => p.metadata.name === pod);
      const end = Date.parse(at) + DISRUPTION_TIMEOUT;
      if (!present || present.metadata.deletionTimestamp || end <= now) continue;
      disrupted[pod] = at;
      context.requeueAfter(key, end - now);
    }
    const healthy = pods.filter(
      p => isReady(p) && !p.metadata.deletionTimestamp && !(p.metadata.name in disrupted),
    ).length;
    const { expected, desired, failure } = expectation(budget, pods, context);
    if (failure) context.events.event(budget, 'Warning', 'CalculateExpectedPodCountFailed', failure);
    const allowed = expected <= 0 || failure ? 0 : Math.max(0, healthy - desired);
    await writeStatus(budget, { healthy, expected, desired, allowed, disrupted }, context);
  },
};

/** How many pods there should be and how many of them must stay. */
function expectation(budget: KubeObject, pods: readonly KubeObject[], context: ControllerContext) {
  const { minAvailable, maxUnavailable } = budget['spec'];
  if (maxUnavailable !== undefined) {
    const { total, failure } = ownedScale(pods, context);
    const allowed = scaled(maxUnavailable, total, 'up');
    return { expected: total, desired: Math.max(0, total - allowed), failure };
  }
  if (typeof minAvailable === 'string') {
    const { total, failure } = ownedScale(pods, context);
    return { expected: total, desired: scaled(minAvailable, total, 'up'), failure };
  }
  return { expected: pods.length, desired: minAvailable ?? 0, failure: undefined };
}

/** The sum of what the pods' controllers want, each counted once. */
function ownedScale(
  pods: readonly KubeObject[],
  context: ControllerContext,
): { total: number; failure?: string } {
  const scales = new Map<string, number>();
  for (const pod of pods) {
    const owner = pod.metadata.ownerReferences?.find(r => r.controller);
    const resource =
      owner &&
      {
        ReplicaSet: REPLICA_SETS,
        StatefulSet: STATEFUL_SETS,
        ReplicationController: REPLICATION_CONTROLLERS,
      }[owner.kind];
    let found = resource && context.cache(resource).get(pod.metadata.namespace, owner.name);
    const parent = found?.metadata.ownerReferences?.find(r => r.controller && r.kind === 'Deployment');
    if (parent) found = context.cache(DEPLOYMENTS).get(pod.metadata.namespace, parent.name) ?? found;
    if (!found) return { total: 0, failure: `found no controllers for pod "${pod.metadata.name}"` };
    scales.set(found.metadata.uid ?? '', found['spec'].replicas ?? 0);
  }
  return { total: [...scales.values()].reduce((a, b) => a + b, 0) };
}

async function writeStatus(
  budget: KubeObject,
  counts: {
    healthy: number;
    expected: number;
    desired: number;
    allowed: number;
    disrupted: Record<string, string>;
  },
  context: ControllerContext,
): Promise<void> {
  const old = budget['status'] ?? {};
  const value = counts.allowed > 0 ? 'True' : 'False';
  const before = (old.conditions ?? []).find((c: Condition) => c.type === 'DisruptionAllowed') as
    | Condition
    | undefined;
  const condition = {
    type: 'DisruptionAllowed',
    status: value,
    observedGeneration: budget.metadata.generation,
    lastTransitionTime: before?.status === value ? before.lastTransitionTime : timestamp(context.clock.now()),
    reason: value === 'True' ? 'SufficientPods' : 'InsufficientPods',
    message: '',
  };
  const status = {
    observedGeneration: budget.metadata.generation,
    ...(Object.keys(counts.disrupted).length > 0 ? { disruptedPods: counts.disrupted } : {}),
    disruptionsAllowed: counts.allowed,
    currentHealthy: counts.healthy,
    desiredHealthy: counts.desired,
    expectedPods: counts.expected,
    conditions: [
      ...(old.conditions ?? []).filter((c: Condition) => c.type !== 'DisruptionAllowed'),
      condition,
    ],
  };
  if (same(old, status)) return;
  await context.client
    .update(POD_DISRUPTION_BUDGETS, { ...budget, status }, 'status')
    .catch((error: unknown) => {
      if (!(error instanceof StatusError) || error.code !== 404) throw error;
    });
}
