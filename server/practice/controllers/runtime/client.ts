// A client whose writes are seen by the shared caches before the write's promise resolves, so that a controller never acts twice
// on the same stale picture (upstream's "expectations"). Knows no kind.

import type { ApiClient, GroupVersionResource, KubeObject } from '../../../kube/index.ts';
import { StatusError } from '../../../kube/index.ts';
import type { SharedCaches } from './caches.ts';

/** Subresources whose answer is the object itself. */
const SAME_OBJECT = new Set(['status', 'finalize', 'approval', 'ephemeralcontainers', 'resize']);

export function readYourWrites(client: ApiClient, caches: SharedCaches): ApiClient {
  const learn = (resource: GroupVersionResource, object: KubeObject, subresource?: string) => {
    if (subresource === undefined || SAME_OBJECT.has(subresource)) caches.peek(resource)?.learn(object);
    return object;
  };
  return {
    get: (resource, key) => client.get(resource, key),
    list: (resource, options) => client.list(resource, options),
    watch: (resource, options, onEvent, onEnd) => client.watch(resource, options, onEvent, onEnd),
    create: async (resource, object, subresource) =>
      learn(resource, await client.create(resource, object, subresource), subresource?.name),
    update: async (resource, object, subresource) =>
      learn(resource, await client.update(resource, object, subresource), subresource),
    patch: async (resource, key, type, patch, options) =>
      learn(resource, await client.patch(resource, key, type, patch, options), options?.subresource),
    async delete(resource, key, options) {
      const cache = caches.peek(resource);
      const before = cache?.get(key.namespace, key.name);
      await client.delete(resource, key, options);
      if (!cache || !before || cache.get(key.namespace, key.name) !== before) return;
      try {
        cache.learn(await client.get(resource, key));
      } catch (error) {
        if (!(error instanceof StatusError) || error.code !== 404) throw error;
        cache.forget(key.namespace, key.name, before.metadata.uid);
      }
    },
  };
}
