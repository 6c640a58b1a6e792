// Every built-in resource, in the order of discovery. The folder's only door.

import { deployments } from './apps/deployments.ts';
import { replicasets } from './apps/replicasets.ts';
import { configmaps } from './core/configmaps.ts';
import { endpoints } from './core/endpoints.ts';
import { events, eventsV1 } from './core/events.ts';
import { namespaces } from './core/namespaces.ts';
import { nodes } from './core/nodes.ts';
import { pods } from './core/pods.ts';
import { secrets } from './core/secrets.ts';
import { serviceaccounts } from './core/serviceaccounts.ts';
import { services } from './core/services.ts';
import { endpointslices } from './discovery/endpointslices.ts';
import type { ResourceDefinition } from './types.ts';

export const resources: readonly ResourceDefinition[] = [
  configmaps,
  endpoints,
  events,
  namespaces,
  nodes,
  pods,
  secrets,
  serviceaccounts,
  services,
  deployments,
  replicasets,
  eventsV1,
  endpointslices,
];

export { podQuality } from './core/pod-quality.ts';
export { humanDuration } from './format.ts';
export type * from './types.ts';
