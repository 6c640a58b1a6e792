// The replica set and replication controllers: keep as many pods as asked for, and say how many are ready. Know no deployments.

import { type GroupVersionResource, type KubeObject, StatusError, timestamp } from '../../kube/index.ts';
import { PODS, REPLICA_SETS, REPLICATION_CONTROLLERS } from './resources.ts';
import { parseKey } from './runtime/keys.ts';
import type { Controller, ControllerContext } from './types.ts';
import { adopterKeys, claim, ownerKeys } from './workloads/claim.ts';
import { same } from './workloads/compare.ts';
import {
  inDeletionOrder,
  isActive,
  isAvailable,
  isReady,
  isTerminating,
  omitEmpty,
  podFromTemplate,
  untilAvailable,
  withCondition,
  withoutCondition,
} from './workloads/pods.ts';
import { containsAll, selects } from './workloads/selector.ts';

/** Pods made or deleted in one go at most; upstream's burstReplicas. */
const BURST = 500;

interface Flavour {
  name: string;
  kind: string;
  resource: GroupVersionResource;
  selects(set: KubeObject, labels: Record<string, string> | undefined): boolean;
}

const REPLICA_SET: Flavour = {
  name: 'replicaset-controller',
  kind: 'ReplicaSet',
  resource: REPLICA_SETS,
  selects: (set, labels) => selects(set['spec'].selector, labels),
};

const REPLICATION_CONTROLLER: Flavour = {
  name: 'replication-controller',
  kind: 'ReplicationController',
  resource: REPLICATION_CONTROLLERS,
  selects: (set, labels) => containsAll(set['spec'].selector, labels),
};

export const replicaSetController = keepsReplicas(REPLICA_SET);
export const replicationController = keepsReplicas(REPLICATION_CONTROLLER);

function keepsReplicas(flavour: Flavour): Controller {
  const { name: controller, kind, resource } = flavour;
  return {
    name: controller,
    watches: [
      { resource },
      {
        resource: PODS,
        keys: (pod, previous, context) => [
          ...ownerKeys(kind, pod, previous),
          ...adopterKeys(context.cache(resource).list(pod.metadata.namespace), pod, (set, o) =>
            flavour.selects(set, o.metadata.labels),
          ),
        ],
      },
    ],
    async reconcile(key, context) {
      const { namespace, name } = parseKey(key);
      const set = context.cache(resource).get(namespace, name);
      if (!set) return;
      const pods = await claim(context, set, PODS, {
        matches: pod => flavour.selects(set, pod.metadata.labels),
        mayAdopt: isActive,
      });
      const before = pods.filter(isActive);
      let failure: unknown;
      if (!set.metadata.deletionTimestamp) {
        try {
          await scale(set, before, context);
        } catch (error) {
          failure = error;
        }
      }
      await writeStatus(flavour, set, before, context, failure);
      if (failure) throw failure;
      const wait = untilAvailable(before, set['spec'].minReadySeconds ?? 0, context.clock.now());
      if (wait !== undefined) context.requeueAfter(key, wait);
    },
  };
}

async function scale(
  set: KubeObject,
  active: readonly KubeObject[],
  context: ControllerContext,
): Promise<void> {
  const surplus = active.length - set['spec'].replicas;
  if (surplus < 0) return createPods(set, Math.min(-surplus, BURST), context);
  if (surplus === 0) return;
  const perNode = new Map<string, number>();
  for (const pod of relatedPods(set, context))
    if (isActive(pod) && pod['spec'].nodeName)
      perNode.set(pod['spec'].nodeName, (perNode.get(pod['spec'].nodeName) ?? 0) + 1);
  const order = inDeletionOrder(active, pod => perNode.get(pod['spec'].nodeName) ?? 0, context.clock.now());
  for (const pod of order.slice(0, Math.min(surplus, BURST))) {
    try {
      await context.client.delete(PODS, pod.metadata, { preconditions: { uid: pod.metadata.uid } });
    } catch (error) {
      if (error instanceof StatusError && error.code === 404) continue;
      context.events.event(set, 'Warning', 'FailedDelete', `Error deleting: ${(error as Error).message}`);
      throw error;
    }
    context.events.event(set, 'Normal', 'SuccessfulDelete', `Deleted pod: ${pod.metadata.name}`);
  }
}

/** Pods of all replica sets under the same owner: those that share a node with siblings go first. */
function relatedPods(set: KubeObject, context: ControllerContext): KubeObject[] {
  const owner = set.metadata.ownerReferences?.find(r => r.controller);
  const siblings = owner ? context.cache(REPLICA_SETS).owned(owner.uid) : [set];
  return siblings.flatMap(s => context.cache(PODS).owned(s.metadata.uid ?? ''));
}

/** Slow start: one, two, four … so that a refusal is met once or a few times, not five hundred times. */
async function createPods(set: KubeObject, wanted: number, context: ControllerContext): Promise<void> {
  for (let left = wanted, batch = 1; left > 0; batch *= 2) {
    let failure: unknown;
    for (let i = Math.min(batch, left); i > 0; i--) {
      left--;
      try {
        const pod = await context.client.create(PODS, podFromTemplate(set['spec'].template, set));
        context.events.event(set, 'Normal', 'SuccessfulCreate', `Created pod: ${pod.metadata.name}`);
      } catch (error) {
        if (isNamespaceTerminating(error)) return;
        context.events.event(set, 'Warning', 'FailedCreate', `Error creating: ${(error as Error).message}`);
        failure ??= error;
      }
    }
    if (failure) throw failure;
  }
}

/** The namespace is on its way out, or gone: nothing can be made in it and nobody needs to be told. */
export function isNamespaceTerminating(error: unknown): boolean {
  if (!(error instanceof StatusError)) return false;
  const { causes = [], kind } = error.status.details ?? {};
  return (
    causes.some(cause => cause.reason === 'NamespaceTerminating') ||
    (error.code === 404 && kind === 'namespaces')
  );
}

async function writeStatus(
  { kind, resource }: Flavour,
  set: KubeObject,
  before: readonly KubeObject[],
  context: ControllerContext,
  failure: unknown,
): Promise<void> {
  const now = context.clock.now();
  const { minReadySeconds = 0, replicas, template } = set['spec'];
  // Counts are of what was there before this round: what it made or deleted comes back as a change of its own.
  const terminating = context
    .cache(PODS)
    .owned(set.metadata.uid ?? '')
    .filter(isTerminating);
  const old = set['status'] ?? {};
  let conditions = old.conditions ?? [];
  const failing = conditions.some((c: { type: string }) => c.type === 'ReplicaFailure');
  if (failure && !failing)
    conditions = withCondition(conditions, {
      type: 'ReplicaFailure',
      status: 'True',
      reason: before.length < replicas ? 'FailedCreate' : 'FailedDelete',
      message: (failure as Error).message,
      lastTransitionTime: timestamp(now),
    });
  else if (!failure && failing) conditions = withoutCondition(conditions, 'ReplicaFailure');
  const status = omitEmpty(
    {
      replicas: before.length,
      fullyLabeledReplicas: before.filter(p => containsAll(template.metadata?.labels, p.metadata.labels))
        .length,
      readyReplicas: before.filter(isReady).length,
      availableReplicas: before.filter(p => isAvailable(p, minReadySeconds, now)).length,
      // Replication controllers are too old to know this one.
      ...(kind === 'ReplicaSet' ? { terminatingReplicas: terminating.length } : {}),
      observedGeneration: set.metadata.generation,
      conditions,
    },
    ['replicas', 'terminatingReplicas'],
  );
  if (same(old, status)) return;
  await context.client.update(resource, { ...set, status }, 'status').catch(error => {
    if (!(error instanceof StatusError) || error.code !== 404) throw error;
  });
}
