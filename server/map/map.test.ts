import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClusterMap } from '#common/protocol/index.ts';
import { watchThrough } from '../check/index.ts';
import { memoryApi } from '../check/memory-api.ts';
import { realClock } from '../clock.ts';
import type { KubeObject } from '../kube/index.ts';
import { createClusterMap } from './source.ts';
import { drawMap } from './view.ts';

const node: KubeObject = {
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: 'minikube' },
  status: {
    allocatable: { cpu: '2', memory: '4Gi', pods: '110' },
    capacity: { cpu: '2', memory: '4Gi' },
    conditions: [{ type: 'Ready', status: 'True' }],
    nodeInfo: { kubeletVersion: 'v1.36.2' },
  },
};

function pod(name: string, cpu: string, rest: Partial<KubeObject> = {}): KubeObject {
  const spec = {
    nodeName: 'minikube',
    containers: [{ name: 'c', resources: { requests: { cpu, memory: '64Mi' } } }],
    ...rest['spec'],
  };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', ...rest.metadata },
    spec,
    status: rest['status'] ?? {
      phase: 'Running',
      conditions: [{ type: 'Ready', status: 'True' }],
      containerStatuses: [{ name: 'c', ready: true, restartCount: 0, state: { running: {} } }],
    },
  };
}

const draw = (...pods: KubeObject[]) =>
  drawMap({ nodes: [node], namespaces: [], workloads: {}, pods, events: [] });

test('a node adds up the requests of the pods on it that have not ended', () => {
  const ended = pod('job', '1', { status: { phase: 'Succeeded' } });
  const elsewhere = pod('waits', '500m', { spec: { nodeName: undefined }, status: { phase: 'Pending' } });
  const [drawn] = draw(pod('a', '250m'), pod('b', '1'), ended, elsewhere).nodes;
  assert.deepEqual(drawn?.requested, { cpu: 1250, memory: 128 * 2 ** 20 });
  assert.equal(drawn?.pods, 2);
  assert.deepEqual(drawn?.allocatable, { cpu: 2000, memory: 4 * 2 ** 30 });
});

test('a sidecar counts beside the containers, an init container only where it asks for more', () => {
  const asks = (cpu: string) => ({ resources: { requests: { cpu } } });
  const sidecar = pod('s', '100m', {
    spec: {
      initContainers: [
        { name: 'x', restartPolicy: 'Always', ...asks('50m') },
        { name: 'i', ...asks('120m') },
      ],
    },
  });
  assert.equal(draw(sidecar).pods[0]?.requests.cpu, 170);
});

test("an unplaced pod waits and carries the scheduler's words; a crashing one is in trouble", () => {
  const message = '0/1 nodes are available: 1 Insufficient cpu.';
  const waits = pod('w', '1', {
    spec: { nodeName: undefined },
    status: { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', message }] },
  });
  const crashes = pod('c', '1', {
    status: {
      phase: 'Running',
      containerStatuses: [{ name: 'c', restartCount: 4, state: { waiting: { reason: 'CrashLoopBackOff' } } }],
    },
  });
  const drawn = draw(waits, crashes).pods;
  assert.deepEqual(
    drawn.map(one => [one.state, one.status, one.why]),
    [
      ['waiting', 'Pending', message],
      ['trouble', 'CrashLoopBackOff', undefined],
    ],
  );
  assert.equal(drawn[1]?.restarts, 4);
});

test('a workload is ready by the counts of its kind, whether or not a list names the kind', () => {
  const object = (spec: object, status: object) =>
    ({ metadata: { name: 'x', namespace: 'default' }, spec, status }) as unknown as KubeObject;
  const { workloads } = drawMap({
    nodes: [],
    namespaces: [],
    pods: [],
    events: [],
    workloads: {
      Deployment: [object({ replicas: 3 }, { readyReplicas: 2 })],
      DaemonSet: [object({}, { desiredNumberScheduled: 4, numberReady: 4 })],
      Job: [object({ completions: 5 }, { succeeded: 1 })],
    },
  });
  assert.deepEqual(
    workloads.map(one => [one.kind, one.ready, one.wanted]),
    [
      ['Deployment', 2, 3],
      ['DaemonSet', 4, 4],
      ['Job', 1, 5],
    ],
  );
});

test('a pod of a ReplicaSet belongs to the Deployment behind it', () => {
  const owned = pod('web-5f-x', '0', {
    metadata: {
      name: 'web-5f-x',
      labels: { 'pod-template-hash': '5f' },
      ownerReferences: [
        { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web-5f', uid: '1', controller: true },
      ],
    },
  });
  assert.equal(draw(owned).pods[0]?.owner, 'Deployment/web');
});

test('who follows the map gets all of it first and then only the parts that changed', async () => {
  const api = memoryApi(node, pod('a', '250m'));
  const map = createClusterMap({
    kubeconfig: '',
    clock: realClock(),
    open: async (_file, clock) => watchThrough(api, clock),
  });
  const heard: Partial<ClusterMap>[] = [];
  let changed = Promise.withResolvers<void>();
  const stop = map.subscribe(part => {
    heard.push(part);
    changed.resolve();
  });
  await changed.promise;
  assert.deepEqual(Object.keys(heard[0]!).sort(), ['events', 'namespaces', 'nodes', 'pods', 'workloads']);
  // The watches attach a moment after the first look; what they missed they look for themselves.
  await new Promise(done => setTimeout(done, 400));
  changed = Promise.withResolvers();
  api.put({ ...node, spec: { unschedulable: true } });
  await changed.promise;
  assert.deepEqual(Object.keys(heard.at(-1)!), ['nodes']);
  assert.equal(heard.at(-1)?.nodes?.[0]?.cordoned, true);
  stop();
  map.close();
});
