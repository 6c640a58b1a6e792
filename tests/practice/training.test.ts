// Kubeflow's Training Operator as an installation of its own: the replicas of a job find each other, what fails is restarted
// or ends the job as its policies say, and the job's conditions tell of it.

import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { parse } from 'yaml';
import { type Component, component } from '../support/component.ts';
import { NO_KUBECTL } from '../support/practice.ts';

const LOG = 'kubectl logs -n kubeflow deploy/training-operator';
const JOBS = 'kubeflow.org/v1 pytorchjobs';
const PODS = 'v1 pods';
const start = component('training', 'team');

const replica = (script: string, more: object = {}) => ({
  ...more,
  template: {
    spec: { containers: [{ name: 'pytorch', image: 'alpine:3.10', command: ['sh', '-c', script] }] },
  },
});
const job = (name: string, replicas: Record<string, object>, runPolicy: object = {}) => ({
  apiVersion: 'kubeflow.org/v1',
  kind: 'PyTorchJob',
  metadata: { name },
  spec: { runPolicy, pytorchReplicaSpecs: replicas },
});
const WAITS = replica('sleep 1000');

describe('PyTorchJobs', { skip: NO_KUBECTL }, () => {
  let c: Component;
  before(async () => {
    c = await start();
  });
  const becomes = (name: string, type: string, status = 'True') =>
    c.until(
      async () => (await c.get(JOBS, name))?.status?.conditions ?? [],
      conditions =>
        conditions.some((condition: any) => condition.type === type && condition.status === status),
    );
  const last = async (name: string) => {
    const { type, reason, message } = (await c.get(JOBS, name)).status.conditions.at(-1);
    return `${type} ${reason}: ${message}`;
  };
  const running = (pod: string) =>
    c.until(
      () => c.get(PODS, pod),
      found => found?.status.phase === 'Running',
    );
  const gone = (resource: string, name: string) =>
    c.until(
      () => c.get(resource, name),
      found => found === undefined,
    );

  it('add up with their peers what none of them has alone', async () => {
    const { data } = await c.get('v1 configmaps', 'examples', 'kubeflow');
    await c.create(parse(data['sum.yaml']));
    await becomes('sum', 'Succeeded');
    assert.equal(
      await last('sum'),
      'Succeeded PyTorchJobSucceeded: PyTorchJob sum is successfully completed.',
    );
    const log = await c.sh(
      'for pod in master-0 worker-0 worker-1; do kubectl logs sum-$pod -c pytorch; done',
    );
    assert.equal(
      log,
      'rank 0 of 3: my part is 1717\nall together: 5050\nrank 1 of 3: my part is 1650\nrank 2 of 3: my part is 1683',
    );
    assert.match(await c.sh('kubectl get pytorchjobs'), /^NAME +STATE +AGE\nsum +Succeeded /);

    const worker = await c.get(PODS, 'sum-worker-1');
    assert.deepEqual(worker.metadata.labels, {
      'training.kubeflow.org/job-name': 'sum',
      'training.kubeflow.org/operator-name': 'pytorchjob-controller',
      'training.kubeflow.org/replica-index': '1',
      'training.kubeflow.org/replica-type': 'worker',
    });
    const env = Object.fromEntries(
      worker.spec.containers[0].env.map(({ name, value }: Record<string, string>) => [name, value]),
    );
    assert.deepEqual(
      [env['MASTER_ADDR'], env['MASTER_PORT'], env['WORLD_SIZE'], env['RANK'], env['PET_NNODES']],
      ['sum-master-0', '23456', '3', '2', '3'],
    );
    assert.equal(worker.spec.initContainers[0].name, 'init-pytorch');
    assert.equal((await c.get('v1 services', 'sum-worker-1')).spec.clusterIP, 'None');
    const { replicaStatuses } = (await c.get(JOBS, 'sum')).status;
    assert.equal(replicaStatuses.Master.succeeded, 1);
    const seen = (await c.events('PyTorchJob', 'sum')).map(text => text.split(' ').slice(0, 2).join(' '));
    for (const event of [
      'Normal SuccessfulCreatePod',
      'Normal SuccessfulCreateService',
      'Normal PyTorchJobSucceeded',
    ])
      assert.ok(seen.includes(event), event);
  });

  it('get a replica again that somebody deleted', async () => {
    await c.create(job('lost', { Master: WAITS, Worker: WAITS }));
    await becomes('lost', 'Running');
    const { uid } = (await running('lost-worker-0')).metadata;
    await c.sh(
      'kubectl delete pod lost-worker-0 --grace-period=0 --force; kubectl delete service lost-worker-0',
    );
    await c.until(
      () => c.get(PODS, 'lost-worker-0'),
      pod => pod && pod.metadata.uid !== uid,
    );
    await c.until(() => c.get('v1 services', 'lost-worker-0'), Boolean);
    await c.delete(JOBS, 'lost');
    for (const name of ['lost-master-0', 'lost-worker-0']) await gone('v1 services', name);
    assert.equal(await c.get(JOBS, 'lost'), undefined);
  });

  it('restart a replica that a signal ended, and end at any other code, where the code decides', async () => {
    const exits = (code: number) => replica(`exit ${code}`, { restartPolicy: 'ExitCode' });
    await c.create(
      job('killed', { Master: WAITS, Worker: exits(137) }),
      job('wrong', { Master: WAITS, Worker: exits(1) }),
    );
    await c.until(
      () => c.events('PyTorchJob', 'killed'),
      events =>
        events.includes(
          'Warning PyTorchJobRestarting PyTorchJob killed is restarting because 1 Worker replica(s) failed.',
        ) &&
        events.filter(text => text === 'Normal SuccessfulCreatePod Created pod: killed-worker-0').length > 0,
    );
    await becomes('wrong', 'Failed');
    assert.equal(
      await last('wrong'),
      'Failed PyTorchJobFailed: job "wrong" is failing because "Worker" replica(s) failed.',
    );
    assert.ok(!(await becomes('killed', 'Created')).some((condition: any) => condition.type === 'Failed'));
    await c.delete(JOBS, 'killed');
  });

  it('end with a replica that is never restarted, and are cleaned up as they ask', async () => {
    const { data } = await c.get('v1 configmaps', 'examples', 'kubeflow');
    await c.create(parse(data['broken.yaml']));
    await becomes('broken', 'Failed');
    assert.equal(
      await last('broken'),
      'Failed PyTorchJobFailed: PyTorchJob broken is failed because 1 Worker replica(s) failed.',
    );
    await gone(PODS, 'broken-master-0');
    await gone('v1 services', 'broken-master-0');
    assert.equal((await c.get(PODS, 'broken-worker-0')).status.phase, 'Failed');
  });

  it('are called running while the kubelet restarts a replica, until the limit', async () => {
    const crash = replica('exit 1', { restartPolicy: 'OnFailure' });
    await c.create(job('again', { Master: WAITS, Worker: crash }, { backoffLimit: 2 }));
    await becomes('again', 'Running');
    await becomes('again', 'Failed');
    assert.equal(
      await last('again'),
      'Failed PyTorchJobFailed: Job again has failed because it has reached the specified backoff limit',
    );
    await gone(PODS, 'again-worker-0');
  });

  it('end at their deadline, and go at the end of their time', async () => {
    await c.create(job('late', { Master: WAITS }, { activeDeadlineSeconds: 5, ttlSecondsAfterFinished: 60 }));
    await becomes('late', 'Failed');
    assert.match(await last('late'), /because it was active longer than specified deadline$/);
    await gone(JOBS, 'late');
  });

  it('give up their pods while they are suspended', async () => {
    await c.create(job('paused', { Master: WAITS }));
    await becomes('paused', 'Running');
    await c.patch(JOBS, 'paused', { spec: { runPolicy: { suspend: true } } });
    await becomes('paused', 'Suspended');
    await gone('v1 services', 'paused-master-0');
    assert.equal(await last('paused'), 'Suspended PyTorchJobSuspended: PyTorchJob paused is suspended.');
    await c.patch(JOBS, 'paused', { spec: { runPolicy: { suspend: false } } });
    await becomes('paused', 'Suspended', 'False');
    await c.delete(JOBS, 'paused');
  });

  it('stay without pods while the operator may not make any, which event and log say', async () => {
    await c.delete('rbac.authorization.k8s.io/v1 clusterrolebindings', 'training-operator');
    await c.sh(
      'kubectl create clusterrolebinding reader --clusterrole=view --serviceaccount=kubeflow:training-operator',
    );
    await c.sh(
      'kubectl create clusterrole jobs --verb="*" --resource=pytorchjobs.kubeflow.org,pytorchjobs.kubeflow.org/status,events; kubectl create clusterrolebinding jobs --clusterrole=jobs --serviceaccount=kubeflow:training-operator',
    );
    await c.create(job('refused', { Master: WAITS }));
    await c.until(
      () => c.events('PyTorchJob', 'refused'),
      events =>
        events.some(text =>
          /^Warning FailedCreatePod Error creating: pods is forbidden: User "system:serviceaccount:kubeflow:training-operator" cannot create/.test(
            text,
          ),
        ),
    );
    assert.match(await c.sh(LOG), /Reconciler error.*pods is forbidden/);
    assert.equal(await c.get(PODS, 'refused-master-0'), undefined);
  });

  it('are not looked at when the operator is told to serve kinds that are not there', async () => {
    await c.sh(
      `kubectl patch -n kubeflow deployment training-operator --type=json -p '[{"op":"remove","path":"/spec/template/spec/containers/0/args"}]'`,
    );
    await c.until(
      () => c.sh(LOG),
      text => /no matches for kind \\"TFJob\\" in version \\"kubeflow.org\/v1\\"/.test(text),
    );
  });
});
