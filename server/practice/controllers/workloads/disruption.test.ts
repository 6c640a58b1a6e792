import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeClock } from '../../../clock.ts';
import type { ApiClient } from '../../../kube/index.ts';
import { markDisrupted } from './disruption.ts';

test('a pod that the cluster takes away says why, in its status', async () => {
  const asked: unknown[] = [];
  const client = {
    patch: async (...call: unknown[]) => asked.push(call),
  } as unknown as ApiClient;
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a', namespace: 'b', generation: 2 } };
  const services = { client, clock: fakeClock(0) };
  const said = { reason: 'DeletionByPodGC', message: 'PodGC: node no longer exists' };
  await markDisrupted(pod, { ...said, phase: 'Failed' }, services);
  const condition = {
    type: 'DisruptionTarget',
    status: 'True',
    lastProbeTime: null,
    lastTransitionTime: '1970-01-01T00:00:00Z',
    ...said,
    observedGeneration: 2,
  };
  const status = { phase: 'Failed', conditions: [condition] };
  assert.deepEqual(asked, [
    [
      { group: '', version: 'v1', resource: 'pods' },
      pod.metadata,
      'strategic',
      { status },
      { subresource: 'status' },
    ],
  ]);
});
