// A tiny API for tests of the runtime: objects in a map, watches that can be ended, resources that can be missing.

import type { ApiClient, GroupVersionResource, KubeObject, WatchEvent } from '../../../kube/index.ts';
import { alreadyExists, notFound } from '../../../kube/index.ts';

type Listener = { onEvent(event: WatchEvent): void; onEnd?: ((error?: unknown) => void) | undefined };

export class FakeApi {
  readonly served = new Set<string>();
  readonly objects = new Map<string, KubeObject>();
  readonly calls: string[] = [];
  private readonly listeners = new Map<string, Set<Listener>>();
  private revision = 100;

  private key = (r: GroupVersionResource, namespace: string | undefined, name: string) =>
    `${r.resource}/${namespace ?? ''}/${name}`;
  private tell(resource: string, event: WatchEvent) {
    for (const l of [...(this.listeners.get(resource) ?? [])]) l.onEvent(event);
  }

  put(resource: GroupVersionResource, object: KubeObject): KubeObject {
    const key = this.key(resource, object.metadata.namespace, object.metadata.name);
    const known = this.objects.get(key);
    const uid = object.metadata.uid ?? known?.metadata.uid ?? `uid-${this.revision}`;
    const next = {
      ...object,
      metadata: { ...object.metadata, uid, resourceVersion: String(++this.revision) },
    };
    this.objects.set(key, next);
    this.tell(resource.resource, { type: known ? 'MODIFIED' : 'ADDED', object: next });
    return next;
  }

  /** Changes the state without telling watchers, as if their stream had lost it. */
  silently(change: () => void): void {
    const saved = new Map(this.listeners);
    this.listeners.clear();
    change();
    for (const [k, v] of saved) this.listeners.set(k, v);
  }

  remove(resource: GroupVersionResource, namespace: string | undefined, name: string): void {
    const key = this.key(resource, namespace, name);
    const known = this.objects.get(key);
    if (!known) return;
    this.objects.delete(key);
    const metadata = { ...known.metadata, resourceVersion: String(++this.revision) };
    this.tell(resource.resource, { type: 'DELETED', object: { ...known, metadata } });
  }

  endWatches(resource: string, error?: unknown): void {
    const ended = [...(this.listeners.get(resource) ?? [])];
    this.listeners.delete(resource);
    for (const l of ended) l.onEnd?.(error);
  }

  client(): ApiClient {
    return {
      get: async (resource, { namespace, name }) => {
        const found = this.objects.get(this.key(resource, namespace, name));
        if (!found) throw notFound(resource, name);
        return found;
      },
      list: async resource => {
        this.calls.push(`list ${resource.resource}`);
        if (!this.served.has(resource.resource)) throw notFound(resource, '');
        const items = [...this.objects]
          .filter(([k]) => k.startsWith(`${resource.resource}/`))
          .map(([, o]) => o);
        return { items, resourceVersion: String(this.revision) };
      },
      create: async (resource, object) => {
        this.calls.push(`create ${resource.resource} ${object.metadata.name}`);
        if (this.objects.has(this.key(resource, object.metadata.namespace, object.metadata.name)))
          throw alreadyExists(resource, object.metadata.name);
        return this.put(resource, object);
      },
      update: async (resource, object) => this.put(resource, object),
      patch: async (resource, { namespace, name }, _type, patch) => {
        this.calls.push(`patch ${resource.resource} ${name}`);
        const found = this.objects.get(this.key(resource, namespace, name));
        if (!found) throw notFound(resource, name);
        return this.put(resource, { ...found, ...(patch as object) });
      },
      delete: async (resource, { namespace, name }) => this.remove(resource, namespace, name),
      watch: (resource, _options, onEvent, onEnd) => {
        const set = this.listeners.get(resource.resource) ?? new Set();
        this.listeners.set(resource.resource, set);
        const listener = { onEvent, onEnd };
        set.add(listener);
        return { stop: () => set.delete(listener) };
      },
    };
  }
}
