// ComponentStatus: an old kind that stores nothing and says how the control plane's other parts feel right now.

import type { KubeObject } from '../../kube/index.ts';
import { notFound } from '../../kube/index.ts';
import type { ListResult, ResourcePath } from './types.ts';

/** A part of the control plane; `problem` is what asking it gave, absent when it answers. */
export interface ComponentHealth {
  name: string;
  problem?: string;
}

const COMPONENT_STATUSES = { group: '', resource: 'componentstatuses' };

function statusOf({ name, problem }: ComponentHealth): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'ComponentStatus',
    metadata: { name },
    conditions: [
      problem === undefined
        ? { message: 'ok', status: 'True', type: 'Healthy' }
        : { message: problem, status: 'False', type: 'Healthy' },
    ],
  };
}

export function isComponentStatus(path: ResourcePath): boolean {
  return path.group === '' && path.resource === COMPONENT_STATUSES.resource;
}

export function getComponentStatus(parts: readonly ComponentHealth[], name: string): KubeObject {
  const part = parts.find(candidate => candidate.name === name);
  if (!part) throw notFound(COMPONENT_STATUSES, name);
  return statusOf(part);
}

export function listComponentStatuses(parts: readonly ComponentHealth[]): ListResult {
  return {
    apiVersion: 'v1',
    kind: 'ComponentStatusList',
    metadata: { resourceVersion: '' },
    items: parts.map(statusOf),
  };
}
