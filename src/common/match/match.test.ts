import assert from 'node:assert/strict';
import { test } from 'node:test';
import { closest, match, treeProblems } from './index.ts';

const pod = {
  kind: 'Pod',
  metadata: { name: 'web-1', labels: { app: 'web', 'app.kubernetes.io/name': 'web' } },
  spec: {
    containers: [
      {
        name: 'web',
        image: 'nginx:1.25',
        ports: [{ containerPort: 80 }],
        resources: { requests: { cpu: '500m', memory: '1Gi' } },
      },
      { name: 'side', image: 'busybox' },
    ],
  },
  status: { phase: 'Running', count: 3 },
};

const holds = (tree: unknown, value: unknown = pod) => assert.deepEqual(match(tree, value), []);
const fails = (tree: unknown, value: unknown = pod) => assert.notDeepEqual(match(tree, value), []);

test('keys written must hold and others are free', () => {
  holds({ status: { phase: 'Running' } });
  assert.deepEqual(match({ status: { phase: 'Pending' } }, pod), [
    { path: 'status.phase', expected: 'Pending', actual: 'Running' },
  ]);
});

test('what is absent is a finding at the leaf that was asked for', () => {
  assert.deepEqual(match({ status: { podIP: '10.0.0.1' } }, { kind: 'Pod' }), [
    { path: 'status.podIP', expected: '10.0.0.1', actual: '<none>' },
  ]);
});

test('a key with dots or slashes is quoted in the path', () => {
  assert.equal(
    match({ metadata: { labels: { 'app.kubernetes.io/name': 'x' } } }, pod)[0]?.path,
    'metadata.labels["app.kubernetes.io/name"]',
  );
});

test('a list means membership in any order', () => {
  holds({ spec: { containers: [{ name: 'side' }, { name: 'web' }] } });
  holds({ spec: { containers: [{ image: 'busybox' }] } });
  holds([], []);
  holds({ x: [] }, {});
});

test('one actual element serves one expected element', () => {
  fails({ list: [{ a: 1 }, { a: 1 }] }, { list: [{ a: 1 }] });
  holds({ list: [{ a: 1 }, { a: 1 }] }, { list: [{ a: 1 }, { a: 1, b: 2 }] });
});

test('a broad expectation does not steal the element a narrow one needs', () => {
  holds([{ a: 1 }, { a: 1, b: 2 }], [{ a: 1, b: 2 }, { a: 1 }]);
  holds([{ a: { $exists: true } }, { a: 1 }], [{ a: 1 }, { a: 2 }]);
});

test('the element with the same name is the one reported', () => {
  assert.deepEqual(
    match(
      { spec: { containers: [{ name: 'web', image: 'nginx:1.27', ports: [{ containerPort: 81 }] }] } },
      pod,
    ),
    [
      { path: 'spec.containers[web].image', expected: 'nginx:1.27', actual: 'nginx:1.25' },
      { path: 'spec.containers[web].ports[containerPort=80].containerPort', expected: '81', actual: '80' },
    ],
  );
});

test('each operator holds and fails', () => {
  holds({ status: { phase: { $exists: true }, podIP: { $exists: false } } });
  fails({ status: { phase: { $exists: false } } });
  holds({ status: { phase: { $in: ['Running', 'Succeeded'] } } });
  fails({ status: { phase: { $in: ['Pending'] } } });
  holds({ status: { phase: { $not: 'Pending' } } });
  fails({ status: { phase: { $not: 'Running' } } });
  holds({ status: { phase: { $matches: '^Run' } } });
  fails({ status: { phase: { $matches: '^run' } } });
  holds({ status: { count: { $gt: 2, $gte: 3, $lt: 4, $lte: 3 } } });
  fails({ status: { count: { $gt: 3 } } });
  fails({ status: { count: { $lt: 3 } } });
  fails({ status: { phase: { $gt: 1 } } });
  holds({ spec: { containers: { $length: 2 } } });
  holds({ spec: { containers: { $length: { $gte: 1 } } } });
  fails({ spec: { containers: { $length: 1 } } });
  holds({ spec: { containers: { $every: { name: { $exists: true } } } } });
  fails({ spec: { containers: { $every: { ports: { $exists: true } } } } });
});

test('quantities compare by amount', () => {
  const requests = (tree: unknown) => ({
    spec: { containers: [{ name: 'web', resources: { requests: tree } }] },
  });
  holds(requests({ cpu: { $quantity: '0.5' }, memory: { $quantity: { $gte: '1024Mi', $lt: '2Gi' } } }));
  fails(requests({ cpu: { $quantity: { $gt: '500m' } } }));
  fails(requests({ storage: { $quantity: '1' } }));
});

test('$every wants at least one element', () => {
  fails({ $every: { a: 1 } }, []);
  fails({ x: { $every: { a: 1 } } }, {});
});

test('$exactly allows no more elements than written', () => {
  holds({ $exactly: ['a', 'b'] }, ['b', 'a']);
  assert.deepEqual(match({ $exactly: ['a'] }, ['b', 'a']), [
    { path: '[0]', expected: '<none>', actual: 'b' },
  ]);
  fails({ $exactly: ['a', 'a'] }, ['a']);
});

test('texts are never code', () => {
  fails({ a: ['$', '{1+1}'].join('') }, { a: '2' });
  fails({ constructor: { $exists: true } }, {});
});

test('the closest candidate is the one with fewest differences', () => {
  const near = closest({ metadata: { labels: { app: 'web' } }, status: { phase: 'Running' } }, [
    { metadata: { labels: { app: 'db' } }, status: { phase: 'Failed' } },
    { metadata: { labels: { app: 'web' } }, status: { phase: 'Pending' } },
  ]);
  assert.deepEqual(near?.findings, [{ path: 'status.phase', expected: 'Running', actual: 'Pending' }]);
  assert.equal(closest({}, []), undefined);
});

test('a broken tree is explained where it is broken', () => {
  const problems = (tree: unknown) => treeProblems(tree).map(p => `${p.path.join('.')} ${p.message}`);
  assert.deepEqual(treeProblems({ a: [{ b: { $in: ['x'] } }], c: { $quantity: { $gte: '1Gi' } } }), []);
  assert.match(problems({ a: { $equals: 1 } })[0] ?? '', /^a\.\$equals is no operator/);
  assert.match(problems({ a: { $exists: true, b: 1 } })[0] ?? '', /^a mixes operators/);
  assert.match(problems({ a: { $gte: '500m' } })[0] ?? '', /wants a number/);
  assert.match(problems({ a: { $quantity: 'lots' } })[0] ?? '', /wants a quantity/);
  assert.match(problems({ a: { $matches: '(' } })[0] ?? '', /missing|early/);
  assert.match(problems({ a: { $in: 'x' } })[0] ?? '', /wants a list/);
});

test('the element that agrees in its name is meant, even when another differs less', () => {
  const wanted = [{ name: 'web', image: 'nginx:1.27', tty: true }];
  const there = [
    { name: 'side', image: 'nginx:1.27', tty: true },
    { name: 'web', image: 'nginx:1.25', tty: false },
  ];
  assert.deepEqual(
    match(wanted, there).map(found => found.path),
    ['[web].image', '[web].tty'],
  );
});

test('a condition that is not there is missed, another one is not taken for it', () => {
  const conditions = [{ type: 'PodScheduled', status: 'False' }];
  assert.deepEqual(match({ conditions: [{ type: 'Ready', status: 'True' }] }, { conditions }), [
    { path: 'conditions[type=Ready].status', expected: 'True', actual: '<none>' },
  ]);
  assert.deepEqual(match({ conditions: [{ type: 'Ready' }] }, { conditions }), [
    { path: 'conditions[type=Ready]', expected: '<any>', actual: '<none>' },
  ]);
});
