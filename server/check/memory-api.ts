// A cluster's API in a few lines of memory, for tests of checks: objects that can be put and taken, watched like real ones. No
// validation, no controllers; what needs those is tested on the practice cluster.

import type { Duplex } from 'node:stream';
import type { KubeObject } from '../kube/index.ts';
import { baseOf } from './discovery.ts';
import type { KubeApi, KubeReply, WatchHandlers } from './kube-api.ts';

export interface MemoryApi extends KubeApi {
  put(object: KubeObject): void;
  remove(object: KubeObject): void;
  /** Every request fails with this until it is cleared. */
  broken: Error | undefined;
  /** Lists asked for so far, to see that checks watch and do not poll. */
  lists: number;
  /** Answers SubjectAccessReviews. */
  allows(attributes: Record<string, string>, user: string): boolean;
  /** Opens what stands behind a pod's port. */
  dial: ((pod: string, port: number) => Duplex) | undefined;
}

const RESOURCES: Record<string, [string, string, boolean][]> = {
  v1: [
    ['pods', 'Pod', true],
    ['services', 'Service', true],
    ['configmaps', 'ConfigMap', true],
    ['nodes', 'Node', false],
  ],
  'apps/v1': [['deployments', 'Deployment', true]],
  'rbac.authorization.k8s.io/v1': [
    ['roles', 'Role', true],
    ['rolebindings', 'RoleBinding', true],
    ['clusterroles', 'ClusterRole', false],
    ['clusterrolebindings', 'ClusterRoleBinding', false],
  ],
};

export function memoryApi(...initial: KubeObject[]): MemoryApi {
  const objects = new Map<string, KubeObject>();
  const watchers = new Map<string, Set<WatchHandlers>>();
  let revision = 1;

  const urlOf = ({ apiVersion, kind }: KubeObject) => {
    const found = RESOURCES[apiVersion]?.find(([, name]) => name === kind);
    if (!found) throw new Error(`the memory API has no ${kind} of ${apiVersion}`);
    return `${baseOf(apiVersion)}/${found[0]}`;
  };
  const keyOf = (object: KubeObject) =>
    `${urlOf(object)}:${object.metadata.namespace ?? ''}/${object.metadata.name}`;
  const tell = (type: string, object: KubeObject) => {
    for (const handlers of watchers.get(urlOf(object)) ?? [])
      queueMicrotask(() => handlers.event(type, object as never));
  };

  const api: MemoryApi = {
    broken: undefined,
    lists: 0,
    dial: undefined,
    allows: () => false,
    put(object) {
      const type = objects.has(keyOf(object)) ? 'MODIFIED' : 'ADDED';
      const stored = { ...object, metadata: { ...object.metadata, resourceVersion: String(++revision) } };
      objects.set(keyOf(object), stored);
      tell(type, stored);
    },
    remove(object) {
      objects.delete(keyOf(object));
      tell('DELETED', object);
    },
    async request(method, path, body): Promise<KubeReply> {
      if (api.broken) throw api.broken;
      if (method === 'POST' && path.endsWith('/subjectaccessreviews')) {
        const { spec } = body as { spec: { user: string; resourceAttributes: Record<string, string> } };
        return { status: 201, body: { status: { allowed: api.allows(spec.resourceAttributes, spec.user) } } };
      }
      for (const [groupVersion, resources] of Object.entries(RESOURCES)) {
        const base = baseOf(groupVersion);
        if (path === base) {
          return {
            status: 200,
            body: { resources: resources.map(([name, kind, namespaced]) => ({ name, kind, namespaced })) },
          };
        }
        if (!resources.some(([name]) => path === `${base}/${name}`)) continue;
        api.lists++;
        const items = [...objects].filter(([key]) => key.startsWith(`${path}:`)).map(([, object]) => object);
        return { status: 200, body: { metadata: { resourceVersion: String(revision) }, items } };
      }
      if (path === '/apis') return { status: 200, body: { groups: [] } };
      return { status: 404, body: { message: 'the server could not find the requested resource' } };
    },
    watch(path, _query, handlers) {
      const set = watchers.get(path) ?? new Set();
      watchers.set(path, set.add(handlers));
      return () => set.delete(handlers);
    },
    async portForward(_namespace, pod, port) {
      if (!api.dial) throw new Error('connection refused');
      return api.dial(pod, port);
    },
    close: () => watchers.clear(),
  };
  for (const object of initial) api.put(object);
  return api;
}
