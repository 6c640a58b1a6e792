// The job controller: runs pods until enough have succeeded or too much went wrong, counting each exactly once. Knows no schedules.

import { type KubeObject, StatusError, timestamp } from '../../../kube/index.ts';
import { isNamespaceTerminating } from '../replicaset.ts';
import { JOBS, PODS } from '../resources.ts';
import { controllerUid } from '../runtime/caches.ts';
import { parseKey } from '../runtime/keys.ts';
import type { Controller, ControllerContext } from '../types.ts';
import { adopterKeys, claim, ownerKeys } from '../workloads/claim.ts';
import { same } from '../workloads/compare.ts';
import {
  type Condition,
  inDeletionOrder,
  isActive,
  isReady,
  omitEmpty,
  podFromTemplate,
} from '../workloads/pods.ts';
import { selects } from '../workloads/selector.ts';
import { failurePolicy } from './failure-policy.ts';
import { formatIndexes, parseIndexes } from './indexes.ts';
import { type Ending, ending } from './verdict.ts';

const FINALIZER = 'batch.kubernetes.io/job-tracking';
const INDEX = 'batch.kubernetes.io/job-completion-index';
/** Pause after a failed pod: the first, doubling up to the longest. Milliseconds. */
const FIRST_PAUSE = 10_000;
const LONGEST_PAUSE = 600_000;

export const jobController: Controller = {
  name: 'job-controller',
  watches: [
    { resource: JOBS },
    {
      resource: PODS,
      keys: (pod, previous, context) => [
        ...ownerKeys('Job', pod, previous),
        ...adopterKeys(context.cache(JOBS).list(pod.metadata.namespace), pod, (job, o) =>
          selects(job['spec'].selector, o.metadata.labels),
        ),
      ],
    },
  ],
  async reconcile(key, context) {
    const { namespace, name } = parseKey(key);
    const job = context.cache(JOBS).get(namespace, name);
    await freeOrphans(namespace ?? '', name, context);
    if (!job || (job['spec'].managedBy && job['spec'].managedBy !== 'kubernetes.io/job-controller')) return;
    const pods = await claim(context, job, PODS, {
      matches: p => selects(job['spec'].selector, p.metadata.labels),
    });
    await new Run(key, job, pods, context).go();
  },
};

/** Pods of a job that is gone must not be held by its finalizer. */
async function freeOrphans(namespace: string, name: string, context: ControllerContext): Promise<void> {
  for (const pod of context.cache(PODS).list(namespace)) {
    const owner = pod.metadata.ownerReferences?.find(
      r => r.controller && r.kind === 'Job' && r.name === name,
    );
    const tracked = pod.metadata.finalizers?.includes(FINALIZER);
    if (tracked && (owner ? context.cache(JOBS).get(namespace, name)?.metadata.uid !== owner.uid : false))
      await release(pod, context);
    else if (tracked && !controllerUid(pod) && pod.metadata.labels?.['batch.kubernetes.io/job-name'] === name)
      await release(pod, context);
  }
}

async function release(pod: KubeObject, context: ControllerContext): Promise<void> {
  const { namespace, name, resourceVersion, finalizers = [] } = pod.metadata;
  const kept = finalizers.filter(f => f !== FINALIZER);
  const metadata = { resourceVersion, finalizers: kept.length > 0 ? kept : null };
  await context.client.patch(PODS, { namespace, name }, 'merge', { metadata }).catch(ignoreGone);
}

function ignoreGone(error: unknown): void {
  if (!(error instanceof StatusError) || error.code !== 404) throw error;
}

const hasFinalizer = (pod: KubeObject) => pod.metadata.finalizers?.includes(FINALIZER) ?? false;
const finishedAt = (pod: KubeObject) =>
  Math.max(
    0,
    ...(pod['status']?.containerStatuses ?? []).map(
      (s: any) => Date.parse(s.state?.terminated?.finishedAt ?? '') || 0,
    ),
  ) || Date.parse(pod.metadata.deletionTimestamp ?? pod.metadata.creationTimestamp ?? '');
const indexOf = (pod: KubeObject) => Number(pod.metadata.annotations?.[INDEX] ?? -1);

class Run {
  private readonly key: string;
  private job: KubeObject;
  private readonly pods: readonly KubeObject[];
  private readonly context: ControllerContext;
  /** Failed pods that the policy says not to count. */
  private readonly ignored: KubeObject[] = [];

  constructor(key: string, job: KubeObject, pods: readonly KubeObject[], context: ControllerContext) {
    this.key = key;
    this.job = job;
    this.pods = pods;
    this.context = context;
  }

  private get now() {
    return this.context.clock.now();
  }
  private get spec() {
    return this.job['spec'];
  }
  private get indexed() {
    return this.spec.completionMode === 'Indexed';
  }
  private condition(type: string): Condition | undefined {
    return (this.job['status']?.conditions ?? []).find(
      (c: Condition) => c.type === type && c.status === 'True',
    );
  }
  private isFailed(pod: KubeObject): boolean {
    const { phase } = pod['status'] ?? {};
    if (phase === 'Failed') return true;
    if (this.spec.podReplacementPolicy === 'Failed') return false;
    return pod.metadata.deletionTimestamp !== undefined && phase !== 'Succeeded';
  }

  async go(): Promise<void> {
    if (this.condition('Complete') || this.condition('Failed')) {
      for (const pod of this.pods) if (hasFinalizer(pod)) await release(pod, this.context);
      return;
    }
    if (this.job.metadata.deletionTimestamp) {
      for (const pod of this.pods) if (hasFinalizer(pod)) await release(pod, this.context);
      return;
    }
    const status = structuredClone(this.job['status'] ?? {});
    this.noteStart(status);
    const active = this.pods.filter(isActive);
    const counted = this.count(status);
    const verdict = this.condition('FailureTarget')
      ? { type: 'Failed' as const, ...this.words('FailureTarget') }
      : this.condition('SuccessCriteriaMet')
        ? { type: 'Complete' as const, ...this.words('SuccessCriteriaMet') }
        : ending(this.job, { ...counted, active, now: this.now, indexed: this.indexed });
    let left = active;
    let failure: unknown;
    try {
      if (verdict) left = await this.remove(active);
      else if (this.spec.suspend) left = await this.remove(active);
      else left = await this.manage(active, counted);
    } catch (error) {
      failure = error;
    }
    if (!verdict) this.noteSuspension(status);
    const terminating = this.pods.filter(
      p => p.metadata.deletionTimestamp && !['Succeeded', 'Failed'].includes(p['status']?.phase),
    ).length;
    status.active = left.length;
    status.ready = left.filter(isReady).length;
    status.terminating = terminating;
    const settled = await this.write(status, verdict, left.length + terminating === 0);
    await this.releaseCounted(settled);
    if (failure) throw failure;
    this.remindOfDeadline(status);
  }

  private words(type: string) {
    const { reason = '', message = '' } = this.condition(type) ?? {};
    return { reason, message };
  }

  private noteStart(status: any): void {
    if (!this.spec.suspend && !status.startTime) status.startTime = timestamp(this.now);
  }

  private noteSuspension(status: any): void {
    const suspended = this.condition('Suspended');
    if (this.spec.suspend && !suspended) {
      this.put(status, 'Suspended', 'True', 'JobSuspended', 'Job suspended');
      delete status.startTime;
      this.context.events.event(this.job, 'Normal', 'Suspended', 'Job suspended');
    } else if (!this.spec.suspend && suspended) {
      this.put(status, 'Suspended', 'False', 'JobResumed', 'Job resumed');
      status.startTime = timestamp(this.now);
      this.context.events.event(this.job, 'Normal', 'Resumed', 'Job resumed');
    }
  }

  private put(status: any, type: string, value: string, reason: string, message: string): void {
    const at = timestamp(this.now);
    const next = { type, status: value, lastProbeTime: at, lastTransitionTime: at, reason, message };
    status.conditions = [...(status.conditions ?? []).filter((c: Condition) => c.type !== type), next];
  }

  /** Moves finished pods into `uncountedTerminatedPods` and those already let go from there into the counters. */
  private count(status: any) {
    const uncounted = status.uncountedTerminatedPods ?? {};
    const held = new Map(this.pods.filter(hasFinalizer).map(p => [p.metadata.uid ?? '', p]));
    const lists: Record<'succeeded' | 'failed', string[]> = { succeeded: [], failed: [] };
    for (const kind of ['succeeded', 'failed'] as const)
      for (const uid of uncounted[kind] ?? []) {
        if (held.has(uid)) lists[kind].push(uid);
        else if (!(this.indexed && kind === 'succeeded')) status[kind] = (status[kind] ?? 0) + 1;
      }
    const known = new Set([...lists.succeeded, ...lists.failed]);
    const completed = parseIndexes(status.completedIndexes);
    const failedIndexes = parseIndexes(status.failedIndexes);
    let policyMessage: string | undefined;
    for (const [uid, pod] of held) {
      if (known.has(uid)) continue;
      if (pod['status']?.phase === 'Succeeded') {
        lists.succeeded.push(uid);
        if (this.indexed) completed.add(indexOf(pod));
      } else if (this.isFailed(pod)) {
        const verdict = pod['status']?.phase === 'Failed' ? failurePolicy(this.job, pod) : undefined;
        if (verdict?.action === 'FailJob') policyMessage ??= verdict.message;
        if (verdict?.action === 'FailIndex') failedIndexes.add(indexOf(pod));
        if (verdict?.action === 'Ignore') this.ignored.push(pod);
        else lists.failed.push(uid);
      }
    }
    if (this.indexed && this.spec.backoffLimitPerIndex !== undefined)
      for (const index of this.failedTooOften()) if (!completed.has(index)) failedIndexes.add(index);
    status.uncountedTerminatedPods = omitEmpty(lists);
    if (this.indexed) {
      status.completedIndexes = formatIndexes(completed) || undefined;
      status.succeeded = completed.size;
      if (this.spec.backoffLimitPerIndex !== undefined) status.failedIndexes = formatIndexes(failedIndexes);
    }
    return {
      succeeded: (status.succeeded ?? 0) + (this.indexed ? 0 : lists.succeeded.length),
      failed: (status.failed ?? 0) + lists.failed.length,
      completedIndexes: completed,
      failedIndexes,
      ...(policyMessage ? { policyMessage } : {}),
    };
  }

  private failedTooOften(): number[] {
    const failures = new Map<number, number>();
    for (const pod of this.pods)
      if (this.isFailed(pod)) failures.set(indexOf(pod), (failures.get(indexOf(pod)) ?? 0) + 1);
    return [...failures].filter(([, n]) => n > this.spec.backoffLimitPerIndex).map(([index]) => index);
  }

  private async remove(pods: readonly KubeObject[]): Promise<KubeObject[]> {
    const left: KubeObject[] = [];
    for (const pod of pods) {
      try {
        await this.context.client.delete(PODS, pod.metadata, { preconditions: { uid: pod.metadata.uid } });
        this.context.events.event(
          this.job,
          'Normal',
          'SuccessfulDelete',
          `Deleted pod: ${pod.metadata.name}`,
        );
      } catch (error) {
        if (error instanceof StatusError && error.code === 404) continue;
        left.push(pod);
        this.context.events.event(
          this.job,
          'Warning',
          'FailedDelete',
          `Error deleting: ${(error as Error).message}`,
        );
      }
    }
    return left;
  }

  /** Brings the number of active pods to what is wanted; after failures it waits before it makes another. */
  private async manage(
    active: readonly KubeObject[],
    counted: { succeeded: number; completedIndexes: ReadonlySet<number>; failedIndexes: ReadonlySet<number> },
  ): Promise<KubeObject[]> {
    const { parallelism = 1, completions } = this.spec;
    const open =
      completions === undefined || completions === null
        ? counted.succeeded > 0
          ? active.length
          : parallelism
        : Math.min(
            parallelism,
            completions -
              (this.indexed ? counted.completedIndexes.size + counted.failedIndexes.size : counted.succeeded),
          );
    const wanted = Math.max(0, open);
    if (active.length > wanted) {
      const order = inDeletionOrder(active, () => 0, this.now);
      const gone = order.slice(0, active.length - wanted);
      const kept = active.filter(p => !gone.includes(p));
      return [...kept, ...(await this.remove(gone))];
    }
    const waiting =
      this.spec.podReplacementPolicy === 'Failed'
        ? this.pods.filter(
            p => p.metadata.deletionTimestamp && !this.isFailed(p) && p['status']?.phase !== 'Succeeded',
          ).length
        : 0;
    const missing = wanted - active.length - waiting;
    if (missing <= 0) return [...active];
    const pause = this.pause();
    if (pause > 0) {
      this.context.requeueAfter(this.key, pause);
      return [...active];
    }
    const made: KubeObject[] = [];
    const taken = new Set([...active.map(indexOf), ...counted.completedIndexes, ...counted.failedIndexes]);
    let index = 0;
    for (let i = 0; i < missing; i++) {
      while (this.indexed && taken.has(index)) index++;
      if (this.indexed && index >= completions) break;
      const pod = await this.create(this.indexed ? index : undefined);
      if (!pod) break;
      made.push(pod);
      index++;
    }
    return [...active, ...made];
  }

  /** Milliseconds that failures still ask to wait. */
  private pause(): number {
    const failures = this.pods.filter(p => this.isFailed(p)).map(finishedAt);
    const lastSuccess = Math.max(
      0,
      ...this.pods.filter(p => p['status']?.phase === 'Succeeded').map(finishedAt),
    );
    const recent = failures.filter(at => at > lastSuccess);
    if (recent.length === 0) return 0;
    const pause = Math.min(FIRST_PAUSE * 2 ** (recent.length - 1), LONGEST_PAUSE);
    return Math.max(...recent) + pause - this.now;
  }

  private async create(index: number | undefined): Promise<KubeObject | undefined> {
    const pod = podFromTemplate(this.spec.template, this.job);
    pod.metadata.finalizers = [...(pod.metadata.finalizers ?? []), FINALIZER];
    if (index !== undefined) {
      pod.metadata.annotations = { ...pod.metadata.annotations, [INDEX]: String(index) };
      pod.metadata.labels = { ...pod.metadata.labels, [INDEX]: String(index) };
      pod.metadata.generateName = `${this.job.metadata.name}-${index}-`;
      const fieldPath = `metadata.labels['${INDEX}']`;
      const variable = {
        name: 'JOB_COMPLETION_INDEX',
        valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath } },
      };
      for (const container of [...pod['spec'].containers, ...(pod['spec'].initContainers ?? [])])
        if (!container.env?.some((e: { name: string }) => e.name === variable.name))
          container.env = [...(container.env ?? []), variable];
      pod['spec'].hostname = `${this.job.metadata.name}-${index}`;
    }
    try {
      const made = await this.context.client.create(PODS, pod);
      this.context.events.event(this.job, 'Normal', 'SuccessfulCreate', `Created pod: ${made.metadata.name}`);
      return made;
    } catch (error) {
      if (isNamespaceTerminating(error)) return undefined;
      this.context.events.event(
        this.job,
        'Warning',
        'FailedCreate',
        `Error creating: ${(error as Error).message}`,
      );
      throw error;
    }
  }

  /** A verdict is first announced as a target; once no pod is left it becomes the end. */
  private async write(status: any, verdict: Ending | undefined, quiet: boolean): Promise<KubeObject> {
    const announced = verdict?.type === 'Failed' ? 'FailureTarget' : 'SuccessCriteriaMet';
    const counted = Object.keys(status.uncountedTerminatedPods ?? {}).length === 0;
    if (verdict && !this.condition(announced))
      this.put(status, announced, 'True', verdict.reason, verdict.message);
    const over = verdict && this.condition(announced) && quiet && counted;
    if (over) {
      this.put(status, verdict.type, 'True', verdict.reason, verdict.message);
      if (verdict.type === 'Complete') status.completionTime = timestamp(this.now);
    }
    const next = omitEmpty(status, ['ready', 'terminating', 'uncountedTerminatedPods', 'failedIndexes']);
    if (!same(this.job['status'] ?? {}, next)) {
      this.job = await this.context.client.update(JOBS, { ...this.job, status: next }, 'status');
      if (over && verdict.type === 'Complete')
        this.context.events.event(this.job, 'Normal', 'Completed', 'Job completed');
      else if (over) this.context.events.event(this.job, 'Warning', verdict.reason, verdict.message);
    }
    return this.job;
  }

  /** What is noted as finished need not be held any longer. */
  private async releaseCounted(job: KubeObject): Promise<void> {
    const { succeeded = [], failed = [] } = job['status']?.uncountedTerminatedPods ?? {};
    const noted = new Set([...succeeded, ...failed]);
    for (const pod of this.pods)
      if (hasFinalizer(pod) && (noted.has(pod.metadata.uid) || this.ignored.includes(pod)))
        await release(pod, this.context);
  }

  private remindOfDeadline(status: any): void {
    const { activeDeadlineSeconds, suspend } = this.spec;
    if (activeDeadlineSeconds === undefined || suspend || !status.startTime) return;
    this.context.requeueAfter(
      this.key,
      Math.max(1, Date.parse(status.startTime) + activeDeadlineSeconds * 1000 - this.now),
    );
  }
}
