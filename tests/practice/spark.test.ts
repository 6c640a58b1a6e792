// The Spark operator: an application's driver really deals its work out to executors, and every way to fail shows in its state.

import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { type Component, component } from '../support/component.ts';
import { NO_KUBECTL } from '../support/practice.ts';

const start = component('spark', 'numbers');
const APPLICATIONS = 'sparkoperator.k8s.io/v1beta2 sparkapplications';
const EXECUTORS = 'spark-role=executor';

interface Wanted {
  account?: string;
  tasks?: number;
  file?: string;
  memory?: string;
  more?: object;
}

const application = (
  name: string,
  { account = 'spark', tasks = 6, file, memory = '512m', more }: Wanted = {},
) => ({
  apiVersion: 'sparkoperator.k8s.io/v1beta2',
  kind: 'SparkApplication',
  metadata: { name },
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
  let c: Component;
  /** The application's status once it has reached a state. */
  const reaches = async (name: string, state: string) => {
    const { status } = await c.until(
      () => c.get(APPLICATIONS, name),
      found => found.status?.applicationState.state === state,
    );
    return status;
  };
  const log = (name: string) => c.sh(`kubectl logs ${name}-driver`);

  before(async () => {
    c = await start();
    await c.sh(
      'kubectl create serviceaccount spark; kubectl create rolebinding spark --clusterrole=edit --serviceaccount=numbers:spark',
    );
  });

  it('computes pi by tasks that the executors share, and leaves only the driver', async () => {
    await c.create(application('pi'));
    const status = await reaches('pi', 'COMPLETED');
    assert.deepEqual(Object.values(status.executorState), ['COMPLETED', 'COMPLETED']);
    assert.match(Object.keys(status.executorState)[0]!, /^pythonpi-[0-9a-f]{16}-exec-1$/);
    const text = await log('pi');
    const pi = Number(/^Pi is roughly (\d\.\d+)$/m.exec(text)?.[1]);
    assert.ok(Math.abs(pi - Math.PI) < 0.01, text);
    const tasks = [...text.matchAll(/Finished task (\d)\.0 .* \(executor (\d)\)/g)];
    assert.deepEqual(tasks.map(([, task]) => Number(task)).sort(), [0, 1, 2, 3, 4, 5]);
    assert.deepEqual([...new Set(tasks.map(([, , executor]) => executor))].sort(), ['1', '2']);
    const [driver, ...rest] = await c.list('v1 pods');
    assert.deepEqual(rest, []);
    assert.equal(driver.metadata.ownerReferences[0].kind, 'SparkApplication');
    const events = await c.events('SparkApplication', 'pi');
    for (const words of [
      /^Normal SparkApplicationSubmitted SparkApplication pi was submitted successfully$/,
      /^Normal SparkExecutorRunning Executor pythonpi-\S+-exec-2 is running$/,
      /^Normal SparkApplicationCompleted SparkApplication pi completed$/,
    ])
      assert.ok(
        events.some(event => words.test(event)),
        events.join('\n'),
      );
    assert.match(
      await c.sh('kubectl get sparkapp'),
      /^NAME +SUSPEND +STATUS +ATTEMPTS +START +FINISH +AGE\npi +COMPLETED +1 +\S+Z +\S+Z +\S+$/,
    );
    await c.delete(APPLICATIONS, 'pi');
    for (const kind of ['v1 pods', 'v1 services', 'v1 configmaps'])
      await c.until(
        () => c.list(kind, 'spark-app-selector'),
        left => left.length === 0,
      );
  });

  it('fails with the words of the API when the driver may not look after pods, and runs again when its spec is changed', async () => {
    await c.create(application('denied', { account: '' }));
    const { applicationState } = await reaches('denied', 'FAILED');
    assert.equal(applicationState.errorMessage, 'driver container failed with ExitCode: 1, Reason: Error');
    assert.match(
      await log('denied'),
      /KubernetesClientException: .* Message: pods "denied-driver" is forbidden: User "system:serviceaccount:numbers:default" cannot get resource "pods" in API group "" in the namespace "numbers"\./,
    );
    await c.patch(APPLICATIONS, 'denied', { spec: { driver: { serviceAccount: 'spark' } } });
    assert.equal((await reaches('denied', 'COMPLETED')).executionAttempts, 1);
  });

  it('is not even submitted for an account that is not there, and tries again where that is wanted', async () => {
    const restartPolicy = { type: 'OnFailure', onFailureRetries: 1, onFailureRetryInterval: 1 };
    await c.create(
      application('nobody', { account: 'ghost' }),
      application('twice', { file: 'local:///app/other.py', more: { restartPolicy } }),
    );
    assert.equal(
      (await reaches('nobody', 'FAILED')).applicationState.errorMessage,
      'failed to submit spark application: failed to run spark-submit: pods "nobody-driver" is forbidden: error looking up service account numbers/ghost: serviceaccount "ghost" not found',
    );
    assert.equal((await reaches('twice', 'FAILED')).executionAttempts, 2);
    assert.match(await log('twice'), /runs only the examples pi\.py and .*, not local:\/\/\/app\/other\.py/);
  });

  it('replaces an executor that is lost and does its task again', async () => {
    await c.create(application('long', { tasks: 5000 }));
    const registered = (id: number) => (text: string) => text.includes(` with ID ${id}, `);
    await c.until(() => log('long'), registered(2));
    const [first] = await c.list('v1 pods', `${EXECUTORS},spark-exec-id=1`);
    assert.equal(first.metadata.ownerReferences[0].name, 'long-driver');
    await c.sh(`kubectl delete pod ${first.metadata.name} --grace-period=0 --force`);
    const text = await c.until(() => log('long'), registered(3));
    assert.match(text, /ERROR TaskSchedulerImpl: Lost executor 1 on /);
    const starts = [...text.matchAll(/Starting task (\d+)\.0 /g)].map(([, task]) => task);
    const again = starts.filter((task, index) => starts.indexOf(task) < index);
    assert.equal(again.length, 1, 'the task of the lost executor is dealt out once more, and no other');
    await c.delete(APPLICATIONS, 'long');
  });

  it('runs on with a warning while no node has room, and stops while it is suspended', async () => {
    await c.create(application('wide', { memory: '100g' }));
    await reaches('wide', 'RUNNING');
    const text = await c.until(
      () => log('wide'),
      said => said.includes('WARN'),
    );
    assert.match(
      text,
      /WARN TaskSchedulerImpl: Initial job has not accepted any resources; check your cluster UI/,
    );
    assert.deepEqual(Object.values((await c.get(APPLICATIONS, 'wide')).status.executorState), [
      'PENDING',
      'PENDING',
    ]);
    await c.patch(APPLICATIONS, 'wide', { spec: { suspend: true } });
    await reaches('wide', 'SUSPENDED');
    assert.equal(await c.get('v1 pods', 'wide-driver'), undefined);
    await c.patch(APPLICATIONS, 'wide', { spec: { suspend: false } });
    await reaches('wide', 'RUNNING');
  });

  it('says what its own account is refused', async () => {
    await c.sh(
      `kubectl patch clusterrole spark-operator-controller --type=json -p='[{"op":"replace","path":"/rules/1/verbs","value":["get","list","watch"]}]'`,
    );
    await c.create(application('refused'));
    assert.match(
      (await reaches('refused', 'FAILED')).applicationState.errorMessage,
      /pods is forbidden: User "system:serviceaccount:kubeflow:spark-operator-controller" cannot create resource "pods" in API group "" in the namespace "numbers"$/,
    );
  });
});
