// Watches every resource of a cluster, built in or custom, as they come and go, for the few controllers that look at everything.

import type { KubeObject } from '../../../kube/index.ts';
import { BUILT_IN_RESOURCES, CUSTOM_RESOURCE_DEFINITIONS } from '../resources.ts';
import type { Change, KnownResource } from '../types.ts';
import { resourceId, type SharedCaches } from './caches.ts';

export interface Everything {
  /** Begins watching, on first use. */
  subscribe(handler: (change: Change) => void): void;
  known(): readonly KnownResource[];
}

/** The resource behind a custom resource definition, in the version it is stored in where that is served. */
function customResource(crd: KubeObject): KnownResource | undefined {
  const { group, names, scope, versions = [] } = crd['spec'] ?? {};
  const served = versions.filter((v: { served: boolean }) => v.served);
  const version = served.find((v: { storage: boolean }) => v.storage) ?? served[0];
  if (!version) return undefined;
  return {
    resource: { group, version: version.name, resource: names.plural },
    kind: names.kind,
    namespaced: scope === 'Namespaced',
  };
}

export function watchEverything(caches: SharedCaches): Everything {
  const handlers: ((change: Change) => void)[] = [];
  const watched = new Map<string, KnownResource>();
  let begun = false;

  const watch = (of: KnownResource) => {
    const id = resourceId(of.resource);
    if (watched.has(id)) return;
    watched.set(id, of);
    const cache = caches.of(of.resource);
    cache.subscribe((object, previous, deleted) => {
      for (const handler of handlers) handler({ of, object, previous, deleted });
    });
    // Somebody may have been watching it before.
    for (const object of cache.list())
      for (const handler of handlers) handler({ of, object, previous: undefined, deleted: false });
  };
  const begin = () => {
    if (begun) return;
    begun = true;
    for (const resource of BUILT_IN_RESOURCES) watch(resource);
    caches.of(CUSTOM_RESOURCE_DEFINITIONS).subscribe((crd, _previous, deleted) => {
      const resource = customResource(crd);
      if (resource && !deleted) watch(resource);
    });
  };
  return {
    subscribe(handler) {
      handlers.push(handler);
      begin();
    },
    known: () => [...watched.values()].filter(r => caches.peek(r.resource)?.synced),
  };
}
