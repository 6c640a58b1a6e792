// What controllers, kubelet, scheduler and the Kubeflow bundles may ask of a cluster. Knows no transport: the practice
// cluster implements it in-process under a given user; the same interface could be spoken over HTTP.

import type { GroupVersionResource, KubeObject } from './object.ts';

/** Where an object lives; `namespace` is absent for cluster-scoped kinds. */
export interface ObjectKey {
  namespace?: string;
  name: string;
}

export interface ListOptions {
  /** All namespaces when absent. */
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
}

export type WatchEventType = 'ADDED' | 'MODIFIED' | 'DELETED';

export interface WatchEvent {
  type: WatchEventType;
  object: KubeObject;
}

export interface WatchHandle {
  stop(): void;
}

export interface DeleteOptions {
  gracePeriodSeconds?: number;
  propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
  preconditions?: { uid?: string; resourceVersion?: string };
}

export type PatchType = 'json' | 'merge' | 'strategic' | 'apply';

/** Every call rejects with a StatusError; objects returned are shared and frozen by convention. */
export interface ApiClient {
  get(resource: GroupVersionResource, key: ObjectKey): Promise<KubeObject>;
  /** Also gives the list's resourceVersion, from which `watch` can go on without a gap. */
  list(
    resource: GroupVersionResource,
    options?: ListOptions,
  ): Promise<{ items: KubeObject[]; resourceVersion: string }>;
  create(
    resource: GroupVersionResource,
    object: KubeObject,
    subresource?: { of: ObjectKey; name: string },
  ): Promise<KubeObject>;
  update(resource: GroupVersionResource, object: KubeObject, subresource?: string): Promise<KubeObject>;
  patch(
    resource: GroupVersionResource,
    key: ObjectKey,
    type: PatchType,
    patch: unknown,
    options?: { subresource?: string; force?: boolean },
  ): Promise<KubeObject>;
  delete(resource: GroupVersionResource, key: ObjectKey, options?: DeleteOptions): Promise<void>;
  /** Discovery: the kinds this group version serves now; empty when there is no such group version. Everybody may ask. */
  discover?(group: string, version: string): Promise<{ kind: string; resource: string }[]>;
  /**
   * Delivers what happens after `resourceVersion` (or the current state first, as ADDED, when absent) until stopped.
   * `onEnd` is called when the stream ends by itself, with the error if there was one; the caller lists again.
   */
  watch(
    resource: GroupVersionResource,
    options: ListOptions & { resourceVersion?: string },
    onEvent: (event: WatchEvent) => void,
    onEnd?: (error?: unknown) => void,
  ): WatchHandle;
}
