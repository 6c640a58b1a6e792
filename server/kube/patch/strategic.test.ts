import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Schema } from '../schema.ts';
import { StatusError } from '../status.ts';
import { strategicMergePatch } from './index.ts';

const text: Schema = { type: 'string' };
const schema: Schema = {
  type: 'object',
  properties: {
    containers: {
      type: 'array',
      patchStrategy: ['merge'],
      patchMergeKey: 'name',
      items: {
        type: 'object',
        properties: { name: text, image: text, args: { type: 'array', items: text } },
      },
    },
    finalizers: { type: 'array', patchStrategy: ['merge'], items: text },
    args: { type: 'array', items: text },
    labels: { type: 'object', additionalProperties: text },
    strategy: { type: 'object', patchStrategy: ['retainKeys'], properties: { type: text, rolling: text } },
    selector: { type: 'object', patchStrategy: ['replace'], properties: { a: text, b: text } },
  },
};
const patched = (current: unknown, patch: unknown) => strategicMergePatch(current, patch, schema);

test('lists with a merge key merge by it, others are replaced', () => {
  const current = {
    containers: [
      { name: 'a', image: '1' },
      { name: 'b', image: '2' },
    ],
    args: ['x', 'y'],
  };
  assert.deepEqual(
    patched(current, {
      containers: [
        { name: 'b', image: '3' },
        { name: 'c', image: '4' },
      ],
      args: ['z'],
    }),
    {
      containers: [
        { name: 'a', image: '1' },
        { name: 'b', image: '3' },
        { name: 'c', image: '4' },
      ],
      args: ['z'],
    },
  );
  assert.deepEqual(current.args, ['x', 'y'], 'the object given stays as it was');
});

test('null removes a key and means nothing where there is none', () => {
  assert.deepEqual(patched({ labels: { a: '1', b: '2' } }, { labels: { a: null, c: null } }), {
    labels: { b: '2' },
  });
  assert.deepEqual(patched({}, { labels: { a: null, b: '2' } }), { labels: { b: '2' } });
});

test('elements are deleted and lists replaced by directive', () => {
  const current = { containers: [{ name: 'a' }, { name: 'b' }] };
  assert.deepEqual(patched(current, { containers: [{ name: 'a', $patch: 'delete' }] }), {
    containers: [{ name: 'b' }],
  });
  assert.deepEqual(patched(current, { containers: [{ $patch: 'replace' }, { name: 'c' }] }), {
    containers: [{ name: 'c' }],
  });
  assert.deepEqual(patched({ labels: { a: '1' } }, { labels: { $patch: 'replace', b: '2' } }), {
    labels: { b: '2' },
  });
  assert.deepEqual(patched({ labels: { a: '1' } }, { labels: { $patch: 'delete' } }), { labels: {} });
});

test('primitive lists are joined, and taken from by directive', () => {
  const current = { finalizers: ['a', 'b'] };
  assert.deepEqual(patched(current, { finalizers: ['b', 'c'] }), { finalizers: ['a', 'b', 'c'] });
  assert.deepEqual(patched(current, { '$deleteFromPrimitiveList/finalizers': ['a'] }), { finalizers: ['b'] });
});

test('the announced order decides where elements stand', () => {
  const current = { containers: [{ name: 'a' }, { name: 'b' }, { name: 'server-only' }] };
  const order = [{ name: 'b' }, { name: 'c' }, { name: 'a' }];
  assert.deepEqual(
    patched(current, { '$setElementOrder/containers': order, containers: [{ name: 'c', image: '1' }] }),
    {
      containers: [{ name: 'b' }, { name: 'c', image: '1' }, { name: 'a' }, { name: 'server-only' }],
    },
  );
});

test('retained keys are the only ones that stay', () => {
  const current = { strategy: { type: 'RollingUpdate', rolling: 'x' } };
  assert.deepEqual(patched(current, { strategy: { $retainKeys: ['type'], type: 'Recreate' } }), {
    strategy: { type: 'Recreate' },
  });
});

test('a field with strategy replace is not merged', () => {
  assert.deepEqual(patched({ selector: { a: '1' } }, { selector: { b: '2' } }), { selector: { b: '2' } });
});

test('what cannot be merged is a bad request', () => {
  const refused = (current: unknown, patch: unknown) =>
    assert.throws(
      () => patched(current, patch),
      (error: unknown) => error instanceof StatusError && error.code === 400,
    );
  refused({ containers: [{ name: 'a' }] }, { containers: [{ image: 'x' }] });
  refused({ labels: {} }, { labels: { $patch: 'nonsense' } });
  refused({}, []);
  refused(
    { containers: [] },
    { '$setElementOrder/containers': [{ name: 'a' }], containers: [{ name: 'b' }] },
  );
});

test('patching twice with the same patch changes nothing more', () => {
  const current = { containers: [{ name: 'a', args: ['1'] }], labels: { x: '1' }, finalizers: ['f'] };
  const patch = {
    containers: [{ name: 'b' }, { name: 'a', args: ['2'] }],
    labels: { x: null, y: '2' },
    finalizers: ['g'],
  };
  const once = patched(current, patch);
  assert.deepEqual(patched(once, patch), once);
});
