// The smaller controllers, and that going back to a snapshot is understood by all of them.

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

test('a replication controller keeps its pods, too', async () => {
  const w = await world();
  await w.create({
    apiVersion: 'v1',
    kind: 'ReplicationController',
    metadata: { name: 'rc', namespace: 'demo' },
    spec: {
      replicas: 2,
      selector: { a: 'rc' },
      template: { metadata: { labels: { a: 'rc' } }, spec: pod('x')['spec'] },
    },
  });
  await w.settle();
  const pods = await w.list(r.PODS);
  assert.deepEqual(
    pods.map(p => p.metadata.ownerReferences?.[0]?.kind),
    ['ReplicationController', 'ReplicationController'],
  );
  assert.equal((await w.get(r.REPLICATION_CONTROLLERS, 'rc'))['status'].readyReplicas, 2);
});

test('an ephemeral volume is a claim that goes with its pod', async () => {
  const w = await world();
  await w.create(namespace('kube-system'));
  await w.create({
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name: 'standard' },
    provisioner: 'k8s.io/minikube-hostpath',
    reclaimPolicy: 'Delete',
    volumeBindingMode: 'Immediate',
  });
  await w.settle();
  const spec = {
    accessModes: ['ReadWriteOnce'],
    resources: { requests: { storage: '1Gi' } },
    storageClassName: 'standard',
  };
  const volumes = [
    { name: 'scratch', ephemeral: { volumeClaimTemplate: { metadata: { labels: { a: 'b' } }, spec } } },
  ];
  await w.create(pod('storage-provisioner', {}, { namespace: 'kube-system' }), pod('p', { volumes }));
  await w.settle();
  const claim = await w.get(r.PERSISTENT_VOLUME_CLAIMS, 'p-scratch');
  assert.deepEqual([claim.metadata.labels, claim['status'].phase], [{ a: 'b' }, 'Bound']);
  assert.equal((await w.get(r.PODS, 'p'))['status'].phase, 'Running');
  await w.client.delete(r.PODS, { namespace: 'demo', name: 'p' });
  await w.settle();
  assert.equal(await w.find(r.PERSISTENT_VOLUME_CLAIMS, 'p-scratch'), undefined);
});

test('endpoints written by hand get a slice, and lose it when a selector takes over', async () => {
  const w = await world();
  const metadata = { name: 'db', namespace: 'demo' };
  await w.create({ apiVersion: 'v1', kind: 'Service', metadata, spec: { ports: [{ port: 5432 }] } });
  await w.create({
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata,
    subsets: [{ addresses: [{ ip: '192.0.2.7' }], ports: [{ port: 5432 }] }],
  });
  await w.settle();
  const [slice, ...others] = await w.list(r.ENDPOINT_SLICES);
  assert.equal(others.length, 0);
  assert.equal(
    slice?.metadata.labels?.['endpointslice.kubernetes.io/managed-by'],
    'endpointslicemirroring-controller.k8s.io',
  );
  assert.deepEqual(slice?.['endpoints'], [{ addresses: ['192.0.2.7'], conditions: { ready: true } }]);
  await w.create(pod('backend', {}, { labels: { app: 'db' } }));
  await w.settle();
  await w.change(r.SERVICES, 'db', { spec: { selector: { app: 'db' } } });
  await w.settle();
  const managers = (await w.list(r.ENDPOINT_SLICES)).map(
    s => s.metadata.labels?.['endpointslice.kubernetes.io/managed-by'],
  );
  assert.deepEqual(managers, ['endpointslice-controller.k8s.io']);
});

test('an API service is available once somebody answers behind it', async () => {
  const w = await world();
  const available = async () => {
    const { conditions } = (await w.get(r.API_SERVICES, 'v1beta1.metrics.k8s.io'))['status'];
    return `${conditions[0].status} ${conditions[0].reason}: ${conditions[0].message}`;
  };
  await w.create({
    apiVersion: 'apiregistration.k8s.io/v1',
    kind: 'APIService',
    metadata: { name: 'v1beta1.metrics.k8s.io' },
    spec: {
      group: 'metrics.k8s.io',
      version: 'v1beta1',
      groupPriorityMinimum: 100,
      versionPriority: 100,
      insecureSkipTLSVerify: true,
      service: { name: 'm', namespace: 'demo' },
    },
  });
  await w.settle();
  assert.equal(await available(), 'False ServiceNotFound: service/m in "demo" is not present');
  const ports = [{ name: 'https', port: 443, targetPort: 4443 }];
  await w.create({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'm', namespace: 'demo' },
    spec: { selector: { app: 'm' }, ports },
  });
  await w.settle();
  assert.equal(
    await available(),
    'False MissingEndpoints: endpoints for service/m in "demo" have no addresses with port name "https"',
  );
  await w.create(pod('m', {}, { labels: { app: 'm' } }));
  await w.settle();
  assert.equal(await available(), 'True Passed: all checks passed');
});

test('old certificate requests are cleared away', async () => {
  const w = await world();
  const request = Buffer.from(
    '-----BEGIN CERTIFICATE REQUEST-----\nAA==\n-----END CERTIFICATE REQUEST-----\n',
  ).toString('base64');
  const spec = { request, signerName: 'kubernetes.io/kube-apiserver-client', usages: ['client auth'] };
  await w.create({
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    metadata: { name: 'c' },
    spec,
  });
  await w.settle();
  await w.clock.advance(23 * 3_600_000);
  await w.settle();
  assert.ok(await w.find(r.CERTIFICATE_SIGNING_REQUESTS, 'c'));
  await w.clock.advance(3_600_001);
  await w.settle();
  assert.equal(await w.find(r.CERTIFICATE_SIGNING_REQUESTS, 'c'), undefined);
});

test('after going back to a snapshot everything settles where it was', async () => {
  const w = await world({ nodes: [node('n1')] });
  const web: KubeObject = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'demo' },
    spec: {
      replicas: 2,
      selector: { matchLabels: { app: 'web' } },
      template: { metadata: { labels: { app: 'web' } }, spec: requests({ cpu: '600m' }) },
    },
  };
  await w.create(web);
  await w.settle();
  const before = (await w.list(r.PODS)).map(p => `${p.metadata.name} ${p['spec'].nodeName}`).sort();
  const moment = w.store.snapshot();
  await w.client.delete(
    r.DEPLOYMENTS,
    { namespace: 'demo', name: 'web' },
    { propagationPolicy: 'Background' },
  );
  await w.create(pod('taker', requests({ cpu: '2' })));
  await w.settle();
  assert.equal((await w.get(r.PODS, 'taker'))['spec'].nodeName, 'n1');
  w.store.restore(moment);
  await w.settle();
  assert.deepEqual(
    (await w.list(r.PODS)).map(p => `${p.metadata.name} ${p['spec'].nodeName}`).sort(),
    before,
  );
  assert.equal((await w.get(r.DEPLOYMENTS, 'web'))['status'].availableReplicas, 2);
  // The scheduler knows who is back and who is gone: 800m are left.
  await w.create(pod('fits', requests({ cpu: '800m' })), pod('over', requests({ cpu: '100m' })));
  await w.settle();
  const placed = ['fits', 'over'].map(async name => (await w.get(r.PODS, name))['spec'].nodeName);
  assert.deepEqual(await Promise.all(placed), ['n1', undefined]);
  assert.deepEqual(w.failures, []);
});

test('a pod that going back takes off its node is scheduled again', async () => {
  const w = await world();
  await w.change(r.NODES, 'n1', { spec: { unschedulable: true } });
  await w.create(pod('p'));
  await w.settle();
  const moment = w.store.snapshot();
  await w.change(r.NODES, 'n1', { spec: { unschedulable: null } });
  await w.settle();
  assert.equal((await w.get(r.PODS, 'p'))['spec'].nodeName, 'n1');
  w.store.restore(moment);
  await w.settle();
  assert.equal((await w.get(r.PODS, 'p'))['spec'].nodeName, undefined);
  await w.change(r.NODES, 'n1', { spec: { unschedulable: null } });
  await w.settle();
  assert.equal((await w.get(r.PODS, 'p'))['spec'].nodeName, 'n1');
});
