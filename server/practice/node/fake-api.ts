// A tiny API in memory for this folder's tests: objects by resource and name, watches, resource versions, graceful
// deletion. Knows no defaults, no validation and no users.

import type { Clock } from '../../clock.ts';
import {
  type ApiClient,
  alreadyExists,
  conflict,
  type GroupVersionResource,
  type KubeObject,
  type ListOptions,
  notFound,
  OBJECT_MODIFIED,
  StatusError,
  timestamp,
  type WatchEvent,
} from '../../kube/index.ts';

interface Watcher {
  resource: string;
  options: ListOptions;
  onEvent(event: WatchEvent): void;
}

export class FakeApi implements ApiClient {
  readonly objects = new Map<string, KubeObject>();
  private version = 0;
  private uid = 0;
  private readonly watchers = new Set<Watcher>();
  private readonly clock: Clock;
  /** Groups that are not served yet (their CRDs are missing). */
  readonly absent = new Set<string>();
  /** Every write that reached the API, for tests that count. */
  writes = 0;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  private key(resource: GroupVersionResource, namespace: string | undefined, name: string): string {
    return `${resource.resource}/${namespace ?? ''}/${name}`;
  }

  private matches(object: KubeObject, options: ListOptions): boolean {
    if (options.namespace && object.metadata.namespace !== options.namespace) return false;
    const name = /metadata\.name=([^,]+)/.exec(options.fieldSelector ?? '')?.[1];
    if (name !== undefined && object.metadata.name !== name) return false;
    const node = /spec\.nodeName=(.+)/.exec(options.fieldSelector ?? '')?.[1];
    return node === undefined || object['spec']?.nodeName === node;
  }

  private emit(resource: string, type: WatchEvent['type'], object: KubeObject, previous?: KubeObject): void {
    for (const watcher of this.watchers) {
      if (watcher.resource !== resource || !this.matches(object, watcher.options)) continue;
      const fresh = type === 'MODIFIED' && previous && !this.matches(previous, watcher.options);
      queueMicrotask(
        () => this.watchers.has(watcher) && watcher.onEvent({ type: fresh ? 'ADDED' : type, object }),
      );
    }
  }

  private store(
    resource: GroupVersionResource,
    object: KubeObject,
    type: 'ADDED' | 'MODIFIED',
    previous?: KubeObject,
  ): KubeObject {
    this.writes++;
    const next = structuredClone(object);
    next.metadata.resourceVersion = String(++this.version);
    this.objects.set(this.key(resource, next.metadata.namespace, next.metadata.name), next);
    this.emit(resource.resource, type, next, previous);
    return next;
  }

  async get(resource: GroupVersionResource, key: { namespace?: string; name: string }): Promise<KubeObject> {
    const found = this.objects.get(this.key(resource, key.namespace, key.name));
    if (!found)
      throw notFound(
        {
          group: resource.group,
          resource: resource.resource.replace(/s$/, '') === 'configmap' ? 'configmaps' : resource.resource,
        },
        key.name,
      );
    return found;
  }

  async list(resource: GroupVersionResource, options: ListOptions = {}) {
    if (this.absent.has(resource.group))
      throw new StatusError({
        message: 'the server could not find the requested resource',
        reason: 'NotFound',
        code: 404,
      });
    const items = [...this.objects].filter(
      ([key, o]) => key.startsWith(`${resource.resource}/`) && this.matches(o, options),
    );
    return { items: items.map(([, o]) => o), resourceVersion: String(this.version) };
  }

  async create(
    resource: GroupVersionResource,
    object: KubeObject,
    subresource?: { name: string },
  ): Promise<KubeObject> {
    if (subresource?.name === 'token') return { ...object, status: { token: 'a.b.c' } };
    const key = this.key(resource, object.metadata.namespace, object.metadata.name);
    if (this.objects.has(key)) throw alreadyExists(resource, object.metadata.name);
    const next = structuredClone(object);
    next.metadata.uid = `uid-${++this.uid}`;
    next.metadata.creationTimestamp = timestamp(this.clock.now());
    return this.store(resource, next, 'ADDED');
  }

  async update(
    resource: GroupVersionResource,
    object: KubeObject,
    subresource?: string,
  ): Promise<KubeObject> {
    const old = await this.get(resource, object.metadata);
    if (object.metadata.resourceVersion && object.metadata.resourceVersion !== old.metadata.resourceVersion)
      throw conflict(resource, object.metadata.name, OBJECT_MODIFIED);
    const next =
      subresource === 'status' ? { ...old, status: object['status'] } : { ...object, status: old['status'] };
    return this.store(resource, next, 'MODIFIED', old);
  }

  async patch(
    resource: GroupVersionResource,
    key: { namespace?: string; name: string },
    _type: string,
    patch: any,
  ): Promise<KubeObject> {
    const old = await this.get(resource, key);
    const merge = (a: any, b: any): any =>
      b && typeof b === 'object' && !Array.isArray(b)
        ? Object.fromEntries(
            Object.entries({
              ...a,
              ...Object.fromEntries(Object.entries(b).map(([k, v]) => [k, merge(a?.[k], v)])),
            }).filter(([, v]) => v !== null),
          )
        : b;
    return this.store(resource, merge(old, patch), 'MODIFIED', old);
  }

  async delete(
    resource: GroupVersionResource,
    key: { namespace?: string; name: string },
    options: { gracePeriodSeconds?: number } = {},
  ): Promise<void> {
    const old = await this.get(resource, key);
    const grace = options.gracePeriodSeconds ?? old['spec']?.terminationGracePeriodSeconds ?? 30;
    if (resource.resource === 'pods' && grace > 0 && old['spec']?.nodeName) {
      const until = timestamp(this.clock.now() + grace * 1000);
      this.store(
        resource,
        {
          ...old,
          metadata: { ...old.metadata, deletionTimestamp: until, deletionGracePeriodSeconds: grace },
        },
        'MODIFIED',
        old,
      );
      return;
    }
    this.writes++;
    this.objects.delete(this.key(resource, key.namespace, key.name));
    this.version++;
    this.emit(resource.resource, 'DELETED', {
      ...old,
      metadata: { ...old.metadata, resourceVersion: String(this.version) },
    });
  }

  watch(resource: GroupVersionResource, options: ListOptions, onEvent: (event: WatchEvent) => void) {
    const watcher: Watcher = { resource: resource.resource, options, onEvent };
    this.watchers.add(watcher);
    for (const [key, object] of this.objects)
      if (key.startsWith(`${resource.resource}/`) && this.matches(object, options))
        queueMicrotask(() => this.watchers.has(watcher) && onEvent({ type: 'ADDED', object }));
    return { stop: () => void this.watchers.delete(watcher) };
  }
}
