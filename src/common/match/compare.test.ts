import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compare } from './index.ts';

const text = (lines: ReturnType<typeof compare>) =>
  lines.map(({ expected, seen, same }) => `${same ? ' ' : '≠'} ${expected} | ${seen}`);

test('only what is asked for is shown, in its order, and what differs is marked', () => {
  const seen = {
    kind: 'Pod',
    status: { podIP: '10.0.0.1', phase: 'Pending' },
    spec: { nodeName: 'minikube' },
  };
  assert.deepEqual(text(compare({ status: { phase: 'Running' }, spec: { nodeName: 'minikube' } }, seen)), [
    '  status: | status:',
    '≠   phase: Running |   phase: Pending',
    '  spec: | spec:',
    '    nodeName: minikube |   nodeName: minikube',
  ]);
});

test('an element of a list stands beside the one that comes nearest', () => {
  const seen = {
    containers: [
      { name: 'proxy', image: 'envoy' },
      { name: 'web', image: 'nginx:1.25' },
    ],
  };
  assert.deepEqual(text(compare({ containers: [{ name: 'web', image: 'nginx:1.27' }] }, seen)), [
    '  containers: | containers:',
    '    - name: web |   - name: web',
    '≠     image: nginx:1.27 |     image: nginx:1.25',
  ]);
});

test('what is not there has nothing beside it', () => {
  assert.deepEqual(text(compare({ data: { currency: 'TWD' } }, { kind: 'ConfigMap' })), [
    '≠ data: | ',
    '≠   currency: TWD | ',
  ]);
});

test('an operator is written as a person would', () => {
  assert.deepEqual(text(compare({ replicas: { $gte: 2 } }, { replicas: 1 })), [
    '≠ replicas: ≥ 2 | replicas: 1',
  ]);
});
