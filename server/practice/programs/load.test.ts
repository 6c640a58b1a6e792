// What programs under load use, and what their limits make of it. On one node with a fake clock.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { testNode } from '../node/test-node.ts';

const STRESS = 'polinux/stress';
const oneOf = (image: string, more: object) => ({ containers: [{ name: 'c', image, ...more }] });

describe('a program under load', () => {
  it('is killed beyond its memory limit and lives below it', async t => {
    const { pass, run, pod, log } = await testNode(t);
    const args = (size: string) => ['--vm', '1', '--vm-bytes', size, '--vm-hang', '1'];
    const limits = { resources: { limits: { memory: '100Mi' } } };
    await run('over', oneOf(STRESS, { command: ['stress'], args: args('250M'), ...limits }));
    await run('under', oneOf(STRESS, { command: ['stress'], args: args('50M'), ...limits }));
    await pass(3_000);
    const { lastState } = (await pod('over')).status.containerStatuses[0];
    assert.deepEqual([lastState.terminated.reason, lastState.terminated.exitCode], ['OOMKilled', 137]);
    assert.equal((await pod('under')).status.phase, 'Running');
    assert.equal(await log('under'), 'stress: info: [1] dispatching hogs: 0 cpu, 0 io, 1 vm, 0 hdd\n');
  });

  it('is killed when its shell grows a text beyond what the limit holds', async t => {
    const { pass, run, pod } = await testNode(t);
    const command = ['sh', '-c', 'a=x; while true; do a=$a$a; done'];
    await run('oom', {
      restartPolicy: 'Never',
      ...oneOf('docker.io/library/busybox:1.35', { command, resources: { limits: { memory: '50Mi' } } }),
    });
    await pass(4_000);
    assert.equal((await pod('oom')).status.containerStatuses[0].state.terminated.reason, 'OOMKilled');
  });

  it('uses no more than its CPU limit, and the more the more it is asked', async t => {
    const { pass, run, pod, exec, nodes } = await testNode(t);
    const used = (name: string) =>
      nodes.usage().pods.find(p => p.name === name)!.containers[0]!.usage.cpuMillis;
    await run(
      'hog',
      oneOf(STRESS, { args: ['stress', '--cpu', '2'], resources: { limits: { cpu: '500m' } } }),
    );
    await run('web', oneOf('registry.k8s.io/hpa-example', { ports: [{ containerPort: 80 }] }));
    await run('client', oneOf('docker.io/library/busybox:1.35', { command: ['sleep', '1d'] }));
    await pass(4_000);
    assert.equal(used('hog'), 500);
    assert.equal(used('web'), 1);
    const { podIP } = (await pod('web')).status;
    const asked = await exec('client', [
      'sh',
      '-c',
      `for i in $(seq 24); do wget -qO- http://${podIP}; done`,
    ]);
    assert.equal(asked.out, 'OK!'.repeat(24));
    assert.ok(used('web') >= 500, String(used('web')));
    await pass(3_000);
    assert.equal(used('web'), 1);
  });
});
