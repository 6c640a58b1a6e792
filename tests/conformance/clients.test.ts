// @kubernetes/client-node against the API server: what checks and other people's programs use.

import assert from 'node:assert/strict';
import net from 'node:net';
import { PassThrough, Readable } from 'node:stream';
import { after, test } from 'node:test';
import * as k8s from '@kubernetes/client-node';
import { sharedCluster } from '../support/practice.ts';

const cluster = sharedCluster();

async function config(): Promise<k8s.KubeConfig> {
  const { kubeconfig } = await cluster();
  const loaded = new k8s.KubeConfig();
  loaded.loadFromFile(kubeconfig);
  return loaded;
}

const core = async () => (await config()).makeApiClient(k8s.CoreV1Api);
const patchAs = (strategy: string) => k8s.setHeaderOptions('Content-Type', strategy);
const namespace = 'default';

function collect(): { stream: PassThrough; text: () => string } {
  const stream = new PassThrough();
  let text = '';
  stream.on('data', chunk => {
    text += chunk;
  });
  return { stream, text: () => text };
}

async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = Date.now() + 15_000;
  while (!(await condition())) {
    assert.ok(Date.now() < deadline, `${what} did not happen in time`);
    await new Promise(resolve => setTimeout(resolve, 30));
  }
}

test('objects are created, read, changed and deleted', async () => {
  const api = await core();
  await api.createNamespacedConfigMap({ namespace, body: { metadata: { name: 'crud' }, data: { a: '1' } } });
  const patches: [string, unknown, string][] = [
    [k8s.PatchStrategy.MergePatch, { data: { a: '2' } }, '2'],
    [k8s.PatchStrategy.StrategicMergePatch, { data: { a: '3' } }, '3'],
    [k8s.PatchStrategy.JsonPatch, [{ op: 'replace', path: '/data/a', value: '4' }], '4'],
  ];
  for (const [strategy, body, value] of patches) {
    const changed = await api.patchNamespacedConfigMap({ name: 'crud', namespace, body }, patchAs(strategy));
    assert.equal(changed.data?.a, value);
  }
  const applied = await api.patchNamespacedConfigMap(
    {
      name: 'crud',
      namespace,
      fieldManager: 'test',
      force: true,
      body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'crud' }, data: { a: '5' } },
    },
    patchAs(k8s.PatchStrategy.ServerSideApply),
  );
  assert.equal(applied.data?.a, '5');
  await api.deleteNamespacedConfigMap({ name: 'crud', namespace });
  await assert.rejects(
    api.readNamespacedConfigMap({ name: 'crud', namespace }),
    (error: k8s.ApiException<string>) => {
      assert.equal(error.code, 404);
      assert.match(String(error.body), /configmaps \\?"crud\\?" not found/);
      return true;
    },
  );
});

test('an informer sees what is added, changed and removed, in order', async () => {
  const api = await core();
  const informer = k8s.makeInformer(await config(), `/api/v1/namespaces/${namespace}/secrets`, () =>
    api.listNamespacedSecret({ namespace }),
  );
  const seen: string[] = [];
  for (const verb of ['add', 'update', 'delete'] as const) {
    informer.on(verb, (object: k8s.V1Secret) => seen.push(`${verb} ${object.metadata?.name}`));
  }
  informer.on('error', () => {});
  await informer.start();
  after(() => informer.stop());
  await api.createNamespacedSecret({
    namespace,
    body: { metadata: { name: 'seen' }, stringData: { a: 'b' } },
  });
  await api.patchNamespacedSecret(
    { name: 'seen', namespace, body: { metadata: { labels: { x: 'y' } } } },
    patchAs(k8s.PatchStrategy.MergePatch),
  );
  await api.deleteNamespacedSecret({ name: 'seen', namespace });
  await until(() => seen.length >= 3, 'the third event');
  assert.deepEqual(seen, ['add seen', 'update seen', 'delete seen']);
  await informer.stop();
});

test('a watch tells changes as they happen', async () => {
  const api = await core();
  const events: string[] = [];
  const controller = await new k8s.Watch(await config()).watch(
    `/api/v1/namespaces/${namespace}/configmaps`,
    { fieldSelector: 'metadata.name=watched', allowWatchBookmarks: true },
    (type: string) => events.push(type),
    () => {},
  );
  await api.createNamespacedConfigMap({ namespace, body: { metadata: { name: 'watched' } } });
  const start = Date.now();
  await until(() => events.length === 1, 'the event');
  assert.ok(Date.now() - start < 1000);
  controller.abort();
});

async function runningPod(): Promise<void> {
  const api = await core();
  const known = await api.readNamespacedPod({ name: 'client', namespace }).catch(() => undefined);
  if (!known) {
    await until(
      async () => (await api.listNamespacedServiceAccount({ namespace })).items.length > 0,
      'the default service account',
    );
    await api.createNamespacedPod({
      namespace,
      body: {
        metadata: { name: 'client' },
        spec: { containers: [{ name: 'c', image: 'nginx:1.27', ports: [{ containerPort: 80 }] }] },
      },
    });
  }
  await until(
    async () => (await api.readNamespacedPod({ name: 'client', namespace })).status?.phase === 'Running',
    'the pod runs',
  );
}

test('exec runs a command with input and tells its exit code', async () => {
  await runningPod();
  const exec = new k8s.Exec(await config());
  const run = async (command: string[], stdin: Readable | null) => {
    const out = collect();
    const err = collect();
    const status = await new Promise<k8s.V1Status>((resolve, reject) => {
      exec
        .exec(namespace, 'client', 'c', command, out.stream, err.stream, stdin, false, resolve)
        .catch(reject);
    });
    // The status may arrive in the same tick as the last output.
    await new Promise(resolve => setTimeout(resolve, 20));
    return { status, out: out.text() };
  };
  const echoed = await run(['echo', 'hi'], null);
  assert.equal(echoed.status.status, 'Success');
  assert.equal(echoed.out, 'hi\n');
  const typed = await run(['cat'], Readable.from([Buffer.from('typed\n')]));
  assert.equal(typed.out, 'typed\n');
  const failed = await run(['sh', '-c', 'exit 4'], null);
  assert.equal(failed.status.reason, 'NonZeroExitCode');
  assert.deepEqual(failed.status.details?.causes, [{ reason: 'ExitCode', message: '4' }]);
});

test('logs are read', async () => {
  await runningPod();
  const { stream, text } = collect();
  await new k8s.Log(await config()).log(namespace, 'client', 'c', stream, { tailLines: 1 });
  await until(() => stream.readableEnded || text() !== '', 'the log');
});

test('ports are forwarded over the older WebSocket form', async () => {
  await runningPod();
  const forward = new k8s.PortForward(await config());
  // A connection left open would keep this process from ending as long as the cluster stands.
  const connections: { close(): void }[] = [];
  const server = net.createServer(socket => {
    forward
      .portForward(namespace, 'client', [80], socket, null, socket)
      .then(connection => connections.push(connection as { close(): void }))
      .catch(error => socket.destroy(error));
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  after(() => server.close());
  const { port } = server.address() as net.AddressInfo;
  const answer = await fetch(`http://127.0.0.1:${port}/`);
  assert.match(await answer.text(), /Welcome to nginx/);
  server.close();
  for (const connection of connections) connection.close();
});

test('access can be asked about', async () => {
  const api = (await config()).makeApiClient(k8s.AuthorizationV1Api);
  const review = await api.createSubjectAccessReview({
    body: { spec: { user: 'jane', resourceAttributes: { verb: 'list', resource: 'pods', namespace } } },
  });
  assert.equal(review.status?.allowed, false);
});
