// Deployments and replica sets over the real registry: rollouts, scaling, history, deadlines, with upstream's words.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { KubeObject } from '../../server/kube/index.ts';
import * as r from '../../server/practice/controllers/index.ts';
import { startWorld, type World } from '../support/world.ts';

const worlds: World[] = [];
after(() => Promise.all(worlds.map(w => w.stop())));

async function world(): Promise<World> {
  const made = await startWorld({ nodes: undefined });
  worlds.push(made);
  return made;
}

function deployment(spec: object = {}, image = 'nginx:1.27'): KubeObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'demo', labels: { app: 'web' } },
    spec: {
      replicas: 2,
      selector: { matchLabels: { app: 'web' } },
      template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'nginx', image }] } },
      ...spec,
    },
  };
}

const image = (text: string) => ({
  spec: { template: { spec: { containers: [{ name: 'nginx', image: text }] } } },
});
const conditions = (d: KubeObject) =>
  Object.fromEntries(
    (d['status'].conditions ?? []).map((c: Record<string, string>) => [
      c['type'],
      `${c['status']} ${c['reason']}: ${c['message']}`,
    ]),
  );
const sets = async (w: World) =>
  (await w.list(r.REPLICA_SETS)).sort(
    (a, b) =>
      Number(a.metadata.annotations?.['deployment.kubernetes.io/revision']) -
      Number(b.metadata.annotations?.['deployment.kubernetes.io/revision']),
  );
const running = async (w: World) => (await w.list(r.PODS)).filter(p => !p.metadata.deletionTimestamp);

test('a deployment makes a replica set makes pods, and says so as recorded', async () => {
  const w = await world();
  w.kubelet.start = () => undefined;
  await w.create(deployment());
  await w.settle();
  const d = await w.get(r.DEPLOYMENTS, 'web');
  const [set] = await sets(w);
  assert.match(set?.metadata.name ?? '', /^web-[bcdf4-9]{4,10}$/);
  const hash = set?.metadata.labels?.['pod-template-hash'];
  assert.equal(set?.metadata.name, `web-${hash}`);
  assert.deepEqual(set?.metadata.labels, { app: 'web', 'pod-template-hash': hash });
  assert.deepEqual(set?.metadata.annotations, {
    'deployment.kubernetes.io/desired-replicas': '2',
    'deployment.kubernetes.io/max-replicas': '3',
    'deployment.kubernetes.io/revision': '1',
  });
  assert.deepEqual(set?.['status'], {
    fullyLabeledReplicas: 2,
    observedGeneration: 1,
    replicas: 2,
    terminatingReplicas: 0,
  });
  assert.deepEqual(set?.['spec'].selector, { matchLabels: { app: 'web', 'pod-template-hash': hash } });
  assert.equal(d.metadata.annotations?.['deployment.kubernetes.io/revision'], '1');
  assert.equal(d.metadata.generation, 1);
  const { conditions: list, ...counts } = d['status'];
  assert.deepEqual(counts, {
    observedGeneration: 1,
    replicas: 2,
    terminatingReplicas: 0,
    unavailableReplicas: 2,
    updatedReplicas: 2,
  });
  assert.deepEqual(
    list.map((c: { type: string }) => c.type),
    ['Available', 'Progressing'],
  );
  assert.deepEqual(conditions(d), {
    Available: 'False MinimumReplicasUnavailable: Deployment does not have minimum availability.',
    Progressing: `True ReplicaSetUpdated: ReplicaSet "web-${hash}" is progressing.`,
  });
  const pods = await w.list(r.PODS);
  assert.deepEqual(
    pods.map(p => p.metadata.generateName),
    [`web-${hash}-`, `web-${hash}-`],
  );
  assert.deepEqual(pods[0]?.metadata.ownerReferences, [
    {
      apiVersion: 'apps/v1',
      blockOwnerDeletion: true,
      controller: true,
      kind: 'ReplicaSet',
      name: `web-${hash}`,
      uid: set?.metadata.uid,
    },
  ]);
  assert.deepEqual(await w.events('Deployment'), [
    `ScalingReplicaSet: Scaled up replica set web-${hash} from 0 to 2`,
  ]);
  assert.deepEqual(
    (await w.events('ReplicaSet')).sort(),
    pods.map(p => `SuccessfulCreate: Created pod: ${p.metadata.name}`).sort(),
  );
  assert.deepEqual(w.failures, []);
});

test('once all pods are ready the rollout is complete', async () => {
  const w = await world();
  await w.create(deployment());
  await w.settle();
  const d = await w.get(r.DEPLOYMENTS, 'web');
  const [set] = await sets(w);
  const { conditions: _c, ...counts } = d['status'];
  assert.deepEqual(counts, {
    availableReplicas: 2,
    observedGeneration: 1,
    readyReplicas: 2,
    replicas: 2,
    terminatingReplicas: 0,
    updatedReplicas: 2,
  });
  assert.deepEqual(conditions(d), {
    Available: 'True MinimumReplicasAvailable: Deployment has minimum availability.',
    Progressing: `True NewReplicaSetAvailable: ReplicaSet "${set?.metadata.name}" has successfully progressed.`,
  });
});

test('a rolling update never leaves the limits of surge and unavailability', async () => {
  const w = await world();
  await w.create(
    deployment({
      replicas: 4,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 1 } },
    }),
  );
  await w.settle();
  const seen: string[] = [];
  const watch = w.client.watch(r.PODS, { namespace: 'demo' }, () => {
    void Promise.all([running(w)]).then(([pods]) => {
      const available = pods.filter(p => p['status'].phase === 'Running').length;
      if (pods.length > 5 || available < 3) seen.push(`${pods.length} pods, ${available} available`);
    });
  });
  await w.change(r.DEPLOYMENTS, 'web', image('nginx:1.28'));
  await w.settle();
  watch.stop();
  assert.deepEqual(seen, []);
  const [old, current] = await sets(w);
  assert.deepEqual([old?.['spec'].replicas, current?.['spec'].replicas], [0, 4]);
  assert.equal(current?.metadata.annotations?.['deployment.kubernetes.io/revision'], '2');
  assert.equal(
    (await running(w)).every(p => p['spec'].containers[0].image === 'nginx:1.28'),
    true,
  );
});

test('a bad image stops the rollout with the old pods still serving', async () => {
  const w = await world();
  await w.create(deployment({ replicas: 4, progressDeadlineSeconds: 60 }));
  await w.settle();
  const start = w.kubelet.start;
  w.kubelet.start = p => (p['spec'].containers[0].image === 'nope:1' ? undefined : start(p));
  await w.change(r.DEPLOYMENTS, 'web', image('nope:1'));
  await w.settle();
  assert.equal((await running(w)).filter(p => p['status'].phase === 'Running').length, 3);
  await w.pass(62);
  const d = await w.get(r.DEPLOYMENTS, 'web');
  const [, current] = await sets(w);
  assert.equal(
    conditions(d).Progressing,
    `False ProgressDeadlineExceeded: ReplicaSet "${current?.metadata.name}" has timed out progressing.`,
  );
  // Back to the first template: its replica set becomes the newest revision.
  await w.change(r.DEPLOYMENTS, 'web', image('nginx:1.27'));
  await w.settle();
  const [bad, good] = await sets(w);
  assert.equal(good?.metadata.annotations?.['deployment.kubernetes.io/revision'], '3');
  assert.equal(good?.metadata.annotations?.['deployment.kubernetes.io/revision-history'], '1');
  assert.deepEqual([bad?.['spec'].replicas, good?.['spec'].replicas], [0, 4]);
  assert.match(conditions(await w.get(r.DEPLOYMENTS, 'web')).Progressing, /^True NewReplicaSetAvailable/);
});

test('recreate waits until the last old pod is gone', async () => {
  const w = await world();
  await w.create(deployment({ strategy: { type: 'Recreate' } }));
  await w.settle();
  let most = 0;
  const watch = w.client.watch(r.PODS, { namespace: 'demo' }, () => {
    void w.list(r.PODS).then(pods => {
      const images = new Set(pods.map(p => p['spec'].containers[0].image));
      most = Math.max(most, images.size);
    });
  });
  await w.change(r.DEPLOYMENTS, 'web', image('nginx:1.28'));
  await w.settle();
  watch.stop();
  assert.equal(most, 1);
  assert.deepEqual(
    (await running(w)).map(p => p['spec'].containers[0].image),
    ['nginx:1.28', 'nginx:1.28'],
  );
});

test('a paused deployment is sized but not rolled', async () => {
  const w = await world();
  await w.create(deployment());
  await w.settle();
  await w.change(r.DEPLOYMENTS, 'web', { spec: { paused: true, ...image('nginx:1.28').spec } });
  await w.settle();
  assert.equal((await sets(w)).length, 1);
  assert.equal(
    conditions(await w.get(r.DEPLOYMENTS, 'web')).Progressing,
    'Unknown DeploymentPaused: Deployment is paused',
  );
  await w.change(r.DEPLOYMENTS, 'web', { spec: { replicas: 3 } });
  await w.settle();
  assert.equal((await running(w)).length, 3);
  await w.change(r.DEPLOYMENTS, 'web', { spec: { paused: false } });
  await w.settle();
  assert.equal((await sets(w)).length, 2);
  assert.equal(
    (await running(w)).every(p => p['spec'].containers[0].image === 'nginx:1.28'),
    true,
  );
});

test('scaling in the middle of a rollout shares the difference out', async () => {
  const w = await world();
  await w.create(
    deployment({ replicas: 10, strategy: { rollingUpdate: { maxSurge: 3, maxUnavailable: 2 } } }),
  );
  await w.settle();
  const start = w.kubelet.start;
  w.kubelet.start = p => (p['spec'].containers[0].image === 'nope:1' ? undefined : start(p));
  await w.change(r.DEPLOYMENTS, 'web', image('nope:1'));
  await w.settle();
  assert.deepEqual(
    (await sets(w)).map(s => s['spec'].replicas),
    [8, 5],
  );
  await w.change(r.DEPLOYMENTS, 'web', { spec: { replicas: 15 } });
  await w.settle();
  // The example of the Kubernetes documentation: 8 and 5 become 11 and 7.
  assert.deepEqual(
    (await sets(w)).map(s => s['spec'].replicas),
    [11, 7],
  );
});

test('history keeps as many old replica sets as asked for', async () => {
  const w = await world();
  await w.create(deployment({ revisionHistoryLimit: 2 }));
  await w.settle();
  for (const tag of ['1', '2', '3', '4']) {
    await w.change(r.DEPLOYMENTS, 'web', image(`nginx:${tag}`));
    await w.settle();
  }
  const revisions = (await sets(w)).map(s => s.metadata.annotations?.['deployment.kubernetes.io/revision']);
  assert.deepEqual(revisions, ['3', '4', '5']);
});

test('scaling down takes the pods that are missed least', async () => {
  const w = await world();
  await w.create(deployment({ replicas: 3 }));
  await w.settle();
  const [first, second, third] = await running(w);
  await w.change(r.PODS, first?.metadata.name ?? '', {
    metadata: { annotations: { 'controller.kubernetes.io/pod-deletion-cost': '10' } },
  });
  const status = { ...second?.['status'], conditions: [{ type: 'Ready', status: 'False' }] };
  await w.client.update(r.PODS, { ...(await w.get(r.PODS, second?.metadata.name ?? '')), status }, 'status');
  await w.change(r.DEPLOYMENTS, 'web', { spec: { replicas: 1 } });
  await w.settle();
  assert.deepEqual(
    (await running(w)).map(p => p.metadata.name),
    [first?.metadata.name],
  );
  assert.ok(
    (await w.events('ReplicaSet')).includes(`SuccessfulDelete: Deleted pod: ${third?.metadata.name}`),
  );
});

test('a deletion cost decides among equals', async () => {
  for (const cheap of [0, 1, 2]) {
    const w = await world();
    await w.create(deployment({ replicas: 3 }));
    await w.settle();
    const pods = await running(w);
    const name = pods[cheap]?.metadata.name ?? '';
    await w.change(r.PODS, name, {
      metadata: { annotations: { 'controller.kubernetes.io/pod-deletion-cost': '-5' } },
    });
    await w.change(r.DEPLOYMENTS, 'web', { spec: { replicas: 2 } });
    await w.settle();
    assert.equal(
      (await running(w)).some(p => p.metadata.name === name),
      false,
      `pod ${cheap}`,
    );
  }
});

test('a deleted replica set comes back with its pods', async () => {
  const w = await world();
  await w.create(deployment());
  await w.settle();
  const [set] = await sets(w);
  await w.client.delete(r.REPLICA_SETS, { namespace: 'demo', name: set?.metadata.name ?? '' });
  await w.settle();
  assert.equal(
    (await sets(w))[0]?.metadata.uid === set?.metadata.uid,
    false,
    'a deleted replica set comes back',
  );
  assert.equal((await running(w)).length, 2);
});

test('pods that match an orphaned selector are adopted, those relabelled are released', async () => {
  const w = await world();
  await w.create(deployment());
  await w.settle();
  const [stray] = await running(w);
  await w.change(r.PODS, stray?.metadata.name ?? '', { metadata: { labels: { app: 'debug' } } });
  await w.settle();
  assert.equal((await w.get(r.PODS, stray?.metadata.name ?? '')).metadata.ownerReferences, undefined);
  assert.equal((await running(w)).length, 3);
  await w.change(r.PODS, stray?.metadata.name ?? '', { metadata: { labels: { app: 'web' } } });
  await w.settle();
  assert.equal((await running(w)).length, 2, 'taken back, and then one too many');
});

test('deleting in the foreground, in the background and with orphans ends as asked', async () => {
  for (const propagationPolicy of ['Foreground', 'Background'] as const) {
    const w = await world();
    await w.create(deployment());
    await w.settle();
    await w.client.delete(r.DEPLOYMENTS, { namespace: 'demo', name: 'web' }, { propagationPolicy });
    await w.settle();
    assert.deepEqual(
      [await w.list(r.DEPLOYMENTS), await w.list(r.REPLICA_SETS), await w.list(r.PODS)],
      [[], [], []],
      propagationPolicy,
    );
    assert.deepEqual(w.failures, []);
  }
  const w = await world();
  await w.create(deployment());
  await w.settle();
  await w.client.delete(r.DEPLOYMENTS, { namespace: 'demo', name: 'web' }, { propagationPolicy: 'Orphan' });
  await w.settle();
  assert.deepEqual([(await w.list(r.DEPLOYMENTS)).length, (await running(w)).length], [0, 2]);
  assert.equal((await sets(w))[0]?.metadata.ownerReferences, undefined);
});

test('a refused pod shows as an event and as conditions up to the deployment', async () => {
  const w = await world();
  await w.create({
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: { name: 'q', namespace: 'demo' },
    spec: { hard: { pods: '0' } },
  });
  await w.settle();
  await w.create(deployment());
  await w.settle();
  const [set] = await sets(w);
  const [event] = await w.events('ReplicaSet');
  assert.match(
    event ?? '',
    /^FailedCreate: Error creating: pods "web-.*" is forbidden: exceeded quota: q, requested: pods=1, used: pods=0, limited: pods=0$/,
  );
  const why = set?.['status'].conditions[0];
  assert.deepEqual([why.type, why.status, why.reason], ['ReplicaFailure', 'True', 'FailedCreate']);
  const d = conditions(await w.get(r.DEPLOYMENTS, 'web'));
  assert.deepEqual(Object.keys(d), ['Progressing', 'Available', 'ReplicaFailure']);
  assert.match(d.ReplicaFailure, /^True FailedCreate: pods "web-/);
  assert.match(d.Progressing, /^True NewReplicaSetCreated: Created new replica set "web-/);
  // Room again: the next try, whenever its back-off allows, succeeds.
  await w.client.delete(r.RESOURCE_QUOTAS, { namespace: 'demo', name: 'q' });
  await w.pass(20);
  assert.equal((await running(w)).length, 2);
  assert.deepEqual(
    Object.keys(conditions(await w.get(r.DEPLOYMENTS, 'web'))).includes('ReplicaFailure'),
    false,
  );
});
