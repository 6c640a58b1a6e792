import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StatusError } from '../status.ts';
import { jsonPatch, mergePatch } from './index.ts';

test('a JSON patch is applied to a copy', () => {
  const current = { spec: { replicas: 1, list: ['a', 'b'] } };
  const next = jsonPatch(current, [
    { op: 'test', path: '/spec/replicas', value: 1 },
    { op: 'replace', path: '/spec/replicas', value: 2 },
    { op: 'add', path: '/spec/list/-', value: 'c' },
    { op: 'remove', path: '/spec/list/0' },
    { op: 'add', path: '/spec/a~1b', value: { x: 1 } },
  ]);
  assert.deepEqual(next, { spec: { replicas: 2, list: ['b', 'c'], 'a/b': { x: 1 } } });
  assert.deepEqual(current, { spec: { replicas: 1, list: ['a', 'b'] } });
});

test('an operation that does not apply refuses the whole patch without saying which', () => {
  for (const operations of [
    [{ op: 'remove', path: '/spec/nope' }],
    [{ op: 'test', path: '/spec/replicas', value: 5 }],
    [{ op: 'replace', path: '/no/where', value: 5 }],
    [{ op: 'explode', path: '/spec' }],
    [{ op: 'add', value: 1 }],
    [null],
  ])
    assert.throws(
      () => jsonPatch({ spec: { replicas: 1 } }, operations),
      (error: unknown) =>
        error instanceof StatusError &&
        error.code === 422 &&
        error.message === 'the server rejected our request due to an error in our request',
      JSON.stringify(operations),
    );
  assert.throws(() => jsonPatch({}, {}), /error decoding patch/);
  assert.throws(
    () =>
      jsonPatch(
        {},
        Array.from({ length: 10_001 }, () => ({ op: 'test', path: '', value: {} })),
      ),
    /maximum operations in a JSON patch is 10000, got 10001/,
  );
});

test('a patch cannot reach a prototype', () => {
  for (const path of ['/__proto__/polluted', '/constructor/prototype/polluted']) {
    try {
      jsonPatch({}, [{ op: 'add', path, value: 1 }]);
    } catch {}
    assert.equal(({} as any).polluted, undefined);
  }
  mergePatch({}, JSON.parse('{"__proto__":{"polluted":1}}'));
  assert.equal(({} as any).polluted, undefined);
});

test('a merge patch merges maps, replaces lists and removes by null', () => {
  const current = { a: { b: 1, c: 2 }, list: [1, 2], gone: 1 };
  assert.deepEqual(mergePatch(current, { a: { c: 3 }, list: [9], gone: null, fresh: { x: null, y: 1 } }), {
    a: { b: 1, c: 3 },
    list: [9],
    fresh: { y: 1 },
  });
});
