// The ephemeral volume controller: makes the claim that a pod's generic ephemeral volume stands for. It goes with the pod.

import { StatusError } from '../../../kube/index.ts';
import { PERSISTENT_VOLUME_CLAIMS, PODS } from '../resources.ts';
import { parseKey } from '../runtime/keys.ts';
import type { Controller } from '../types.ts';
import { controllerReference } from '../workloads/pods.ts';

interface PodVolume {
  name: string;
  ephemeral?: { volumeClaimTemplate: { metadata?: Record<string, Record<string, string>>; spec: object } };
}

export const ephemeralVolumeController: Controller = {
  name: 'ephemeral-volume-controller',
  component: 'ephemeral_volume',
  watches: [
    {
      resource: PODS,
      keys: pod =>
        ((pod['spec'].volumes ?? []) as PodVolume[]).some(v => v.ephemeral)
          ? [`${pod.metadata.namespace}/${pod.metadata.name}`]
          : [],
    },
  ],
  reads: [PERSISTENT_VOLUME_CLAIMS],
  async reconcile(key, context) {
    const { namespace, name } = parseKey(key);
    const pod = context.cache(PODS).get(namespace, name);
    if (!pod || pod.metadata.deletionTimestamp) return;
    for (const volume of (pod['spec'].volumes ?? []) as PodVolume[]) {
      if (!volume.ephemeral) continue;
      const claim = `${name}-${volume.name}`;
      const existing = context.cache(PERSISTENT_VOLUME_CLAIMS).get(namespace, claim);
      if (existing?.metadata.ownerReferences?.some(r => r.uid === pod.metadata.uid)) continue;
      if (existing) {
        const message = `PVC ${namespace}/${claim} was not created for pod ${namespace}/${name} (pod is not owner)`;
        throw new Error(message);
      }
      const { metadata = {}, spec } = volume.ephemeral.volumeClaimTemplate;
      try {
        await context.client.create(PERSISTENT_VOLUME_CLAIMS, {
          apiVersion: 'v1',
          kind: 'PersistentVolumeClaim',
          metadata: {
            ...structuredClone(metadata),
            name: claim,
            namespace,
            ownerReferences: [controllerReference(pod)],
          },
          spec: structuredClone(spec),
        });
      } catch (error) {
        if (error instanceof StatusError && error.reason === 'AlreadyExists') continue;
        const text = `ephemeral volume ${volume.name}: create PVC ${claim}: ${(error as Error).message}`;
        context.events.event(pod, 'Warning', 'EphemeralVolumeFailed', text);
        throw error;
      }
    }
  },
};
