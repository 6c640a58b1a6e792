// Says on a pod that the cluster itself takes it away, and why. Knows no reasons.

import type { Clock } from '../../../clock.ts';
import { type ApiClient, type KubeObject, timestamp } from '../../../kube/index.ts';
import { PODS } from '../resources.ts';

/** Rejects with what the server says, a pod that is gone included. */
export async function markDisrupted(
  pod: KubeObject,
  why: { reason: string; message: string; phase?: 'Failed' },
  { client, clock }: { client: ApiClient; clock: Clock },
): Promise<void> {
  const { phase, ...said } = why;
  const condition = {
    type: 'DisruptionTarget',
    status: 'True',
    lastProbeTime: null,
    lastTransitionTime: timestamp(clock.now()),
    ...said,
    ...(pod.metadata.generation ? { observedGeneration: pod.metadata.generation } : {}),
  };
  const status = { ...(phase ? { phase } : {}), conditions: [condition] };
  await client.patch(PODS, pod.metadata, 'strategic', { status }, { subresource: 'status' });
}
