import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StatusError } from '../../../kube/index.ts';
import { brief, refused, testRegistry } from '../testing.ts';
import { parseJsonPath } from './json-path.ts';

const CRDS = { group: 'apiextensions.k8s.io', version: 'v1', resource: 'customresourcedefinitions' };
const things = (name?: string, subresource?: string) => ({
  group: 'example.com',
  version: 'v1',
  resource: 'things',
  namespace: 'default',
  ...(name ? { name } : {}),
  ...(subresource ? { subresource } : {}),
});

const definition = (names: object = {}, version: object = {}) => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'things.example.com' },
  spec: {
    group: 'example.com',
    scope: 'Namespaced',
    names: { plural: 'things', singular: 'thing', kind: 'Thing', ...names },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: {
          status: {},
          scale: { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' },
        },
        additionalPrinterColumns: [
          { name: 'Replicas', type: 'integer', jsonPath: '.spec.replicas' },
          { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
        ],
        schema: {
          openAPIV3Schema: {
            type: 'object',
            required: ['spec'],
            properties: {
              spec: {
                type: 'object',
                required: ['schedule'],
                properties: {
                  schedule: { type: 'string', pattern: '^\\d+$', maxLength: 5 },
                  image: { type: 'string', default: 'busybox', enum: ['busybox', 'alpine'] },
                  replicas: { type: 'integer', minimum: 1, maximum: 10 },
                  most: { type: 'integer' },
                  port: { 'x-kubernetes-int-or-string': true },
                  tags: { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set' },
                },
                'x-kubernetes-validations': [
                  {
                    rule: '!has(self.most) || self.replicas <= self.most',
                    message: 'replicas must not exceed most',
                  },
                  { rule: 'self.schedule == oldSelf.schedule', message: 'schedule is immutable' },
                ],
              },
              status: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
            },
          },
        },
        ...version,
      },
    ],
  },
});

const thing = (name: string, spec: object) => ({
  apiVersion: 'example.com/v1',
  kind: 'Thing',
  metadata: { name },
  spec,
});

async function withThings() {
  const parts = testRegistry();
  await parts.create(CRDS, definition());
  return parts;
}

test('a definition is served as soon as it is stored, and its conditions say so', async () => {
  const parts = testRegistry();
  const changes: string[] = [];
  parts.registry.onServedChange(groups => changes.push(...groups));
  await parts.create(CRDS, definition());
  assert.deepEqual(changes, ['example.com']);
  const { status } = await parts.get({ ...CRDS, name: 'things.example.com' });
  assert.deepEqual(
    status.conditions.map((c: { type: string; status: string; reason: string }) => [
      c.type,
      c.status,
      c.reason,
    ]),
    [
      ['NamesAccepted', 'True', 'NoConflicts'],
      ['Established', 'True', 'InitialNamesAccepted'],
    ],
  );
  assert.deepEqual(status.storedVersions, ['v1']);
  assert.equal(parts.registry.findKind('example.com', 'v1', 'Thing')?.listKind, 'ThingList');
});

test('a second definition with a taken name is stored but not served', async () => {
  const parts = await withThings();
  const other = definition({ plural: 'items', singular: 'item', kind: 'Thing', listKind: 'ItemList' });
  other.metadata.name = 'items.example.com';
  await parts.create(CRDS, other);
  const { status } = await parts.get({ ...CRDS, name: 'items.example.com' });
  assert.equal(status.conditions[0].message, '"Thing" is already in use');
  assert.equal(parts.registry.find('example.com', 'v1', 'items'), undefined);
});

test('objects get defaults, lose unknown fields and keep what the schema leaves open', async () => {
  const { create, patch } = await withThings();
  const made = await create(
    things(),
    { ...thing('a', { schedule: '1', more: 1 }), status: { x: 1 } },
    { fieldValidation: 'Ignore' },
  );
  assert.deepEqual(made.spec, { schedule: '1', image: 'busybox' });
  assert.equal(made.status, undefined, 'status comes through its own endpoint');
  const next = await patch(things('a', 'status'), 'merge', {
    status: { deep: { x: [1] } },
    spec: { replicas: 3 },
  });
  assert.deepEqual(next.status, { deep: { x: [1] } });
  assert.equal(next.spec.replicas, undefined);
  assert.equal(next.metadata.generation, 1);
});

test('every finding is reported, and rules wait until the shape is right', async () => {
  const { create } = await withThings();
  const refusal = await create(
    things(),
    thing('b', { image: 'nope', replicas: 30, port: true, tags: ['x', 'x'] }),
  ).then(
    () => undefined,
    (error: unknown) => error,
  );
  assert.ok(refusal instanceof StatusError);
  assert.deepEqual(
    refusal.status.details?.causes?.map(cause => `${cause.field}: ${cause.message}`),
    [
      'spec.image: Unsupported value: "nope": supported values: "busybox", "alpine"',
      'spec.port: Invalid value: "boolean": spec.port in body must be of type integer,string: "boolean"',
      'spec.replicas: Invalid value: 30: spec.replicas in body should be less than or equal to 10',
      'spec.tags[1]: Duplicate value: "x"',
      'spec.schedule: Required value',
      '<nil>: Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation',
    ],
  );
});

test('rules see the object, and the old one when there is one', async () => {
  const { create, patch } = await withThings();
  await assert.rejects(
    create(things(), thing('c', { schedule: '1', replicas: 5, most: 2 })),
    refused(422, 'Thing.example.com "c" is invalid: spec: Invalid value: replicas must not exceed most'),
  );
  await create(things(), thing('c', { schedule: '1', replicas: 2 }));
  await assert.rejects(
    patch(things('c'), 'merge', { spec: { schedule: '2' } }),
    refused(422, 'Thing.example.com "c" is invalid: spec: Invalid value: schedule is immutable'),
  );
});

test('a PUT without a version is refused, a strategic patch unsupported', async () => {
  const { create, registry, context, patch } = await withThings();
  await create(things(), thing('d', { schedule: '1' }));
  await assert.rejects(
    registry.update(context(), things('d'), { value: thing('d', { schedule: '1' }) }),
    refused(
      422,
      'Thing.example.com "d" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update',
    ),
  );
  await assert.rejects(
    patch(things('d'), 'strategic', {}),
    (error: unknown) => (error as StatusError).code === 415,
  );
});

test('server-side apply owns what it sets in a custom object too', async () => {
  const { patch } = await withThings();
  const made = await patch(things('e'), 'apply', thing('e', { schedule: '1', tags: ['a'] }), {
    manager: 'me',
  });
  assert.deepEqual(made.metadata.managedFields?.[0]?.fieldsV1, {
    'f:spec': { 'f:schedule': {}, 'f:tags': { 'v:"a"': {} } },
  });
  assert.equal(made.spec.image, 'busybox');
});

test('columns read the object by JSONPath', async () => {
  const { registry, create, patch } = await withThings();
  await create(things(), thing('f', { schedule: '1', replicas: 4 }));
  const object = await patch(things('f', 'status'), 'merge', {
    status: { conditions: [{ type: 'Ready', status: 'True' }] },
  });
  const served = registry.find('example.com', 'v1', 'things');
  assert.deepEqual(
    served?.definition.columns.map(column => column.name),
    ['Name', 'Replicas', 'Ready'],
  );
  assert.deepEqual(served?.definition.row(object, { now: 0 }), ['f', 4, 'True']);
});

test('a finalizer without a domain warns of itself once, where a built-in kind refuses it', async () => {
  const { create, patch, warnings } = await withThings();
  const made = thing('i', { schedule: '1' });
  await create(things(), { ...made, metadata: { ...made.metadata, finalizers: ['mine'] } });
  const words =
    'metadata.finalizers: "mine": prefer a domain-qualified finalizer name including a path (/) to avoid accidental conflicts with other finalizer writers';
  assert.deepEqual(warnings, [words]);
  await patch(things('i'), 'merge', { metadata: { labels: { a: 'b' } } });
  assert.deepEqual(warnings, []);
});

test('two served versions show one object', async () => {
  const parts = testRegistry();
  const crd = definition();
  const [v1] = crd.spec.versions;
  assert.ok(v1);
  crd.spec.versions.push({ ...v1, name: 'v1beta1', storage: false });
  await parts.create(CRDS, crd);
  await parts.create(
    { ...things(), version: 'v1beta1' },
    { ...thing('g', { schedule: '1' }), apiVersion: 'example.com/v1beta1' },
  );
  assert.equal((await parts.get(things('g'))).apiVersion, 'example.com/v1');
  assert.equal((await parts.get({ ...things('g'), version: 'v1beta1' })).apiVersion, 'example.com/v1beta1');
});

test('a deleted definition takes its objects along and ends their watches, but waits for finalizers', async () => {
  const { create, registry, context, watch, patch, get } = await withThings();
  await create(things(), thing('h', { schedule: '1' }));
  const held = thing('held', { schedule: '1' });
  await create(things(), { ...held, metadata: { name: 'held', finalizers: ['example.com/hold'] } });
  const { events, ended } = await watch(things(), { resourceVersion: registry.resourceVersion });
  await registry.delete(context(), { ...CRDS, name: 'things.example.com' }, {});
  await new Promise(resolve => setImmediate(resolve));
  assert.deepEqual(events.map(brief), ['DELETED h', 'MODIFIED held']);
  assert.ok(await get({ ...CRDS, name: 'things.example.com' }));
  await assert.rejects(
    create(things(), thing('late', { schedule: '1' })),
    refused(405, 'create not allowed while custom resource definition is terminating'),
  );
  await patch(things('held'), 'merge', { metadata: { finalizers: null } });
  assert.ok(ended());
  assert.equal(registry.find('example.com', 'v1', 'things'), undefined);
  await assert.rejects(
    get({ ...CRDS, name: 'things.example.com' }),
    refused(404, 'customresourcedefinitions.apiextensions.k8s.io "things.example.com" not found'),
  );
});

test('JSONPath reads members, items, quotes, wildcards and filters', () => {
  const root = {
    a: { 'b.c': [1, 2, 3] },
    list: [
      { n: 'x', v: 1 },
      { n: 'y', v: 2 },
    ],
  };
  const read = (path: string) => parseJsonPath(path)(root);
  assert.deepEqual(read('.a.b\\.c[0]'), [1]);
  assert.deepEqual(read(".a['b.c'][-1]"), [3]);
  assert.deepEqual(read('.list[*].v'), [1, 2]);
  assert.deepEqual(read('{.list[?(@.n=="y")].v}'), [2]);
  assert.deepEqual(read('.list[?(@.v>1)].n'), ['y']);
  assert.deepEqual(read('.missing.deep'), []);
});

test('an element of a keyed list that is no map is told, not stumbled over', async () => {
  const list = {
    type: 'array',
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['key'],
    items: { type: 'object', required: ['key'], properties: { key: { type: 'string' } } },
  };
  const { create } = testRegistry();
  const crd = definition();
  Object.assign(crd.spec.versions[0] as object, {
    schema: {
      openAPIV3Schema: {
        type: 'object',
        properties: { spec: { type: 'object', properties: { list } } },
      },
    },
  });
  await create(CRDS, crd);
  await assert.rejects(
    create(things(), thing('a', { list: [1] })),
    refused(
      422,
      'Thing.example.com "a" is invalid: spec.list[0]: Invalid value: "integer": spec.list[0] in body must be of type object: "integer"',
    ),
  );
});

test('what stands for the schema of items must be one', async () => {
  const { create } = testRegistry();
  const crd = definition();
  Object.assign(crd.spec.versions[0] as object, {
    schema: {
      openAPIV3Schema: {
        type: 'object',
        properties: { list: { type: 'array', items: { type: 'object', required: 1.5 } } },
      },
    },
  });
  await assert.rejects(
    create(CRDS, crd),
    (error: unknown) =>
      error instanceof StatusError &&
      error.code === 422 &&
      /properties\[list\]\.items: Invalid value: .*cannot unmarshal number/.test(error.message),
  );
});
