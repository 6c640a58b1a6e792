// The status of a training job while one reconcile works on it: conditions in the order in which they came, the last one being
// what `kubectl get` calls its state, and what the replicas do. Knows no API.

import { type KubeObject, timestamp } from '../../../kube/index.ts';

export type ConditionType = 'Created' | 'Running' | 'Restarting' | 'Succeeded' | 'Failed' | 'Suspended';

interface JobCondition {
  type: ConditionType;
  status: 'True' | 'False';
  reason: string;
  message: string;
  lastUpdateTime: string;
  lastTransitionTime: string;
}

interface ReplicaStatus {
  active?: number;
  succeeded?: number;
  failed?: number;
  selector?: string;
}

export interface JobStatus {
  conditions: JobCondition[];
  replicaStatuses?: Record<string, ReplicaStatus>;
  startTime?: string;
  completionTime?: string;
}

export class Progress {
  readonly status: JobStatus;
  private readonly kind: string;
  private readonly now: string;

  /** `now` in milliseconds. */
  constructor(job: KubeObject, now: number) {
    this.kind = job.kind;
    this.now = timestamp(now);
    this.status = { conditions: [], ...structuredClone(job['status'] ?? {}) };
  }

  has(type: ConditionType): boolean {
    return this.status.conditions.some(condition => condition.type === type && condition.status === 'True');
  }

  get finished(): boolean {
    return this.has('Succeeded') || this.has('Failed');
  }

  set(
    type: ConditionType,
    message: string,
    status: 'True' | 'False' = 'True',
    reason = `${this.kind}${type}`,
  ): void {
    const { conditions } = this.status;
    const known = conditions.find(condition => condition.type === type);
    if (known && known.status === status && known.reason === reason) return;
    const ends = type === 'Succeeded' || type === 'Failed';
    const kept = conditions
      .filter(condition => {
        // A job is either running or restarting.
        if (type === 'Restarting' && condition.type === 'Running') return false;
        if (type === 'Running' && condition.type === 'Restarting') return false;
        return condition.type !== type;
      })
      .map(condition =>
        ends && (condition.type === 'Running' || condition.type === 'Failed')
          ? { ...condition, status: 'False' as const }
          : condition,
      );
    const lastTransitionTime = known?.status === status ? known.lastTransitionTime : this.now;
    const next = { type, status, reason, message, lastUpdateTime: this.now, lastTransitionTime };
    this.status.conditions = [...kept, next];
  }

  started(): void {
    this.status.startTime ??= this.now;
  }

  startedAgain(): void {
    this.status.startTime = this.now;
  }

  completed(): void {
    this.status.completionTime ??= this.now;
  }

  /** Counts the pods of one role anew; zeros are left out. */
  count(
    role: string,
    pods: readonly KubeObject[],
    labels: Record<string, string> = {},
  ): Required<Omit<ReplicaStatus, 'selector'>> {
    const of = (phase: string) => pods.filter(pod => pod['status']?.phase === phase).length;
    const counts = { active: of('Running'), succeeded: of('Succeeded'), failed: of('Failed') };
    const selector = Object.entries(labels).map(pair => pair.join('='));
    const seen = Object.entries(counts).filter(([, number]) => number > 0);
    this.status.replicaStatuses = {
      ...this.status.replicaStatuses,
      [role]: {
        ...Object.fromEntries(seen),
        ...(selector.length > 0 && { selector: selector.join(',') }),
      },
    };
    return counts;
  }

  /** `into` undefined: whoever was active is not any more; otherwise it counts as succeeded. */
  settle(into?: 'succeeded'): void {
    for (const replica of Object.values(this.status.replicaStatuses ?? {})) {
      const active = replica.active ?? 0;
      delete replica.active;
      if (into && active > 0) replica.succeeded = (replica.succeeded ?? 0) + active;
    }
  }

  get failedBefore(): number {
    return Object.values(this.status.replicaStatuses ?? {}).reduce((sum, { failed = 0 }) => sum + failed, 0);
  }
}
