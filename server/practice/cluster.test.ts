import assert from 'node:assert/strict';
import { test } from 'node:test';
import { realClock } from '../clock.ts';
import { seededRandom } from '../random.ts';
import { createPracticeCluster, startPracticeWorker } from './index.ts';
import type { PracticeOptions } from './types.ts';

const NAMESPACES = { group: '', version: 'v1', resource: 'namespaces' };
const CONFIG_MAPS = { group: '', version: 'v1', resource: 'configmaps' };
const DEPLOYMENTS = { group: 'apps', version: 'v1', resource: 'deployments' };
const PODS = { group: '', version: 'v1', resource: 'pods' };

async function start(options: Partial<PracticeOptions> = {}) {
  return createPracticeCluster({
    clock: realClock(20),
    random: seededRandom(11),
    listen: { port: 0 },
    onFault: (where, error) => assert.fail(`${where}: ${error}`),
    ...options,
  });
}

/** Polls until `read` gives something, at most some seconds. */
async function eventually<T>(what: string, read: () => Promise<T | undefined | false>): Promise<T> {
  for (let i = 0; i < 400; i++) {
    const value = await read();
    if (value) return value;
    await new Promise(resolve => setTimeout(resolve, 25));
  }
  return assert.fail(`${what} did not happen`);
}

const web = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'default' },
  spec: {
    replicas: 1,
    selector: { matchLabels: { app: 'web' } },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: { containers: [{ name: 'c', image: 'nginx:1.27' }] },
    },
  },
};

test('a bare control plane holds what kube-apiserver makes and nothing else', async t => {
  const cluster = await start({ controlPlaneOnly: true });
  t.after(() => cluster.close());
  const { items } = await cluster.client.list(NAMESPACES);
  assert.deepEqual(
    items.map(item => item.metadata.name),
    ['default', 'kube-node-lease', 'kube-public', 'kube-system'],
  );
  assert.equal((await cluster.client.list(PODS)).items.length, 0);
  const service = await cluster.client.get(
    { group: '', version: 'v1', resource: 'services' },
    { namespace: 'default', name: 'kubernetes' },
  );
  assert.equal(service.spec.clusterIP, '10.96.0.1');
  const roles = await cluster.client.list({
    group: 'rbac.authorization.k8s.io',
    version: 'v1',
    resource: 'clusterroles',
  });
  const admin = roles.items.find(role => role.metadata.name === 'admin');
  assert.ok(admin?.rules.length > 10);
});

test('a deployment runs, and going back to a snapshot undoes it', async t => {
  const cluster = await start();
  t.after(() => cluster.close());
  const { client } = cluster;
  await eventually('the default service account', () =>
    client
      .get(
        { group: '', version: 'v1', resource: 'serviceaccounts' },
        { namespace: 'default', name: 'default' },
      )
      .catch(() => undefined),
  );
  const before = await cluster.snapshot();
  await client.create(DEPLOYMENTS, web);
  const running = async () => {
    const { items } = await client.list(PODS, { namespace: 'default' });
    return items.some(pod => pod.status?.phase === 'Running');
  };
  await eventually('a running pod', running);
  const after = await cluster.snapshot();
  await cluster.restore(before);
  await eventually('an empty namespace', async () => {
    const { items } = await client.list(PODS, { namespace: 'default' });
    return items.length === 0;
  });
  await assert.rejects(client.get(DEPLOYMENTS, { namespace: 'default', name: 'web' }), /not found/);
  await cluster.restore(after);
  await eventually('the pod of the later snapshot', running);
});

test('the same seed gives the same cluster', async t => {
  const uids = [];
  for (let i = 0; i < 2; i++) {
    const cluster = await start({ controlPlaneOnly: true });
    t.after(() => cluster.close());
    uids.push((await cluster.client.get(NAMESPACES, { name: 'default' })).metadata.uid);
  }
  assert.equal(uids[0], uids[1]);
});

test('a cluster in a worker answers on its port, goes back to snapshots and ends', async t => {
  const cluster = await startPracticeWorker({ controlPlaneOnly: true, listen: { port: 0 }, seed: 5 });
  t.after(() => cluster.close());
  assert.ok(cluster.port);
  assert.match(cluster.kubeconfig(`https://127.0.0.1:${cluster.port}`), /current-context: minikube/);
  const snapshot = await cluster.snapshot();
  await cluster.restore(snapshot);
  await assert.rejects(cluster.restore(99), /there is no snapshot 99/);
  await cluster.close();
  await cluster.ended;
  await assert.rejects(cluster.snapshot());
});

test('a worker whose port is taken fails with the reason', async t => {
  const first = await startPracticeWorker({ controlPlaneOnly: true, listen: { port: 0 } });
  t.after(() => first.close());
  await assert.rejects(
    startPracticeWorker({ controlPlaneOnly: true, listen: { port: first.port as number } }),
    /EADDRINUSE/,
  );
});

test('what is written in one cluster is not in another', async t => {
  const [a, b] = await Promise.all([start({ controlPlaneOnly: true }), start({ controlPlaneOnly: true })]);
  t.after(() => Promise.all([a.close(), b.close()]));
  await a.client.create(CONFIG_MAPS, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'mine', namespace: 'default' },
  });
  await assert.rejects(b.client.get(CONFIG_MAPS, { namespace: 'default', name: 'mine' }), /not found/);
});
