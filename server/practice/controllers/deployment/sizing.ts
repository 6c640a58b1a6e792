// The arithmetic of rollouts: how many replicas each replica set may have. Pure; knows no API.

import type { KubeObject } from '../../../kube/index.ts';
import { scaled } from '../workloads/compare.ts';

export const REVISION = 'deployment.kubernetes.io/revision';
export const REVISION_HISTORY = 'deployment.kubernetes.io/revision-history';
export const DESIRED_REPLICAS = 'deployment.kubernetes.io/desired-replicas';
export const MAX_REPLICAS = 'deployment.kubernetes.io/max-replicas';

export const specReplicas = (sets: readonly KubeObject[]) => sum(sets, s => s['spec'].replicas ?? 0);
export const actualReplicas = (sets: readonly KubeObject[]) => sum(sets, s => s['status']?.replicas ?? 0);
export const readyReplicas = (sets: readonly KubeObject[]) => sum(sets, s => s['status']?.readyReplicas ?? 0);
export const availableReplicas = (sets: readonly KubeObject[]) =>
  sum(sets, s => s['status']?.availableReplicas ?? 0);
export const terminatingReplicas = (sets: readonly KubeObject[]) =>
  sum(sets, s => s['status']?.terminatingReplicas ?? 0);

function sum(sets: readonly KubeObject[], value: (set: KubeObject) => number): number {
  return sets.reduce((total, set) => total + value(set), 0);
}

export const isRolling = (deployment: KubeObject) => deployment['spec'].strategy?.type !== 'Recreate';
export const withReplicas = (sets: readonly KubeObject[]) => sets.filter(s => s['spec'].replicas > 0);

/** Both limits of a rolling update in pods; when both come out as zero, one may be missing (else nothing could move). */
function limits(deployment: KubeObject): { surge: number; unavailable: number } {
  const { replicas, strategy } = deployment['spec'];
  const surge = scaled(strategy?.rollingUpdate?.maxSurge, replicas, 'up');
  const unavailable = scaled(strategy?.rollingUpdate?.maxUnavailable, replicas, 'down');
  return { surge, unavailable: surge === 0 && unavailable === 0 ? 1 : unavailable };
}

export function maxSurge(deployment: KubeObject): number {
  return isRolling(deployment) ? limits(deployment).surge : 0;
}

export function maxUnavailable(deployment: KubeObject): number {
  const { replicas } = deployment['spec'];
  return isRolling(deployment) && replicas > 0 ? Math.min(limits(deployment).unavailable, replicas) : 0;
}

/** How large the new replica set may be now, given all of them. */
export function newSetSize(
  deployment: KubeObject,
  all: readonly KubeObject[],
  newSetReplicas: number,
): number {
  const { replicas } = deployment['spec'];
  if (!isRolling(deployment)) return replicas;
  const room = replicas + maxSurge(deployment) - specReplicas(all);
  return room <= 0 ? newSetReplicas : newSetReplicas + Math.min(room, replicas - newSetReplicas);
}

/** New sizes for old replica sets so that availability stays within the limit: unhealthy pods go first, then the oldest sets. */
export function oldSetSizes(
  deployment: KubeObject,
  newSet: KubeObject,
  oldSets: readonly KubeObject[],
): Map<KubeObject, number> {
  const sizes = new Map(oldSets.map(set => [set, set['spec'].replicas as number]));
  const old = withReplicas(oldSets);
  if (old.length === 0) return sizes;
  const minAvailable = deployment['spec'].replicas - maxUnavailable(deployment);
  const newUnavailable = newSet['spec'].replicas - (newSet['status']?.availableReplicas ?? 0);
  let unhealthy = specReplicas([...old, newSet]) - minAvailable - newUnavailable;
  if (unhealthy <= 0) return sizes;
  const oldest = [...old].sort(byAge);
  for (const set of oldest) {
    const size = sizes.get(set) ?? 0;
    const gone = Math.min(Math.max(unhealthy, 0), size - (set['status']?.availableReplicas ?? 0));
    if (gone <= 0) continue;
    sizes.set(set, size - gone);
    unhealthy -= gone;
  }
  let spare = availableReplicas([...old, newSet]) - minAvailable;
  for (const set of oldest) {
    if (spare <= 0) break;
    const size = sizes.get(set) ?? 0;
    const gone = Math.min(size, spare);
    sizes.set(set, size - gone);
    spare -= gone;
  }
  return sizes;
}

/** Sizes for several live replica sets when a deployment in the middle of a rollout is scaled: each gets its share. */
export function proportionalSizes(
  deployment: KubeObject,
  sets: readonly KubeObject[],
): Map<KubeObject, number> {
  const live = withReplicas(sets);
  const { replicas } = deployment['spec'];
  const allowed = replicas > 0 ? replicas + maxSurge(deployment) : 0;
  const toAdd = allowed - specReplicas(live);
  const direction = toAdd > 0 ? -1 : 1;
  const order = [...live].sort((a, b) => b['spec'].replicas - a['spec'].replicas || direction * byAge(a, b));
  const sizes = new Map<KubeObject, number>();
  let added = 0;
  for (const set of order) {
    const share = toAdd === 0 ? 0 : proportion(deployment, set, toAdd, added);
    sizes.set(set, set['spec'].replicas + share);
    added += share;
  }
  const first = order[0];
  if (first && toAdd !== 0) sizes.set(first, Math.max(0, (sizes.get(first) ?? 0) + toAdd - added));
  return sizes;
}

function proportion(deployment: KubeObject, set: KubeObject, toAdd: number, added: number): number {
  if (set['spec'].replicas === 0 || toAdd === added) return 0;
  const fraction = shareOf(deployment, set);
  const allowed = toAdd - added;
  return toAdd > 0 ? Math.min(fraction, allowed) : Math.max(fraction, allowed);
}

function shareOf(deployment: KubeObject, set: KubeObject): number {
  const current = set['spec'].replicas;
  if (deployment['spec'].replicas === 0) return -current;
  const before =
    Number(set.metadata.annotations?.[MAX_REPLICAS] ?? 0) || (deployment['status']?.replicas ?? 0);
  if (before === 0) return 0;
  const exact = (current * (deployment['spec'].replicas + maxSurge(deployment))) / before;
  return Math.round(exact) - current;
}

/** Oldest first, by name when of the same second. */
export function byAge(a: KubeObject, b: KubeObject): number {
  const [left, right] = [a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? ''];
  return left !== right ? (left < right ? -1 : 1) : a.metadata.name < b.metadata.name ? -1 : 1;
}

export const revisionOf = (object: KubeObject) => Number(object.metadata.annotations?.[REVISION] ?? 0) || 0;
