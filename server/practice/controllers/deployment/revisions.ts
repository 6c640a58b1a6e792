// The replica sets of a deployment: which is the new one, which revision each has, what annotations they carry. Pure.

import { type KubeObject, LAST_APPLIED } from '../../../kube/index.ts';
import { contentHash, same } from '../workloads/compare.ts';
import { controllerReference, type PodTemplate } from '../workloads/pods.ts';
import {
  byAge,
  DESIRED_REPLICAS,
  MAX_REPLICAS,
  maxSurge,
  newSetSize,
  REVISION,
  REVISION_HISTORY,
  revisionOf,
} from './sizing.ts';

const HASH_LABEL = 'pod-template-hash';
/** Annotations of a deployment that its replica sets do not inherit. */
const NOT_INHERITED = new Set([
  LAST_APPLIED,
  'deprecated.deployment.rollback.to',
  REVISION,
  REVISION_HISTORY,
  DESIRED_REPLICAS,
  MAX_REPLICAS,
]);
/** The history of revisions that a replica set carries is cut to this many characters. */
const MAX_HISTORY = 2000;

function withoutHash(template: PodTemplate) {
  const labels = { ...template.metadata?.labels };
  delete labels[HASH_LABEL];
  return { ...template, metadata: { ...template.metadata, labels } };
}

export function sameTemplate(a: PodTemplate, b: PodTemplate): boolean {
  return same(withoutHash(a), withoutHash(b));
}

/** The oldest replica set with the deployment's template. */
export function findNewSet(deployment: KubeObject, sets: readonly KubeObject[]): KubeObject | undefined {
  return [...sets].sort(byAge).find(set => sameTemplate(set['spec'].template, deployment['spec'].template));
}

export const nextRevision = (oldSets: readonly KubeObject[]) => Math.max(0, ...oldSets.map(revisionOf)) + 1;

/** Annotations that say how large the whole deployment was when this set was last sized. */
export function sizeAnnotations(deployment: KubeObject): Record<string, string> {
  const { replicas } = deployment['spec'];
  return { [DESIRED_REPLICAS]: String(replicas), [MAX_REPLICAS]: String(replicas + maxSurge(deployment)) };
}

/** The annotations a new replica set should have, from those it has and those of the deployment. */
export function newSetAnnotations(
  deployment: KubeObject,
  current: Record<string, string> | undefined,
  revision: number,
  exists: boolean,
): Record<string, string> {
  const annotations = { ...current };
  for (const [key, value] of Object.entries(deployment.metadata.annotations ?? {}))
    if (!NOT_INHERITED.has(key)) annotations[key] = value;
  const had = annotations[REVISION];
  if ((Number(had ?? 0) || 0) < revision) {
    annotations[REVISION] = String(revision);
    if (had !== undefined) {
      const history = [...(annotations[REVISION_HISTORY]?.split(',') ?? []), had];
      while (history.length > 1 && history.join(',').length > MAX_HISTORY) history.shift();
      annotations[REVISION_HISTORY] = history.join(',');
    }
  }
  return exists ? annotations : { ...annotations, ...sizeAnnotations(deployment) };
}

/** A replica set for the deployment's present template. */
export function makeNewSet(deployment: KubeObject, oldSets: readonly KubeObject[]): KubeObject {
  const { template, selector, minReadySeconds } = deployment['spec'];
  const hash = contentHash(template, deployment['status']?.collisionCount ?? 0);
  const labels = { ...template.metadata?.labels, [HASH_LABEL]: hash };
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: `${deployment.metadata.name}-${hash}`,
      namespace: deployment.metadata.namespace,
      labels,
      annotations: newSetAnnotations(deployment, undefined, nextRevision(oldSets), false),
      ownerReferences: [controllerReference(deployment)],
    },
    spec: {
      replicas: newSetSize(deployment, oldSets, 0),
      ...(minReadySeconds ? { minReadySeconds } : {}),
      selector: { ...selector, matchLabels: { ...selector.matchLabels, [HASH_LABEL]: hash } },
      template: { ...structuredClone(template), metadata: { ...template.metadata, labels } },
    },
  };
}
