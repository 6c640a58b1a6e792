// The scheduler against the words recorded from a real v1.36.2 (facts: every reason for Pending).

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { KubeObject } from '../../server/kube/index.ts';
import * as r from '../../server/practice/controllers/index.ts';
import { node, pod, requests, startWorld, type World } from '../support/world.ts';

const worlds: World[] = [];
after(() => Promise.all(worlds.map(w => w.stop())));

/** Two nodes as in the recording; no kubelet, no other controllers. */
async function cluster(
  nodes: KubeObject[] = [node('n1'), node('n2', { cpu: '4', memory: '8Gi' })],
): Promise<World> {
  const world = await startWorld({
    nodes,
    controllers: r.controllers.filter(c => c.name === 'service-account-controller'),
  });
  world.kubelet.start = () => undefined;
  worlds.push(world);
  return world;
}

async function message(world: World, name: string): Promise<string> {
  await world.settle();
  const { status } = await world.get(r.PODS, name);
  const condition = status.conditions?.find((c: { type: string }) => c.type === 'PodScheduled');
  return condition?.message ?? `on ${(await world.get(r.PODS, name))['spec'].nodeName}`;
}

const HELPLESS =
  'no new claims to deallocate, preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.';

test('a request larger than any node is said to be beyond preemption', async () => {
  const world = await cluster();
  await world.create(
    pod('mem', requests({ memory: '20Gi' })),
    pod('both', requests({ cpu: '9', memory: '90Gi' })),
  );
  assert.equal(await message(world, 'mem'), `0/2 nodes are available: 2 Insufficient memory. ${HELPLESS}`);
  assert.equal(
    await message(world, 'both'),
    `0/2 nodes are available: 2 Insufficient cpu, 2 Insufficient memory. ${HELPLESS}`,
  );
  const [event] = (await world.client.list(r.EVENTS)).items;
  assert.equal(event?.['reportingComponent'], 'default-scheduler');
  assert.equal(event?.['action'], 'Scheduling');
  assert.deepEqual(event?.['source'], {});
  assert.equal(event?.['firstTimestamp'], null);
  assert.match(event?.['eventTime'], /\.\d{6}Z$/);
});

test('selectors, affinities, taints and cordons each have their words', async () => {
  const world = await cluster();
  const terms = [{ matchExpressions: [{ key: 'z', operator: 'In', values: ['a'] }] }];
  const near = [{ topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { no: 'such' } } }];
  await world.create(
    pod('sel', { nodeSelector: { disk: 'ssd' } }),
    pod('aff', {
      affinity: {
        nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: terms } },
      },
    }),
    pod('anti', { affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: near } } }),
  );
  const selector = `0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector. ${HELPLESS}`;
  assert.equal(await message(world, 'sel'), selector);
  assert.equal(await message(world, 'aff'), selector);
  assert.equal(
    await message(world, 'anti'),
    `0/2 nodes are available: 2 node(s) didn't match pod affinity rules. ${HELPLESS}`,
  );

  await world.change(r.NODES, 'n1', { spec: { taints: [{ key: 'k', value: 'v', effect: 'NoSchedule' }] } });
  await world.create(pod('full', { ...requests({ cpu: '3' }), nodeName: 'n2' }));
  await world.create(pod('taint1', requests({ cpu: '3900m' })));
  assert.equal(
    await message(world, 'taint1'),
    '0/2 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint(s). no new claims to deallocate, preemption: 0/2 nodes are available: 1 No preemption victims found for incoming pod, 1 Preemption is not helpful for scheduling.',
  );
  await world.change(r.NODES, 'n2', { spec: { taints: [{ key: 'k', value: 'w', effect: 'NoSchedule' }] } });
  await world.create(pod('taint2'));
  assert.equal(
    await message(world, 'taint2'),
    `0/2 nodes are available: 2 node(s) had untolerated taint(s). ${HELPLESS}`,
  );
  for (const n of ['n1', 'n2'])
    await world.change(r.NODES, n, { spec: { unschedulable: true, taints: null } });
  await world.create(pod('cord'));
  assert.equal(
    await message(world, 'cord'),
    `0/2 nodes are available: 2 node(s) were unschedulable. ${HELPLESS}`,
  );
  await world.change(r.NODES, 'n1', { spec: { unschedulable: null } });
  assert.equal(await message(world, 'cord'), 'on n1');
});

test('claims that are missing or unbound decide before any node is counted', async () => {
  const world = await cluster();
  const volume = (claimName: string) => ({ volumes: [{ name: 'v', persistentVolumeClaim: { claimName } }] });
  await world.create(pod('nopvc', volume('nope')));
  assert.equal(
    await message(world, 'nopvc'),
    '0/2 nodes are available: persistentvolumeclaim "nope" not found. not found',
  );
  const spec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } };
  await world.create({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'unb', namespace: 'demo' },
    spec,
  });
  await world.create(pod('unb', volume('unb')));
  assert.equal(
    await message(world, 'unb'),
    '0/2 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found',
  );
});

test('a host port is taken once a node', async () => {
  const world = await cluster();
  const ported = { containers: [{ name: 'x', image: 'b', ports: [{ containerPort: 80, hostPort: 80 }] }] };
  await world.create(pod('hp1', ported));
  await world.settle();
  await world.create(pod('hp2', ported));
  await world.settle();
  await world.create(pod('hp3', ported));
  assert.equal(
    await message(world, 'hp3'),
    "0/2 nodes are available: 2 node(s) didn't have free ports for the requested pod ports. no new claims to deallocate, preemption: 0/2 nodes are available: 2 No preemption victims found for incoming pod.",
  );
  const nodes = [await world.get(r.PODS, 'hp1'), await world.get(r.PODS, 'hp2')].map(p => p['spec'].nodeName);
  assert.deepEqual(nodes.sort(), ['n1', 'n2']);
});

test('without nodes there is nothing to count', async () => {
  const world = await cluster([]);
  await world.create(pod('p'));
  assert.equal(await message(world, 'p'), 'no nodes available to schedule pods');
  await world.create(node('late'));
  assert.equal(await message(world, 'p'), 'on late');
});

test('gated pods and those of other schedulers are left alone', async () => {
  const world = await cluster();
  await world.create(
    pod('gate', { schedulingGates: [{ name: 'example.com/g' }] }),
    pod('other', { schedulerName: 'mine' }),
  );
  await world.settle();
  assert.deepEqual(await world.events('Pod'), []);
  assert.equal((await world.get(r.PODS, 'other'))['spec'].nodeName, undefined);
  await world.change(r.PODS, 'gate', { spec: { schedulingGates: null } });
  assert.match(await message(world, 'gate'), /^on n/);
});

test('a more important pod gets room, and both sides say so', async () => {
  const world = await cluster();
  await world.create(pod('cpu', requests({ cpu: '3', memory: '6Gi' })));
  await world.settle();
  await world.create(pod('vict', requests({ cpu: '3' })));
  assert.equal(
    await message(world, 'vict'),
    '0/2 nodes are available: 2 Insufficient cpu. no new claims to deallocate, preemption: 0/2 nodes are available: 1 No preemption victims found for incoming pod, 1 Preemption is not helpful for scheduling.',
  );
  await world.create({
    apiVersion: 'scheduling.k8s.io/v1',
    kind: 'PriorityClass',
    metadata: { name: 'high' },
    value: 1000,
  });
  await world.create(pod('preempt', { ...requests({ cpu: '3' }), priorityClassName: 'high' }));
  await world.clock.advance(0);
  const events = await world.events('Pod', 'cpu');
  const preemptor = await world.get(r.PODS, 'preempt');
  assert.ok(
    events.includes(`Preempted: Preempted by pod ${preemptor.metadata.uid} on node n2`),
    events.join('\n'),
  );
  assert.deepEqual(
    await world.events('Pod', 'preempt').then(e => e[0]),
    'FailedScheduling: 0/2 nodes are available: 2 Insufficient cpu.',
  );
  await world.settle();
  assert.equal(
    (await world.get(r.PODS, 'preempt'))['spec'].nodeName,
    'n2',
    'the freed room goes to the preemptor',
  );
  assert.equal((await world.get(r.PODS, 'vict'))['spec'].nodeName, undefined, 'not to whoever waited longer');
});

test('freed room is given away at once, without waiting out a back-off', async () => {
  const world = await cluster([node('n1')]);
  await world.create(pod('first', requests({ cpu: '1500m' })));
  await world.settle();
  await world.create(pod('second', requests({ cpu: '1500m' })));
  assert.match(await message(world, 'second'), /^0\/1 nodes are available: 1 Insufficient cpu\./);
  await world.client.delete(r.PODS, { namespace: 'demo', name: 'first' }, { gracePeriodSeconds: 0 });
  await world.settle();
  assert.equal((await world.get(r.PODS, 'second'))['spec'].nodeName, 'n1');
  assert.equal(
    (await world.events('Pod', 'second')).at(-1),
    'Scheduled: Successfully assigned demo/second to n1',
  );
});

test('init containers, sidecars and overhead count as upstream adds them up', async () => {
  const world = await cluster([node('n1')]);
  const resources = (cpu: string) => ({ resources: { requests: { cpu } } });
  const spec = {
    initContainers: [
      { name: 'side', image: 'b', restartPolicy: 'Always', ...resources('400m') },
      { name: 'init', image: 'b', ...resources('1') },
    ],
    containers: [{ name: 'x', image: 'b', ...resources('900m') }],
  };
  // max(900m + 400m, 1 + 400m) = 1400m leaves 600m.
  await world.create(pod('mixed', spec));
  await world.settle();
  await world.create(pod('over', requests({ cpu: '601m' })), pod('fits', requests({ cpu: '600m' })));
  assert.match(await message(world, 'over'), /Insufficient cpu/);
  assert.equal(await message(world, 'fits'), 'on n1');
});

test('pods repel, attract and spread by topology', async () => {
  const zoned = (name: string, zone: string) =>
    node(name, {}, { metadata: { name, labels: { zone } } } as Partial<KubeObject>);
  const world = await cluster([zoned('a', 'z1'), zoned('b', 'z2')]);
  const labelSelector = { matchLabels: { app: 'web' } };
  const alone = {
    affinity: {
      podAntiAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'zone', labelSelector }],
      },
    },
  };
  for (const name of ['w1', 'w2', 'w3']) {
    await world.create(pod(name, alone, { labels: { app: 'web' } }));
    await world.settle();
  }
  const where = async (name: string) => (await world.get(r.PODS, name))['spec'].nodeName;
  assert.notEqual(await where('w1'), await where('w2'));
  assert.match(await message(world, 'w3'), /2 node\(s\) didn't match pod anti-affinity rules\./);
  await world.create(pod('plain', {}, { labels: { app: 'web' } }));
  assert.match(
    await message(world, 'plain'),
    /2 node\(s\) didn't satisfy existing pods anti-affinity rules\./,
  );
  const near = {
    affinity: {
      podAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'zone', labelSelector }],
      },
    },
  };
  await world.create(pod('friend', near));
  assert.match(await message(world, 'friend'), /^on /);
  const spread = (name: string) =>
    pod(
      name,
      {
        topologySpreadConstraints: [
          {
            maxSkew: 1,
            topologyKey: 'zone',
            whenUnsatisfiable: 'DoNotSchedule',
            labelSelector: { matchLabels: { app: 's' } },
          },
        ],
      },
      { labels: { app: 's' } },
    );
  for (const name of ['s1', 's2', 's3', 's4']) {
    await world.create(spread(name));
    await world.settle();
  }
  const zones = await Promise.all(['s1', 's2', 's3', 's4'].map(where));
  assert.deepEqual(zones.sort(), ['a', 'a', 'b', 'b']);
  await world.change(r.NODES, 'a', { spec: { unschedulable: true } });
  await world.create(spread('s5'));
  await world.settle();
  await world.create(spread('s6'));
  assert.match(
    await message(world, 's6'),
    /1 node\(s\) didn't match pod topology spread constraints, 1 node\(s\) were unschedulable\./,
  );
});

test('room promised to a preemptor is not given to a lesser pod meanwhile', async () => {
  const world = await cluster([node('n1', { cpu: '4' })]);
  await world.create(
    { apiVersion: 'scheduling.k8s.io/v1', kind: 'PriorityClass', metadata: { name: 'high' }, value: 1000 },
    pod('victim', requests({ cpu: '3' })),
  );
  await world.settle();
  await world.create(pod('vip', { ...requests({ cpu: '3500m' }), priorityClassName: 'high' }));
  await world.clock.advance(0);
  assert.ok((await world.get(r.PODS, 'victim')).metadata.deletionTimestamp, 'on its way out, still there');
  // One CPU is free beside the victim, but it is part of what was promised.
  await world.create(pod('thief', requests({ cpu: '800m' })));
  await world.clock.advance(0);
  assert.equal((await world.get(r.PODS, 'thief'))['spec'].nodeName, undefined);
  await world.settle();
  assert.equal((await world.get(r.PODS, 'vip'))['spec'].nodeName, 'n1');
  assert.equal((await world.get(r.PODS, 'thief'))['spec'].nodeName, undefined);
});
