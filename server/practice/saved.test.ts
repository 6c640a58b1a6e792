// A cluster goes on from its saved bytes: what was stored is there, programs run again, old credentials are good.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { realClock } from '../clock.ts';
import { seededRandom } from '../random.ts';
import { createPracticeCluster, startPracticeWorker } from './index.ts';
import { decodeCluster, encodeCluster } from './saved.ts';
import type { PracticeOptions } from './types.ts';

const core = (resource: string) => ({ group: '', version: 'v1', resource });
const DEPLOYMENTS = { group: 'apps', version: 'v1', resource: 'deployments' };
const CRDS = { group: 'apiextensions.k8s.io', version: 'v1', resource: 'customresourcedefinitions' };
const CATS = { group: 'pets.example', version: 'v1', resource: 'cats' };

const start = (options: Partial<PracticeOptions> = {}) =>
  createPracticeCluster({
    clock: realClock(20),
    random: seededRandom(11),
    listen: { port: 0 },
    onFault: (where, error) => assert.fail(`${where}: ${error}`),
    ...options,
  });

async function eventually<T>(what: string, read: () => Promise<T | undefined | false>): Promise<T> {
  for (let i = 0; i < 400; i++) {
    const value = await read();
    if (value) return value;
    await sleep(25);
  }
  return assert.fail(`${what} did not happen`);
}

const web = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'default' },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: 'web' } },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: { containers: [{ name: 'c', image: 'nginx:1.27' }] },
    },
  },
};
const cats = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'cats.pets.example' },
  spec: {
    group: 'pets.example',
    scope: 'Namespaced',
    names: { plural: 'cats', singular: 'cat', kind: 'Cat', listKind: 'CatList' },
    versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
  },
};

test('a saved cluster starts as it was, and its pods run again', async t => {
  const first = await start();
  t.after(() => first.close());
  const ready = (client: typeof first.client) => async () => {
    const { items } = await client.list(core('pods'), { namespace: 'default' });
    const up = items.filter(pod =>
      pod.status?.conditions?.some(
        (c: { type: string; status: string }) => c.type === 'Ready' && c.status === 'True',
      ),
    );
    return up.length === 2 && up;
  };
  await first.client.create(DEPLOYMENTS, web);
  await first.client.create(CRDS, cats);
  await eventually('a served custom resource', () => first.client.list(CATS).catch(() => undefined));
  await first.client.create(CATS, {
    apiVersion: 'pets.example/v1',
    kind: 'Cat',
    metadata: { name: 'tom', namespace: 'default' },
  });
  const before = await eventually('two ready pods', ready(first.client));
  const saved = await first.save();
  await first.close();

  const second = await start({ saved, random: seededRandom(12) });
  t.after(() => second.close());
  assert.equal((await second.client.get(CATS, { namespace: 'default', name: 'tom' })).metadata.name, 'tom');
  assert.deepEqual(second.credentials, first.credentials);
  const names = (pods: typeof before) => pods.map(pod => pod.metadata.uid).sort();
  assert.deepEqual(names(await eventually('the same pods', ready(second.client))), names(before));
  await second.client.patch(DEPLOYMENTS, { namespace: 'default', name: 'web' }, 'merge', {
    spec: { replicas: 3 },
  });
  await eventually('a third pod', async () => {
    const { items } = await second.client.list(core('pods'), { namespace: 'default' });
    return items.filter(pod => pod.status?.phase === 'Running').length === 3;
  });
});

test('a token from before is good afterwards', async t => {
  const first = await start({ controlPlaneOnly: true });
  t.after(() => first.close());
  await first.client.create(core('serviceaccounts'), {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'me', namespace: 'default' },
  });
  const request = await first.client.create(
    core('serviceaccounts'),
    { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', metadata: { name: 'me' }, spec: {} },
    { of: { namespace: 'default', name: 'me' }, name: 'token' },
  );
  const saved = await first.save();
  await first.close();
  const asked = async (options: Partial<PracticeOptions>) => {
    const cluster = await start({ controlPlaneOnly: true, ...options });
    t.after(() => cluster.close());
    const review = await cluster.client.create(
      { group: 'authentication.k8s.io', version: 'v1', resource: 'tokenreviews' },
      {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenReview',
        metadata: { name: '' },
        spec: { token: request.status.token },
      },
    );
    return review.status.authenticated;
  };
  assert.equal(await asked({ saved }), true);
  assert.notEqual(await asked({}), true);
});

test('what is no saved cluster, or one of another version, is refused with a sentence', async () => {
  const cluster = await start({ controlPlaneOnly: true });
  const saved = await cluster.save();
  await cluster.close();
  await assert.rejects(start({ saved: saved.subarray(0, 900) }), /these bytes are no saved cluster/);
  await assert.rejects(start({ saved: new Uint8Array(10) }), /these bytes are no saved cluster/);
  const older = encodeCluster({ ...decodeCluster(saved), format: 0 } as never);
  await assert.rejects(start({ saved: older }), /saved in format 0; this version reads format 1/);
});

test('a worker says once that it changed, and not for heartbeats', async t => {
  let said = 0;
  const cluster = await startPracticeWorker({ listen: { port: 0 }, speed: 200 });
  t.after(() => cluster.close());
  cluster.onChange(() => said++);
  await sleep(150);
  assert.equal(said, 0, 'nothing is said before the first save');
  // What comes up with the cluster is soon told; then a minute of its time passes without a word, though leases are renewed.
  for (let round = 0; ; round++) {
    said = 0;
    assert.ok((await cluster.save()).length > 1000);
    await sleep(300);
    if (said === 0) break;
    assert.equal(said, 1);
    assert.ok(round < 20, 'it never falls silent');
  }
});
