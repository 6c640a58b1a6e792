// Small questions that every admission step asks about a request, and how a refusal is worded.

import type { KubeObject } from '../../kube/index.ts';
import { forbidden, type StatusError } from '../../kube/index.ts';
import type { AdmissionRequest } from './types.ts';

/** True for the resource itself (no subresource) in one of the given operations. */
export function concerns(
  request: AdmissionRequest,
  resource: { group: string; resource: string },
  ...operations: AdmissionRequest['operation'][]
): boolean {
  const { definition, subresource, operation } = request;
  return (
    subresource === undefined &&
    definition.group === resource.group &&
    definition.resource === resource.resource &&
    operations.includes(operation)
  );
}

export const PODS = { group: '', resource: 'pods' };
export const CLAIMS = { group: '', resource: 'persistentvolumeclaims' };

/** Upstream's admission refusal; an object whose name is yet to be generated is called by its prefix. */
export function refuse(request: AdmissionRequest, why: string): StatusError {
  const { definition, object, name } = request;
  const shown = name || object?.metadata.name || object?.metadata.generateName || 'Unknown';
  return forbidden({ group: definition.group, resource: definition.resource }, shown, why);
}

export interface ContainerSpec {
  name: string;
  resources?: { requests?: Record<string, string>; limits?: Record<string, string> };
  volumeMounts?: { name: string; mountPath: string; readOnly?: boolean }[];
  restartPolicy?: string;
  securityContext?: Record<string, unknown>;
  ports?: { hostPort?: number }[];
}

/** Containers and init containers of a pod spec, in the order in which upstream visits them. */
export function allContainers(spec: KubeObject['spec'] | undefined): ContainerSpec[] {
  return [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])];
}
