import assert from 'node:assert/strict';
import { test } from 'node:test';
import { apps, at, configMap, deployment, refused, testRegistry } from './testing.ts';

test('a created object has its system fields and an owner for what was sent', async () => {
  const { create } = testRegistry();
  const { metadata, data } = await create(at('configmaps'), configMap('a', { x: '1' }));
  assert.match(metadata.uid ?? '', /^[0-9a-f-]{36}$/);
  assert.equal(metadata.namespace, 'default');
  assert.equal(metadata.creationTimestamp, '2026-11-23T23:10:00Z');
  assert.deepEqual(data, { x: '1' });
  assert.deepEqual(metadata.managedFields, [
    {
      manager: 'test',
      operation: 'Update',
      apiVersion: 'v1',
      time: '2026-11-23T23:10:00Z',
      fieldsType: 'FieldsV1',
      fieldsV1: { 'f:data': { '.': {}, 'f:x': {} } },
    },
  ]);
});

test('creating what exists, unnamed or in a missing namespace is refused in upstream words', async () => {
  const { create } = testRegistry();
  await create(at('configmaps'), configMap('a'));
  await assert.rejects(
    create(at('configmaps'), configMap('a')),
    refused(409, 'configmaps "a" already exists'),
  );
  await assert.rejects(
    create(at('configmaps'), { ...configMap('x'), metadata: {} }),
    refused(422, 'ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required'),
  );
  await assert.rejects(
    create({ ...at('configmaps'), namespace: 'missing' }, configMap('a')),
    refused(404, 'namespaces "missing" not found'),
  );
  await assert.rejects(
    create(at('configmaps'), configMap('a', {}, { namespace: 'other' })),
    refused(400, 'the namespace of the provided object does not match the namespace sent on the request'),
  );
});

test('generateName adds five characters and tries again when the name is taken', async () => {
  const { create } = testRegistry();
  const names = new Set<string>();
  for (let i = 0; i < 50; i++) {
    const { metadata } = await create(at('configmaps'), {
      ...configMap('x'),
      metadata: { generateName: 'g-' },
    });
    assert.match(metadata.name, /^g-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
    names.add(metadata.name);
  }
  assert.equal(names.size, 50);
});

test('a dry run answers like the write and stores nothing', async () => {
  const { create, get, store } = testRegistry();
  const before = store.revision;
  const object = await create(at('configmaps'), configMap('a'), { dryRun: true });
  assert.ok(object.metadata.uid);
  assert.equal(object.metadata.resourceVersion, undefined);
  assert.equal(store.revision, before);
  await assert.rejects(get(at('configmaps', 'a')), refused(404, 'configmaps "a" not found'));
});

test('unknown fields end a strict write, warn in a warning one and vanish in both', async () => {
  const { create, warnings } = testRegistry();
  const body = { ...configMap('a'), extra: 1 };
  const words =
    'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "extra"';
  await assert.rejects(create(at('configmaps'), body), refused(400, words));
  const object = await create(at('configmaps'), body, { fieldValidation: 'Warn' });
  assert.deepEqual(warnings, ['unknown field "extra"']);
  assert.equal(object.extra, undefined);
});

test('a stale version conflicts, an unchanged object is not written', async () => {
  const { registry, context, create, store } = testRegistry();
  const first = await create(at('configmaps'), configMap('a', { x: '1' }));
  const path = at('configmaps', 'a');
  await registry.update(context(), path, { value: configMap('a', { x: '2' }) });
  const revision = store.revision;
  await registry.update(context(), path, { value: configMap('a', { x: '2' }) });
  assert.equal(store.revision, revision);
  await assert.rejects(
    registry.update(context(), path, { value: { ...first, data: { x: '3' } } }),
    refused(
      409,
      'Operation cannot be fulfilled on configmaps "a": the object has been modified; please apply your changes to the latest version and try again',
    ),
  );
});

test('a patch of another uid is refused as immutable', async () => {
  const { create, patch } = testRegistry();
  await create(at('configmaps'), configMap('a'));
  await assert.rejects(
    patch(at('configmaps', 'a'), 'merge', { metadata: { uid: 'other' } }),
    refused(422, 'ConfigMap "a" is invalid: metadata.uid: Invalid value: "other": field is immutable'),
  );
});

test('generation counts changes of spec, not of status or labels', async () => {
  const { create, patch } = testRegistry();
  const path = apps('deployments', 'web');
  assert.equal((await create(apps('deployments'), deployment('web'))).metadata.generation, 1);
  assert.equal((await patch(path, 'merge', { metadata: { labels: { a: 'b' } } })).metadata.generation, 1);
  assert.equal((await patch(path, 'merge', { spec: { replicas: 3 } })).metadata.generation, 2);
  const status = await patch(apps('deployments', 'web', 'status'), 'merge', {
    status: { replicas: 3, observedGeneration: 2 },
    spec: { replicas: 9 },
  });
  assert.equal(status.metadata.generation, 2);
  assert.equal(status.spec.replicas, 3, 'the status endpoint leaves the spec');
  assert.equal(status.status.replicas, 3);
  assert.equal(
    (await patch(path, 'merge', { status: { replicas: 7 } })).status.replicas,
    3,
    'and the other way round',
  );
});

test('scale reads and writes the replicas of the object behind it', async () => {
  const { create, patch, get } = testRegistry();
  await create(apps('deployments'), deployment('web', 2));
  const path = apps('deployments', 'web', 'scale');
  assert.deepEqual((await get(path)).spec, { replicas: 2 });
  assert.equal((await get(path)).status.selector, 'app=web');
  await patch(path, 'merge', { spec: { replicas: 5 } });
  const object = await get(apps('deployments', 'web'));
  assert.equal(object.spec.replicas, 5);
  assert.ok(
    object.metadata.managedFields?.some(entry => entry.subresource === 'scale' && entry.time === undefined),
  );
  await assert.rejects(
    patch(path, 'merge', { spec: { replicas: -1 } }),
    refused(
      422,
      'Scale.autoscaling "web" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0',
    ),
  );
});

test('applying twice changes nothing; another manager conflicts unless it forces', async () => {
  const { patch, store } = testRegistry();
  const path = at('configmaps', 's');
  const apply = (x: string, manager: string, force = false) =>
    patch(path, 'apply', configMap('s', { x }), { manager, force });
  const first = await apply('1', 'kubectl');
  assert.equal(first.metadata.managedFields?.[0]?.operation, 'Apply');
  const revision = store.revision;
  await apply('1', 'kubectl');
  assert.equal(store.revision, revision);
  await assert.rejects(
    apply('2', 'other'),
    refused(409, 'Apply failed with 1 conflict: conflict with "kubectl": .data.x'),
  );
  const taken = await apply('2', 'other', true);
  assert.deepEqual(
    taken.metadata.managedFields?.map(entry => entry.manager),
    ['other'],
  );
});

test('a custom kind takes no strategic patch and an unknown resource is not found', async () => {
  const { patch } = testRegistry();
  await assert.rejects(
    patch({ ...at('nothing', 'a'), group: 'example.com' }, 'merge', {}),
    refused(404, 'the server could not find the requested resource'),
  );
});

test('concurrent patches of one object all count', async () => {
  const { create, patch, get } = testRegistry();
  await create(at('configmaps'), configMap('a'));
  await Promise.all(
    Array.from({ length: 20 }, (_, i) => patch(at('configmaps', 'a'), 'merge', { data: { [`k${i}`]: 'v' } })),
  );
  assert.equal(Object.keys((await get(at('configmaps', 'a'))).data).length, 20);
});
