// Resizing in place: granted, waiting for room, impossible, and with a restart. On one node with a fake clock.

import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { PODS } from './resources.ts';
import { testNode } from './test-node.ts';

async function node(t: TestContext) {
  const test = await testNode(t, { cpus: '4', memory: '4Gi' });
  const start = (name: string, cpu: string, more: object = {}) =>
    test.run(name, {
      containers: [
        {
          name: 'c',
          image: 'docker.io/library/busybox:1.35',
          command: ['sleep', '1d'],
          resources: { requests: { cpu, memory: '64Mi' }, limits: { memory: '64Mi' } },
          ...more,
        },
      ],
    });
  const resize = async (name: string, resources: any) => {
    const pod: any = structuredClone(await test.pod(name));
    pod.spec.containers[0].resources = resources;
    pod.metadata.generation++;
    await test.api.update(PODS, pod);
    await test.pass(500);
  };
  const status = async (name: string) => {
    const { conditions, containerStatuses } = (await test.pod(name)).status;
    const [{ resources, allocatedResources, restartCount }] = containerStatuses;
    const found = conditions.filter((c: any) => c.type.startsWith('PodResize'));
    return {
      resources,
      allocatedResources,
      restartCount,
      conditions: found.map((c: any) => [c.type, c.reason, c.message].filter(Boolean).join(' ')),
    };
  };
  const told = async (name: string) =>
    (await test.events(name)).filter(e => /Resize|requires restart/.test(e));
  return { ...test, start, resize, status, told };
}

const ask = (cpu: string, memory = '64Mi') => ({ requests: { cpu, memory: '64Mi' }, limits: { memory } });

describe('a resize in place', () => {
  it('is granted where there is room, without a restart', async t => {
    const { start, pass, resize, status, told } = await node(t);
    await start('a', '1');
    await pass(3_000);
    await resize('a', ask('2'));
    const under = await status('a');
    assert.deepEqual(under.conditions, ['PodResizeInProgress']);
    assert.deepEqual(under.resources, ask('1'));
    assert.deepEqual(under.allocatedResources, { cpu: '2', memory: '64Mi' });
    await pass(1_000);
    const after = await status('a');
    assert.deepEqual(after.conditions, []);
    assert.deepEqual(after.resources, ask('2'));
    assert.equal(after.restartCount, 0);
    const summary =
      '{"containers":[{"name":"c","resources":{"limits":{"memory":"64Mi"},"requests":{"cpu":"2","memory":"64Mi"}}}],"generation":2}';
    assert.deepEqual(await told('a'), [
      `Normal ResizeStarted Pod resize started: ${summary}`,
      `Normal ResizeCompleted Pod resize completed: ${summary}`,
    ]);
  });

  it('is infeasible beyond what the node has', async t => {
    const { start, pass, resize, status, told } = await node(t);
    await start('a', '1');
    await pass(3_000);
    await resize('a', ask('5'));
    const after = await status('a');
    const why = "Node didn't have enough capacity: cpu, requested: 5000, capacity: 4000";
    assert.deepEqual(after.conditions, [`PodResizePending Infeasible ${why}`]);
    assert.deepEqual(after.resources, ask('1'));
    assert.match(
      (await told('a'))[0]!,
      /^Warning ResizeInfeasible Pod resize Infeasible: \{.*"generation":2,"error":"Node didn't have enough capacity: cpu, requested: 5000, capacity: 4000"\}$/,
    );
    await resize('a', ask('2'));
    assert.deepEqual((await status('a')).conditions, ['PodResizeInProgress']);
  });

  it('is deferred until another pod makes room', async t => {
    const { api, start, pass, resize, status } = await node(t);
    await start('a', '1');
    await start('b', '1');
    await pass(3_000);
    await resize('a', ask('2500m'));
    // The control plane's own pods hold 650m.
    assert.deepEqual((await status('a')).conditions, [
      "PodResizePending Deferred Node didn't have enough resource: cpu, requested: 2500, used: 1650, capacity: 4000",
    ]);
    await api.delete(PODS, { namespace: 'life', name: 'b' }, { gracePeriodSeconds: 0 });
    await pass(3_000);
    assert.deepEqual((await status('a')).conditions, []);
    assert.deepEqual((await status('a')).resources, ask('2500m'));
  });

  it('restarts a container whose policy says so', async t => {
    const { start, pass, resize, status, told } = await node(t);
    await start('a', '1', {
      command: ['sh', '-c', 'trap "exit 0" TERM; while true; do sleep 1; done'],
      resizePolicy: [{ resourceName: 'memory', restartPolicy: 'RestartContainer' }],
    });
    await pass(3_000);
    await resize('a', ask('1', '128Mi'));
    await pass(3_000);
    const after = await status('a');
    assert.deepEqual([after.restartCount, after.conditions, after.resources], [1, [], ask('1', '128Mi')]);
    assert.equal((await told('a'))[1], 'Normal Killing Container c resize requires restart');
  });

  it('holds a program to its new memory limit', async t => {
    const { start, pass, resize, exec, pod } = await node(t);
    await start('a', '1', {
      command: [
        'sh',
        '-c',
        'while [ ! -e /go ]; do sleep 1; done; a=x; for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22; do a=$a$a; done; sleep 1d',
      ],
    });
    await pass(3_000);
    await resize('a', ask('1', '1Mi'));
    await pass(3_000);
    await exec('a', ['touch', '/go']);
    await pass(3_000);
    const [{ state, lastState }] = (await pod('a')).status.containerStatuses;
    assert.equal((state.terminated ?? lastState.terminated)?.reason, 'OOMKilled');
  });
});
