// Kubeflow's MPI Operator as an installation of its own: a launcher that finds its workers by the list it was given, and a job
// that is as far as its launcher.

import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import { before, describe, it } from 'node:test';
import { parse } from 'yaml';
import { type Component, component } from '../support/component.ts';
import { NO_KUBECTL } from '../support/practice.ts';

const JOBS = 'kubeflow.org/v2beta1 mpijobs';
const PODS = 'v1 pods';
const start = component('mpi', 'team');

const replica = (script: string, more: object = {}) => ({
  ...more,
  template: { spec: { containers: [{ name: 'c', image: 'alpine:3.10', command: ['sh', '-c', script] }] } },
});
const job = (name: string, roles: Record<string, object>, runPolicy: object = {}) => ({
  apiVersion: 'kubeflow.org/v2beta1',
  kind: 'MPIJob',
  metadata: { name },
  spec: { runPolicy, mpiReplicaSpecs: roles },
});

describe('MPIJobs', { skip: NO_KUBECTL }, () => {
  let c: Component;
  before(async () => {
    c = await start();
  });
  const becomes = (name: string, type: string) =>
    c.until(
      async () => ((await c.get(JOBS, name))?.status?.conditions ?? []) as any[],
      conditions => conditions.some(condition => condition.type === type && condition.status === 'True'),
    );

  it('give the launcher the names of its workers, which it reaches', async () => {
    const { data } = await c.get('v1 configmaps', 'examples', 'mpi-operator');
    await c.create(parse(data['sum.yaml']));
    const [created, running, succeeded] = await becomes('sum', 'Succeeded');
    assert.equal(
      `${created.message} ${running.status} ${running.message}`,
      'MPIJob team/sum is created. False MPIJob team/sum is running.',
    );
    assert.equal(
      `${succeeded.reason} ${succeeded.message}`,
      'MPIJobSucceeded MPIJob team/sum successfully completed.',
    );
    assert.equal(
      await c.sh('kubectl logs job/sum-launcher'),
      'sum-worker-0.sum.team.svc says 2500\nsum-worker-1.sum.team.svc says 2550\nall together: 5050',
    );
    const config = await c.get('v1 configmaps', 'sum-config');
    assert.equal(
      config.data.hostfile,
      'sum-worker-0.sum.team.svc slots=1\nsum-worker-1.sum.team.svc slots=1\n',
    );
    const { spec } = await c.get('batch/v1 jobs', 'sum-launcher');
    const mounts = spec.template.spec.containers[0].volumeMounts.map(({ mountPath }: any) => mountPath);
    assert.deepEqual(mounts, ['/root/.ssh', '/etc/mpi']);
    for (const name of ['sum-worker-0', 'sum-worker-1'])
      await c.until(
        () => c.get(PODS, name),
        pod => pod === undefined,
      );
  });

  it('share a key that is one', async () => {
    const { type, data } = await c.get('v1 secrets', 'sum-ssh');
    assert.equal(type, 'kubernetes.io/ssh-auth');
    const text = (key: string) => Buffer.from(data[key], 'base64').toString();
    const { crv, x, y } = createPublicKey(text('ssh-privatekey')).export({ format: 'jwk' });
    assert.equal(crv, 'P-521');
    const [algorithm, wire = ''] = text('ssh-publickey').trim().split(' ');
    assert.equal(algorithm, 'ecdsa-sha2-nistp521');
    const point = Buffer.concat([Buffer.from(x ?? '', 'base64url'), Buffer.from(y ?? '', 'base64url')]);
    assert.ok(Buffer.from(wire, 'base64').includes(point));
  });

  it('take everything with them', async () => {
    await c.delete(JOBS, 'sum');
    for (const [kind, name] of [
      ['batch/v1 jobs', 'sum-launcher'],
      ['v1 services', 'sum'],
      ['v1 secrets', 'sum-ssh'],
      ['v1 configmaps', 'sum-config'],
    ] as const)
      await c.until(
        () => c.get(kind, name),
        object => object === undefined,
      );
  });

  it('say what is wrong with them, and make nothing', async () => {
    await c.create(job('headless', { Worker: replica('sleep 1') }));
    await c.until(
      () => c.events('MPIJob', 'headless'),
      events =>
        events.includes(
          'Warning ValidationError Found validation errors: spec.mpiReplicaSpecs[Launcher]: Required value: must have Launcher replica spec',
        ),
    );
    assert.equal((await c.get(JOBS, 'headless')).status, undefined);
  });

  it('fail with their launcher, after as many tries as they allow', async () => {
    await c.create(
      job(
        'lost',
        {
          Launcher: replica('exit 3', { restartPolicy: 'Never' }),
          Worker: replica('sleep 1000', { replicas: 1 }),
        },
        { backoffLimit: 0 },
      ),
    );
    const failed = (await becomes('lost', 'Failed')).at(-1);
    assert.equal(failed.reason, 'BackoffLimitExceeded/Error');
    assert.equal(failed.message, 'Job has reached the specified backoff limit');
    assert.equal((await c.get(PODS, 'lost-worker-0')).status.phase, 'Running');
  });

  it('start their launcher when all workers are ready, where they ask for it', async () => {
    const unready = {
      name: 'c',
      image: 'alpine:3.10',
      command: ['sh', '-c', 'sleep 10; touch /ready; sleep 1000'],
      readinessProbe: { exec: { command: ['test', '-f', '/ready'] }, periodSeconds: 1 },
    };
    const worker = { replicas: 1, template: { spec: { containers: [unready] } } };
    const patient = job('patient', { Launcher: replica('exit 0'), Worker: worker });
    Object.assign(patient.spec, { launcherCreationPolicy: 'WaitForWorkersReady' });
    await c.create(patient);
    await c.until(
      () => c.get(PODS, 'patient-worker-0'),
      pod => pod?.status.phase === 'Running',
    );
    assert.equal(await c.get('batch/v1 jobs', 'patient-launcher'), undefined);
    await c.until(() => c.get('batch/v1 jobs', 'patient-launcher'), Boolean);
  });

  it('get a worker again that somebody deleted', async () => {
    await c.create(
      job('worker', { Launcher: replica('sleep 1000'), Worker: replica('sleep 1000', { replicas: 1 }) }),
    );
    await becomes('worker', 'Running');
    const { uid } = (await c.get(PODS, 'worker-worker-0')).metadata;
    await c.sh('kubectl delete pod worker-worker-0 --grace-period=0 --force');
    await c.until(
      () => c.get(PODS, 'worker-worker-0'),
      pod => pod && pod.metadata.uid !== uid,
    );
  });

  it('are left alone while the operator may not, which its log says', async () => {
    await c.delete('rbac.authorization.k8s.io/v1 clusterrolebindings', 'mpi-operator');
    await c.sh(
      'kubectl create clusterrolebinding reader --clusterrole=view --serviceaccount=mpi-operator:mpi-operator; kubectl create clusterrole jobs --verb="*" --resource=mpijobs.kubeflow.org,mpijobs.kubeflow.org/status,secrets; kubectl create clusterrolebinding jobs --clusterrole=jobs --serviceaccount=mpi-operator:mpi-operator',
    );
    await c.create(job('refused', { Launcher: replica('exit 0') }));
    await c.until(
      () => c.sh('kubectl logs -n mpi-operator deploy/mpi-operator'),
      text =>
        /error syncing 'team\/refused': services is forbidden: User "system:serviceaccount:mpi-operator:mpi-operator" cannot create/.test(
          text,
        ),
    );
  });
});
