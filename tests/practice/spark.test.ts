// The Spark operator: an application's driver really deals its work out to executors, and every way to fail shows in its state.

import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { openKubeApi } from '../../server/check/index.ts';
import { realClock } from '../../server/clock.ts';
import { baselineOf } from '../../server/lab/baselines/index.ts';
import { NO_KUBECTL, sharedCluster, type TestCluster } from '../support/practice.ts';

/** Delays of the cluster are this much shorter. */
const SPEED = 10;
const cluster = sharedCluster({
  clock: realClock(SPEED),
  nodes: [{ name: 'minikube', cpus: '8', memory: '16Gi' }],
});

interface Wanted {
  name: string;
  account?: string;
  tasks?: number;
  file?: string;
  memory?: string;
  more?: object;
}

const application = ({ name, account = 'spark', tasks = 6, file, memory = '512m', more }: Wanted) =>
  JSON.stringify({
    apiVersion: 'sparkoperator.k8s.io/v1beta2',
    kind: 'SparkApplication',
    metadata: { name, namespace: 'numbers' },
    spec: {
      type: 'Python',
      mode: 'cluster',
      image: 'spark:3.5.2',
      mainApplicationFile: file ?? 'local:///opt/spark/examples/src/main/python/pi.py',
      arguments: [String(tasks)],
      sparkVersion: '3.5.2',
      driver: { memory: '512m', ...(account && { serviceAccount: account }) },
      executor: { instances: 2, memory },
      ...more,
    },
  });

describe('Spark operator', { skip: NO_KUBECTL }, () => {
  let of: TestCluster;
  const sh = async (command: string) => (await of.sh(command, { timeout: 60_000 })).text.trim();
  const apply = (wanted: Wanted) => of.kubectl(['apply', '-f', '-'], { stdin: application(wanted) });
  const reaches = (name: string, state: string) =>
    sh(
      `kubectl wait -n numbers sparkapp/${name} --for=jsonpath='{.status.applicationState.state}'=${state} --timeout=20s`,
    );
  const json = async (what: string) => JSON.parse(await sh(`kubectl get -n numbers ${what} -o json`));
  const errorOf = async (name: string) =>
    (await json(`sparkapp ${name}`)).status.applicationState.errorMessage;
  const until = async (command: string, pattern: RegExp) => {
    const end = Date.now() + 15_000;
    for (;;) {
      const text = await sh(command);
      if (pattern.test(text) || Date.now() > end) return text;
    }
  };

  before(async () => {
    of = await cluster();
    const api = await openKubeApi(of.kubeconfig);
    const signal = new AbortController().signal;
    await baselineOf('spark')!.apply(api, { clock: realClock(), signal, note: () => {} });
    api.close();
    await sh(
      'kubectl create namespace numbers; kubectl create serviceaccount spark -n numbers; kubectl create rolebinding spark -n numbers --clusterrole=edit --serviceaccount=numbers:spark; kubectl wait -n kubeflow deployment --all --for=condition=Available --timeout=30s',
    );
  });

  it('computes pi by tasks that the executors share, and leaves only the driver', async () => {
    await apply({ name: 'pi' });
    assert.match(await reaches('pi', 'COMPLETED'), /condition met/);
    const log = await sh('kubectl logs -n numbers pi-driver');
    const pi = Number(/^Pi is roughly (\d\.\d+)$/m.exec(log)?.[1]);
    assert.ok(Math.abs(pi - Math.PI) < 0.01, log);
    const tasks = [...log.matchAll(/Finished task (\d)\.0 .* \(executor (\d)\)/g)];
    assert.deepEqual(tasks.map(([, task]) => Number(task)).sort(), [0, 1, 2, 3, 4, 5]);
    assert.deepEqual([...new Set(tasks.map(([, , executor]) => executor))].sort(), ['1', '2']);
    const { status } = await json('sparkapp pi');
    assert.deepEqual(Object.values(status.executorState), ['COMPLETED', 'COMPLETED']);
    assert.match(Object.keys(status.executorState)[0]!, /^pythonpi-[0-9a-f]{16}-exec-1$/);
    const [driver, ...rest] = (await json('pods')).items;
    assert.deepEqual(rest, []);
    assert.equal(driver.metadata.ownerReferences[0].kind, 'SparkApplication');
    assert.equal(driver.status.phase, 'Succeeded');
    const events = await sh(
      'kubectl get events -n numbers --field-selector involvedObject.kind=SparkApplication',
    );
    for (const words of [
      /Normal +SparkApplicationSubmitted +sparkapplication\/pi +SparkApplication pi was submitted successfully/,
      /Normal +SparkExecutorRunning +sparkapplication\/pi +Executor pythonpi-\S+-exec-2 is running/,
      /Normal +SparkApplicationCompleted +sparkapplication\/pi +SparkApplication pi completed/,
    ])
      assert.match(events, words);
    await sh('kubectl delete sparkapp -n numbers pi');
    assert.match(
      await until('kubectl get pods,services,configmaps -n numbers -l spark-app-selector', /^No resources/),
      /^No resources/,
    );
  });

  it('fails with the words of the API when the driver may not look after pods', async () => {
    await apply({ name: 'denied', account: '' });
    assert.match(await reaches('denied', 'FAILED'), /condition met/);
    assert.equal(await errorOf('denied'), 'driver container failed with ExitCode: 1, Reason: Error');
    assert.match(
      await sh('kubectl logs -n numbers denied-driver'),
      /KubernetesClientException: .* Message: pods "denied-driver" is forbidden: User "system:serviceaccount:numbers:default" cannot get resource "pods" in API group "" in the namespace "numbers"\./,
    );
  });

  it('runs again when its spec is changed', async () => {
    const change = JSON.stringify({ spec: { driver: { serviceAccount: 'spark' } } });
    await sh(`kubectl patch sparkapp -n numbers denied --type=merge -p '${change}'`);
    assert.match(await reaches('denied', 'COMPLETED'), /condition met/);
    assert.equal((await json('sparkapp denied')).status.executionAttempts, 1);
  });

  it('is not even submitted for an account that is not there, and tries again where that is wanted', async () => {
    await apply({ name: 'nobody', account: 'ghost' });
    const restartPolicy = { type: 'OnFailure', onFailureRetries: 1, onFailureRetryInterval: 1 };
    await apply({ name: 'twice', file: 'local:///app/other.py', more: { restartPolicy } });
    assert.match(await reaches('nobody', 'FAILED'), /condition met/);
    assert.match(
      await errorOf('nobody'),
      /^failed to submit spark application: failed to run spark-submit: pods "nobody-driver" is forbidden: error looking up service account numbers\/ghost: serviceaccount "ghost" not found$/,
    );
    assert.match(await reaches('twice', 'FAILED'), /condition met/);
    assert.equal((await json('sparkapp twice')).status.executionAttempts, 2);
    assert.match(
      await sh('kubectl logs -n numbers twice-driver'),
      /runs only the examples pi\.py and .*, not local:\/\/\/app\/other\.py/,
    );
  });

  it('replaces an executor that is lost and does its tasks again', async () => {
    await apply({ name: 'long', tasks: 5000 });
    const running = 'kubectl get pods -n numbers -l spark-role=executor --no-headers';
    assert.match(await until(running, /exec-2 +1\/1/), /exec-2 +1\/1 +Running/);
    const [first] = (await json('pods -l spark-role=executor')).items;
    assert.equal(first.metadata.ownerReferences[0].name, 'long-driver');
    assert.match(await until('kubectl logs -n numbers long-driver', /with ID 2, /), /with ID 2, /);
    await sh(`kubectl delete pod -n numbers ${first.metadata.name} --grace-period=0 --force`);
    const log = await until('kubectl logs -n numbers long-driver', /Registered executor .* with ID 3, /);
    assert.match(log, /Registered executor .* with ID 3, /);
    assert.match(log, /ERROR TaskSchedulerImpl: Lost executor 1 on /);
    const starts = [...log.matchAll(/Starting task (\d+)\.0 .* executor (\d),/g)];
    const again = starts.filter(([, task], index) => starts.findIndex(([, other]) => other === task) < index);
    assert.equal(again.length, 1, 'the task of the lost executor is dealt out once more, and no other');
    await sh('kubectl delete sparkapp -n numbers long');
  });

  it('runs on with a warning while no node has room, stops while suspended, and ends when its driver is deleted', async () => {
    await apply({ name: 'wide', memory: '100g' });
    assert.match(await reaches('wide', 'RUNNING'), /condition met/);
    assert.match(
      await until('kubectl logs -n numbers wide-driver', /WARN/),
      /WARN TaskSchedulerImpl: Initial job has not accepted any resources; check your cluster UI/,
    );
    assert.deepEqual(Object.values((await json('sparkapp wide')).status.executorState), [
      'PENDING',
      'PENDING',
    ]);
    await sh(`kubectl patch sparkapp -n numbers wide --type=merge -p '{"spec":{"suspend":true}}'`);
    assert.match(await reaches('wide', 'SUSPENDED'), /condition met/);
    assert.match(await sh('kubectl get pod -n numbers wide-driver'), /not found/);
    await sh(`kubectl patch sparkapp -n numbers wide --type=merge -p '{"spec":{"suspend":false}}'`);
    assert.match(await reaches('wide', 'RUNNING'), /condition met/);
    await sh('kubectl delete pod -n numbers wide-driver');
    assert.match(await reaches('wide', 'FAILED'), /condition met/);
    assert.match(
      await errorOf('wide'),
      /^driver (pod not found|container failed with ExitCode: 143, Reason: Error)$/,
    );
  });

  it('says what its own account is refused', async () => {
    await sh(
      `kubectl patch clusterrole spark-operator-controller --type=json -p='[{"op":"replace","path":"/rules/1/verbs","value":["get","list","watch"]}]'`,
    );
    await apply({ name: 'refused' });
    assert.match(await reaches('refused', 'FAILED'), /condition met/);
    assert.match(
      await errorOf('refused'),
      /pods is forbidden: User "system:serviceaccount:kubeflow:spark-operator-controller" cannot create resource "pods" in API group "" in the namespace "numbers"$/,
    );
  });
});
