// The cron job controller: makes a job at each time its schedule names, and keeps the books about those it made.

import { Cron } from 'croner';
import { type KubeObject, StatusError, timestamp } from '../../../kube/index.ts';
import { CRON_JOBS, JOBS } from '../resources.ts';
import { parseKey } from '../runtime/keys.ts';
import type { Controller, ControllerContext } from '../types.ts';
import { ownerKeys } from '../workloads/claim.ts';
import { same } from '../workloads/compare.ts';
import { controllerReference, omitEmpty } from '../workloads/pods.ts';

const SCHEDULED_AT = 'batch.kubernetes.io/cronjob-scheduled-timestamp';
/** More missed times than this are not made up for; upstream warns instead. */
const MOST_MISSED = 100;

export const cronJobController: Controller = {
  name: 'cronjob-controller',
  watches: [
    { resource: CRON_JOBS },
    { resource: JOBS, keys: (job, previous) => ownerKeys('CronJob', job, previous) },
  ],
  async reconcile(key, context) {
    const { namespace, name } = parseKey(key);
    const cron = context.cache(CRON_JOBS).get(namespace, name);
    if (!cron) return;
    const jobs = context.cache(JOBS).owned(cron.metadata.uid ?? '');
    const status = structuredClone(cron['status'] ?? {});
    keepBooks(cron, jobs, status, context);
    await cleanUp(cron, jobs, context);
    try {
      if (!cron.metadata.deletionTimestamp && !cron['spec'].suspend)
        await schedule(key, cron, status, context);
    } finally {
      const next = omitEmpty(status);
      if (!same(cron['status'] ?? {}, next))
        await context.client
          .update(CRON_JOBS, { ...cron, status: next }, 'status')
          .catch((error: unknown) => {
            if (!(error instanceof StatusError) || error.code !== 404) throw error;
          });
    }
  },
};

const finished = (job: KubeObject): 'Complete' | 'Failed' | undefined =>
  (job['status']?.conditions ?? []).find(
    (c: { type: string; status: string }) =>
      (c.type === 'Complete' || c.type === 'Failed') && c.status === 'True',
  )?.type;

/** Compares the jobs that exist with those noted as active. */
function keepBooks(
  cron: KubeObject,
  jobs: readonly KubeObject[],
  status: any,
  context: ControllerContext,
): void {
  const active: { uid: string; name: string }[] = status.active ?? [];
  const gone = new Set<string>();
  for (const job of jobs) {
    const noted = active.some(a => a.uid === job.metadata.uid);
    const end = finished(job);
    if (!noted && !end) {
      const id = `unexpected/${job.metadata.uid}`;
      if (context.memory.has(id)) continue;
      context.memory.set(id, true);
      context.events.event(
        cron,
        'Warning',
        'UnexpectedJob',
        `Saw a job that the controller did not create or forgot: ${job.metadata.name}`,
      );
    } else if (noted && end) {
      gone.add(job.metadata.uid ?? '');
      context.events.event(
        cron,
        'Normal',
        'SawCompletedJob',
        `Saw completed job: ${job.metadata.name}, condition: ${end}`,
      );
    }
    const completed = job['status']?.completionTime;
    if (end === 'Complete' && completed && completed > (status.lastSuccessfulTime ?? ''))
      status.lastSuccessfulTime = completed;
  }
  for (const entry of active)
    if (!jobs.some(j => j.metadata.uid === entry.uid)) {
      gone.add(entry.uid);
      context.events.event(cron, 'Normal', 'MissingJob', `Active job went missing: ${entry.name}`);
    }
  status.active = active.filter(a => !gone.has(a.uid));
}

/** Deletes the oldest finished jobs beyond the history limits. */
async function cleanUp(
  cron: KubeObject,
  jobs: readonly KubeObject[],
  context: ControllerContext,
): Promise<void> {
  const started = (job: KubeObject) => job['status']?.startTime ?? job.metadata.creationTimestamp ?? '';
  for (const [end, limit] of [
    ['Complete', cron['spec'].successfulJobsHistoryLimit],
    ['Failed', cron['spec'].failedJobsHistoryLimit],
  ] as const) {
    if (limit === undefined) continue;
    const over = jobs
      .filter(j => finished(j) === end && !j.metadata.deletionTimestamp)
      .sort((a, b) => (started(a) < started(b) ? -1 : 1));
    for (const job of over.slice(0, Math.max(0, over.length - limit))) await deleteJob(cron, job, context);
  }
}

async function deleteJob(cron: KubeObject, job: KubeObject, context: ControllerContext): Promise<void> {
  try {
    await context.client.delete(JOBS, job.metadata, { propagationPolicy: 'Background' });
  } catch (error) {
    if (error instanceof StatusError && error.code === 404) return;
    context.events.event(cron, 'Warning', 'FailedDelete', `Deleted job: ${(error as Error).message}`);
    throw error;
  }
  context.events.event(cron, 'Normal', 'SuccessfulDelete', `Deleted job ${job.metadata.name}`);
}

async function schedule(
  key: string,
  cron: KubeObject,
  status: any,
  context: ControllerContext,
): Promise<void> {
  const { spec } = cron;
  const now = context.clock.now();
  let times: Cron;
  try {
    times = new Cron(spec.schedule, { timezone: spec.timeZone ?? 'UTC', paused: true });
  } catch (error) {
    const text = `unparseable schedule: "${spec.schedule}" : ${(error as Error).message}`;
    return context.events.event(cron, 'Warning', 'UnparseableSchedule', text);
  }
  const next = times.nextRun(new Date(now));
  if (next) context.requeueAfter(key, next.getTime() - now);
  const due = lastDue(cron, status, times, now, context);
  if (due === undefined) return;
  const deadline = spec.startingDeadlineSeconds;
  if (deadline !== undefined && due + deadline * 1000 < now) {
    const text = `Missed scheduled time to start a job: ${new Date(due).toUTCString().replace('GMT', '+0000')}`;
    return context.events.event(cron, 'Warning', 'MissSchedule', text);
  }
  const name = `${cron.metadata.name}-${Math.floor(due / 60_000)}`;
  if (status.active.some((a: { name: string }) => a.name === name)) return;
  if (spec.concurrencyPolicy === 'Forbid' && status.active.length > 0) {
    const text = 'Not starting job because prior execution is running and concurrency policy is Forbid';
    return context.events.event(cron, 'Normal', 'JobAlreadyActive', text);
  }
  if (spec.concurrencyPolicy === 'Replace') {
    for (const entry of status.active) {
      const job = context.cache(JOBS).get(cron.metadata.namespace, entry.name);
      if (job) await deleteJob(cron, job, context);
    }
    status.active = [];
  }
  const job = await createJob(cron, name, due, context);
  if (!job) return;
  const { apiVersion, kind } = job;
  const { namespace, uid, resourceVersion } = job.metadata;
  status.active.push({ kind, namespace, name, uid, apiVersion, resourceVersion });
  status.lastScheduleTime = timestamp(due);
}

/** The latest time since the last run that has come; undefined when there is none. */
function lastDue(
  cron: KubeObject,
  status: any,
  times: Cron,
  now: number,
  context: ControllerContext,
): number | undefined {
  const deadline = cron['spec'].startingDeadlineSeconds;
  let from = Date.parse(status.lastScheduleTime ?? cron.metadata.creationTimestamp ?? '');
  if (deadline !== undefined) from = Math.max(from, now - deadline * 1000);
  let due: number | undefined;
  let missed = 0;
  for (let at = times.nextRun(new Date(from)); at && at.getTime() <= now; at = times.nextRun(at)) {
    due = at.getTime();
    if (++missed <= MOST_MISSED) continue;
    const text =
      'too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew';
    context.events.event(cron, 'Warning', 'TooManyMissedTimes', text);
    return times.previousRuns(1, new Date(now + 1000))[0]?.getTime() ?? due;
  }
  return due;
}

async function createJob(
  cron: KubeObject,
  name: string,
  due: number,
  context: ControllerContext,
): Promise<KubeObject | undefined> {
  const { metadata = {}, spec } = cron['spec'].jobTemplate;
  try {
    const job = await context.client.create(JOBS, {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: {
        name,
        namespace: cron.metadata.namespace,
        ...(metadata.labels ? { labels: { ...metadata.labels } } : {}),
        annotations: { ...metadata.annotations, [SCHEDULED_AT]: timestamp(due) },
        ownerReferences: [controllerReference(cron)],
      },
      spec: structuredClone(spec),
    });
    context.events.event(cron, 'Normal', 'SuccessfulCreate', `Created job ${name}`);
    return job;
  } catch (error) {
    if (error instanceof StatusError && error.reason === 'AlreadyExists') {
      const existing = await context.client.get(JOBS, { namespace: cron.metadata.namespace, name });
      return existing.metadata.ownerReferences?.some(r => r.uid === cron.metadata.uid) && !finished(existing)
        ? existing
        : undefined;
    }
    context.events.event(cron, 'Warning', 'FailedCreate', `Error creating job: ${(error as Error).message}`);
    throw error;
  }
}
