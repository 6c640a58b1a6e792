// Lets claims and volumes go only when nothing uses them any more: the two protection controllers.

import { type GroupVersionResource, type KubeObject, StatusError } from '../../../kube/index.ts';
import { PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES, PODS } from '../resources.ts';
import { parseKey } from '../runtime/keys.ts';
import { claimNames } from '../scheduler/volumes.ts';
import type { Controller, ControllerContext } from '../types.ts';
import { usersOf } from './claims.ts';

const CLAIM_FINALIZER = 'kubernetes.io/pvc-protection';
const VOLUME_FINALIZER = 'kubernetes.io/pv-protection';

export const claimProtection: Controller = {
  name: 'pvc-protection-controller',
  watches: [
    { resource: PERSISTENT_VOLUME_CLAIMS },
    { resource: PODS, keys: pod => claimNames(pod).map(name => `${pod.metadata.namespace}/${name}`) },
  ],
  async reconcile(key, context) {
    const { namespace, name } = parseKey(key);
    const claim = context.cache(PERSISTENT_VOLUME_CLAIMS).get(namespace, name);
    if (!claim) return;
    if (!claim.metadata.deletionTimestamp)
      return setFinalizer(PERSISTENT_VOLUME_CLAIMS, claim, CLAIM_FINALIZER, true, context);
    // A pod without a node does not hold a claim: it will never mount it.
    const used = usersOf(claim, context).some(pod => pod['spec'].nodeName);
    if (!used) await setFinalizer(PERSISTENT_VOLUME_CLAIMS, claim, CLAIM_FINALIZER, false, context);
  },
};

export const volumeProtection: Controller = {
  name: 'pv-protection-controller',
  watches: [{ resource: PERSISTENT_VOLUMES }],
  async reconcile(name, context) {
    const volume = context.cache(PERSISTENT_VOLUMES).get(undefined, name);
    if (!volume) return;
    if (!volume.metadata.deletionTimestamp)
      return setFinalizer(PERSISTENT_VOLUMES, volume, VOLUME_FINALIZER, true, context);
    if (volume['status']?.phase !== 'Bound')
      await setFinalizer(PERSISTENT_VOLUMES, volume, VOLUME_FINALIZER, false, context);
  },
};

async function setFinalizer(
  resource: GroupVersionResource,
  object: KubeObject,
  finalizer: string,
  present: boolean,
  context: ControllerContext,
): Promise<void> {
  const { name, namespace, resourceVersion, finalizers = [] } = object.metadata;
  if (finalizers.includes(finalizer) === present) return;
  const next = present ? [...finalizers, finalizer] : finalizers.filter(f => f !== finalizer);
  const metadata = { resourceVersion, finalizers: next.length > 0 ? next : null };
  await context.client.patch(resource, { namespace, name }, 'merge', { metadata }).catch((error: unknown) => {
    if (!(error instanceof StatusError) || error.code !== 404) throw error;
  });
}
