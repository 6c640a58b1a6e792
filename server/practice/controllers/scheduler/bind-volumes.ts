// Gets the claims of a placed pod their volumes: takes a ready volume or asks the provisioner for one, then waits. Knows the API and
// the clock.

import type { Clock } from '../../../clock.ts';
import type { ApiClient, KubeObject } from '../../../kube/index.ts';
import { PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES } from '../resources.ts';
import type { SharedCache } from '../runtime/caches.ts';
import type { NodeInfo } from './node-info.ts';
import { amountOf } from './requests.ts';
import { reachable, type VolumeState } from './volumes.ts';

/** How long a pod waits for its volumes before it is put back in line; upstream's bindTimeoutSeconds. */
const TIMEOUT = 600_000;

const SELECTED_NODE = 'volume.kubernetes.io/selected-node';

export interface BindVolumesOptions {
  client: ApiClient;
  clock: Clock;
  claims: SharedCache;
  pod: KubeObject;
  node: NodeInfo;
  waiting: VolumeState['waiting'];
}

export async function bindVolumes({
  client,
  clock,
  claims,
  node,
  waiting,
}: BindVolumesOptions): Promise<void> {
  const taken = new Set<string>();
  for (const { claim, candidates } of waiting) {
    const { namespace, name, uid } = claim.metadata;
    const volume = candidates
      .filter(v => node.node && reachable(v, node.node) && !taken.has(v.metadata.name))
      .sort(
        (a, b) =>
          amountOf('storage', a['spec'].capacity.storage) - amountOf('storage', b['spec'].capacity.storage),
      )[0];
    if (volume) {
      taken.add(volume.metadata.name);
      await client.patch(PERSISTENT_VOLUMES, { name: volume.metadata.name }, 'merge', {
        metadata: { annotations: { 'pv.kubernetes.io/bound-by-controller': 'yes' } },
        spec: { claimRef: { kind: 'PersistentVolumeClaim', apiVersion: 'v1', namespace, name, uid } },
      });
    } else
      await client.patch(PERSISTENT_VOLUME_CLAIMS, { namespace, name }, 'merge', {
        metadata: { annotations: { [SELECTED_NODE]: node.name } },
      });
  }
  await new Promise<void>((resolve, reject) => {
    const done = () =>
      waiting.every(({ claim }) => {
        const now = claims.get(claim.metadata.namespace, claim.metadata.name);
        return now?.['status']?.phase === 'Bound' && now['spec'].volumeName;
      });
    if (done()) return resolve();
    const timer = clock.after(TIMEOUT, () => {
      unsubscribe();
      reject(new Error('context deadline exceeded'));
    });
    const unsubscribe = claims.subscribe(() => {
      if (!done()) return;
      unsubscribe();
      timer.cancel();
      resolve();
    });
  });
}
