// The API resources a node speaks of, by their names in a URL.

import type { GroupVersionResource } from '../../kube/index.ts';

const core = (resource: string): GroupVersionResource => ({ group: '', version: 'v1', resource });

export const PODS = core('pods');
export const NODES = core('nodes');
export const EVENTS = core('events');
export const SECRETS = core('secrets');
export const CONFIG_MAPS = core('configmaps');
export const SERVICE_ACCOUNTS = core('serviceaccounts');
export const NAMESPACES = core('namespaces');
export const CLAIMS = core('persistentvolumeclaims');
export const VOLUMES = core('persistentvolumes');
export const LEASES: GroupVersionResource = {
  group: 'coordination.k8s.io',
  version: 'v1',
  resource: 'leases',
};
