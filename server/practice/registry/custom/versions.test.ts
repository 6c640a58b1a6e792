import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeClock } from '../../../clock.ts';
import type { KubeObject } from '../../../kube/index.ts';
import { DialError, type Network, serveHttp, streamPair } from '../../network/index.ts';
import { at, brief, refused, testRegistry } from '../testing.ts';

const CRDS = { group: 'apiextensions.k8s.io', version: 'v1', resource: 'customresourcedefinitions' };
const tabs = (version: string, name?: string, subresource?: string) => ({
  group: 'example.com',
  version,
  resource: 'tabs',
  namespace: 'default',
  ...(name ? { name } : {}),
  ...(subresource ? { subresource } : {}),
});
const schema = (properties: object) => ({
  openAPIV3Schema: {
    type: 'object',
    properties: { spec: { type: 'object', properties } },
  },
});
const definition = (versions: object[], conversion?: object) => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'tabs.example.com' },
  spec: {
    group: 'example.com',
    scope: 'Namespaced',
    names: { plural: 'tabs', singular: 'tab', kind: 'Tab' },
    versions,
    ...(conversion ? { conversion } : {}),
  },
});
const version = (name: string, storage: boolean, properties: object, more: object = {}) => ({
  name,
  served: true,
  storage,
  schema: schema(properties),
  ...more,
});
const tab = (of: string, name: string, spec: object) => ({
  apiVersion: `example.com/${of}`,
  kind: 'Tab',
  metadata: { name },
  spec,
});

/** v1 counts in `cells`, v2 says `width` and `height` and defaults `color`. */
const V1 = version('v1', true, { cells: { type: 'integer', maximum: 99 }, only1: { type: 'string' } });
const V2 = version('v2', false, {
  width: { type: 'integer', minimum: 1 },
  height: { type: 'integer' },
  color: { type: 'string', default: 'white' },
});

type Review = { request: { uid: string; desiredAPIVersion: string; objects: KubeObject[] } };

/** A network in which one service converts tabs; `calls` are the reviews it got. */
function converting(answer: (review: Review) => object = convertTabs): { network: Network; calls: Review[] } {
  const calls: Review[] = [];
  const network: Network = {
    lookup: () => [],
    async dial(host, port) {
      if (host !== 'tabs.default.svc.cluster.local' && host !== 'tabs.example.net')
        throw new DialError('connection refused', `${host}:${port}`);
      const [client, server] = streamPair();
      serveHttp(
        server,
        async request => {
          const review = JSON.parse(Buffer.from(request.body).toString()) as Review;
          calls.push(review);
          return { status: 200, body: JSON.stringify(answer(review)) };
        },
        () => 0,
      );
      return client;
    },
  };
  return { network, calls };
}

const reply = (review: Review, response: object) => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'ConversionReview',
  response: { uid: review.request.uid, ...response },
});

function convertTabs(review: Review): object {
  const { desiredAPIVersion, objects } = review.request;
  const convertedObjects = objects.map(({ spec, ...object }) => ({
    ...object,
    apiVersion: desiredAPIVersion,
    metadata: { ...object.metadata, labels: { from: object.apiVersion.split('/')[1] } },
    spec:
      desiredAPIVersion === 'example.com/v2'
        ? { width: spec.cells, height: 1 }
        : { cells: spec.width * spec.height },
  }));
  return reply(review, { result: { status: 'Success' }, convertedObjects });
}

const HOOK = {
  strategy: 'Webhook',
  webhook: {
    conversionReviewVersions: ['v1'],
    clientConfig: { service: { name: 'tabs', namespace: 'default', path: '/convert', port: 443 } },
  },
};

async function withTabs(versions: object[], conversion?: object, network?: Network, ready = true) {
  const parts = testRegistry({ webhooks: { clock: fakeClock(), network: () => network } });
  await parts.create(at('services'), {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'tabs' },
    spec: { ports: [{ port: 443 }] },
  });
  if (ready)
    await parts.create(
      { ...at('endpointslices'), group: 'discovery.k8s.io' },
      {
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata: { name: 'tabs-1', labels: { 'kubernetes.io/service-name': 'tabs' } },
        addressType: 'IPv4',
        endpoints: [{ addresses: ['10.244.0.9'], conditions: { ready: true } }],
        ports: [{ port: 8443 }],
      },
    );
  await parts.create(CRDS, definition(versions, conversion));
  return {
    ...parts,
    /** Another set of versions, as a later release of a CRD brings it. */
    async become(next: object[]) {
      await parts.patch({ ...CRDS, name: 'tabs.example.com' }, 'merge', { spec: { versions: next } });
    },
  };
}

test('each version is defaulted, pruned and judged by its own schema', async () => {
  const { create, get, store } = await withTabs([V1, V2]);
  const made = await create(tabs('v2'), tab('v2', 'a', { width: 2, height: 3 }));
  assert.deepEqual(made.spec, {}, 'what v1 does not know is not stored');
  await assert.rejects(
    create(tabs('v2'), tab('v2', 'b', { width: 0 })),
    refused(
      422,
      'Tab.example.com "b" is invalid: spec.width: Invalid value: 0: spec.width in body should be greater than or equal to 1',
    ),
  );
  await assert.rejects(
    create(tabs('v1'), tab('v1', 'b', { cells: 100 })),
    refused(
      422,
      'Tab.example.com "b" is invalid: spec.cells: Invalid value: 100: spec.cells in body should be less than or equal to 99',
    ),
  );
  await create(tabs('v1'), tab('v1', 'c', { cells: 4, only1: 'x' }));
  const shown = await get(tabs('v2', 'c'));
  assert.equal(shown.apiVersion, 'example.com/v2');
  assert.deepEqual(shown.spec, {}, 'v2 shows nothing of what it does not know');
  assert.equal(store.list('/tabs.example.com/').items[1]?.apiVersion, 'example.com/v1');
});

test('objects show the defaults of a schema that came after them', async () => {
  const { create, get, become } = await withTabs([V1]);
  await create(tabs('v1'), tab('v1', 'a', { cells: 1 }));
  await become([
    version('v1', true, { cells: { type: 'integer' }, color: { type: 'string', default: 'red' } }),
  ]);
  assert.deepEqual((await get(tabs('v1', 'a'))).spec, { cells: 1, color: 'red' });
});

test('a stricter schema forgives what an update leaves as it was, and only that', async () => {
  const loose = {
    cells: { type: 'integer' },
    name: { type: 'string' },
    list: listOf({ size: { type: 'integer' } }),
  };
  const strict = {
    cells: { type: 'integer', maximum: 5 },
    name: { type: 'string', maxLength: 3 },
    list: listOf({ size: { type: 'integer', maximum: 5 } }),
  };
  const { create, patch, become } = await withTabs([version('v1', true, loose)]);
  await create(tabs('v1'), tab('v1', 'a', { cells: 10, list: [{ key: 'x', size: 9 }] }));
  await become([version('v1', true, strict)]);
  const spec = (value: object) => patch(tabs('v1', 'a'), 'merge', { spec: value });
  await spec({ name: 'abc' });
  await spec({
    list: [
      { key: 'y', size: 1 },
      { key: 'x', size: 9 },
    ],
  });
  await assert.rejects(
    spec({ cells: 11 }),
    refused(
      422,
      'Tab.example.com "a" is invalid: spec.cells: Invalid value: 11: spec.cells in body should be less than or equal to 5',
    ),
  );
  await assert.rejects(
    spec({ list: [{ key: 'x', size: 8 }] }),
    refused(
      422,
      'Tab.example.com "a" is invalid: spec.list[0].size: Invalid value: 8: spec.list[0].size in body should be less than or equal to 5',
    ),
  );
  await spec({ cells: 5 });
});

function listOf(properties: object) {
  return {
    type: 'array',
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['key'],
    items: { type: 'object', required: ['key'], properties: { key: { type: 'string' }, ...properties } },
  };
}

test('a new rule is not asked about values that stay', async () => {
  const { create, patch, become } = await withTabs([
    version('v1', true, { cells: { type: 'integer' }, name: { type: 'string' } }),
  ]);
  await create(tabs('v1'), tab('v1', 'a', { cells: 10 }));
  await become([
    version('v1', true, {
      cells: { type: 'integer', 'x-kubernetes-validations': [{ rule: 'self < 5', message: 'too many' }] },
      name: { type: 'string' },
    }),
  ]);
  await patch(tabs('v1', 'a'), 'merge', { spec: { name: 'x' } });
  await assert.rejects(
    patch(tabs('v1', 'a'), 'merge', { spec: { cells: 11 } }),
    refused(422, 'Tab.example.com "a" is invalid: spec.cells: Invalid value: too many'),
  );
});

test('a webhook converts what is written and read in another version', async () => {
  const { network, calls } = converting();
  const { create, get, patch, registry, context, store } = await withTabs([V1, V2], HOOK, network);
  const made = await create(tabs('v2'), tab('v2', 'a', { width: 2, height: 3 }));
  assert.equal(made.apiVersion, 'example.com/v2');
  assert.deepEqual(made.spec, { width: 6, height: 1 }, 'what came back from storage');
  const [stored] = store.list('/tabs.example.com/').items;
  assert.equal(stored?.apiVersion, 'example.com/v1');
  assert.deepEqual(stored?.spec, { cells: 6 });
  assert.deepEqual((await get(tabs('v1', 'a'))).spec, { cells: 6 });
  const before = calls.length;
  await get(tabs('v2', 'a'));
  assert.equal(calls.length, before, 'an object that has not changed is not asked about again');
  await create(tabs('v1'), tab('v1', 'b', { cells: 9 }));
  await create(tabs('v1'), tab('v1', 'c', { cells: 8 }));
  const list = await registry.list(context(), tabs('v2'), {});
  assert.deepEqual(
    list.items.map(item => item.spec.width),
    [6, 9, 8],
  );
  assert.equal(calls.at(-1)?.request.objects.length, 2, 'one review for all that is missing');
  const patched = await patch(tabs('v2', 'b'), 'merge', { spec: { height: 5 } });
  assert.deepEqual(patched.spec, { width: 45, height: 1 });
  assert.deepEqual((await get(tabs('v1', 'b'))).spec, { cells: 45 });
  const { object } = await registry.delete(context(), tabs('v2', 'c'), {});
  assert.equal((object as { status?: string }).status, 'Success');
});

test('a webhook may change labels and annotations, and no other metadata', async () => {
  const { network } = converting(review => {
    const answer = convertTabs(review) as { response: { convertedObjects: KubeObject[] } };
    for (const object of answer.response.convertedObjects) object.metadata.finalizers = ['mine'];
    return answer;
  });
  const { create, get } = await withTabs([V1, V2], HOOK, network);
  await create(tabs('v1'), tab('v1', 'a', { cells: 1 }));
  const { metadata } = await get(tabs('v2', 'a'));
  assert.deepEqual(metadata.labels, { from: 'v1' });
  assert.equal(metadata.finalizers, undefined);
});

test('a watch in another version sees converted objects in their order, and ends when that fails', async () => {
  let broken = false;
  const { network } = converting(review =>
    broken ? reply(review, { result: { status: 'Failed', message: 'no idea' } }) : convertTabs(review),
  );
  const { create, patch, watch } = await withTabs([V1, V2], HOOK, network);
  await create(tabs('v1'), tab('v1', 'a', { cells: 1 }));
  const seen = await watch(tabs('v2'));
  await patch(tabs('v1', 'a'), 'merge', { spec: { cells: 2 } });
  await create(tabs('v1'), tab('v1', 'b', { cells: 3 }));
  await settle();
  assert.deepEqual(seen.events.map(brief), ['ADDED a', 'MODIFIED a', 'ADDED b']);
  assert.deepEqual(
    seen.events.map(event => (event.object as KubeObject).spec.width),
    [1, 2, 3],
  );
  broken = true;
  await create(tabs('v1'), tab('v1', 'c', { cells: 3 }));
  await settle();
  assert.equal(
    brief(seen.events.at(-1) as never),
    'ERROR conversion webhook for example.com/v1, Kind=Tab failed: no idea',
  );
  assert.equal(seen.ended(), true);
});

const settle = () => new Promise(resolve => setTimeout(resolve, 20));

test('a conversion that fails says whose and why', async () => {
  const failing = async (answer: (review: Review) => object, message: string) => {
    const { create, get } = await withTabs([V1, V2], HOOK, converting(answer).network);
    await create(tabs('v1'), tab('v1', 'a', { cells: 1 }));
    await assert.rejects(get(tabs('v2', 'a')), refused(500, message));
  };
  const of = 'conversion webhook for example.com/v1, Kind=Tab';
  await failing(() => ({}), `${of} failed: no response provided`);
  await failing(
    review => reply(review, { result: { status: 'Failure' } }),
    `${of} failed: response.result.status was 'Failure', not 'Success'`,
  );
  await failing(
    review => reply(review, { result: { status: 'Success' }, convertedObjects: [] }),
    `${of} returned 0 objects, expected 1`,
  );
  await failing(
    review => reply(review, { result: { status: 'Success' }, convertedObjects: review.request.objects }),
    `${of} returned invalid object at index 0: invalid groupVersion (expected example.com/v2, received example.com/v1)`,
  );
  await failing(
    review =>
      reply(review, {
        result: { status: 'Success' },
        convertedObjects: [{ apiVersion: 'example.com/v2', kind: 'Tab', metadata: { name: 'x' } }],
      }),
    `${of} returned invalid object: must have the same name: a != x`,
  );
});

test('a conversion service without endpoints is told by name, and stops neither its own version nor the end', async () => {
  const { create, get, registry, context } = await withTabs([V1, V2], HOOK, undefined, false);
  await create(tabs('v1'), tab('v1', 'a', { cells: 1 }));
  await assert.rejects(
    get(tabs('v2', 'a')),
    refused(
      500,
      'conversion webhook for example.com/v1, Kind=Tab failed: Post "https://tabs.default.svc:443/convert?timeout=30s": no endpoints available for service "tabs"',
    ),
  );
  assert.equal((await get(tabs('v1', 'a'))).spec.cells, 1);
  await registry.delete(context(), { ...CRDS, name: 'tabs.example.com' }, {});
  await settle();
  assert.equal(registry.find('example.com', 'v1', 'tabs'), undefined);
});

test('objects stored before the storage version changed are converted when they are read', async () => {
  const { network } = converting();
  const { create, get, patch, become, store } = await withTabs([V1, V2], HOOK, network);
  await create(tabs('v1'), tab('v1', 'a', { cells: 7 }));
  await become([
    { ...V1, storage: false },
    { ...V2, storage: true },
  ]);
  assert.deepEqual((await get(tabs('v2', 'a'))).spec, { width: 7, height: 1 });
  assert.deepEqual((await get(tabs('v1', 'a'))).spec, { cells: 7 });
  await patch(tabs('v1', 'a'), 'merge', {});
  assert.equal(store.list('/tabs.example.com/').items[0]?.apiVersion, 'example.com/v2', 'any write migrates');
});

test('a webhook may be named by URL', async () => {
  const { network } = converting();
  const byUrl = {
    ...HOOK,
    webhook: { ...HOOK.webhook, clientConfig: { url: 'https://tabs.example.net/convert' } },
  };
  const { create, get } = await withTabs([V1, V2], byUrl, network);
  await create(tabs('v1'), tab('v1', 'a', { cells: 7 }));
  assert.deepEqual((await get(tabs('v2', 'a'))).spec, { width: 7, height: 1 });
});
