// What binding and provisioning share: words, annotations and questions about claims, volumes and classes. Pure.

import type { KubeObject } from '../../../kube/index.ts';
import { PODS, STORAGE_CLASSES } from '../resources.ts';
import { claimNames } from '../scheduler/volumes.ts';
import type { ControllerContext } from '../types.ts';
import { isTerminal } from '../workloads/pods.ts';

export const BIND_COMPLETED = 'pv.kubernetes.io/bind-completed';
export const BOUND_BY_CONTROLLER = 'pv.kubernetes.io/bound-by-controller';
export const PROVISIONED_BY = 'pv.kubernetes.io/provisioned-by';
const SELECTED_NODE = 'volume.kubernetes.io/selected-node';
export const PROVISIONER = 'volume.kubernetes.io/storage-provisioner';
export const BETA_PROVISIONER = 'volume.beta.kubernetes.io/storage-provisioner';

export const classOf = (claim: KubeObject, context: ControllerContext): KubeObject | undefined =>
  context.cache(STORAGE_CLASSES).get(undefined, claim['spec'].storageClassName ?? '');

/** The claim waits until a pod that uses it has been given a node. */
export function waitsForPod(claim: KubeObject, context: ControllerContext): boolean {
  const binding = classOf(claim, context)?.['volumeBindingMode'];
  return binding === 'WaitForFirstConsumer' && !claim.metadata.annotations?.[SELECTED_NODE];
}

/** Pods that use a claim and are not over. */
export function usersOf(claim: KubeObject, context: ControllerContext): KubeObject[] {
  return context
    .cache(PODS)
    .list(claim.metadata.namespace)
    .filter(pod => !isTerminal(pod) && claimNames(pod).includes(claim.metadata.name));
}

/** The volume was bound to exactly this claim. */
export function isBoundTo(volume: KubeObject, claim: KubeObject): boolean {
  const reference = volume['spec'].claimRef;
  return (
    reference?.name === claim.metadata.name &&
    reference.namespace === claim.metadata.namespace &&
    (!reference.uid || reference.uid === claim.metadata.uid)
  );
}
