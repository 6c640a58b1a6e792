import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeClock } from '../../../clock.ts';
import type { KubeObject } from '../../../kube/index.ts';
import { CUSTOM_RESOURCE_DEFINITIONS, PODS } from '../resources.ts';
import { createCaches } from './caches.ts';
import { readYourWrites } from './client.ts';
import { FakeApi } from './fake-api.ts';

const pod = (name: string, extra: Partial<KubeObject> = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'demo' },
  ...extra,
});

async function started(...served: string[]) {
  const api = new FakeApi();
  for (const resource of ['pods', ...served]) api.served.add(resource);
  const clock = fakeClock();
  const caches = createCaches(api.client(), clock);
  const seen: string[] = [];
  const cache = caches.of(PODS);
  cache.subscribe((object, previous, deleted) => {
    seen.push(`${deleted ? 'deleted' : previous ? 'changed' : 'new'} ${object.metadata.name}`);
  });
  await caches.ready();
  return { api, clock, caches, cache, seen };
}

test('a cache follows what its watch tells', async () => {
  const { api, cache, seen } = await started();
  api.put(PODS, pod('a'));
  api.put(PODS, pod('a', { spec: {} }));
  api.remove(PODS, 'demo', 'a');
  assert.deepEqual(seen, ['new a', 'changed a', 'deleted a']);
  assert.deepEqual(cache.list('demo'), []);
});

test('after a watch that ends the list tells what was missed', async () => {
  const { api, clock, cache, seen } = await started();
  api.put(PODS, pod('stays'));
  api.put(PODS, pod('goes'));
  api.silently(() => {
    api.remove(PODS, 'demo', 'goes');
    api.put(PODS, pod('comes'));
  });
  api.endWatches('pods');
  await clock.advance(0);
  assert.deepEqual(seen.slice(2).sort(), ['deleted goes', 'new comes']);
  assert.deepEqual(
    cache.list().map(p => p.metadata.name),
    ['stays', 'comes'],
  );
  api.put(PODS, pod('later'));
  assert.equal(seen.at(-1), 'new later', 'and it watches again');
});

test('a watch that fails is tried again after a second', async () => {
  const { api, clock } = await started();
  api.endWatches('pods', new Error('broken'));
  await clock.advance(999);
  assert.equal(api.calls.filter(c => c === 'list pods').length, 1);
  await clock.advance(1);
  assert.equal(api.calls.filter(c => c === 'list pods').length, 2);
});

test('an object that comes back under the same name is a new one', async () => {
  const { api, seen } = await started();
  api.put(PODS, pod('a', { metadata: { name: 'a', namespace: 'demo', uid: 'one' } }));
  api.put(PODS, pod('a', { metadata: { name: 'a', namespace: 'demo', uid: 'two' } }));
  assert.deepEqual(seen, ['new a', 'deleted a', 'new a']);
});

test('owned objects are found by the uid of their controller', async () => {
  const { api, cache } = await started();
  const owner = { apiVersion: 'v1', kind: 'X', name: 'x', uid: 'u', controller: true };
  api.put(PODS, pod('a', { metadata: { name: 'a', namespace: 'demo', ownerReferences: [owner] } }));
  assert.deepEqual(
    cache.owned('u').map(p => p.metadata.name),
    ['a'],
  );
  api.put(PODS, pod('a'));
  assert.deepEqual(cache.owned('u'), []);
});

test('a resource that is not served is watched once its definition comes, and is not polled for', async () => {
  const { api, clock, caches } = await started('customresourcedefinitions');
  const widgets = { group: 'example.com', version: 'v1', resource: 'widgets' };
  const cache = caches.of(widgets);
  await caches.ready();
  assert.equal(cache.synced, false);
  await clock.advance(3_600_000);
  assert.equal(api.calls.filter(c => c === 'list widgets').length, 1);
  api.served.add('widgets');
  api.put(widgets, {
    apiVersion: 'example.com/v1',
    kind: 'Widget',
    metadata: { name: 'w', namespace: 'demo' },
  });
  api.put(CUSTOM_RESOURCE_DEFINITIONS, {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'widgets.example.com' },
    spec: { group: 'example.com', names: { plural: 'widgets' } },
  });
  await clock.advance(0);
  assert.equal(cache.synced, true);
  assert.equal(cache.get('demo', 'w')?.metadata.name, 'w');
});

test('a resource whose definition is told before the refused list has come back is watched all the same', async () => {
  const { api, clock, caches } = await started('customresourcedefinitions');
  const definition = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'widgets.example.com' },
    spec: { group: 'example.com', names: { plural: 'widgets' } },
  };
  caches.of(CUSTOM_RESOURCE_DEFINITIONS);
  await caches.ready();
  const cache = caches.of({ group: 'example.com', version: 'v1', resource: 'widgets' });
  api.served.add('widgets');
  api.put(CUSTOM_RESOURCE_DEFINITIONS, definition);
  await caches.ready();
  await clock.advance(1_000);
  assert.equal(cache.synced, true);
});

test('a write of our own is seen before its promise resolves, even when the watch is late', async () => {
  const { api, caches, cache } = await started();
  const late = api.client();
  const client = readYourWrites(
    {
      ...late,
      create: async (resource, object) => {
        let made!: KubeObject;
        api.silently(() => {
          made = api.put(resource, object);
        });
        return made;
      },
      delete: async (_resource, { namespace, name }) => api.silently(() => api.remove(PODS, namespace, name)),
    },
    caches,
  );
  await client.create(PODS, pod('mine'));
  assert.ok(cache.get('demo', 'mine'));
  await client.delete(PODS, { namespace: 'demo', name: 'mine' });
  assert.equal(cache.get('demo', 'mine'), undefined);
});
