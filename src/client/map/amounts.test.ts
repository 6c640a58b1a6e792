import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytes, cores, describeCommand } from './amounts.ts';

test('amounts read as people say them', () => {
  assert.deepEqual([cores(1850), cores(2000), cores(100), cores(5)], ['1.85', '2', '0.1', '0.01']);
  assert.deepEqual(
    [bytes(96 * 2 ** 20), bytes(4 * 2 ** 30), bytes(3.84 * 2 ** 30)],
    ['96 MiB', '4 GiB', '3.8 GiB'],
  );
});

test('a name that a shell would read as more than a name gives no command', () => {
  assert.equal(describeCommand('Pod', 'web-0', 'shop'), 'kubectl describe pod web-0 -n shop');
  assert.equal(describeCommand('Node', 'minikube'), 'kubectl describe node minikube');
  for (const name of ['a; rm -rf ~', '$(id)', 'a\nb', '-f', ''])
    assert.equal(describeCommand('Pod', name, 'x'), undefined);
});
