// Stateful sets, daemon sets, jobs and cron jobs over the real registry, with a clock that is ticked.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { KubeObject } from '../../server/kube/index.ts';
import * as r from '../../server/practice/controllers/index.ts';
import { finished, node, startWorld, type World, type WorldOptions } from '../support/world.ts';

const worlds: World[] = [];
after(() => Promise.all(worlds.map(w => w.stop())));

async function world(options: WorldOptions = {}): Promise<World> {
  const made = await startWorld(options);
  worlds.push(made);
  return made;
}

const template = (labels: Record<string, string>, image = 'nginx') => ({
  metadata: { labels },
  spec: { containers: [{ name: 'x', image }] },
});
const statefulSet = (spec: object = {}): KubeObject => ({
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: { name: 'ss', namespace: 'demo' },
  spec: {
    serviceName: 'ss',
    replicas: 3,
    selector: { matchLabels: { a: 'ss' } },
    template: template({ a: 'ss' }),
    ...spec,
  },
});
const claims = {
  volumeClaimTemplates: [
    {
      metadata: { name: 'd' },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    },
  ],
};
const names = async (w: World) => (await w.list(r.PODS)).map(p => p.metadata.name).sort();
const image = (text: string) => ({
  spec: { template: { spec: { containers: [{ name: 'x', image: text }] } } },
});
const imagesOf = async (w: World) =>
  Object.fromEntries((await w.list(r.PODS)).map(p => [p.metadata.name, p['spec'].containers[0].image]));

test('a stateful set starts one pod after the other, each with its claim and its name', async () => {
  const w = await world();
  const start = w.kubelet.start;
  w.kubelet.start = () => undefined;
  await w.create(statefulSet(claims));
  await w.settle();
  assert.deepEqual(await names(w), ['ss-0']);
  const first = await w.get(r.PODS, 'ss-0');
  const { currentRevision, updateRevision, ...counts } = (await w.get(r.STATEFUL_SETS, 'ss'))['status'];
  assert.deepEqual(counts, {
    availableReplicas: 0,
    collisionCount: 0,
    currentReplicas: 1,
    observedGeneration: 1,
    replicas: 1,
    updatedReplicas: 1,
  });
  assert.equal(currentRevision, updateRevision);
  assert.match(currentRevision, /^ss-[bcdf4-9]{4,10}$/);
  assert.deepEqual(first.metadata.labels, {
    a: 'ss',
    'apps.kubernetes.io/pod-index': '0',
    'controller-revision-hash': currentRevision,
    'statefulset.kubernetes.io/pod-name': 'ss-0',
  });
  assert.deepEqual(
    [first['spec'].hostname, first['spec'].subdomain, first.metadata.generateName],
    ['ss-0', 'ss', 'ss-'],
  );
  assert.deepEqual(first['spec'].volumes[0], { name: 'd', persistentVolumeClaim: { claimName: 'd-ss-0' } });
  assert.deepEqual(
    (await w.list(r.PERSISTENT_VOLUME_CLAIMS)).map(c => [c.metadata.name, c.metadata.labels]),
    [['d-ss-0', { a: 'ss' }]],
  );
  assert.deepEqual(await w.events('StatefulSet'), [
    'SuccessfulCreate: Create Claim d-ss-0 Pod ss-0 in StatefulSet ss success',
    'SuccessfulCreate: Create Pod ss-0 in StatefulSet ss successful',
  ]);
  // Give the claims volumes by hand: the rest follows by itself.
  w.kubelet.start = start;
  for (const i of [0, 1, 2])
    await w.create({
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: `pv${i}` },
      spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: `/d${i}` } },
    });
  await w.settle();
  assert.deepEqual(await names(w), ['ss-0', 'ss-1', 'ss-2']);
  assert.equal((await w.get(r.STATEFUL_SETS, 'ss'))['status'].readyReplicas, 3);
  assert.deepEqual(w.failures, []);
});

test('a stateful set is updated from the last to the first, down to its partition', async () => {
  const w = await world();
  await w.create(statefulSet({ updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 1 } } }));
  await w.settle();
  const order: string[] = [];
  const watch = w.client.watch(r.PODS, { namespace: 'demo' }, e => {
    if (e.type === 'ADDED' && e.object['spec'].containers[0].image === 'new')
      order.push(e.object.metadata.name);
  });
  await w.change(r.STATEFUL_SETS, 'ss', image('new'));
  await w.settle();
  assert.deepEqual(order, ['ss-2', 'ss-1']);
  assert.deepEqual(await imagesOf(w), { 'ss-0': 'nginx', 'ss-1': 'new', 'ss-2': 'new' });
  const { status } = await w.get(r.STATEFUL_SETS, 'ss');
  assert.deepEqual([status.currentReplicas, status.updatedReplicas], [1, 2]);
  // Below the partition a pod comes back as it was.
  await w.client.delete(r.PODS, { namespace: 'demo', name: 'ss-0' });
  await w.settle();
  assert.deepEqual((await imagesOf(w))['ss-0'], 'nginx');
  await w.change(r.STATEFUL_SETS, 'ss', { spec: { updateStrategy: { rollingUpdate: { partition: 0 } } } });
  await w.settle();
  watch.stop();
  const done = (await w.get(r.STATEFUL_SETS, 'ss'))['status'];
  assert.equal(done.currentRevision, done.updateRevision);
  assert.deepEqual((await w.list(r.CONTROLLER_REVISIONS)).map(c => c['revision']).sort(), [1, 2]);
});

test('a stateful set shrinks from its end and keeps its claims, unless told to give them up', async () => {
  const w = await world();
  await w.create(
    statefulSet({
      ...claims,
      podManagementPolicy: 'Parallel',
      persistentVolumeClaimRetentionPolicy: { whenScaled: 'Delete', whenDeleted: 'Retain' },
    }),
  );
  for (const i of [0, 1, 2])
    await w.create({
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: `pv${i}` },
      spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: `/d${i}` } },
    });
  await w.settle();
  assert.deepEqual(await names(w), ['ss-0', 'ss-1', 'ss-2']);
  await w.change(r.STATEFUL_SETS, 'ss', { spec: { replicas: 1 } });
  await w.settle();
  assert.deepEqual(await names(w), ['ss-0']);
  assert.deepEqual(
    (await w.list(r.PERSISTENT_VOLUME_CLAIMS)).map(c => c.metadata.name),
    ['d-ss-0'],
  );
  await w.client.delete(
    r.STATEFUL_SETS,
    { namespace: 'demo', name: 'ss' },
    { propagationPolicy: 'Background' },
  );
  await w.settle();
  assert.deepEqual([(await names(w)).length, (await w.list(r.PERSISTENT_VOLUME_CLAIMS)).length], [0, 1]);
});

const daemonSet = (spec: object = {}): KubeObject => ({
  apiVersion: 'apps/v1',
  kind: 'DaemonSet',
  metadata: { name: 'ds', namespace: 'demo' },
  spec: { selector: { matchLabels: { a: 'ds' } }, template: template({ a: 'ds' }), ...spec },
});

test('a daemon set has a pod on every node that takes it, cordoned ones too', async () => {
  const w = await world({ nodes: [node('n1'), node('n2')] });
  await w.change(r.NODES, 'n2', { spec: { unschedulable: true } });
  await w.create(daemonSet());
  await w.settle();
  const nodes = async () => (await w.list(r.PODS)).map(p => p['spec'].nodeName).sort();
  assert.deepEqual(await nodes(), ['n1', 'n2']);
  await w.create(node('n3'));
  await w.settle();
  assert.deepEqual(await nodes(), ['n1', 'n2', 'n3']);
  const { status } = await w.get(r.DAEMON_SETS, 'ds');
  assert.deepEqual(status, {
    currentNumberScheduled: 3,
    desiredNumberScheduled: 3,
    numberAvailable: 3,
    numberMisscheduled: 0,
    numberReady: 3,
    observedGeneration: 1,
    updatedNumberScheduled: 3,
  });
  const [pod] = await w.list(r.PODS);
  assert.deepEqual(pod?.['spec'].tolerations.map((t: { key: string }) => t.key.split('/')[1]).slice(0, 6), [
    'not-ready',
    'unreachable',
    'disk-pressure',
    'memory-pressure',
    'pid-pressure',
    'unschedulable',
  ]);
  await w.change(r.DAEMON_SETS, 'ds', {
    spec: { template: { spec: { nodeSelector: { 'kubernetes.io/hostname': 'n1' } } } },
  });
  await w.settle();
  assert.deepEqual(await nodes(), ['n1']);
});

test('a daemon set is updated one node at a time', async () => {
  const w = await world({ nodes: [node('n1'), node('n2'), node('n3')] });
  await w.create(daemonSet());
  await w.settle();
  let fewest = 3;
  const watch = w.client.watch(r.PODS, { namespace: 'demo' }, () => {
    void w.list(r.PODS).then(pods => {
      const up = pods.filter(p => p['status'].phase === 'Running' && !p.metadata.deletionTimestamp).length;
      fewest = Math.min(fewest, up);
    });
  });
  await w.change(r.DAEMON_SETS, 'ds', image('new'));
  await w.settle();
  watch.stop();
  assert.equal(fewest, 2);
  assert.deepEqual(new Set(Object.values(await imagesOf(w))), new Set(['new']));
});

const job = (spec: object = {}, name = 'j'): KubeObject => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name, namespace: 'demo' },
  spec: {
    template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'busybox' }] } },
    ...spec,
  },
});
const kinds = (j: KubeObject) =>
  (j['status'].conditions ?? []).map((c: Record<string, string>) => `${c['type']} ${c['reason']}`);
/** Every pod ends with what `code` says, the n-th pod with `code(n)`. */
const ending = (w: World, code: (n: number, pod: KubeObject) => number) => {
  let n = 0;
  w.kubelet.start = pod => finished(pod, w.clock, code(n++, pod));
};

test('a job that waits looks as recorded', async () => {
  const w = await world({ nodes: [] });
  await w.create(job());
  await w.settle();
  const j = await w.get(r.JOBS, 'j');
  assert.deepEqual(j['status'], {
    active: 1,
    ready: 0,
    startTime: '2026-11-23T23:10:00Z',
    terminating: 0,
    uncountedTerminatedPods: {},
  });
  const [pod] = await w.list(r.PODS);
  assert.deepEqual(pod?.metadata.finalizers, ['batch.kubernetes.io/job-tracking']);
  assert.deepEqual(await w.events('Job'), [`SuccessfulCreate: Created pod: ${pod?.metadata.name}`]);
});

test('a job is complete when enough pods succeeded, each counted once', async () => {
  const w = await world();
  ending(w, () => 0);
  await w.create(job({ completions: 3, parallelism: 2 }));
  await w.settle();
  const j = await w.get(r.JOBS, 'j');
  assert.deepEqual(kinds(j), ['SuccessCriteriaMet CompletionsReached', 'Complete CompletionsReached']);
  assert.deepEqual(
    [j['status'].succeeded, j['status'].active, j['status'].uncountedTerminatedPods],
    [3, undefined, {}],
  );
  assert.equal(
    (await w.list(r.PODS)).every(p => p.metadata.finalizers === undefined),
    true,
  );
  assert.equal((await w.events('Job')).at(-1), 'Completed: Job completed');
  assert.deepEqual(w.failures, []);
});

test('failed pods are replaced after ten seconds, then twenty, up to the back-off limit', async () => {
  const w = await world();
  ending(w, () => 1);
  await w.create(job({ backoffLimit: 2 }));
  await w.settle();
  const made: number[] = [];
  for (let second = 0; second <= 40; second++) {
    made.push((await w.list(r.PODS)).length);
    await w.pass(1);
  }
  assert.deepEqual([made[9], made[10], made[29], made[30], made[40]], [1, 2, 2, 3, 3]);
  const j = await w.get(r.JOBS, 'j');
  assert.deepEqual(kinds(j), ['FailureTarget BackoffLimitExceeded', 'Failed BackoffLimitExceeded']);
  assert.equal(j['status'].failed, 3);
  assert.equal(
    (await w.events('Job')).at(-1),
    'BackoffLimitExceeded: Job has reached the specified backoff limit',
  );
});

test('an indexed job runs each index to its end', async () => {
  const w = await world();
  ending(w, (_n, pod) =>
    pod.metadata.annotations?.['batch.kubernetes.io/job-completion-index'] === '2' ? 1 : 0,
  );
  await w.create(job({ completions: 5, parallelism: 5, completionMode: 'Indexed', backoffLimitPerIndex: 0 }));
  await w.settle();
  const j = await w.get(r.JOBS, 'j');
  assert.deepEqual([j['status'].completedIndexes, j['status'].failedIndexes], ['0,1,3,4', '2']);
  assert.deepEqual(kinds(j), ['FailureTarget FailedIndexes', 'Failed FailedIndexes']);
  const pods = await w.list(r.PODS);
  assert.ok(pods.every(p => /^j-[0-4]-.{5}$/.test(p.metadata.name)));
  assert.equal(pods[0]?.['spec'].containers[0].env[0].name, 'JOB_COMPLETION_INDEX');
});

test('deadline, suspension and the time to live end or pause a job', async () => {
  const w = await world();
  await w.create(job({ activeDeadlineSeconds: 5, ttlSecondsAfterFinished: 20 }));
  await w.settle();
  await w.change(r.JOBS, 'j', { spec: { suspend: true } });
  await w.settle();
  assert.deepEqual(
    [kinds(await w.get(r.JOBS, 'j')), (await w.list(r.PODS)).length],
    [['Suspended JobSuspended'], 0],
  );
  await w.pass(10);
  await w.change(r.JOBS, 'j', { spec: { suspend: false } });
  await w.settle();
  assert.equal((await w.list(r.PODS)).length, 1, 'time spent suspended does not count');
  await w.pass(6);
  assert.deepEqual(kinds(await w.get(r.JOBS, 'j')).slice(-1), ['Failed DeadlineExceeded']);
  await w.pass(21);
  assert.deepEqual([await w.find(r.JOBS, 'j'), await w.list(r.PODS)], [undefined, []]);
  const events = (await w.events('Job')).map(e => e.split(':')[0]);
  assert.deepEqual(
    events.filter(e => e !== 'SuccessfulCreate' && e !== 'SuccessfulDelete'),
    ['Suspended', 'Resumed', 'DeadlineExceeded'],
  );
});

test('a failure policy can end a job at its first failure, or look away', async () => {
  const w = await world();
  const rule = (action: string) => ({ rules: [{ action, onExitCodes: { operator: 'In', values: [42] } }] });
  ending(w, n => (n === 0 ? 42 : 0));
  await w.create(job({ podFailurePolicy: rule('FailJob') }));
  await w.settle();
  const j = await w.get(r.JOBS, 'j');
  assert.deepEqual(kinds(j), ['FailureTarget PodFailurePolicy', 'Failed PodFailurePolicy']);
  assert.match(
    j['status'].conditions[1].message,
    /^Container c for pod demo\/j-.{5} failed with exit code 42 matching FailJob rule at index 0$/,
  );
  ending(w, n => (n === 0 ? 42 : 0));
  await w.create(job({ podFailurePolicy: rule('Ignore'), backoffLimit: 0 }, 'k'));
  await w.pass(11);
  assert.deepEqual(kinds(await w.get(r.JOBS, 'k')), [
    'SuccessCriteriaMet CompletionsReached',
    'Complete CompletionsReached',
  ]);
});

test('a cron job runs on the minute, keeps its history short and respects Forbid', async () => {
  const w = await world();
  ending(w, () => 0);
  await w.create({
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { name: 'cj', namespace: 'demo' },
    spec: { schedule: '*/2 * * * *', successfulJobsHistoryLimit: 2, jobTemplate: { spec: job()['spec'] } },
  });
  await w.settle();
  assert.deepEqual(await w.list(r.JOBS), [], 'nothing before the first time that comes');
  await w.pass(8 * 60 + 1);
  const jobs = await w.list(r.JOBS);
  const minute = Date.UTC(2026, 10, 23, 23, 18) / 60_000;
  assert.deepEqual(
    jobs.map(j => j.metadata.name),
    [`cj-${minute - 2}`, `cj-${minute}`],
  );
  const { status } = await w.get(r.CRON_JOBS, 'cj');
  assert.equal(status.lastScheduleTime, '2026-11-23T23:18:00Z');
  assert.equal(status.active, undefined);
  const events = await w.events('CronJob');
  assert.ok(events.includes(`SuccessfulCreate: Created job cj-${minute}`), events.join('\n'));
  assert.ok(events.includes(`SawCompletedJob: Saw completed job: cj-${minute}, condition: Complete`));
  w.kubelet.start = () => undefined;
  await w.change(r.CRON_JOBS, 'cj', { spec: { concurrencyPolicy: 'Forbid' } });
  await w.pass(4 * 60 + 1);
  assert.equal((await w.get(r.CRON_JOBS, 'cj'))['status'].active.length, 1);
  assert.ok(
    (await w.events('CronJob')).includes(
      'JobAlreadyActive: Not starting job because prior execution is running and concurrency policy is Forbid',
    ),
  );
});
