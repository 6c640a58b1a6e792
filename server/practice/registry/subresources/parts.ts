// Subresources that write one part of the object itself: which part each one may change.

import type { FieldError, KubeObject } from '../../../kube/index.ts';
import { ephemeralFindings, resizeFindings } from '../../resources/index.ts';
import { copyOf } from '../values.ts';

type Combine = (next: KubeObject, old: KubeObject) => KubeObject;

const withSpec = (old: KubeObject, next: KubeObject, spec: Record<string, unknown>): KubeObject => ({
  ...copyOf(old),
  metadata: metadataFrom(next, old),
  spec: { ...copyOf(old.spec), ...spec },
});

/** The version and owners that the client sent count; everything else of metadata stays. */
function metadataFrom(next: KubeObject, old: KubeObject): KubeObject['metadata'] {
  const { managedFields } = next.metadata;
  return { ...copyOf(old.metadata), ...(managedFields ? { managedFields } : {}) };
}

interface ContainerResources {
  name: string;
  resources?: unknown;
  resizePolicy?: unknown;
}

function resized(next: ContainerResources[] | undefined, old: ContainerResources[] | undefined) {
  return (old ?? []).map(container => {
    const wanted = next?.find(candidate => candidate.name === container.name);
    return wanted ? { ...copyOf(container), resources: wanted.resources ?? {} } : copyOf(container);
  });
}

/** By `group/resource/subresource`. */
export const PART_SUBRESOURCES: Readonly<Record<string, Combine>> = {
  '/namespaces/finalize': (next, old) => withSpec(old, next, { finalizers: next.spec?.finalizers ?? [] }),
  '/pods/ephemeralcontainers': (next, old) =>
    withSpec(old, next, { ephemeralContainers: next.spec?.ephemeralContainers ?? [] }),
  '/pods/resize': (next, old) =>
    withSpec(old, next, {
      containers: resized(next.spec?.containers, old.spec?.containers),
      ...(old.spec?.initContainers
        ? { initContainers: resized(next.spec?.initContainers, old.spec.initContainers) }
        : {}),
    }),
  'certificates.k8s.io/certificatesigningrequests/approval': (next, old) => ({
    ...copyOf(old),
    metadata: metadataFrom(next, old),
    status: { ...copyOf(old.status ?? {}), conditions: next.status?.conditions ?? [] },
  }),
};

/** What a part may not become, beside what the whole object may not be. */
export const PART_RULES: Readonly<Record<string, (next: KubeObject, old: KubeObject) => FieldError[]>> = {
  '/pods/ephemeralcontainers': ephemeralFindings,
  '/pods/resize': resizeFindings,
};
