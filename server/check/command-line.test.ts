import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commandFits } from './index.ts';

const WANTED = 'kubectl describe pod|pods|po';

test('flags may stand anywhere and kinds may be named with their object', () => {
  for (const line of [
    'kubectl describe pod web',
    'kubectl -n shop describe pods/web-1',
    'KUBECONFIG=x kubectl describe po --selector app=web | less',
    'k describe pod',
    '/usr/bin/kubectl describe pod web',
    'cd /tmp && kubectl describe pod "web 1"',
    'sudo kubectl describe pod web',
    'timeout -k 1 3 kubectl describe pod web',
  ]) {
    assert.ok(commandFits(WANTED, line), line);
  }
});

test('what only looks like the command is not it', () => {
  for (const line of [
    'echo kubectl describe pod',
    'kubectl get pod describe',
    'kubectl describe node',
    'kubectl describe podlike',
    "echo 'x; kubectl describe pod'",
    '',
  ]) {
    assert.ok(!commandFits(WANTED, line), line);
  }
});

test('any command of a list is enough', () => {
  assert.ok(commandFits(['kubectl get events', 'kubectl events'], 'kubectl events -n shop'));
});
