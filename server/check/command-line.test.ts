import assert from 'node:assert/strict';
import { test } from 'node:test';
import { namespaceOf, saidByHand } from './command-line.ts';
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
    'for i in 1 2; do kubectl describe pod web; sleep 1; done',
    'until kubectl describe pod web; do sleep 1; done',
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

test('a wanted flag may stand anywhere, with its value beside or behind it', () => {
  const wanted = 'kubectl auth can-i list pods|pod --as=system:serviceaccount:shop:reporter';
  for (const line of [
    'kubectl auth can-i list pods --as=system:serviceaccount:shop:reporter -n shop',
    'kubectl auth can-i --as system:serviceaccount:shop:reporter list pods',
    'kubectl --as=system:serviceaccount:shop:reporter -n shop auth can-i list pod',
  ])
    assert.ok(commandFits(wanted, line), line);
  for (const line of [
    'kubectl auth can-i list pods',
    'kubectl auth can-i list pods --as=reporter',
    'kubectl auth can-i list pods --as-group=system:serviceaccount:shop:reporter',
  ])
    assert.ok(!commandFits(wanted, line), line);
});

test('asking for help is not running the command', () => {
  assert.ok(!commandFits('kubectl logs hello', 'kubectl logs hello --help'));
  assert.ok(!commandFits(WANTED, 'kubectl describe pod -h'));
});

test('the namespace is read however it is written', () => {
  const of = (line: string) => namespaceOf(line.split(' '));
  for (const line of [
    'get pods -n shop',
    '-nshop get pods',
    'get pods --namespace shop',
    '--namespace=shop get pods',
  ])
    assert.equal(of(line), 'shop', line);
  assert.equal(of('get pods'), undefined);
  assert.equal(of('get pods -A'), '*');
});

test('what a line prints of its own is told from what a program said', () => {
  assert.equal(saidByHand('kubectl get pods; echo "web  Running"'), 'web  Running');
  assert.equal(saidByHand("kubectl get pods && printf 'a\\nb'"), 'a\nb');
  assert.equal(saidByHand('kubectl get pods | grep echo'), '');
});
