// The store in memory: sorted keys per resource, a bounded log of changes, snapshots that share what did not change.
// Knows nothing of HTTP, kinds, users or rules.

import type { KubeObject } from '../../kube/index.ts';
import type { Store, StoreDump, StoreEvent, StoreList, StoreSnapshot } from './types.ts';
import { StoreError } from './types.ts';

/** Changes kept for watches and reads of the past; about ten minutes of a busy practice cluster. */
const LOG_LENGTH = 4096;

export interface MemoryStoreOptions {
  /** How many changes the log keeps. */
  logLength?: number;
  /** Freezes every stored object deeply, so that a test sees whoever writes into a shared object. */
  freeze?: boolean;
  /** Told the key of every write; must not write itself. */
  onWrite?: (key: string) => void;
}

/** All objects of one resource: the first segment of a key names it. */
interface Bucket {
  keys: string[];
  objects: Map<string, KubeObject>;
  /** True when a snapshot also holds this bucket: the next write copies it first. */
  shared: boolean;
}

interface Snapshot extends StoreSnapshot {
  buckets: ReadonlyMap<string, Bucket>;
}

interface Watcher {
  prefix: string;
  last: number;
  onEvent: (event: StoreEvent) => void;
}

export function createMemoryStore(options: MemoryStoreOptions = {}): Store {
  const logLength = options.logLength ?? LOG_LENGTH;
  const buckets = new Map<string, Bucket>();
  const watchers = new Map<string, Set<Watcher>>();
  /** Which snapshot's object a restored one is a copy of, so that a second restore finds nothing to do. */
  const restoredFrom = new WeakMap<KubeObject, KubeObject>();
  let log: StoreEvent[] = [];
  /** Reads and watches from before this revision are gone. */
  let compacted = 0;
  let revision = 0;
  const undelivered: StoreEvent[] = [];
  let delivering = false;

  const bucketOf = (name: string): Bucket | undefined => buckets.get(name);

  function writable(name: string): Bucket {
    const bucket = buckets.get(name);
    if (bucket && !bucket.shared) return bucket;
    const copy: Bucket = bucket
      ? { keys: bucket.keys.slice(), objects: new Map(bucket.objects), shared: false }
      : { keys: [], objects: new Map(), shared: false };
    buckets.set(name, copy);
    return copy;
  }

  function stamp(object: KubeObject): KubeObject {
    revision += 1;
    const stamped = { ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } };
    return options.freeze ? deepFreeze(stamped) : stamped;
  }

  function put(key: string, object: KubeObject): KubeObject {
    const stored = stamp(object);
    const bucket = writable(bucketName(key));
    const previous = bucket.objects.get(key);
    if (!previous) bucket.keys.splice(position(bucket.keys, key), 0, key);
    bucket.objects.set(key, stored);
    record(
      previous
        ? { type: 'MODIFIED', revision, key, object: stored, previous }
        : { type: 'ADDED', revision, key, object: stored },
    );
    return stored;
  }

  function drop(key: string, previous: KubeObject): KubeObject {
    const last = stamp(previous);
    const bucket = writable(bucketName(key));
    bucket.keys.splice(position(bucket.keys, key), 1);
    bucket.objects.delete(key);
    record({ type: 'DELETED', revision, key, object: last, previous });
    return last;
  }

  function record(event: StoreEvent): void {
    log.push(event);
    options.onWrite?.(event.key);
    // Cutting in large steps keeps a write at constant cost.
    if (log.length > logLength * 1.25) {
      const cut = log.length - logLength;
      compacted = (log[cut - 1] as StoreEvent).revision;
      log = log.slice(cut);
    }
    undelivered.push(event);
  }

  /** Hands out what was written, in order, even when a listener writes in turn. */
  function deliver(): void {
    if (delivering) return;
    delivering = true;
    try {
      for (let event = undelivered.shift(); event; event = undelivered.shift()) {
        const interested = watchers.get(bucketName(event.key));
        if (!interested) continue;
        for (const watcher of [...interested]) {
          if (event.revision <= watcher.last || !event.key.startsWith(watcher.prefix)) continue;
          if (!interested.has(watcher)) continue;
          watcher.last = event.revision;
          watcher.onEvent(event);
        }
      }
    } finally {
      delivering = false;
    }
  }

  function indexAfter(fromRevision: number): number {
    let low = 0;
    let high = log.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((log[middle] as StoreEvent).revision <= fromRevision) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The bucket as it was: today's state with the log undone from its end. */
  function past(name: string, atRevision: number): Pick<Bucket, 'keys' | 'objects'> {
    const bucket = bucketOf(name);
    const objects = new Map(bucket?.objects);
    for (let i = log.length - 1; i >= 0; i--) {
      const event = log[i] as StoreEvent;
      if (event.revision <= atRevision) break;
      if (bucketName(event.key) !== name) continue;
      if (event.previous) objects.set(event.key, event.previous);
      else objects.delete(event.key);
    }
    return { keys: [...objects.keys()].sort(compare), objects };
  }

  /** Makes the store hold `target`, telling watchers the difference. */
  function become(target: ReadonlyMap<string, Pick<Bucket, 'keys' | 'objects'>>): void {
    for (const [name, bucket] of [...buckets]) {
      const wanted = target.get(name);
      for (const key of bucket.keys.slice()) {
        if (!wanted?.objects.has(key)) drop(key, bucket.objects.get(key) as KubeObject);
      }
    }
    for (const [name, wanted] of target) {
      for (const key of wanted.keys) {
        const object = wanted.objects.get(key) as KubeObject;
        const current = buckets.get(name)?.objects.get(key);
        if (current === object || (current && restoredFrom.get(current) === object)) continue;
        restoredFrom.set(put(key, object), restoredFrom.get(object) ?? object);
      }
    }
    deliver();
  }

  return {
    get revision() {
      return revision;
    },

    get(key) {
      return bucketOf(bucketName(key))?.objects.get(key);
    },

    list(prefix, { afterKey, limit, atRevision } = {}): StoreList {
      const name = bucketName(prefix);
      if (atRevision !== undefined && atRevision > revision) throw new StoreError('too-large-version');
      if (atRevision !== undefined && atRevision < compacted) throw new StoreError('expired');
      const source =
        atRevision !== undefined && atRevision < revision ? past(name, atRevision) : bucketOf(name);
      const at = atRevision ?? revision;
      if (!source) return { items: [], revision: at, remaining: 0 };
      const { keys, objects } = source;
      let index = position(keys, prefix);
      if (afterKey !== undefined && afterKey >= prefix) {
        index = position(keys, afterKey);
        if (keys[index] === afterKey) index += 1;
      }
      const items: KubeObject[] = [];
      let lastKey = '';
      for (; index < keys.length; index++) {
        const key = keys[index] as string;
        if (!key.startsWith(prefix)) break;
        if (limit !== undefined && items.length >= limit) {
          let end = index;
          while (end < keys.length && (keys[end] as string).startsWith(prefix)) end += 1;
          return { items, revision: at, nextKey: lastKey, remaining: end - index };
        }
        items.push(objects.get(key) as KubeObject);
        lastKey = key;
      }
      return { items, revision: at, remaining: 0 };
    },

    create(key, object) {
      if (bucketOf(bucketName(key))?.objects.has(key)) throw new StoreError('exists');
      const stored = put(key, object);
      deliver();
      return stored;
    },

    update(key, change) {
      const current = bucketOf(bucketName(key))?.objects.get(key);
      if (!current) throw new StoreError('not-found');
      const next = change(current);
      if (next === current) return current;
      const stored = put(key, next);
      deliver();
      return stored;
    },

    delete(key, check) {
      const current = bucketOf(bucketName(key))?.objects.get(key);
      if (!current) throw new StoreError('not-found');
      check?.(current);
      const last = drop(key, current);
      deliver();
      return last;
    },

    watch(prefix, fromRevision, onEvent) {
      if (fromRevision > revision) throw new StoreError('too-large-version');
      if (fromRevision < compacted) throw new StoreError('expired', String(compacted));
      const name = bucketName(prefix);
      const watcher: Watcher = { prefix, last: fromRevision, onEvent };
      const set = watchers.get(name) ?? new Set();
      watchers.set(name, set);
      set.add(watcher);
      const stop = () => {
        set.delete(watcher);
      };
      for (const event of log.slice(indexAfter(fromRevision))) {
        if (!set.has(watcher)) break;
        if (bucketName(event.key) !== name || !event.key.startsWith(prefix)) continue;
        watcher.last = event.revision;
        onEvent(event);
      }
      return stop;
    },

    snapshot(): StoreSnapshot {
      for (const bucket of buckets.values()) bucket.shared = true;
      const snapshot: Snapshot = { revision, buckets: new Map(buckets) };
      return snapshot;
    },

    restore(snapshot) {
      become((snapshot as Snapshot).buckets);
    },

    serialise(snapshot) {
      const from = (snapshot as Snapshot | undefined) ?? { revision, buckets };
      const objects: [string, KubeObject][] = [];
      for (const bucket of from.buckets.values()) {
        for (const key of bucket.keys) objects.push([key, bucket.objects.get(key) as KubeObject]);
      }
      return { revision: from.revision, objects };
    },

    snapshotOf(dump): StoreSnapshot {
      const snapshot: Snapshot = { revision: dump.revision, buckets: bucketsOf(dump, true) };
      return snapshot;
    },

    load(dump) {
      const target = bucketsOf(dump, false);
      if (revision === 0) {
        // An unused store takes the dump as it is, resource versions included.
        for (const [name, bucket] of target) buckets.set(name, bucket);
        revision = dump.revision;
        compacted = dump.revision;
        return;
      }
      become(target);
    },
  };
}

function bucketsOf(dump: StoreDump, shared: boolean): Map<string, Bucket> {
  const target = new Map<string, Bucket>();
  for (const [key, object] of dump.objects) {
    const name = bucketName(key);
    const bucket: Bucket = target.get(name) ?? { keys: [], objects: new Map(), shared };
    target.set(name, bucket);
    bucket.keys.push(key);
    bucket.objects.set(key, object);
  }
  for (const bucket of target.values()) bucket.keys.sort(compare);
  return target;
}

/** `/pods/default/web` and `/pods/` live in bucket `pods`. */
function bucketName(key: string): string {
  const end = key.indexOf('/', 1);
  return end < 0 ? key.slice(1) : key.slice(1, end);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Where `key` is or would be in sorted `keys`. */
function position(keys: string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((keys[middle] as string) < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const child of Object.values(value)) deepFreeze(child);
  }
  return value;
}
