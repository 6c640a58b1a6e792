// The contract of the store: a revisioned key-value log. Knows nothing of HTTP, kinds, users or rules; only `registry` calls it.

import type { KubeObject } from '../../kube/index.ts';

/** What can go wrong in a store; registry turns a code into upstream's words. */
export type StoreErrorCode = 'exists' | 'not-found' | 'conflict' | 'expired' | 'too-large-version';

export class StoreError extends Error {
  readonly code: StoreErrorCode;
  constructor(code: StoreErrorCode, message: string = code) {
    super(message);
    this.name = 'StoreError';
    this.code = code;
  }
}

/** One change in the log. `previous` is the state before; on DELETED `object` is the last state with the deletion's revision. */
export interface StoreEvent {
  type: 'ADDED' | 'MODIFIED' | 'DELETED';
  revision: number;
  key: string;
  object: KubeObject;
  previous?: KubeObject;
}

export interface StoreList {
  items: KubeObject[];
  revision: number;
  /** The key to go on from, when `limit` cut the list. */
  nextKey?: string;
  /** How many items follow `nextKey`. */
  remaining: number;
}

export interface StoreDump {
  revision: number;
  objects: [key: string, object: KubeObject][];
}

/** An opaque frozen moment; cheap to take and to go back to (structural sharing, no copying of objects). */
export interface StoreSnapshot {
  readonly revision: number;
}

/**
 * Keys look like `/pods/<namespace>/<name>` or `/nodes/<name>`: one prefix a resource (its storage identity, the same for
 * every served version), so that a prefix is a list. One revision sequence for everything. Stored objects are frozen deeply in
 * tests and by convention elsewhere; the store sets `metadata.resourceVersion` to the revision of the write.
 */
export interface Store {
  readonly revision: number;
  get(key: string): KubeObject | undefined;
  /** Sorted by key. `atRevision` reads the past as long as the log holds it, else throws `expired`. */
  list(prefix: string, options?: { afterKey?: string; limit?: number; atRevision?: number }): StoreList;
  create(key: string, object: KubeObject): KubeObject;
  /** `change` gets the current object and returns the next one; returning the same reference writes nothing. */
  update(key: string, change: (current: KubeObject) => KubeObject): KubeObject;
  delete(key: string, check?: (current: KubeObject) => void): KubeObject;
  /** Events strictly after `fromRevision`, first those still in the log, then live ones, in order, synchronously. Throws `expired`. */
  watch(prefix: string, fromRevision: number, onEvent: (event: StoreEvent) => void): () => void;
  snapshot(): StoreSnapshot;
  /** Goes back: the revision keeps growing, watchers see the difference as ordinary events. */
  restore(snapshot: StoreSnapshot): void;
  /** A plain value for files, of now or of a snapshot; objects that did not change in between are the same ones in both. */
  serialise(snapshot?: StoreSnapshot): StoreDump;
  load(dump: StoreDump): void;
  /** The snapshot that `serialise` made a dump of. */
  snapshotOf(dump: StoreDump): StoreSnapshot;
}
