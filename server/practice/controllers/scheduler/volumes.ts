// What a pod's volume claims allow: bound or not, where their volumes are, who else holds them. Pure; reads through `VolumeView`.

import type { KubeObject } from '../../../kube/index.ts';
import type { Refusal } from './message.ts';
import type { NodeInfo, PodInfo } from './node-info.ts';
import { matchesNodeTerms } from './node-rules.ts';
import { amountOf } from './requests.ts';

export interface VolumeView {
  claim(namespace: string, name: string): KubeObject | undefined;
  volume(name: string): KubeObject | undefined;
  volumes(): KubeObject[];
  storageClass(name: string): KubeObject | undefined;
}

export interface VolumeState {
  /** The pod cannot be placed anywhere before this is mended. */
  refused?: string;
  bound: KubeObject[];
  /** A bound claim's volume is gone. */
  lost: boolean;
  /** Claims that wait for their first pod: they are bound once it has a node. */
  waiting: { claim: KubeObject; candidates: KubeObject[]; provisions: boolean }[];
  /** Claims that only one pod may hold. */
  exclusive: string[];
}

export const NO_PROVISIONER = 'kubernetes.io/no-provisioner';

interface PodVolume {
  name: string;
  persistentVolumeClaim?: { claimName: string };
  ephemeral?: unknown;
}

/** Names of the claims that a pod mounts, those made for it alone included. */
export function claimNames(pod: KubeObject): string[] {
  return ((pod['spec'].volumes ?? []) as PodVolume[]).flatMap(v =>
    v.persistentVolumeClaim
      ? [v.persistentVolumeClaim.claimName]
      : v.ephemeral
        ? [`${pod.metadata.name}-${v.name}`]
        : [],
  );
}

function waitsForConsumer(claim: KubeObject, view: VolumeView): boolean {
  const name = claim['spec'].storageClassName;
  return Boolean(name) && view.storageClass(name)?.['volumeBindingMode'] === 'WaitForFirstConsumer';
}

/** A volume that this claim could take, claimed by nobody else. */
export function volumeSuits(volume: KubeObject, claim: KubeObject): boolean {
  const { spec } = volume;
  const reference = spec.claimRef;
  const reserved =
    reference &&
    reference.name === claim.metadata.name &&
    reference.namespace === claim.metadata.namespace &&
    (!reference.uid || reference.uid === claim.metadata.uid);
  if (volume.metadata.deletionTimestamp || (reference && !reserved)) return false;
  if (
    !reserved &&
    (volume['status']?.phase ?? 'Available') !== 'Available' &&
    volume['status']?.phase !== 'Pending'
  )
    return false;
  const wanted = claim['spec'].resources?.requests?.storage ?? '0';
  const selector = claim['spec'].selector;
  const labels = volume.metadata.labels ?? {};
  return (
    (spec.storageClassName ?? '') === (claim['spec'].storageClassName ?? '') &&
    (spec.volumeMode ?? 'Filesystem') === (claim['spec'].volumeMode ?? 'Filesystem') &&
    (claim['spec'].accessModes ?? []).every((mode: string) => (spec.accessModes ?? []).includes(mode)) &&
    amountOf('storage', spec.capacity?.storage ?? '0') >= amountOf('storage', wanted) &&
    (!selector || Object.entries(selector.matchLabels ?? {}).every(([k, v]) => labels[k] === v))
  );
}

export function volumeState(pod: KubeObject, view: VolumeView): VolumeState {
  const state: VolumeState = { bound: [], lost: false, waiting: [], exclusive: [] };
  for (const name of claimNames(pod)) {
    const claim = view.claim(pod.metadata.namespace ?? '', name);
    if (!claim) return { ...state, refused: `persistentvolumeclaim "${name}" not found` };
    if (claim.metadata.deletionTimestamp)
      return { ...state, refused: `persistentvolumeclaim "${name}" is being deleted` };
    if ((claim['spec'].accessModes ?? []).includes('ReadWriteOncePod')) state.exclusive.push(name);
    if (claim['spec'].volumeName && claim.metadata.annotations?.['pv.kubernetes.io/bind-completed']) {
      const volume = view.volume(claim['spec'].volumeName);
      if (volume) state.bound.push(volume);
      else state.lost = true;
    } else if (!claim['spec'].volumeName && waitsForConsumer(claim, view)) {
      const provisioner = view.storageClass(claim['spec'].storageClassName)?.['provisioner'];
      state.waiting.push({
        claim,
        candidates: view.volumes().filter(volume => volumeSuits(volume, claim)),
        provisions: Boolean(provisioner) && provisioner !== NO_PROVISIONER,
      });
    } else return { ...state, refused: 'pod has unbound immediate PersistentVolumeClaims' };
  }
  return state;
}

export function reachable(volume: KubeObject, node: KubeObject): boolean {
  const required = volume['spec'].nodeAffinity?.required;
  return !required || matchesNodeTerms(required.nodeSelectorTerms, node);
}

export function refusedByVolumes(
  { pod }: PodInfo,
  info: NodeInfo,
  node: KubeObject,
  state: VolumeState,
): Refusal | undefined {
  if (state.exclusive.length > 0)
    for (const other of info.pods.values())
      if (
        other.pod.metadata.namespace === pod.metadata.namespace &&
        claimNames(other.pod).some(name => state.exclusive.includes(name))
      )
        return {
          reasons: [
            'node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode',
          ],
          unresolvable: false,
        };
  if (state.lost)
    return {
      reasons: ['node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)'],
      unresolvable: true,
    };
  if (!state.bound.every(volume => reachable(volume, node)))
    return { reasons: ["node(s) didn't match PersistentVolume's node affinity"], unresolvable: true };
  if (!state.waiting.every(w => w.provisions || w.candidates.some(volume => reachable(volume, node))))
    return { reasons: ["node(s) didn't find available persistent volumes to bind"], unresolvable: true };
  return undefined;
}
