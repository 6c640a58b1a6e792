// The status of a deployment, computed from its replica sets. Pure; the words are upstream's.

import { type KubeObject, timestamp } from '../../../kube/index.ts';
import { type Condition, omitEmpty, withCondition, withoutCondition } from '../workloads/pods.ts';
import {
  actualReplicas,
  availableReplicas,
  maxUnavailable,
  readyReplicas,
  specReplicas,
  terminatingReplicas,
} from './sizing.ts';

/** kubectl's way of saying "no deadline". */
const NO_DEADLINE = 2147483647;

const COMPLETE_REASON = 'NewReplicaSetAvailable';
export const TIMED_OUT_REASON = 'ProgressDeadlineExceeded';

export function condition(
  type: string,
  status: string,
  reason: string,
  message: string,
  now: number,
): Condition {
  const at = timestamp(now);
  return { type, status, lastUpdateTime: at, lastTransitionTime: at, reason, message };
}

export function hasDeadline(deployment: KubeObject): boolean {
  const seconds = deployment['spec'].progressDeadlineSeconds;
  return seconds !== undefined && seconds !== NO_DEADLINE;
}

const find = (conditions: readonly Condition[] | undefined, type: string) =>
  conditions?.find(c => c.type === type);

/** Counts and the Available condition; progress is left as it was. */
export function countStatus(
  deployment: KubeObject,
  all: readonly KubeObject[],
  newSet: KubeObject | undefined,
  now: number,
) {
  const available = availableReplicas(all);
  const old = deployment['status'] ?? {};
  const enough = available >= deployment['spec'].replicas - maxUnavailable(deployment);
  const conditions = withCondition(
    old.conditions ?? [],
    enough
      ? condition(
          'Available',
          'True',
          'MinimumReplicasAvailable',
          'Deployment has minimum availability.',
          now,
        )
      : condition(
          'Available',
          'False',
          'MinimumReplicasUnavailable',
          'Deployment does not have minimum availability.',
          now,
        ),
  );
  return {
    observedGeneration: deployment.metadata.generation as number,
    replicas: actualReplicas(all),
    updatedReplicas: newSet ? actualReplicas([newSet]) : 0,
    readyReplicas: readyReplicas(all),
    availableReplicas: available,
    unavailableReplicas: Math.max(0, specReplicas(all) - available),
    terminatingReplicas: terminatingReplicas(all),
    collisionCount: old.collisionCount as number | undefined,
    conditions,
  };
}

export type DeploymentStatus = ReturnType<typeof countStatus>;

/** As it is written: zeros are left out, except the count of terminating pods. */
export const written = (status: DeploymentStatus) => omitEmpty(status, ['terminatingReplicas']);

export function isComplete(deployment: KubeObject, status: DeploymentStatus): boolean {
  const { replicas } = deployment['spec'];
  return (
    status.updatedReplicas === replicas &&
    status.replicas === replicas &&
    status.availableReplicas === replicas &&
    status.observedGeneration >= (deployment.metadata.generation ?? 0)
  );
}

function isProgressing(deployment: KubeObject, status: DeploymentStatus): boolean {
  const {
    replicas = 0,
    updatedReplicas = 0,
    readyReplicas: ready = 0,
    availableReplicas: available = 0,
  } = deployment['status'] ?? {};
  return (
    status.updatedReplicas > updatedReplicas ||
    status.replicas - status.updatedReplicas < replicas - updatedReplicas ||
    status.readyReplicas > ready ||
    status.availableReplicas > available
  );
}

function isTimedOut(deployment: KubeObject, status: DeploymentStatus, now: number): boolean {
  const progressing = find(status.conditions, 'Progressing');
  if (!progressing || progressing.reason === COMPLETE_REASON) return false;
  if (progressing.reason === TIMED_OUT_REASON) return true;
  const since = Date.parse(progressing.lastUpdateTime ?? '');
  return now > since + deployment['spec'].progressDeadlineSeconds * 1000;
}

/** The whole status of a deployment in a rollout. */
export function rolloutStatus(
  deployment: KubeObject,
  all: readonly KubeObject[],
  newSet: KubeObject | undefined,
  now: number,
): DeploymentStatus {
  const status = countStatus(deployment, all, newSet, now);
  if (!hasDeadline(deployment)) status.conditions = withoutCondition(status.conditions, 'Progressing');
  const current = find(deployment['status']?.conditions, 'Progressing');
  const settled = status.replicas === status.updatedReplicas && current?.reason === COMPLETE_REASON;
  const subject = newSet
    ? `ReplicaSet "${newSet.metadata.name}"`
    : `Deployment "${deployment.metadata.name}"`;
  if (hasDeadline(deployment) && !settled) {
    if (isComplete(deployment, status)) {
      const next = condition(
        'Progressing',
        'True',
        COMPLETE_REASON,
        `${subject} has successfully progressed.`,
        now,
      );
      status.conditions = withCondition(status.conditions, next);
    } else if (isProgressing(deployment, status)) {
      const next = condition('Progressing', 'True', 'ReplicaSetUpdated', `${subject} is progressing.`, now);
      if (current?.status === 'True') next.lastTransitionTime = current.lastTransitionTime;
      status.conditions = withCondition(withoutCondition(status.conditions, 'Progressing'), next);
    } else if (isTimedOut(deployment, status, now)) {
      const next = condition(
        'Progressing',
        'False',
        TIMED_OUT_REASON,
        `${subject} has timed out progressing.`,
        now,
      );
      status.conditions = withCondition(status.conditions, next);
    }
  }
  const failure = replicaFailure(newSet ? [newSet] : []) ?? replicaFailure(all);
  status.conditions = failure
    ? withCondition(status.conditions, failure)
    : withoutCondition(status.conditions, 'ReplicaFailure');
  return status;
}

function replicaFailure(sets: readonly KubeObject[]): Condition | undefined {
  for (const set of sets) {
    const found = find(set['status']?.conditions, 'ReplicaFailure');
    if (found) return { ...found, lastUpdateTime: found.lastTransitionTime };
  }
  return undefined;
}

/** Milliseconds until a rollout that goes no further must be called timed out; undefined when it need not be watched. */
export function untilDeadline(
  deployment: KubeObject,
  status: DeploymentStatus,
  now: number,
): number | undefined {
  const current = find(status.conditions, 'Progressing');
  if (!hasDeadline(deployment) || !current || isComplete(deployment, status)) return undefined;
  if (current.reason === TIMED_OUT_REASON || current.reason === COMPLETE_REASON) return undefined;
  const end = Date.parse(current.lastUpdateTime ?? '') + deployment['spec'].progressDeadlineSeconds * 1000;
  return Math.max(end - now, 0) + 1000;
}
