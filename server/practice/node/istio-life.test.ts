// A gateway between istiod and the services behind it: ready only once istiod spoke, and routing what it was told.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { testNode } from './test-node.ts';

const SERVICES = { group: '', version: 'v1', resource: 'services' };
const SLICES = { group: 'discovery.k8s.io', version: 'v1', resource: 'endpointslices' };
const GATEWAYS = { group: 'networking.istio.io', version: 'v1beta1', resource: 'gateways' };
const VIRTUAL_SERVICES = { group: 'networking.istio.io', version: 'v1beta1', resource: 'virtualservices' };

async function mesh(t: import('node:test').TestContext) {
  const world = await testNode(t);
  const { api, pass, pod, run, nodes } = world;
  api.absent.add('networking.istio.io');
  api.absent.add('security.istio.io');
  const service = async (
    name: string,
    namespace: string,
    clusterIP: string,
    port: number,
    targetPort: number,
    selector = {},
  ) =>
    api.create(SERVICES, {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace },
      spec: { clusterIP, selector, ports: [{ port, targetPort, protocol: 'TCP' }] },
    });
  const endpoint = async (name: string, namespace: string, address: string, port: number) =>
    api.create(SLICES, {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: `${name}-x`, namespace, labels: { 'kubernetes.io/service-name': name } },
      endpoints: [{ addresses: [address], conditions: { ready: true } }],
      ports: [{ name: '', port, protocol: 'TCP' }],
    });
  /** The cluster's DNS, which every pod asks. */
  await service('kube-dns', 'kube-system', '10.96.0.10', 53, 53);
  const dns = nodes.network.attach('10.244.9.9');
  dns.listen(53, stream => stream.destroy());
  await api.create(SLICES, {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: 'kube-dns-x',
      namespace: 'kube-system',
      labels: { 'kubernetes.io/service-name': 'kube-dns' },
    },
    endpoints: [{ addresses: ['10.244.9.9'], conditions: { ready: true } }],
    ports: [{ name: 'dns-tcp', port: 53, protocol: 'TCP' }],
  });
  await service('istiod', 'istio-system', '10.96.7.1', 15012, 15012);
  await run(
    'gateway',
    {
      automountServiceAccountToken: true,
      containers: [
        {
          name: 'c',
          image: 'docker.io/istio/proxyv2:1.23.2',
          args: ['proxy', 'router'],
          readinessProbe: { httpGet: { port: 15021, path: '/healthz/ready' }, periodSeconds: 2 },
        },
      ],
    },
    { labels: { istio: 'ingressgateway' } },
  );
  const startIstiod = async () => {
    await run('istiod', {
      automountServiceAccountToken: true,
      containers: [{ name: 'c', image: 'docker.io/istio/pilot:1.23.2', args: ['discovery'] }],
    });
    await pass(3_000);
    await endpoint('istiod', 'istio-system', (await pod('istiod')).status.podIP, 15012);
    await pass(20_000);
  };
  const ready = async () => (await pod('gateway')).status.containerStatuses[0].ready;
  const ask = (path: string) =>
    world.exec('gateway', ['curl', '-s', '-m', '5', '-i', `localhost:8080${path}`]);
  return { ...world, service, endpoint, startIstiod, ready, ask };
}

describe('an istio gateway', () => {
  it('is not ready before istiod has spoken, and says why', async t => {
    const { pass, ready, log, events, startIstiod } = await mesh(t);
    await pass(6_000);
    assert.equal(await ready(), false);
    assert.match(await log('gateway'), /Envoy proxy is NOT ready/);
    assert.ok(
      (await events('gateway')).some(e =>
        e.startsWith('Warning Unhealthy Readiness probe failed: HTTP probe failed with statuscode: 503'),
      ),
    );
    await startIstiod();
    assert.equal(await ready(), true);
    assert.match(await log('gateway'), /Envoy proxy is ready/);
  });

  it('answers 404 as Envoy does while nothing routes', async t => {
    const { startIstiod, ask } = await mesh(t);
    await startIstiod();
    const answer = await ask('/');
    assert.match(answer.out, /^HTTP\/1\.1 404 Not Found\r\n/);
    assert.match(answer.out, /server: istio-envoy/);
  });

  it('routes by Gateway and VirtualService, rewrites, and says what is missing behind', async t => {
    const { api, pass, run, pod, service, endpoint, startIstiod, ask } = await mesh(t);
    api.absent.clear();
    await api.create(GATEWAYS, {
      apiVersion: 'networking.istio.io/v1beta1',
      kind: 'Gateway',
      metadata: { name: 'kubeflow-gateway', namespace: 'kubeflow' },
      spec: {
        selector: { istio: 'ingressgateway' },
        servers: [{ hosts: ['*'], port: { number: 8080, protocol: 'HTTP' } }],
      },
    });
    const virtual = (name: string, prefix: string, host: string, rewrite?: string) =>
      api.create(VIRTUAL_SERVICES, {
        apiVersion: 'networking.istio.io/v1beta1',
        kind: 'VirtualService',
        metadata: { name, namespace: 'kubeflow' },
        spec: {
          gateways: ['kubeflow-gateway'],
          hosts: ['*'],
          http: [
            {
              match: [{ uri: { prefix } }],
              ...(rewrite === undefined ? {} : { rewrite: { uri: rewrite } }),
              route: [{ destination: { host, port: { number: 80 } } }],
            },
          ],
        },
      });
    await run('web', { containers: [{ name: 'c', image: 'nginx:1.27', ports: [{ containerPort: 80 }] }] });
    await pass(3_000);
    await service('web', 'kubeflow', '10.96.7.2', 80, 80);
    await endpoint('web', 'kubeflow', (await pod('web')).status.podIP, 80);
    await service('empty', 'kubeflow', '10.96.7.3', 80, 80);
    await virtual('web', '/web/', 'web', '/');
    await virtual('empty', '/empty/', 'empty.kubeflow.svc.cluster.local');
    await startIstiod();
    assert.match(
      (await ask('/web/')).out,
      /^HTTP\/1\.1 200 OK[\s\S]*server: istio-envoy[\s\S]*Welcome to nginx!/,
    );
    assert.match(
      (await ask('/empty/')).out,
      /^HTTP\/1\.1 503 Service Unavailable[\s\S]*no healthy upstream$/,
    );
    assert.match((await ask('/else')).out, /^HTTP\/1\.1 404 /);
  });
});

describe('servers that need another one', () => {
  it('crash with their own words until it is there', async t => {
    const { pass, run, pod, log, service, endpoint } = await mesh(t);
    await service('mysql', 'life', '10.96.7.9', 3306, 3306);
    await run('mlmd', {
      containers: [
        {
          name: 'c',
          image: 'gcr.io/tfx-oss-public/ml_metadata_store_server:1.14.0',
          args: ['--mysql_config_host=mysql', '--mysql_config_port=3306'],
          readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 },
        },
      ],
    });
    await pass(8_000);
    assert.match(
      await log('mlmd', { previous: (await pod('mlmd')).status.containerStatuses[0].restartCount > 0 }),
      /MySQL database was not initialized/,
    );
    assert.equal((await pod('mlmd')).status.containerStatuses[0].ready, false);
    await run('mysql', {
      containers: [
        { name: 'c', image: 'mysql:8.0', env: [{ name: 'MYSQL_ALLOW_EMPTY_PASSWORD', value: 'yes' }] },
      ],
    });
    await pass(9_000);
    await endpoint('mysql', 'life', (await pod('mysql')).status.podIP, 3306);
    await pass(45_000);
    assert.equal((await pod('mlmd')).status.containerStatuses[0].ready, true);
    assert.match(await log('mlmd'), /Server listening on 0\.0\.0\.0:8080/);
  });
});
