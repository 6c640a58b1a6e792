// minikube's hostpath provisioner: makes a volume for each claim of its classes and removes it when it is released, while its pod
// runs. Knows one provisioner only.

import { type KubeObject, StatusError } from '../../../kube/index.ts';
import { PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES, PODS, STORAGE_CLASSES } from '../resources.ts';
import type { Controller, ControllerContext } from '../types.ts';
import { isReady } from '../workloads/pods.ts';
import { BIND_COMPLETED, classOf, PROVISIONED_BY, PROVISIONER, waitsForPod } from './claims.ts';

const NAME = 'k8s.io/minikube-hostpath';
const IDENTITY = 'hostPathProvisionerIdentity';
/** The pod that does the work in a real minikube. */
const WORKER = { namespace: 'kube-system', name: 'storage-provisioner' };

const claimKey = (claim: KubeObject) => `claim|${claim.metadata.namespace}/${claim.metadata.name}`;
const volumeKey = (volume: KubeObject) => `volume|${volume.metadata.name}`;

export const hostPathProvisioner: Controller = {
  name: NAME,
  user: 'system:serviceaccount:kube-system:storage-provisioner',
  component: NAME,
  watches: [
    {
      resource: PERSISTENT_VOLUME_CLAIMS,
      keys: claim => (claim.metadata.annotations?.[PROVISIONER] === NAME ? [claimKey(claim)] : []),
    },
    { resource: PERSISTENT_VOLUMES, keys: volume => (isOurs(volume) ? [volumeKey(volume)] : []) },
    {
      resource: PODS,
      keys: (pod, previous, context) =>
        pod.metadata.name === WORKER.name &&
        pod.metadata.namespace === WORKER.namespace &&
        isReady(pod) &&
        !(previous && previous !== pod && isReady(previous))
          ? [
              ...context.cache(PERSISTENT_VOLUME_CLAIMS).list().map(claimKey),
              ...context.cache(PERSISTENT_VOLUMES).list().filter(isOurs).map(volumeKey),
            ]
          : [],
    },
  ],
  reads: [STORAGE_CLASSES],
  async reconcile(key, context) {
    const worker = context.cache(PODS).get(WORKER.namespace, WORKER.name);
    if (!worker || !isReady(worker)) return;
    const [kind, rest = ''] = key.split('|');
    if (kind === 'volume') {
      const volume = context.cache(PERSISTENT_VOLUMES).get(undefined, rest);
      if (volume) await remove(volume, context);
      return;
    }
    const slash = rest.indexOf('/');
    const claim = context.cache(PERSISTENT_VOLUME_CLAIMS).get(rest.slice(0, slash), rest.slice(slash + 1));
    if (claim) await provision(claim, context);
  },
};

const isOurs = (volume: KubeObject) => volume.metadata.annotations?.[PROVISIONED_BY] === NAME;

async function provision(claim: KubeObject, context: ControllerContext): Promise<void> {
  const { name, namespace, uid, annotations, deletionTimestamp, resourceVersion } = claim.metadata;
  if (annotations?.[BIND_COMPLETED] || claim['spec'].volumeName || deletionTimestamp) return;
  if (annotations?.[PROVISIONER] !== NAME || waitsForPod(claim, context)) return;
  const storageClass = classOf(claim, context);
  const volumeName = `pvc-${uid}`;
  if (!storageClass || context.cache(PERSISTENT_VOLUMES).get(undefined, volumeName)) return;
  const { events } = context;
  events.event(
    claim,
    'Normal',
    'Provisioning',
    `External provisioner is provisioning volume for claim "${namespace}/${name}"`,
  );
  const { accessModes, resources } = claim['spec'];
  try {
    await context.client.create(PERSISTENT_VOLUMES, {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: {
        name: volumeName,
        annotations: { [IDENTITY]: identity(context), [PROVISIONED_BY]: NAME },
      },
      spec: {
        capacity: { storage: resources?.requests?.storage },
        hostPath: { path: `/tmp/hostpath-provisioner/${namespace}/${name}`, type: '' },
        accessModes,
        claimRef: { kind: 'PersistentVolumeClaim', namespace, name, uid, apiVersion: 'v1', resourceVersion },
        persistentVolumeReclaimPolicy: storageClass['reclaimPolicy'] ?? 'Delete',
        storageClassName: storageClass.metadata.name,
        volumeMode: 'Filesystem',
      },
    });
  } catch (error) {
    if (error instanceof StatusError && error.reason === 'AlreadyExists') return;
    events.event(
      claim,
      'Warning',
      'ProvisioningFailed',
      `failed to provision volume with StorageClass "${storageClass.metadata.name}": ${(error as Error).message}`,
    );
    throw error;
  }
  events.event(claim, 'Normal', 'ProvisioningSucceeded', `Successfully provisioned volume ${volumeName}`);
}

/** One for the life of the provisioner. */
function identity(context: ControllerContext): string {
  const known = (context.memory.get('identity') as string | undefined) ?? context.random.uuid();
  context.memory.set('identity', known);
  return known;
}

async function remove(volume: KubeObject, context: ControllerContext): Promise<void> {
  if (volume['status']?.phase !== 'Released' || volume['spec'].persistentVolumeReclaimPolicy !== 'Delete')
    return;
  if (volume.metadata.deletionTimestamp) return;
  await context.client.delete(PERSISTENT_VOLUMES, volume.metadata).catch((error: unknown) => {
    if (!(error instanceof StatusError) || error.code !== 404) throw error;
  });
}
