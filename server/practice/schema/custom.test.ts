import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromJsonSchema, pruneUnknown, validateCustom } from './index.ts';

const schema = fromJsonSchema({
  type: 'object',
  required: ['spec'],
  properties: {
    spec: {
      type: 'object',
      required: ['cronSpec'],
      properties: {
        cronSpec: { type: 'string', pattern: '^(\\d+|\\*)( .*)?$' },
        image: { type: 'string', enum: ['busybox', 'alpine'] },
        replicas: { type: 'integer', minimum: 1, maximum: 10 },
        port: { 'x-kubernetes-int-or-string': true },
        tags: {
          type: 'array',
          maxItems: 2,
          items: { type: 'string', maxLength: 3 },
          'x-kubernetes-list-type': 'set',
        },
        one: {
          type: 'object',
          oneOf: [{ required: ['a'] }, { required: ['b'] }],
          properties: { a: { type: 'string' }, b: { type: 'string' } },
        },
        when: { type: 'string', format: 'date-time' },
      },
    },
    status: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
  },
});

const said = (spec: unknown) =>
  validateCustom({ apiVersion: 'a/v1', kind: 'B', metadata: { name: 'x' }, spec }, schema).map(
    f => `${f.field}: ${f.message}`,
  );

test('findings are worded and ordered as a real server words them', () => {
  assert.deepEqual(said({ replicas: 30, image: 'nope' }), [
    'spec.image: Unsupported value: "nope": supported values: "busybox", "alpine"',
    'spec.replicas: Invalid value: 30: spec.replicas in body should be less than or equal to 10',
    'spec.cronSpec: Required value',
  ]);
  assert.deepEqual(said({ cronSpec: 5 }), [
    'spec.cronSpec: Invalid value: "integer": spec.cronSpec in body must be of type string: "integer"',
  ]);
  assert.deepEqual(said({ cronSpec: 'bad' }), [
    'spec.cronSpec: Invalid value: "bad": spec.cronSpec in body should match \'^(\\d+|\\*)( .*)?$\'',
  ]);
  assert.deepEqual(said({ cronSpec: '1', tags: ['aaaa', 'b', 'b'] }), [
    'spec.tags[0]: Too long: may not be more than 3 bytes',
    'spec.tags: Too many: 3: must have at most 2 items',
    'spec.tags[2]: Duplicate value: "b"',
  ]);
  assert.deepEqual(
    said({ cronSpec: '1', one: {} })[0],
    'spec.one: Invalid value: "": "spec.one" must validate one and only one schema (oneOf). Found none valid',
  );
  assert.deepEqual(said({ cronSpec: '1', when: 'noon' }), [
    'spec.when: Invalid value: "noon": spec.when in body must be of type date-time: "noon"',
  ]);
});

test('what fits has no findings', () => {
  assert.deepEqual(
    said({
      cronSpec: '* * *',
      replicas: 3,
      port: 80,
      tags: ['a', 'b'],
      one: { a: 'x' },
      when: '2026-11-23T23:10:20Z',
    }),
    [],
  );
  assert.deepEqual(said({ cronSpec: '1', port: 'http' }), []);
});

test('pruning keeps what may be unknown and the metadata of a whole object', () => {
  const object = {
    metadata: { name: 'x', nope: 1 },
    spec: { cronSpec: '1', foo: 1 },
    status: { any: { thing: 1 } },
    extra: true,
  };
  assert.deepEqual(pruneUnknown(object, schema), ['metadata.nope', 'spec.foo', 'extra']);
  assert.deepEqual(object, {
    metadata: { name: 'x' },
    spec: { cronSpec: '1' },
    status: { any: { thing: 1 } },
  });
});

test('known fields are pruned inside an object that keeps unknown ones', () => {
  const open = fromJsonSchema({
    type: 'object',
    'x-kubernetes-preserve-unknown-fields': true,
    properties: { spec: { type: 'object', properties: { a: { type: 'string' } } } },
  });
  const object = { other: { x: 1 }, spec: { a: 'b', c: 'd' } };
  assert.deepEqual(pruneUnknown(object, open), ['spec.c']);
  assert.deepEqual(object, { other: { x: 1 }, spec: { a: 'b' } });
});
