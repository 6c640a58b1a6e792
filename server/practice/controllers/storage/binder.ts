// The persistent volume controller: brings claims and volumes together and says what becomes of them afterwards. Makes no volumes.

import { type KubeObject, StatusError } from '../../../kube/index.ts';
import { PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES, PODS, STORAGE_CLASSES } from '../resources.ts';
import { amountOf } from '../scheduler/requests.ts';
import { claimNames, NO_PROVISIONER, volumeSuits } from '../scheduler/volumes.ts';
import type { Controller, ControllerContext } from '../types.ts';
import { same } from '../workloads/compare.ts';
import {
  BETA_PROVISIONER,
  BIND_COMPLETED,
  BOUND_BY_CONTROLLER,
  classOf,
  isBoundTo,
  PROVISIONED_BY,
  PROVISIONER,
  usersOf,
  waitsForPod,
} from './claims.ts';

const claimKey = (namespace: string, name: string) => `claim|${namespace}/${name}`;
const volumeKey = (name: string) => `volume|${name}`;

export const volumeBinder: Controller = {
  name: 'persistent-volume-binder',
  component: 'persistentvolume-controller',
  watches: [
    {
      resource: PERSISTENT_VOLUME_CLAIMS,
      keys: (claim, previous) => [
        claimKey(claim.metadata.namespace ?? '', claim.metadata.name),
        ...[claim, previous].flatMap(c => (c?.['spec'].volumeName ? [volumeKey(c['spec'].volumeName)] : [])),
      ],
    },
    {
      resource: PERSISTENT_VOLUMES,
      keys: (volume, previous, context) => {
        const keys = [volumeKey(volume.metadata.name)];
        const reference = volume['spec'].claimRef ?? previous?.['spec'].claimRef;
        if (reference) return [...keys, claimKey(reference.namespace, reference.name)];
        return [...keys, ...unboundClaims(context)];
      },
    },
    { resource: STORAGE_CLASSES, keys: (_class, _previous, context) => unboundClaims(context) },
    {
      resource: PODS,
      // Claims that wait for a consumer say which pod they wait for.
      keys: (pod, previous) =>
        previous && previous['spec'] === pod['spec']
          ? []
          : claimNames(pod).map(name => claimKey(pod.metadata.namespace ?? '', name)),
    },
  ],
  async reconcile(key, context) {
    const [kind, rest = ''] = key.split('|');
    if (kind === 'volume') {
      const volume = context.cache(PERSISTENT_VOLUMES).get(undefined, rest);
      if (volume) await syncVolume(volume, context);
      return;
    }
    const slash = rest.indexOf('/');
    const claim = context.cache(PERSISTENT_VOLUME_CLAIMS).get(rest.slice(0, slash), rest.slice(slash + 1));
    if (!claim) return;
    if (claim.metadata.annotations?.[BIND_COMPLETED]) await syncBoundClaim(claim, context);
    else await syncUnboundClaim(claim, context);
  },
};

function unboundClaims(context: ControllerContext): string[] {
  return context
    .cache(PERSISTENT_VOLUME_CLAIMS)
    .list()
    .filter(c => !c.metadata.annotations?.[BIND_COMPLETED])
    .map(c => claimKey(c.metadata.namespace ?? '', c.metadata.name));
}

/** Says a thing about a claim once, until it has something else to say: upstream repeats it with every resync. */
function say(
  claim: KubeObject,
  type: 'Normal' | 'Warning',
  reason: string,
  message: string,
  context: ControllerContext,
) {
  const id = `said/${claim.metadata.uid}`;
  if (context.memory.get(id) === message) return;
  context.memory.set(id, message);
  context.events.event(claim, type, reason, message);
}

async function syncUnboundClaim(claim: KubeObject, context: ControllerContext): Promise<void> {
  const wanted = claim['spec'].volumeName;
  if (wanted) {
    const volume = context.cache(PERSISTENT_VOLUMES).get(undefined, wanted);
    if (!volume) return writeClaimStatus(claim, { phase: 'Pending' }, context);
    if (!volume['spec'].claimRef || isBoundTo(volume, claim)) return bind(volume, claim, context);
    say(claim, 'Warning', 'FailedBinding', `volume "${wanted}" already bound to a different claim.`, context);
    return writeClaimStatus(claim, { phase: 'Pending' }, context);
  }
  const waits = waitsForPod(claim, context);
  const volume = bestVolume(claim, waits, context);
  if (volume) return bind(volume, claim, context);
  if (waits) {
    const pods = usersOf(claim, context)
      .filter(pod => !pod['spec'].nodeName)
      .map(pod => pod.metadata.name);
    if (pods.length === 0)
      say(
        claim,
        'Normal',
        'WaitForFirstConsumer',
        'waiting for first consumer to be created before binding',
        context,
      );
    else
      say(
        claim,
        'Normal',
        'WaitForPodScheduled',
        `waiting for pod${pods.length > 1 ? 's' : ''} ${pods.join(',')} to be scheduled`,
        context,
      );
  } else if (claim['spec'].storageClassName) await askProvisioner(claim, context);
  else
    say(
      claim,
      'Normal',
      'FailedBinding',
      'no persistent volumes available for this claim and no storage class is set',
      context,
    );
  await writeClaimStatus(claim, { phase: 'Pending' }, context);
}

/** A volume reserved for this claim, else the smallest that suits; while it waits for a pod only a reserved one. */
function bestVolume(
  claim: KubeObject,
  onlyReserved: boolean,
  context: ControllerContext,
): KubeObject | undefined {
  const suiting = context
    .cache(PERSISTENT_VOLUMES)
    .list()
    .filter(volume => volumeSuits(volume, claim));
  const reserved = suiting.find(volume => volume['spec'].claimRef);
  if (reserved || onlyReserved) return reserved;
  const size = (volume: KubeObject) => amountOf('storage', volume['spec'].capacity?.storage ?? '0');
  return suiting.sort((a, b) => size(a) - size(b) || (a.metadata.name < b.metadata.name ? -1 : 1))[0];
}

async function askProvisioner(claim: KubeObject, context: ControllerContext): Promise<void> {
  const { name, namespace, annotations } = claim.metadata;
  const wanted = claim['spec'].storageClassName;
  const storageClass = classOf(claim, context);
  if (!storageClass) {
    say(claim, 'Warning', 'ProvisioningFailed', `storageclass.storage.k8s.io "${wanted}" not found`, context);
    return;
  }
  const { provisioner } = storageClass;
  if (provisioner === NO_PROVISIONER) {
    const text = 'no persistent volumes available for this claim and no storage class is set';
    return say(claim, 'Normal', 'FailedBinding', text, context);
  }
  if (annotations?.[PROVISIONER] !== provisioner)
    await context.client.patch(PERSISTENT_VOLUME_CLAIMS, { namespace, name }, 'merge', {
      metadata: { annotations: { [BETA_PROVISIONER]: provisioner, [PROVISIONER]: provisioner } },
    });
  say(
    claim,
    'Normal',
    'ExternalProvisioning',
    `Waiting for a volume to be created either by the external provisioner '${provisioner}' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.`,
    context,
  );
}

/** Four small steps, each of which a later round can take up: the volume points to the claim, then the claim to the volume. */
async function bind(volume: KubeObject, claim: KubeObject, context: ControllerContext): Promise<void> {
  const { client } = context;
  const { name, namespace, uid, resourceVersion } = claim.metadata;
  let bound = volume;
  if (volume['spec'].claimRef?.uid !== uid) {
    const annotations = volume['spec'].claimRef
      ? volume.metadata.annotations
      : { ...volume.metadata.annotations, [BOUND_BY_CONTROLLER]: 'yes' };
    bound = await client.update(PERSISTENT_VOLUMES, {
      ...volume,
      metadata: { ...volume.metadata, ...(annotations ? { annotations } : {}) },
      spec: {
        ...volume['spec'],
        claimRef: { kind: 'PersistentVolumeClaim', namespace, name, uid, apiVersion: 'v1', resourceVersion },
      },
    });
  }
  bound = await writeVolumePhase(bound, 'Bound', context);
  let next = claim;
  if (claim['spec'].volumeName !== volume.metadata.name || !claim.metadata.annotations?.[BIND_COMPLETED]) {
    const byController: Record<string, string> = claim['spec'].volumeName
      ? {}
      : { [BOUND_BY_CONTROLLER]: 'yes' };
    next = await client.update(PERSISTENT_VOLUME_CLAIMS, {
      ...claim,
      metadata: {
        ...claim.metadata,
        annotations: { ...claim.metadata.annotations, [BIND_COMPLETED]: 'yes', ...byController },
      },
      spec: { ...claim['spec'], volumeName: volume.metadata.name },
    });
  }
  const { accessModes, capacity } = bound['spec'];
  await writeClaimStatus(next, { phase: 'Bound', accessModes, capacity }, context);
}

async function syncBoundClaim(claim: KubeObject, context: ControllerContext): Promise<void> {
  const { volumeName } = claim['spec'];
  const lost = (reason: string, message: string) => {
    say(claim, 'Warning', reason, message, context);
    return writeClaimStatus(claim, { phase: 'Lost' }, context);
  };
  if (!volumeName)
    return lost(
      'ClaimLost',
      'Bound claim has lost reference to PersistentVolume. Data on the volume is lost!',
    );
  const volume = context.cache(PERSISTENT_VOLUMES).get(undefined, volumeName);
  if (!volume)
    return lost('ClaimLost', 'Bound claim has lost its PersistentVolume. Data on the volume is lost!');
  if (!volume['spec'].claimRef || isBoundTo(volume, claim)) return bind(volume, claim, context);
  return lost('ClaimMisbound', 'Two claims are bound to the same volume, this one is bound incorrectly');
}

async function syncVolume(volume: KubeObject, context: ControllerContext): Promise<void> {
  const reference = volume['spec'].claimRef;
  if (!reference?.uid) {
    await writeVolumePhase(volume, 'Available', context);
    return;
  }
  const claim = context.cache(PERSISTENT_VOLUME_CLAIMS).get(reference.namespace, reference.name);
  if (!claim || claim.metadata.uid !== reference.uid) return release(volume, context);
  const { volumeName } = claim['spec'];
  if (!volumeName || volumeName === volume.metadata.name) {
    if (volumeName) await writeVolumePhase(volume, 'Bound', context);
    return;
  }
  // The claim has taken another volume: this one is free again, or was made for nothing.
  if (volume.metadata.annotations?.[PROVISIONED_BY]) return release(volume, context);
  if (!volume.metadata.annotations?.[BOUND_BY_CONTROLLER]) return;
  const { [BOUND_BY_CONTROLLER]: _mark, ...annotations } = volume.metadata.annotations;
  const { claimRef: _reference, ...spec } = volume['spec'];
  const free = await context.client.update(PERSISTENT_VOLUMES, {
    ...volume,
    metadata: { ...volume.metadata, annotations },
    spec,
  });
  await writeVolumePhase(free, 'Available', context);
}

async function release(volume: KubeObject, context: ControllerContext): Promise<void> {
  const phase = volume['status']?.phase;
  if (phase === 'Released' || phase === 'Failed') return;
  const released = await writeVolumePhase(volume, 'Released', context);
  if (
    volume['spec'].persistentVolumeReclaimPolicy !== 'Delete' ||
    volume.metadata.annotations?.[PROVISIONED_BY]
  )
    return;
  // Nobody here can delete a volume that no provisioner made.
  const message = `error getting deleter volume plugin for volume "${volume.metadata.name}": no deletable volume plugin matched`;
  context.events.event(volume, 'Warning', 'VolumeFailedDelete', message);
  await context.client.update(
    PERSISTENT_VOLUMES,
    { ...released, status: { ...released['status'], phase: 'Failed', message } },
    'status',
  );
}

async function writeVolumePhase(
  volume: KubeObject,
  phase: string,
  context: ControllerContext,
): Promise<KubeObject> {
  if (volume['status']?.phase === phase) return volume;
  const { message: _message, reason: _reason, ...rest } = volume['status'] ?? {};
  return context.client.update(PERSISTENT_VOLUMES, { ...volume, status: { ...rest, phase } }, 'status');
}

async function writeClaimStatus(
  claim: KubeObject,
  change: object,
  context: ControllerContext,
): Promise<void> {
  const old = claim['status'] ?? {};
  const status: Record<string, unknown> = { ...old, ...change };
  if (same(old, status)) return;
  await context.client
    .update(PERSISTENT_VOLUME_CLAIMS, { ...claim, status }, 'status')
    .catch((error: unknown) => {
      if (!(error instanceof StatusError) || error.code !== 404) throw error;
    });
}
