// Nodes that run short and pods that write too much: conditions, evictions and refusals in the kubelet's words.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NODES } from './resources.ts';
import { testNode } from './test-node.ts';

const IMAGE = 'docker.io/library/busybox:1.35';
/** Writes this many KiB to a file, then stays. */
const writer = (kib: number, to: string, more: object = {}) => ({
  name: 'c',
  image: IMAGE,
  command: ['sh', '-c', `head -c ${kib * 1024} /dev/zero > ${to}; sleep 3600`],
  ...more,
});

describe('a pod that writes more than it may', () => {
  it('is evicted for its volume, its container or their sum', async t => {
    const { pass, run, pod, events, faults } = await testNode(t);
    const limits = (size: string) => ({ resources: { limits: { 'ephemeral-storage': size } } });
    const volume = (sizeLimit?: string) => ({
      volumes: [{ name: 'cache', emptyDir: sizeLimit ? { sizeLimit } : {} }],
    });
    const mounts = { volumeMounts: [{ name: 'cache', mountPath: '/cache' }] };
    await run('volume', { ...volume('1Mi'), containers: [writer(1500, '/cache/f', mounts)] });
    await run('layer', {
      containers: [writer(1500, '/f', limits('1Mi')), writer(1, '/f', { name: 'd', ...limits('9Mi') })],
    });
    await run('sum', {
      ...volume(),
      containers: [writer(1500, '/cache/f', { ...mounts, ...limits('1Mi') })],
    });
    await run('log', {
      containers: [
        {
          name: 'c',
          image: IMAGE,
          command: ['sh', '-c', 'head -c 40000 /dev/zero | tr "\\0" x; sleep 3600'],
          ...limits('32Ki'),
        },
        writer(1, '/f', { name: 'd', ...limits('9Mi') }),
      ],
    });
    await run('within', {
      ...volume('2Mi'),
      containers: [writer(1500, '/cache/f', { ...mounts, ...limits('2Mi') })],
    });
    await pass(13_000);
    const said = async (name: string) => (await pod(name)).status.message;
    assert.equal(await said('volume'), 'Usage of EmptyDir volume "cache" exceeds the limit "1Mi". ');
    assert.equal(await said('layer'), 'Container c exceeded its local ephemeral storage limit "1Mi". ');
    assert.equal(
      await said('sum'),
      'Pod ephemeral local storage usage exceeds the total limit of containers 1Mi. ',
    );
    assert.equal(await said('log'), 'Container c exceeded its local ephemeral storage limit "32Ki". ');
    const { status } = await pod('volume');
    assert.deepEqual([status.phase, status.reason], ['Failed', 'Evicted']);
    assert.ok((await events('volume')).some(e => e.startsWith('Warning Evicted Usage of EmptyDir volume')));
    assert.equal((await pod('within')).status.phase, 'Running');
    assert.deepEqual(faults, []);
  });
});

describe('a full disk', () => {
  it('loses unused images first, then the pod that wrote most, and takes nobody new', async t => {
    // The system and the node's images fill 5.6 GiB, of which the threshold leaves 85 %.
    const { api, clock, nodes, pass, run, pod, events } = await testNode(t, {
      disk: '6800Mi',
      memory: '8Gi',
    });
    const node = async (): Promise<any> => api.get(NODES, { name: 'minikube' });
    const condition = async (type: string) =>
      (await node()).status.conditions.find((c: any) => c.type === type);
    assert.equal((await node()).status.capacity['ephemeral-storage'], '6963200Ki');
    nodes.images('minikube')!.load('docker.io/library/nginx:1.27', 69_000_000);
    await run('small', { containers: [writer(2_000, '/f')] });
    await run('large', { containers: [writer(30_000, '/f')] });
    await pass(9_000);
    assert.equal((await condition('DiskPressure')).reason, 'KubeletHasNoDiskPressure');
    nodes.images('minikube')!.load('docker.io/library/python:3.12', 375_000_000);
    await pass(11_000);
    assert.deepEqual(
      nodes
        .images('minikube')!
        .list()
        .filter(i => /nginx|python/.test(i.names[0]!)),
      [],
    );
    assert.deepEqual(
      [(await condition('DiskPressure')).status, (await condition('DiskPressure')).message],
      ['True', 'kubelet has disk pressure'],
    );
    assert.equal((await pod('large')).status.phase, 'Running');
    assert.ok(
      (await events('minikube')).includes(
        'Warning EvictionThresholdMet Attempting to reclaim ephemeral-storage',
      ),
    );
    assert.ok(
      (await events('minikube')).includes(
        'Normal NodeHasDiskPressure Node minikube status is now: NodeHasDiskPressure',
      ),
    );

    await run('late', { containers: [writer(1, '/f')] });
    await pass(1_000);
    const { status } = await pod('late');
    assert.deepEqual(
      [status.phase, status.reason, status.message],
      ['Failed', 'Evicted', 'Pod was rejected: The node had condition: [DiskPressure]. '],
    );
    assert.equal((await events('late'))[0], 'Warning Evicted The node had condition: [DiskPressure]. ');

    await clock.advance(320_000);
    assert.equal((await condition('DiskPressure')).status, 'False');
    const wide = (name: string, tag: string) => ({
      name,
      image: `python:${tag}`,
      command: ['sleep', '3600'],
    });
    await run('wide', { containers: [wide('c', '3.12'), wide('d', '3.11')] });
    for (let i = 0; i < 25 && (await pod('large')).status.phase === 'Running'; i++) await pass(1_000);
    assert.match(
      (await pod('large')).status.message,
      /^The node was low on resource: ephemeral-storage\. Threshold quantity: \d+, available: \d+Ki\. Container c was using 30000Ki, request is 0, has larger consumption of ephemeral-storage\. $/,
    );
    assert.equal((await pod('small')).status.phase, 'Running');
  });
});

describe('short memory', () => {
  it('turns away pods that ask for nothing, and takes those that say what they need', async t => {
    const { pass, run, pod } = await testNode(t, { memory: '840Mi' });
    const env = [{ name: 'MYSQL_ALLOW_EMPTY_PASSWORD', value: 'yes' }];
    await run('db', { containers: [{ name: 'c', image: 'mysql:8.0', env }] });
    await pass(12_000);
    assert.equal((await pod('db')).status.reason, 'Evicted');
    const sleeper = { name: 'c', image: IMAGE, command: ['sleep', '3600'] };
    await run('nothing', { containers: [sleeper] });
    await run('tolerant', {
      tolerations: [{ key: 'node.kubernetes.io/memory-pressure', operator: 'Exists', effect: 'NoSchedule' }],
      containers: [sleeper],
    });
    await run('something', { containers: [sleeper] }, {}, 'Burstable');
    await pass(2_000);
    assert.equal(
      (await pod('nothing')).status.message,
      'Pod was rejected: The node had condition: [MemoryPressure]. ',
    );
    assert.equal((await pod('tolerant')).status.phase, 'Running');
    assert.equal((await pod('something')).status.phase, 'Running');
  });
});
