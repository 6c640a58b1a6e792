// Who a pod of a stateful set is: its ordinal, name, labels, network identity and claims. Pure.

import type { KubeObject } from '../../../kube/index.ts';
import { controllerReference, podFromTemplate } from '../workloads/pods.ts';
import { templateOf } from '../workloads/revisions.ts';

export const REVISION_LABEL = 'controller-revision-hash';
const POD_NAME = 'statefulset.kubernetes.io/pod-name';
const POD_INDEX = 'apps.kubernetes.io/pod-index';

/** The ordinal in `name`, or -1 when it is no pod of the set. */
export function ordinalOf(set: KubeObject, name: string): number {
  const prefix = `${set.metadata.name}-`;
  const rest = name.startsWith(prefix) ? name.slice(prefix.length) : '';
  return /^\d+$/.test(rest) ? Number(rest) : -1;
}

export const startOrdinal = (set: KubeObject) => (set['spec'].ordinals?.start ?? 0) as number;

interface ClaimTemplate {
  metadata: { name: string; labels?: Record<string, string>; annotations?: Record<string, string> };
  spec: object;
}

export const claimTemplates = (set: KubeObject) =>
  (set['spec'].volumeClaimTemplates ?? []) as ClaimTemplate[];
export const claimName = (set: KubeObject, template: ClaimTemplate, ordinal: number) =>
  `${template.metadata.name}-${set.metadata.name}-${ordinal}`;

/** The pod `ordinal` of the set as of `revision`. */
export function makePod(set: KubeObject, revision: KubeObject, ordinal: number): KubeObject {
  const name = `${set.metadata.name}-${ordinal}`;
  const pod = podFromTemplate(templateOf(revision), set, name);
  pod.metadata.labels = {
    ...pod.metadata.labels,
    [POD_NAME]: name,
    [POD_INDEX]: String(ordinal),
    [REVISION_LABEL]: revision.metadata.name,
  };
  const claims = claimTemplates(set);
  const names = new Set(claims.map(c => c.metadata.name));
  const others = (pod['spec'].volumes ?? []).filter((v: { name: string }) => !names.has(v.name));
  const own = claims.map(c => ({
    name: c.metadata.name,
    persistentVolumeClaim: { claimName: claimName(set, c, ordinal) },
  }));
  pod['spec'] = {
    ...pod['spec'],
    hostname: name,
    ...(set['spec'].serviceName ? { subdomain: set['spec'].serviceName } : {}),
    ...(own.length + others.length > 0 ? { volumes: [...own, ...others] } : {}),
  };
  return pod;
}

/** The claims that pod `ordinal` needs. */
export function makeClaims(set: KubeObject, ordinal: number): KubeObject[] {
  return claimTemplates(set).map(template => ({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: {
      name: claimName(set, template, ordinal),
      namespace: set.metadata.namespace,
      labels: { ...template.metadata.labels, ...set['spec'].selector.matchLabels },
      ...(template.metadata.annotations ? { annotations: { ...template.metadata.annotations } } : {}),
      ...(retention(set).whenDeleted === 'Delete' ? { ownerReferences: [setReference(set)] } : {}),
    },
    spec: structuredClone(template.spec),
  }));
}

export const retention = (set: KubeObject) =>
  (set['spec'].persistentVolumeClaimRetentionPolicy ?? {}) as { whenDeleted?: string; whenScaled?: string };

const setReference = (set: KubeObject) => controllerReference(set);

/** The owners a claim should have, so that the garbage collector does what the retention policy says. */
export function claimOwners(
  set: KubeObject,
  claim: KubeObject,
  pod: KubeObject | undefined,
  condemned: boolean,
) {
  const { whenDeleted, whenScaled } = retention(set);
  const others = (claim.metadata.ownerReferences ?? []).filter(
    r => r.uid !== set.metadata.uid && !(r.kind === 'Pod' && ordinalOf(set, r.name) >= 0),
  );
  if (condemned && whenScaled === 'Delete' && pod) {
    const { controller: _c, blockOwnerDeletion: _b, ...reference } = controllerReference(pod);
    return [...others, reference];
  }
  return whenDeleted === 'Delete' ? [...others, setReference(set)] : others;
}
