// The life of pods on one node, on a fake clock: what a real kubelet v1.36.2 wrote is what these expect.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { timestamp } from '../../kube/index.ts';
import { CONFIG_MAPS, NODES, PODS } from './resources.ts';
import { testNode } from './test-node.ts';

describe('a kubelet', () => {
  it('registers its node as a minikube does', async t => {
    const { api } = await testNode(t);
    const found: any = await api.get(NODES, { name: 'minikube' });
    assert.equal(found.metadata.labels['minikube.k8s.io/primary'], 'true');
    assert.deepEqual(found.status.capacity, found.status.allocatable);
    assert.equal(found.status.allocatable.memory, '4194300Ki');
    assert.deepEqual(
      found.status.conditions.map((c: any) => `${c.type}=${c.status}`),
      ['MemoryPressure=False', 'DiskPressure=False', 'PIDPressure=False', 'Ready=True'],
    );
  });

  it('runs the control plane as mirror pods that become ready', async t => {
    const { api, clock } = await testNode(t);
    await clock.advance(30_000);
    for (const name of ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler']) {
      const pod: any = await api.get(PODS, { namespace: 'kube-system', name: `${name}-minikube` });
      assert.equal(pod.status.phase, 'Running', name);
      assert.equal(pod.status.podIP, '192.168.49.2');
      assert.equal(pod.status.containerStatuses[0].ready, true, name);
    }
  });

  it('pulls, creates and starts a container, then reports it ready', async t => {
    const { clock, run, pod, events, faults } = await testNode(t);
    await run('web', { containers: [{ name: 'c', image: 'nginx:1.27', ports: [{ containerPort: 80 }] }] });
    await clock.advance(5_000);
    const { status } = await pod('web');
    assert.deepEqual(faults, []);
    assert.equal(status.phase, 'Running');
    assert.equal(status.podIP, '10.244.0.2');
    assert.deepEqual(
      status.conditions.map((c: any) => [c.type, c.status]),
      [
        ['PodReadyToStartContainers', 'True'],
        ['Initialized', 'True'],
        ['Ready', 'True'],
        ['ContainersReady', 'True'],
        ['PodScheduled', 'True'],
      ],
    );
    const [container] = status.containerStatuses;
    assert.equal(container.image, 'docker.io/library/nginx:1.27');
    assert.match(container.imageID, /^docker\.io\/library\/nginx@sha256:[0-9a-f]{64}$/);
    assert.match(container.containerID, /^containerd:\/\/[0-9a-f]{64}$/);
    assert.equal(container.started, true);
    assert.equal(status.startTime, timestamp(Date.parse(status.startTime)));
    const seen = await events('web');
    assert.equal(seen[0], 'Normal Pulling Pulling image "nginx:1.27"');
    assert.match(
      seen[1]!,
      /^Normal Pulled Successfully pulled image "nginx:1\.27" in \S+ \(\S+ including waiting\)\. Image size: 69000000 bytes\.$/,
    );
    assert.deepEqual(seen.slice(2), ['Normal Created Container created', 'Normal Started Container started']);
  });

  it('says what a registry says about an image that is not there, and backs off', async t => {
    const { clock, run, pod, events } = await testNode(t);
    await run('pull', { containers: [{ name: 'c', image: 'registry.k8s.io/nope:1' }] });
    await clock.advance(2_000);
    assert.equal((await pod('pull')).status.containerStatuses[0].state.waiting.reason, 'ErrImagePull');
    await clock.advance(5_000);
    const { waiting } = (await pod('pull')).status.containerStatuses[0].state;
    assert.equal(waiting.reason, 'ImagePullBackOff');
    assert.deepEqual(await events('pull'), [
      'Normal Pulling Pulling image "registry.k8s.io/nope:1"',
      'Warning Failed Failed to pull image "registry.k8s.io/nope:1": failed to pull and unpack image "registry.k8s.io/nope:1": failed to resolve reference "registry.k8s.io/nope:1": registry.k8s.io/nope:1: not found',
      'Warning Failed Error: ErrImagePull',
      'Normal BackOff Back-off pulling image "registry.k8s.io/nope:1"',
      'Warning Failed Error: ImagePullBackOff',
    ]);
  });

  it('waits for a config map that is missing, and starts when it comes', async t => {
    const { api, clock, run, pod, events } = await testNode(t);
    await run('novol', {
      volumes: [{ name: 'v', configMap: { name: 'missing' } }],
      containers: [{ name: 'c', image: 'nginx:1.27', volumeMounts: [{ name: 'v', mountPath: '/v' }] }],
    });
    await clock.advance(3_000);
    const { status } = await pod('novol');
    assert.equal(status.phase, 'Pending');
    assert.equal(status.podIP, undefined);
    assert.equal(status.conditions[0].status, 'False');
    assert.deepEqual(status.containerStatuses[0].state, { waiting: { reason: 'ContainerCreating' } });
    assert.match(
      (await events('novol'))[0]!,
      /^Warning FailedMount MountVolume\.SetUp failed for volume "v" : configmap "missing" not found x\d$/,
    );
    await api.create(CONFIG_MAPS, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'missing', namespace: 'life' },
      data: { a: 'b' },
    });
    await clock.advance(20_000);
    assert.equal((await pod('novol')).status.phase, 'Running');
  });

  it('deletes a pod once its containers have stopped', async t => {
    const { api, clock, run, pod, events } = await testNode(t);
    await run('web', { containers: [{ name: 'c', image: 'nginx:1.27' }] });
    await clock.advance(5_000);
    await api.delete(PODS, { namespace: 'life', name: 'web' });
    await clock.advance(1_000);
    await assert.rejects(pod('web'), /not found/);
    assert.equal((await events('web')).at(-1), 'Normal Killing Stopping container c');
  });
});

describe('a node under pressure', () => {
  it('ends the pod that uses most beyond its requests and says that memory is short', async t => {
    // The node itself and its control plane use 620 MiB; what is left is less than a database needs.
    const { api, pass, run, pod, events } = await testNode(t, { memory: '840Mi' });
    const env = [{ name: 'MYSQL_ALLOW_EMPTY_PASSWORD', value: 'yes' }];
    await run('web', { containers: [{ name: 'c', image: 'nginx:1.27' }] });
    await run('db', { containers: [{ name: 'c', image: 'mysql:8.0', env }] });
    await pass(12_000);
    const node: any = await api.get(NODES, { name: 'minikube' });
    assert.equal(node.status.conditions[0].reason, 'KubeletHasInsufficientMemory');
    const { status } = await pod('db');
    assert.equal(status.phase, 'Failed');
    assert.equal(status.reason, 'Evicted');
    assert.match(
      status.message,
      /^The node was low on resource: memory\. Threshold quantity: 100Mi, available: \d+Ki\. Container c was using 153600Ki, request is 0, has larger consumption of memory\. $/,
    );
    assert.ok(
      (await events('db')).some(e => e.startsWith('Warning Evicted The node was low on resource: memory.')),
    );
    assert.equal((await pod('web')).status.phase, 'Running');
  });

  it('refuses a pod that named the node itself and does not fit', async t => {
    const { pass, run, pod, events } = await testNode(t);
    await run('big', {
      containers: [{ name: 'c', image: 'nginx:1.27', resources: { requests: { cpu: '3' } } }],
    });
    await pass(1_000);
    const { status } = await pod('big');
    assert.equal(status.phase, 'Failed');
    assert.equal(status.reason, 'OutOfcpu');
    assert.equal(
      (await events('big'))[0],
      "Warning OutOfcpu Node didn't have enough resource: cpu, requested: 3000, used: 650, capacity: 2000",
    );
  });
});
