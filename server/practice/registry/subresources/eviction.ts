// Evicting a pod: a deletion that asks the pod's disruption budget first.

import type { KubeObject, Status } from '../../../kube/index.ts';
import { StatusError, timestamp } from '../../../kube/index.ts';
import { labelSelectorMatches } from '../../../kube/selectors/index.ts';
import { deleteObject } from '../delete.ts';
import { type Environment, listAny, plainError, readOrThrow, storeKey } from '../environment.ts';
import type { DeleteRequest, RequestContext, ResourcePath, ServedResource } from '../types.ts';

const BUDGETS = { group: 'policy', resource: 'poddisruptionbudgets' };

export async function evict(
  environment: Environment,
  context: RequestContext,
  pods: ServedResource,
  path: ResourcePath,
  eviction: Record<string, unknown>,
): Promise<Status> {
  const name = path.name as string;
  const pod = readOrThrow(environment, pods.definition, path.namespace, name);
  if (!context.dryRun && protectedByBudget(pod)) spendBudget(environment, pod);
  if (!context.dryRun) markDisrupted(environment, pods, pod);
  const options = (eviction.deleteOptions ?? {}) as DeleteRequest & { dryRun?: string[] };
  const dryRun = context.dryRun || Boolean(options.dryRun?.length);
  await deleteObject(environment, { ...context, dryRun }, pods, { namespace: path.namespace, name }, options);
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 };
}

function protectedByBudget(pod: KubeObject): boolean {
  return (
    !pod.metadata.deletionTimestamp && !['Succeeded', 'Failed', 'Pending'].includes(pod.status?.phase ?? '')
  );
}

function spendBudget(environment: Environment, pod: KubeObject): void {
  const budgets = listAny(environment, BUDGETS, pod.metadata.namespace).filter(budget =>
    labelSelectorMatches(budget.spec?.selector, pod.metadata.labels),
  );
  if (budgets.length > 1) {
    throw plainError(
      'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
    );
  }
  const [budget] = budgets;
  if (!budget) return;
  const { status = {}, spec = {} } = budget;
  const ready = (pod.status?.conditions ?? []).some(
    (condition: { type: string; status: string }) =>
      condition.type === 'Ready' && condition.status === 'True',
  );
  if (!ready) {
    const healthyBudget = status.currentHealthy >= status.desiredHealthy && status.desiredHealthy > 0;
    if (spec.unhealthyPodEvictionPolicy === 'AlwaysAllow' || healthyBudget) return;
  }
  if ((status.observedGeneration ?? 0) < (budget.metadata.generation ?? 0)) {
    throw tooMany(
      `The disruption budget ${budget.metadata.name} is still being processed by the server.`,
      10,
    );
  }
  if ((status.disruptionsAllowed ?? 0) <= 0) {
    throw tooMany(
      `The disruption budget ${budget.metadata.name} needs ${status.desiredHealthy ?? 0} healthy pods and has ${status.currentHealthy ?? 0} currently`,
    );
  }
  const served = environment.served.findResource(BUDGETS) as ServedResource;
  const key = storeKey(environment, served.definition, budget.metadata.namespace, budget.metadata.name);
  environment.store.update(key, current => ({
    ...current,
    status: {
      ...current.status,
      disruptionsAllowed: current.status.disruptionsAllowed - 1,
      disruptedPods: {
        ...current.status.disruptedPods,
        [pod.metadata.name]: timestamp(environment.clock.now()),
      },
    },
  }));
}

function tooMany(why: string, retryAfterSeconds?: number): StatusError {
  return new StatusError({
    message: "Cannot evict pod as it would violate the pod's disruption budget.",
    reason: 'TooManyRequests',
    details: {
      causes: [{ reason: 'DisruptionBudget', message: why }],
      ...(retryAfterSeconds ? { retryAfterSeconds } : {}),
    },
    code: 429,
  });
}

function markDisrupted(environment: Environment, pods: ServedResource, pod: KubeObject): void {
  const key = storeKey(environment, pods.definition, pod.metadata.namespace, pod.metadata.name);
  const condition = {
    type: 'DisruptionTarget',
    status: 'True',
    reason: 'EvictionByEvictionAPI',
    message: 'Eviction API: evicting',
    lastProbeTime: null,
    lastTransitionTime: timestamp(environment.clock.now()),
  };
  environment.store.update(key, current => {
    const conditions: { type: string }[] = current.status?.conditions ?? [];
    if (conditions.some(known => known.type === condition.type)) return current;
    return { ...current, status: { ...current.status, conditions: [...conditions, condition] } };
  });
}
