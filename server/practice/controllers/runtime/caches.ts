// Live copies of resources, one per resource and cluster, shared by every controller. Knows the API, not what objects mean.

import type { Clock } from '../../../clock.ts';
import type {
  ApiClient,
  GroupVersionResource,
  KubeObject,
  WatchEvent,
  WatchHandle,
} from '../../../kube/index.ts';
import { groupResource, StatusError } from '../../../kube/index.ts';
import { CUSTOM_RESOURCE_DEFINITIONS } from '../resources.ts';
import type { Cache } from '../types.ts';

/** Pause before listing again after a watch that failed, in milliseconds. A watch that simply ends is listed again at once. */
const RELIST_PAUSE = 1000;
/** Pause before listing again a resource that is defined and not served yet. */
const DEFINED_PAUSE = 100;

/** `previous` is absent for a new object; `deleted` objects are given in their last state. */
export type ChangeHandler = (object: KubeObject, previous: KubeObject | undefined, deleted: boolean) => void;

export interface SharedCache extends Cache {
  readonly resource: GroupVersionResource;
  /** False until the first list has arrived, and again when the resource is not served. */
  readonly synced: boolean;
  subscribe(handler: ChangeHandler): () => void;
  /** Takes over the answer to a write of our own, in case the watch has not told it yet. */
  learn(object: KubeObject): void;
  /** Forgets an object that a read found to be gone. */
  forget(namespace: string | undefined, name: string, uid: string | undefined): void;
}

/** All caches of one cluster. */
export interface SharedCaches {
  /** The cache of a resource; it starts on first use. */
  of(resource: GroupVersionResource): SharedCache;
  /** The cache if somebody already uses it. */
  peek(resource: GroupVersionResource): SharedCache | undefined;
  /** Resolves once every cache asked for so far has its first list, or turned out not to be served. */
  ready(): Promise<void>;
  stop(): void;
}

export const resourceId = (r: GroupVersionResource) => `${r.group}/${r.version}/${r.resource}`;
const revisionOf = (object: KubeObject) => Number(object.metadata.resourceVersion ?? 0);

/** The uid of the owner that controls `object`. */
export function controllerUid(object: KubeObject): string | undefined {
  return object.metadata.ownerReferences?.find(owner => owner.controller)?.uid;
}

export function createCaches(client: ApiClient, clock: Clock): SharedCaches {
  const caches = new Map<string, { cache: SharedCache; stop(): void; first: Promise<void> }>();
  let stopped = false;

  const of = (resource: GroupVersionResource): SharedCache => {
    const id = resourceId(resource);
    const known = caches.get(id);
    if (known) return known.cache;
    // A resource that is not served yet may come with a custom resource definition: look again when one changes.
    const onMissing = (retry: (pause: number) => void) => {
      const definitions = of(CUSTOM_RESOURCE_DEFINITIONS);
      const defines = ({ spec: { group, names } = {} as KubeObject['spec'] }: KubeObject) =>
        group === resource.group && names?.plural === resource.resource;
      // It may have come between the question and the answer.
      if (definitions.list().some(defines)) retry(DEFINED_PAUSE);
      return definitions.subscribe(crd => {
        if (defines(crd)) retry(0);
      });
    };
    const started = startCache(resource, client, clock, onMissing);
    caches.set(id, started);
    if (stopped) started.stop();
    return started.cache;
  };
  return {
    of,
    peek: resource => caches.get(resourceId(resource))?.cache,
    async ready() {
      for (let seen = -1; seen !== caches.size; ) {
        seen = caches.size;
        await Promise.all([...caches.values()].map(c => c.first));
      }
    },
    stop() {
      stopped = true;
      for (const c of caches.values()) c.stop();
    },
  };
}

function startCache(
  resource: GroupVersionResource,
  client: ApiClient,
  clock: Clock,
  onMissing: (retry: (pause: number) => void) => () => void,
) {
  const byNamespace = new Map<string, Map<string, KubeObject>>();
  const byOwner = new Map<string, Set<KubeObject>>();
  const handlers = new Set<ChangeHandler>();
  let synced = false;
  let stopped = false;
  let handle: WatchHandle | undefined;
  let generation = 0;
  let highest = 0;
  let stopWaiting: (() => void) | undefined;
  let firstDone!: () => void;
  const first = new Promise<void>(resolve => {
    firstDone = resolve;
  });

  const find = (namespace: string | undefined, name: string) => byNamespace.get(namespace ?? '')?.get(name);
  const index = (object: KubeObject, add: boolean) => {
    const owner = controllerUid(object);
    if (!owner) return;
    const set = byOwner.get(owner);
    if (add) {
      if (set) set.add(object);
      else byOwner.set(owner, new Set([object]));
    } else if (set) {
      set.delete(object);
      if (set.size === 0) byOwner.delete(owner);
    }
  };
  const tell = (object: KubeObject, previous: KubeObject | undefined, deleted: boolean) => {
    for (const handler of handlers) handler(object, previous, deleted);
  };
  const put = (object: KubeObject) => {
    const { namespace = '', name } = object.metadata;
    const names = byNamespace.get(namespace) ?? new Map<string, KubeObject>();
    byNamespace.set(namespace, names);
    const previous = names.get(name);
    if (previous && revisionOf(previous) >= revisionOf(object)) return;
    if (previous) index(previous, false);
    if (previous && previous.metadata.uid !== object.metadata.uid) {
      names.delete(name);
      tell(previous, previous, true);
      names.set(name, object);
      index(object, true);
      tell(object, undefined, false);
      return;
    }
    names.set(name, object);
    index(object, true);
    tell(object, previous, false);
  };
  const drop = (namespace: string | undefined, name: string, last?: KubeObject) => {
    const names = byNamespace.get(namespace ?? '');
    const previous = names?.get(name);
    if (!names || !previous) return;
    names.delete(name);
    if (names.size === 0) byNamespace.delete(namespace ?? '');
    index(previous, false);
    tell(last ?? previous, previous, true);
  };
  const onEvent = (event: WatchEvent) => {
    const { object } = event;
    highest = Math.max(highest, revisionOf(object));
    if (event.type !== 'DELETED') return put(object);
    const known = find(object.metadata.namespace, object.metadata.name);
    if (known && known.metadata.uid === object.metadata.uid)
      drop(object.metadata.namespace, object.metadata.name, object);
  };

  const follow = async () => {
    const mine = ++generation;
    try {
      const { items, resourceVersion } = await client.list(resource);
      if (stopped || mine !== generation) return;
      const present = new Set(items.map(o => `${o.metadata.namespace ?? ''}/${o.metadata.name}`));
      for (const names of [...byNamespace.values()])
        for (const old of [...names.values()])
          if (!present.has(`${old.metadata.namespace ?? ''}/${old.metadata.name}`))
            drop(old.metadata.namespace, old.metadata.name);
      for (const item of items) put(item);
      highest = Math.max(highest, Number(resourceVersion));
      synced = true;
      firstDone();
      handle = client.watch(resource, { resourceVersion }, onEvent, error => {
        if (!stopped && mine === generation) again(error === undefined ? 0 : RELIST_PAUSE);
      });
    } catch (error) {
      if (stopped || mine !== generation) return;
      if (error instanceof StatusError && error.code === 404) {
        for (const names of [...byNamespace.values()])
          for (const old of [...names.values()]) drop(old.metadata.namespace, old.metadata.name);
        synced = false;
        firstDone();
        stopWaiting ??= onMissing(again);
        return;
      }
      again(RELIST_PAUSE);
    }
  };
  const again = (pause: number) => {
    generation++;
    clock.after(pause, () => {
      if (stopped) return;
      handle?.stop();
      handle = undefined;
      stopWaiting?.();
      stopWaiting = undefined;
      void follow();
    });
  };

  const cache: SharedCache = {
    resource,
    get synced() {
      return synced;
    },
    get: find,
    list: namespace =>
      namespace === undefined
        ? [...byNamespace.values()].flatMap(names => [...names.values()])
        : [...(byNamespace.get(namespace)?.values() ?? [])],
    owned: uid => [...(byOwner.get(uid) ?? [])],
    subscribe(handler) {
      handlers.add(handler);
      return () => handlers.delete(handler);
    },
    learn(object) {
      // Whatever is older than the last word of the watch has been told by it already, or is gone again.
      if (synced && revisionOf(object) > highest) put(object);
    },
    forget(namespace, name, uid) {
      if (find(namespace, name)?.metadata.uid === uid) drop(namespace, name);
    },
  };
  void follow();
  return {
    cache,
    first,
    stop() {
      stopped = true;
      handle?.stop();
      stopWaiting?.();
      firstDone();
    },
  };
}

/** How an error about this resource would name it; for messages of our own. */
export const nameOf = (resource: GroupVersionResource) => groupResource(resource);
