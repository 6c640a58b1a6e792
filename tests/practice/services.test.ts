// Namespaces, service backends, volumes, nodes and policies over the real registry.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { KubeObject } from '../../server/kube/index.ts';
import * as r from '../../server/practice/controllers/index.ts';
import {
  namespace,
  node,
  pod,
  requests,
  startWorld,
  type World,
  type WorldOptions,
} from '../support/world.ts';

const worlds: World[] = [];
after(() => Promise.all(worlds.map(w => w.stop())));

async function world(options: WorldOptions = {}): Promise<World> {
  const made = await startWorld(options);
  worlds.push(made);
  return made;
}

const service = (spec: object = {}, name = 'web'): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace: 'demo', labels: { team: 'a' } },
  spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 'http' }], ...spec },
});
const webPod = (name: string) =>
  pod(
    name,
    { containers: [{ name: 'x', image: 'b', ports: [{ name: 'http', containerPort: 8080 }] }] },
    { labels: { app: 'web' } },
  );

test('every namespace has a default service account and the root certificate', async () => {
  const w = await world();
  const map = await w.get(r.CONFIG_MAPS, 'kube-root-ca.crt');
  assert.deepEqual(map['data'], { 'ca.crt': 'ROOT' });
  assert.match(map.metadata.annotations?.['kubernetes.io/description'] ?? '', /^Contains a CA bundle/);
  assert.ok(await w.get(r.SERVICE_ACCOUNTS, 'default'));
  await w.client.delete(r.CONFIG_MAPS, { namespace: 'demo', name: 'kube-root-ca.crt' });
  await w.client.delete(r.SERVICE_ACCOUNTS, { namespace: 'demo', name: 'default' });
  await w.settle();
  assert.ok(await w.find(r.CONFIG_MAPS, 'kube-root-ca.crt'));
  assert.ok(await w.find(r.SERVICE_ACCOUNTS, 'default'));
});

test('a namespace goes five seconds after its deletion, with everything in it', async () => {
  const w = await world();
  await w.create(service(), webPod('p'), pod('q'));
  await w.settle();
  await w.client.delete(r.NAMESPACES, { name: 'demo' });
  await w.settle();
  assert.equal((await w.get(r.NAMESPACES, 'demo'))['status'].phase, 'Terminating');
  await w.pass(6);
  assert.equal(await w.find(r.NAMESPACES, 'demo'), undefined);
  for (const { resource, namespaced } of r.BUILT_IN_RESOURCES)
    if (namespaced) assert.deepEqual(await w.list(resource), [], resource.resource);
  assert.deepEqual(
    (await w.client.list(r.EVENTS)).items.filter(e => e.metadata.namespace === 'demo'),
    [],
  );
  assert.deepEqual(w.failures, []);
});

test('a namespace that cannot end says what holds it', async () => {
  const w = await world();
  const held = { name: 'fin', namespace: 'demo', finalizers: ['example.com/hold'] };
  await w.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: held });
  await w.client.delete(r.NAMESPACES, { name: 'demo' });
  await w.pass(6);
  const { conditions } = (await w.get(r.NAMESPACES, 'demo'))['status'];
  assert.deepEqual(
    conditions.map((c: Record<string, string>) => [c['type'], c['status'], c['reason'], c['message']]),
    [
      [
        'NamespaceDeletionDiscoveryFailure',
        'False',
        'ResourcesDiscovered',
        'All resources successfully discovered',
      ],
      [
        'NamespaceDeletionGroupVersionParsingFailure',
        'False',
        'ParsedGroupVersions',
        'All legacy kube types successfully parsed',
      ],
      [
        'NamespaceDeletionContentFailure',
        'False',
        'ContentDeleted',
        'All content successfully deleted, may be waiting on finalization',
      ],
      [
        'NamespaceContentRemaining',
        'True',
        'SomeResourcesRemain',
        'Some resources are remaining: configmaps. has 1 resource instances',
      ],
      [
        'NamespaceFinalizersRemaining',
        'True',
        'SomeFinalizersRemain',
        'Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances',
      ],
    ],
  );
  await w.change(r.CONFIG_MAPS, 'fin', { metadata: { finalizers: null } });
  await w.settle();
  assert.equal(await w.find(r.NAMESPACES, 'demo'), undefined);
});

test('a service lists ready pods, knows named ports, and empties as they go', async () => {
  const w = await world();
  await w.create(service(), webPod('p1'), webPod('p2'));
  await w.settle();
  const slices = await w.list(r.ENDPOINT_SLICES);
  assert.equal(slices.length, 1);
  const [slice] = slices;
  assert.match(slice?.metadata.name ?? '', /^web-.{5}$/);
  assert.deepEqual(slice?.metadata.labels, {
    team: 'a',
    'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
    'kubernetes.io/service-name': 'web',
  });
  assert.deepEqual(slice?.['ports'], [{ name: '', port: 8080, protocol: 'TCP' }]);
  const [first] = slice?.['endpoints'] ?? [];
  const p = await w.get(r.PODS, first.targetRef.name);
  assert.deepEqual(first, {
    addresses: [p['status'].podIP],
    conditions: { ready: true, serving: true, terminating: false },
    nodeName: 'n1',
    targetRef: { kind: 'Pod', name: p.metadata.name, namespace: 'demo', uid: p.metadata.uid },
  });
  const endpoints = await w.get(r.ENDPOINTS, 'web');
  assert.equal(endpoints['subsets'][0].addresses.length, 2);
  assert.deepEqual(endpoints['subsets'][0].ports, [{ port: 8080, protocol: 'TCP' }]);
  // One stops being ready.
  const sick = { ...p['status'], conditions: [{ type: 'Ready', status: 'False' }] };
  await w.client.update(r.PODS, { ...p, status: sick }, 'status');
  await w.settle();
  const subsets = (await w.get(r.ENDPOINTS, 'web'))['subsets'];
  assert.deepEqual([subsets[0].addresses.length, subsets[0].notReadyAddresses.length], [1, 1]);
  const after1 = (await w.list(r.ENDPOINT_SLICES))[0]?.['endpoints']
    .map((e: any) => e.conditions.ready)
    .sort();
  assert.deepEqual(after1, [false, true]);
  for (const name of ['p1', 'p2']) await w.client.delete(r.PODS, { namespace: 'demo', name });
  await w.settle();
  const [empty] = await w.list(r.ENDPOINT_SLICES);
  assert.deepEqual(
    [empty?.metadata.name, empty?.['endpoints'], empty?.['ports']],
    [slice?.metadata.name, null, null],
  );
  await w.client.delete(r.SERVICES, { namespace: 'demo', name: 'web' });
  await w.settle();
  assert.deepEqual([await w.list(r.ENDPOINT_SLICES), await w.list(r.ENDPOINTS)], [[], []]);
});

test('more than a hundred pods fill more than one slice', async () => {
  const w = await world({ nodes: [node('n1', { pods: '200' })] });
  await w.create(service());
  for (let i = 0; i < 120; i++) await w.create(webPod(`p${i}`));
  await w.settle();
  const sizes = (await w.list(r.ENDPOINT_SLICES)).map(s => s['endpoints'].length).sort((a, b) => a - b);
  assert.deepEqual(sizes, [20, 100]);
});

const claim = (name: string, spec: object = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name, namespace: 'demo' },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...spec },
});
const volume = (name: string, spec: object = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'PersistentVolume',
  metadata: { name },
  spec: { capacity: { storage: '2Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/d' }, ...spec },
});
const storageClass = (name: string, extra: object = {}): KubeObject => ({
  apiVersion: 'storage.k8s.io/v1',
  kind: 'StorageClass',
  metadata: { name },
  provisioner: 'k8s.io/minikube-hostpath',
  reclaimPolicy: 'Delete',
  volumeBindingMode: 'Immediate',
  ...extra,
});
const phase = async (w: World, name: string) =>
  (await w.get(r.PERSISTENT_VOLUME_CLAIMS, name))['status'].phase;

test('a claim without a class waits for a volume, binds as recorded, and leaves it released', async () => {
  const w = await world();
  await w.create(claim('c'));
  await w.settle();
  assert.deepEqual(await w.events('PersistentVolumeClaim'), [
    'FailedBinding: no persistent volumes available for this claim and no storage class is set',
  ]);
  await w.create(volume('pv1'));
  await w.settle();
  const bound = await w.get(r.PERSISTENT_VOLUME_CLAIMS, 'c');
  assert.deepEqual(bound['status'], {
    accessModes: ['ReadWriteOnce'],
    capacity: { storage: '2Gi' },
    phase: 'Bound',
  });
  assert.deepEqual(bound.metadata.annotations, {
    'pv.kubernetes.io/bind-completed': 'yes',
    'pv.kubernetes.io/bound-by-controller': 'yes',
  });
  const pv = await w.get(r.PERSISTENT_VOLUMES, 'pv1');
  assert.deepEqual([pv['status'].phase, pv['spec'].claimRef.uid], ['Bound', bound.metadata.uid]);
  await w.client.delete(r.PERSISTENT_VOLUME_CLAIMS, { namespace: 'demo', name: 'c' });
  await w.settle();
  assert.equal((await w.get(r.PERSISTENT_VOLUMES, 'pv1'))['status'].phase, 'Released');
});

test("minikube's provisioner makes and removes volumes, while its pod runs", async () => {
  const w = await world();
  await w.create(storageClass('standard'), namespace('kube-system'));
  await w.create(claim('c', { storageClassName: 'standard' }));
  await w.settle();
  assert.equal(await phase(w, 'c'), 'Pending');
  assert.match(
    (await w.events('PersistentVolumeClaim'))[0] ?? '',
    /^ExternalProvisioning: Waiting for a volume to be created either by the external provisioner 'k8s.io\/minikube-hostpath'/,
  );
  await w.create(pod('storage-provisioner', {}, { namespace: 'kube-system' }));
  await w.settle();
  assert.equal(await phase(w, 'c'), 'Bound');
  const c = await w.get(r.PERSISTENT_VOLUME_CLAIMS, 'c');
  const name = `pvc-${c.metadata.uid}`;
  const pv = await w.get(r.PERSISTENT_VOLUMES, name);
  assert.deepEqual(pv['spec'].hostPath, { path: '/tmp/hostpath-provisioner/demo/c', type: '' });
  assert.deepEqual((await w.events('PersistentVolumeClaim')).slice(1), [
    'Provisioning: External provisioner is provisioning volume for claim "demo/c"',
    `ProvisioningSucceeded: Successfully provisioned volume ${name}`,
  ]);
  // A claim in use stays until its pod is gone.
  await w.create(pod('user', { volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'c' } }] }));
  await w.settle();
  await w.client.delete(r.PERSISTENT_VOLUME_CLAIMS, { namespace: 'demo', name: 'c' });
  await w.settle();
  assert.ok((await w.get(r.PERSISTENT_VOLUME_CLAIMS, 'c')).metadata.deletionTimestamp);
  await w.client.delete(r.PODS, { namespace: 'demo', name: 'user' });
  await w.settle();
  assert.deepEqual(
    [await w.find(r.PERSISTENT_VOLUME_CLAIMS, 'c'), await w.find(r.PERSISTENT_VOLUMES, name)],
    [undefined, undefined],
  );
  assert.deepEqual(w.failures, []);
});

test('a class that waits for its first consumer binds when a pod is placed', async () => {
  const w = await world();
  await w.create(
    storageClass('late', { volumeBindingMode: 'WaitForFirstConsumer' }),
    namespace('kube-system'),
  );
  await w.settle();
  await w.create(
    pod('storage-provisioner', {}, { namespace: 'kube-system' }),
    claim('c', { storageClassName: 'late' }),
  );
  await w.settle();
  assert.deepEqual(await w.events('PersistentVolumeClaim'), [
    'WaitForFirstConsumer: waiting for first consumer to be created before binding',
  ]);
  await w.create(pod('user', { volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'c' } }] }));
  await w.settle();
  assert.equal(await phase(w, 'c'), 'Bound');
  assert.equal((await w.get(r.PODS, 'user'))['status'].phase, 'Running');
});

test('a node that falls silent is tainted, and its pods move after their patience', async () => {
  const w = await world({ nodes: [node('n1'), node('n2', { cpu: '1' })] });
  await w.create(pod('p', requests({ cpu: '100m' })));
  await w.create({
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: { name: 'rs', namespace: 'demo' },
    spec: {
      replicas: 1,
      selector: { matchLabels: { a: 'b' } },
      template: { metadata: { labels: { a: 'b' } }, spec: pod('x')['spec'] },
    },
  });
  await w.settle();
  const [member] = (await w.list(r.PODS)).filter(p => p.metadata.name.startsWith('rs-'));
  const home = member?.['spec'].nodeName;
  w.kubelet.silent.add(home);
  await w.pass(52);
  const silent = await w.get(r.NODES, home);
  const condition = silent['status'].conditions.find((c: { type: string }) => c.type === 'Ready');
  assert.deepEqual(
    [condition.status, condition.reason, condition.message],
    ['Unknown', 'NodeStatusUnknown', 'Kubelet stopped posting node status.'],
  );
  assert.deepEqual(
    silent['spec'].taints.map((t: Record<string, string>) => `${t['key']}:${t['effect']}`),
    ['node.kubernetes.io/unreachable:NoSchedule', 'node.kubernetes.io/unreachable:NoExecute'],
  );
  assert.ok(
    (await w.events('Node', home)).includes(`NodeNotReady: Node ${home} status is now: NodeNotReady`),
  );
  await w.pass(297);
  assert.ok(await w.find(r.PODS, member?.metadata.name ?? ''), 'five minutes are not over');
  await w.pass(6);
  assert.ok(
    (await w.events('Pod', member?.metadata.name)).includes(
      `TaintManagerEviction: Marking for deletion Pod demo/${member?.metadata.name}`,
    ),
  );
  const [replacement] = (await w.list(r.PODS)).filter(
    p => p.metadata.name.startsWith('rs-') && !p.metadata.deletionTimestamp,
  );
  assert.notEqual(replacement?.['spec'].nodeName, home);
  w.kubelet.silent.clear();
  await w.pass(11);
  assert.equal((await w.get(r.NODES, home))['spec'].taints, undefined, 'back again');
});

test('pods of a node that is gone are collected after forty seconds', async () => {
  const w = await world();
  await w.create(pod('p'));
  await w.settle();
  await w.client.delete(r.NODES, { name: 'n1' });
  w.kubelet.start = () => undefined;
  await w.pass(39);
  assert.ok(await w.find(r.PODS, 'p'));
  await w.pass(2);
  assert.equal(await w.find(r.PODS, 'p'), undefined);
});

test('a disruption budget counts who is healthy', async () => {
  const w = await world();
  await w.create({
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name: 'b', namespace: 'demo' },
    spec: { minAvailable: 1, selector: { matchLabels: { app: 'web' } } },
  });
  const start = w.kubelet.start;
  w.kubelet.start = () => undefined;
  await w.create(webPod('p1'), webPod('p2'));
  await w.settle();
  const { conditions, ...counts } = (await w.get(r.POD_DISRUPTION_BUDGETS, 'b'))['status'];
  assert.deepEqual(counts, {
    currentHealthy: 0,
    desiredHealthy: 1,
    disruptionsAllowed: 0,
    expectedPods: 2,
    observedGeneration: 1,
  });
  assert.deepEqual(
    [conditions[0].reason, conditions[0].status, conditions[0].message],
    ['InsufficientPods', 'False', ''],
  );
  w.kubelet.start = start;
  await w.settle();
  assert.equal((await w.get(r.POD_DISRUPTION_BUDGETS, 'b'))['status'].disruptionsAllowed, 1);
});

test('a quota shows what is used, in the way it was written', async () => {
  const w = await world();
  await w.create({
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: { name: 'q', namespace: 'demo' },
    spec: {
      hard: {
        pods: '5',
        'requests.cpu': '1',
        'requests.memory': '1Gi',
        'count/services': '2',
        configmaps: '9',
      },
    },
  });
  await w.settle();
  await w.create(
    pod('p', requests({ cpu: '250m', memory: '64Mi' })),
    pod('q', requests({ cpu: '250m', memory: '64Mi' })),
    service(),
  );
  await w.settle();
  assert.deepEqual((await w.get(r.RESOURCE_QUOTAS, 'q'))['status'].used, {
    pods: '2',
    'requests.cpu': '500m',
    'requests.memory': '128Mi',
    'count/services': '1',
    configmaps: '1',
  });
});

test('an aggregated role holds the rules of the roles it selects', async () => {
  const w = await world();
  const role = (name: string, extra: object): KubeObject => ({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name },
    rules: [],
    ...extra,
  });
  const rule = { apiGroups: [''], resources: ['pods'], verbs: ['get'] };
  await w.create(
    role('all', { aggregationRule: { clusterRoleSelectors: [{ matchLabels: { part: 'yes' } }] } }),
  );
  await w.create(role('part', { metadata: { name: 'part', labels: { part: 'yes' } }, rules: [rule] }));
  await w.settle();
  assert.deepEqual((await w.get(r.CLUSTER_ROLES, 'all'))['rules'], [rule]);
});

test('an autoscaler without metrics says so in the recorded words', async () => {
  const w = await world();
  await w.create({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'demo' },
    spec: {
      replicas: 3,
      selector: { matchLabels: { app: 'web' } },
      template: { metadata: { labels: { app: 'web' } }, spec: requests({ cpu: '100m' }) },
    },
  });
  await w.create({
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: 'web', namespace: 'demo' },
    spec: {
      maxReplicas: 4,
      minReplicas: 1,
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
      metrics: [
        {
          type: 'Resource',
          resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } },
        },
      ],
    },
  });
  await w.pass(16);
  const why =
    'failed to get cpu utilization: unable to get metrics for resource cpu: unable to fetch metrics from resource metrics API: the server could not find the requested resource (get pods.metrics.k8s.io)';
  assert.deepEqual(
    new Set(await w.events('HorizontalPodAutoscaler')),
    new Set([
      `FailedGetResourceMetric: ${why}`,
      `FailedComputeMetricsReplicas: invalid metrics (1 invalid out of 1), first error is: failed to get cpu resource metric value: ${why}`,
    ]),
  );
  const { status } = await w.get(r.HORIZONTAL_POD_AUTOSCALERS, 'web');
  assert.deepEqual(
    status.conditions.map((c: Record<string, string>) => [c['type'], c['status'], c['reason'], c['message']]),
    [
      [
        'AbleToScale',
        'True',
        'SucceededGetScale',
        "the HPA controller was able to get the target's current scale",
      ],
      [
        'ScalingActive',
        'False',
        'FailedGetResourceMetric',
        `the HPA was unable to compute the replica count: ${why}`,
      ],
    ],
  );
  assert.deepEqual(
    [status.currentReplicas, status.desiredReplicas, status.currentMetrics],
    [3, 0, [{ type: '' }]],
  );
});

test('a second look at a settled cluster writes nothing', async () => {
  const w = await world();
  await w.create(storageClass('standard'), namespace('kube-system'), service(), webPod('p1'));
  await w.settle();
  await w.create(
    pod('storage-provisioner', {}, { namespace: 'kube-system' }),
    claim('c', { storageClassName: 'standard' }),
    claim('lonely'),
  );
  await w.create(
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web', namespace: 'demo' },
      spec: {
        replicas: 2,
        selector: { matchLabels: { d: 'w' } },
        template: { metadata: { labels: { d: 'w' } }, spec: pod('x')['spec'] },
      },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { name: 'ss', namespace: 'demo' },
      spec: {
        serviceName: 's',
        replicas: 1,
        selector: { matchLabels: { d: 's' } },
        template: { metadata: { labels: { d: 's' } }, spec: pod('x')['spec'] },
      },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'DaemonSet',
      metadata: { name: 'ds', namespace: 'demo' },
      spec: {
        selector: { matchLabels: { d: 'd' } },
        template: { metadata: { labels: { d: 'd' } }, spec: pod('x')['spec'] },
      },
    },
    {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: 'j', namespace: 'demo' },
      spec: { template: { spec: { ...pod('x')['spec'], restartPolicy: 'Never' } } },
    },
    {
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: { name: 'q', namespace: 'demo' },
      spec: { hard: { services: '5' } },
    },
    {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name: 'b', namespace: 'demo' },
      spec: { maxUnavailable: 1, selector: { matchLabels: { d: 'w' } } },
    },
  );
  await w.settle();
  assert.deepEqual(w.failures, []);
  const before = (await w.client.list(r.PODS)).resourceVersion;
  // The same controllers again, as after a restart: everything is looked at once more by somebody with no memory.
  const again = await w.another();
  const writes = again.writes.filter(
    text => !text.includes('RegisteredNode') && !text.includes('FailedBinding'),
  );
  assert.deepEqual(writes, []);
  assert.ok(Number((await w.client.list(r.PODS)).resourceVersion) - Number(before) <= again.writes.length);
});
