import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject, ManagedFieldsEntry } from '../object.ts';
import type { Schema } from '../schema.ts';
import { StatusError } from '../status.ts';
import { serverSideApply, trackUpdate } from './index.ts';

const text: Schema = { type: 'string' };
const schema: Schema = {
  type: 'object',
  go: { zeroDefault: ['metadata', 'spec'] },
  properties: {
    apiVersion: text,
    kind: text,
    metadata: {
      type: 'object',
      properties: {
        name: text,
        namespace: text,
        resourceVersion: text,
        labels: { type: 'object', additionalProperties: text },
        annotations: { type: 'object', additionalProperties: text },
        finalizers: { type: 'array', listType: 'set', items: text },
        managedFields: { type: 'array', items: { type: 'object', preserveUnknown: true } },
      },
    },
    spec: {
      type: 'object',
      properties: {
        replicas: { type: 'integer' },
        args: { type: 'array', items: text },
        selector: { type: 'object', mapType: 'atomic', properties: { app: text } },
        ports: {
          type: 'array',
          listType: 'map',
          listMapKeys: ['port', 'protocol'],
          items: {
            type: 'object',
            properties: {
              port: { type: 'integer' },
              protocol: { type: 'string', default: 'TCP' },
              name: text,
            },
          },
        },
      },
    },
  },
};

const object = (spec: object, metadata: object = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Thing',
  metadata: { name: 'x', ...metadata },
  spec,
});

let second = 0;
const clock = () => `2026-11-23T23:10:${String(second++ % 60).padStart(2, '0')}Z`;

const apply = (
  live: KubeObject | undefined,
  spec: object,
  manager: string,
  options: { force?: boolean; metadata?: object } = {},
) =>
  serverSideApply({
    live,
    applied: object(spec, options.metadata),
    schema,
    manager,
    apiVersion: 'v1',
    time: clock(),
    force: options.force,
  });

const owners = (o: KubeObject) =>
  Object.fromEntries(
    (o.metadata.managedFields ?? []).map(entry => [`${entry.manager}/${entry.operation}`, entry.fieldsV1]),
  );

test('an applier owns exactly what it wrote, keys with their defaults filled in', () => {
  const live = apply(
    undefined,
    { replicas: 1, ports: [{ port: 80, name: 'web' }], selector: { app: 'a' } },
    'me',
  );
  assert.deepEqual(owners(live), {
    'me/Apply': {
      'f:spec': {
        'f:ports': { 'k:{"port":80,"protocol":"TCP"}': { '.': {}, 'f:name': {}, 'f:port': {} } },
        'f:replicas': {},
        'f:selector': {},
      },
    },
  });
});

test('a second applier with another value conflicts and is told with whom', () => {
  const live = apply(undefined, { replicas: 1, args: ['a'] }, 'kubectl');
  assert.throws(
    () => apply(live, { replicas: 2 }, 'other'),
    (error: unknown) => {
      assert.ok(error instanceof StatusError);
      assert.equal(error.code, 409);
      assert.equal(error.message, 'Apply failed with 1 conflict: conflict with "kubectl": .spec.replicas');
      assert.deepEqual(error.status.details?.causes, [
        { reason: 'FieldManagerConflict', message: 'conflict with "kubectl"', field: '.spec.replicas' },
      ]);
      return true;
    },
  );
  assert.throws(
    () => apply(live, { replicas: 2, args: ['b'] }, 'other'),
    /^StatusError: Apply failed with 2 conflicts: conflicts with "kubectl":\n- \.spec\.args\n- \.spec\.replicas$/,
  );
});

test('the same value is shared, force takes another one over', () => {
  const live = apply(undefined, { replicas: 1 }, 'a');
  assert.deepEqual(Object.keys(owners(apply(live, { replicas: 1 }, 'b'))), [
    // Nothing changed, so the new owner has no time and stands first.
    'b/Apply',
    'a/Apply',
  ]);
  const forced = apply(live, { replicas: 2 }, 'b', { force: true });
  assert.equal(forced.spec.replicas, 2);
  assert.deepEqual(Object.keys(owners(forced)), ['b/Apply']);
});

test('what an applier leaves out disappears unless someone else owns it', () => {
  let live = apply(undefined, { replicas: 1, ports: [{ port: 80 }, { port: 81 }] }, 'a');
  live = apply(live, { ports: [{ port: 81 }] }, 'b');
  live = apply(live, { ports: [] }, 'a');
  assert.deepEqual(live.spec, { ports: [{ port: 81 }] });
});

test('an element is found again by its keys, not duplicated', () => {
  const live = apply(undefined, { ports: [{ port: 80, protocol: 'TCP', name: 'x' }] }, 'a');
  const again = apply(live, { ports: [{ port: 80, name: 'y' }] }, 'a');
  assert.deepEqual(again.spec.ports, [{ port: 80, name: 'y' }]);
});

test('sets are joined and left by value', () => {
  let live = apply(undefined, {}, 'a', { metadata: { finalizers: ['one/a'] } });
  live = apply(live, {}, 'b', { metadata: { finalizers: ['two/b'] } });
  assert.deepEqual(live.metadata.finalizers, ['one/a', 'two/b']);
  live = apply(live, {}, 'a');
  assert.deepEqual(live.metadata.finalizers, ['two/b']);
});

test('an update takes the fields it changed and leaves the rest to others', () => {
  const created = object({ replicas: 1, args: ['a'] });
  created.metadata.managedFields = trackUpdate({
    next: created,
    schema,
    manager: 'create',
    apiVersion: 'v1',
    time: clock(),
  }) as ManagedFieldsEntry[];
  const next = object({ replicas: 2, args: ['a'] });
  next.metadata.managedFields = trackUpdate({
    old: created,
    next,
    schema,
    manager: 'scale',
    apiVersion: 'v1',
    time: clock(),
  }) as ManagedFieldsEntry[];
  assert.deepEqual(owners(next), {
    'create/Update': { 'f:spec': { 'f:args': {} } },
    'scale/Update': { 'f:spec': { 'f:replicas': {} } },
  });
  assert.throws(() => apply(next, { replicas: 3 }, 'x'), /conflict with "scale" using v1: \.spec\.replicas/);
});

test('fields that the endpoint ignores belong to nobody', () => {
  const created = object({ replicas: 1 }, { labels: { a: 'b' } });
  const entries = trackUpdate({ next: created, schema, manager: 'm', apiVersion: 'v1', reset: ['spec'] });
  assert.deepEqual(entries?.[0]?.fieldsV1, { 'f:metadata': { 'f:labels': { '.': {}, 'f:a': {} } } });
});

test('applying the same again changes neither fields nor times', () => {
  const live = apply(undefined, { replicas: 1 }, 'a');
  assert.deepEqual(apply(live, { replicas: 1 }, 'a'), live);
});

test('kubectl takes over what it once applied from the client side', () => {
  const last = JSON.stringify(object({ replicas: 1 }));
  const live = object(
    { replicas: 1 },
    { annotations: { 'kubectl.kubernetes.io/last-applied-configuration': `${last}\n` } },
  );
  live.metadata.managedFields = trackUpdate({
    next: live,
    schema,
    manager: 'kubectl-client-side-apply',
    apiVersion: 'v1',
    time: clock(),
  }) as ManagedFieldsEntry[];
  const next = apply(live, { replicas: 5 }, 'kubectl');
  assert.equal(next.spec.replicas, 5);
  assert.equal(
    next.metadata.annotations?.['kubectl.kubernetes.io/last-applied-configuration'],
    '{"apiVersion":"v1","kind":"Thing","metadata":{"name":"x"},"spec":{"replicas":5}}\n',
  );
  assert.throws(() => apply(live, { replicas: 5 }, 'someone-else'), /Apply failed with 1 conflict/);
});

test('the records a client sends are taken, and an empty one starts over', () => {
  const live = apply(undefined, { replicas: 1 }, 'a');
  const entries = live.metadata.managedFields as ManagedFieldsEntry[];
  const renamed = entries.map(entry => ({ ...entry, manager: 'b' }));
  const next = { ...live, metadata: { ...live.metadata, managedFields: renamed } };
  assert.deepEqual(
    trackUpdate({ old: live, next, schema, manager: 'edit', apiVersion: 'v1', time: clock() })?.map(
      e => e.manager,
    ),
    ['b'],
  );
  const reset = { ...live, metadata: { ...live.metadata, managedFields: [{}] } };
  assert.equal(trackUpdate({ old: live, next: reset, schema, manager: 'edit', apiVersion: 'v1' }), undefined);
});

test('fields no one declared and keys that occur twice are refused', () => {
  assert.throws(
    () => apply(undefined, { nope: 1 }, 'a'),
    /failed to create typed patch object \(x; v1, Kind=Thing\): \.spec\.nope: field not declared in schema/,
  );
  assert.throws(
    () => apply(undefined, { ports: [{ port: 80 }, { port: 80, protocol: 'TCP' }] }, 'a'),
    /duplicate entries for key \[port=80,protocol="TCP"\]/,
  );
  assert.throws(
    () => apply(undefined, {}, 'a', { metadata: { managedFields: [] } }),
    /metadata\.managedFields must be nil/,
  );
});

test('no more than ten updating managers are kept apart', () => {
  let live = object({ replicas: 0 });
  live.metadata.managedFields = trackUpdate({
    next: live,
    schema,
    manager: 'first',
    apiVersion: 'v1',
    time: clock(),
  }) as ManagedFieldsEntry[];
  for (let i = 0; i < 14; i++) {
    const labels = { ...live.metadata.labels, [`k${i}`]: 'v' };
    const next: KubeObject = { ...live, metadata: { ...live.metadata, labels } };
    next.metadata.managedFields = trackUpdate({
      old: live,
      next,
      schema,
      manager: `m${i}`,
      apiVersion: 'v1',
      time: clock(),
    }) as ManagedFieldsEntry[];
    live = next;
  }
  const names = (live.metadata.managedFields ?? []).map(entry => entry.manager);
  assert.equal(names.includes('ancient-changes'), true);
  assert.ok(names.length <= 11, names.join());
});
