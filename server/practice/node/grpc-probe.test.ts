// gRPC probes: a real health check over HTTP/2, and what is said where nobody answers it.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { testNode } from './test-node.ts';

it('a gRPC probe asks for the health of a server, and waits in vain for one that speaks something else', async t => {
  const { pass, run, pod, events, faults } = await testNode(t);
  const probed = (image: string, port: number, service?: string) => ({
    containers: [
      {
        name: 'c',
        image,
        readinessProbe: {
          grpc: { port, ...(service ? { service } : {}) },
          periodSeconds: 2,
          timeoutSeconds: 1,
        },
      },
    ],
  });
  await run('health', probed('registry.k8s.io/e2e-test-images/agnhost:2.53', 5000));
  await run('service', probed('registry.k8s.io/e2e-test-images/agnhost:2.53', 5000, 'other'));
  await run('web', probed('nginx:1.27', 80));
  await run('nobody', probed('nginx:1.27', 81));
  await pass(8_000);
  const ready = async (name: string) => (await pod(name)).status.containerStatuses[0].ready;
  const said = async (name: string) =>
    (await events(name))
      .findLast(e => e.includes('Readiness probe failed'))
      ?.replace(/^.*failed: | x\d+$/g, '');
  assert.equal(await ready('health'), true);
  assert.equal(await said('service'), 'service unhealthy (responded with "SERVICE_UNKNOWN")');
  const late = (ip: string, port: number) =>
    `timeout: failed to connect service "${ip}:${port}" within 1s: context deadline exceeded`;
  assert.equal(await said('web'), late((await pod('web')).status.podIP, 80));
  assert.equal(await said('nobody'), late((await pod('nobody')).status.podIP, 81));
  assert.deepEqual(faults, []);
});
