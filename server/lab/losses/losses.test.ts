import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../../kube/index.ts';
import { callsOf } from './calls.ts';
import { lostFields } from './owned.ts';

test('lines that write are told from lines that read', () => {
  const none = { kubectl: [], files: [] };
  for (const line of [
    'kubectl get pods -A',
    'kubectl rollout status deployment web',
    'echo kubectl delete pod x',
  ])
    assert.deepEqual(callsOf(line), none, line);
  assert.deepEqual(callsOf('kubectl create ns a && kubectl -n a delete pod x | cat').kubectl, [
    ['create', 'ns', 'a'],
    ['-n', 'a', 'delete', 'pod', 'x'],
  ]);
  assert.deepEqual(callsOf('kubectl rollout undo deployment web').kubectl.length, 1);
  assert.deepEqual(callsOf("printf 'a: 1\\n' > ~/a.yaml").files, ['~/a.yaml']);
  assert.deepEqual(callsOf('kubectl get pod x -o yaml 2>/dev/null >~/b.yaml').files, ['~/b.yaml']);
  assert.deepEqual(callsOf('echo x >> ~/log').files, []);
});

const object = (fields: Record<string, unknown>, time: string, manager = 'kubectl-edit'): KubeObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', managedFields: [{ manager, operation: 'Update', time, fieldsV1: fields }] },
  spec: { replicas: 3, template: { spec: { containers: [{ name: 'web', image: 'nginx:1.27' }] } } },
});
const fields: Record<string, unknown> = {
  'f:spec': {
    'f:replicas': {},
    'f:template': { 'f:spec': { 'f:containers': { 'k:{"name":"web"}': { '.': {}, 'f:image': {} } } } },
  },
};
const since = Date.parse('2026-11-28T12:00:00.400Z');
const other = {
  spec: { replicas: 0, template: { spec: { containers: [{ name: 'web', image: 'nginx:1.26' }] } } },
};

test('fields the learner wrote are lost when they become others', () => {
  assert.deepEqual(lostFields(object(fields, '2026-11-28T12:00:05Z'), other, since), [
    { path: 'spec.replicas', yours: 3, becomes: 0 },
    { path: 'spec.template.spec.containers[web].image', yours: 'nginx:1.27', becomes: 'nginx:1.26' },
  ]);
});

test('what setup wrote, or a controller, is not the learner’s', () => {
  assert.deepEqual(lostFields(object(fields, '2026-11-28T12:00:00Z'), other, since), []);
  const scaled = object(fields, '2026-11-28T12:00:05Z', 'kube-controller-manager');
  assert.deepEqual(lostFields(scaled, other, since), []);
  assert.deepEqual(
    lostFields(object({ 'f:spec': { 'f:paused': {} } }, '2026-11-28T12:00:05Z'), other, since),
    [],
  );
});
