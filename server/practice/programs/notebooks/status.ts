// The status of a Notebook: a mirror of its pod. Pure.

import { type KubeObject, timestamp } from '../../../kube/index.ts';

interface PodCondition {
  type: string;
  status: string;
  reason?: string;
  message?: string;
  lastTransitionTime?: string | null;
  lastProbeTime?: string | null;
}

/** Says nothing of the container when none has the notebook's name. `now` in milliseconds. */
export function statusOf(
  notebook: KubeObject,
  statefulSet: KubeObject | undefined,
  pod: KubeObject | undefined,
  now: number,
) {
  const states: { name: string; state?: object }[] = pod?.['status']?.containerStatuses ?? [];
  const own = states.find(({ name }) => name === notebook.metadata.name);
  const before: PodCondition[] = notebook['status']?.conditions ?? [];
  const conditions: PodCondition[] = pod?.['status']?.conditions ?? [];
  return {
    found: own !== undefined,
    status: {
      conditions: conditions.map(condition => mirror(condition, before, now)),
      containerState: own?.state ?? {},
      readyReplicas: statefulSet?.['status']?.readyReplicas ?? 0,
    },
  };
}

function mirror(condition: PodCondition, before: PodCondition[], now: number): PodCondition {
  const { type, status, reason, message } = condition;
  const known = before.find(other => other.type === type);
  // The kubelet leaves the time of probing empty. It is filled in here once, so that looking again changes nothing.
  const same = known?.status === status && known.reason === reason && known.message === message;
  return {
    type,
    status,
    ...(reason && { reason }),
    ...(message && { message }),
    lastProbeTime: condition.lastProbeTime ?? (same ? known?.lastProbeTime : undefined) ?? timestamp(now),
    lastTransitionTime: condition.lastTransitionTime ?? timestamp(now),
  };
}
