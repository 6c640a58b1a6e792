// What checks see of a cluster: the objects a reference means, kept current by one shared watch a kind. Knows no checks.

import type { Ref } from '#common/lab/index.ts';
import type { Clock } from '../clock.ts';
import type { KubeObject } from '../kube/index.ts';
import { CouldNotLook } from './could-not-look.ts';
import { type Discover, discovery, type ResourcePath } from './discovery.ts';
import { type KubeApi, openKubeApi } from './kube-api.ts';

/** After a broken watch the next try waits this long, doubling up to the second number. Milliseconds. */
const RETRY_FIRST = 200;
const RETRY_MOST = 5_000;
/** A kind nobody asks for any more is still watched this long, so that reopening a step costs nothing. Milliseconds. */
const LINGER = 30_000;

export interface KubeWatch {
  readonly api: KubeApi;
  /** The objects `ref` means, now; [] also when the cluster has no such kind. Rejects with CouldNotLook. */
  list(ref: Ref): Promise<KubeObject[]>;
  /** Whether the cluster knows the kind. */
  knows(ref: Ref): Promise<boolean>;
  /** Calls `changed` after an object that `ref` means came, changed or went, or the cluster came or went. */
  watch(ref: Ref, changed: () => void): () => void;
  close(): void;
}

interface Source {
  /** Rejects when the cluster cannot be read. Settled anew after each break. */
  synced: Promise<void>;
  objects: Map<string, KubeObject>;
  listeners: Set<{ ref: Ref; changed: () => void }>;
  problem: unknown;
  stop(): void;
}

export async function openKubeWatch(kubeconfig: string, clock: Clock): Promise<KubeWatch> {
  return watchThrough(await openKubeApi(kubeconfig), clock);
}

/** The same over any API; tests hand in a small one. */
export function watchThrough(api: KubeApi, clock: Clock): KubeWatch {
  const discover: Discover = discovery(api);
  const sources = new Map<string, Source>();
  let closed = false;

  const sourceOf = async (ref: Ref): Promise<Source | undefined> => {
    const path = await discover(ref);
    if (!path || closed) return undefined;
    const key = `${path.base}/${path.plural}`;
    let source = sources.get(key);
    if (!source) {
      source = openSource(api, clock, path);
      sources.set(key, source);
      linger(key, source);
    }
    return source;
  };

  const linger = (key: string, source: Source) => {
    clock.after(LINGER, () => {
      if (closed || sources.get(key) !== source) return;
      if (source.listeners.size > 0) return linger(key, source);
      sources.delete(key);
      source.stop();
    });
  };

  return {
    api,
    async list(ref) {
      if (closed) throw new CouldNotLook({ 'zh-TW': '這次練習已經結束。', en: 'This attempt has ended.' });
      const source = await sourceOf(ref);
      if (!source) return [];
      await source.synced;
      if (source.problem) throw source.problem;
      return [...source.objects.values()]
        .filter(object => means(ref, object))
        .sort((a, b) => nameOf(a).localeCompare(nameOf(b)));
    },
    knows: async ref => (await discover(ref)) !== undefined,
    watch(ref, changed) {
      const listener = { ref, changed };
      let stopped = false;
      let drop = () => {};
      const attach = (wait: number) => {
        sourceOf(ref).then(
          source => {
            if (stopped || closed) return;
            if (source) {
              source.listeners.add(listener);
              drop = () => source.listeners.delete(listener);
              // Whatever happened between the caller's look and this moment must not be missed.
              changed();
            } else retry(wait);
          },
          () => retry(wait),
        );
      };
      // The kind may come later (a CRD), or the cluster may come back.
      const retry = (wait: number) => {
        if (stopped || closed) return;
        const timer = clock.after(wait, () => attach(Math.min(wait * 2, RETRY_MOST)));
        drop = () => timer.cancel();
      };
      attach(RETRY_FIRST);
      return () => {
        stopped = true;
        drop();
      };
    },
    close() {
      closed = true;
      for (const source of sources.values()) source.stop();
      sources.clear();
      api.close();
    },
  };
}

function openSource(api: KubeApi, clock: Clock, path: ResourcePath): Source {
  const url = `${path.base}/${path.plural}`;
  let stopped = false;
  let stopWatch = () => {};
  let wait = RETRY_FIRST;
  const source: Source = {
    synced: Promise.resolve(),
    objects: new Map(),
    listeners: new Set(),
    problem: undefined,
    stop,
  };

  function stop() {
    stopped = true;
    stopWatch();
  }

  function tell(...objects: (KubeObject | undefined)[]) {
    for (const { ref, changed } of [...source.listeners]) {
      if (objects.length === 0 || objects.some(object => object && means(ref, object))) changed();
    }
  }

  async function start(): Promise<void> {
    const reply = await api.request('GET', url);
    if (reply.status !== 200) throw refused(url, reply.status, reply.body?.message);
    const fresh = new Map<string, KubeObject>();
    for (const item of reply.body.items as KubeObject[]) fresh.set(nameOf(item), item);
    source.objects = fresh;
    source.problem = undefined;
    wait = RETRY_FIRST;
    if (!stopped) follow(reply.body.metadata?.resourceVersion ?? '0');
    tell();
  }

  function follow(from: string) {
    let last = from;
    stopWatch = api.watch(
      url,
      { resourceVersion: last, allowWatchBookmarks: 'true' },
      {
        event(type, raw) {
          const object = raw as KubeObject;
          if (type === 'ERROR') {
            // Gone: what was missed is only found by listing again.
            stopWatch();
            return again();
          }
          last = object.metadata?.resourceVersion ?? last;
          if (type === 'BOOKMARK') return;
          const before = source.objects.get(nameOf(object));
          if (type === 'DELETED') source.objects.delete(nameOf(object));
          else source.objects.set(nameOf(object), object);
          tell(before, object);
        },
        end(error) {
          if (stopped) return;
          // Servers and quiet connections end watches all the time; only a refusal or a lost cluster needs a new list.
          if (error && (error as Error).name !== 'TimeoutError') again();
          else follow(last);
        },
      },
    );
  }

  function again() {
    if (stopped) return;
    source.synced = clock.sleep(wait).then(() => {
      if (stopped) return;
      wait = Math.min(wait * 2, RETRY_MOST);
      return start();
    });
    source.synced.catch(error => {
      source.problem = error;
      tell();
      again();
    });
    // While the next try is pending, the last known objects serve; the problem, if any, is told.
    source.synced = source.synced.catch(() => {});
  }

  source.synced = start().catch(error => {
    source.problem = error;
    again();
  });
  return source;
}

/** Whether a reference means this object, by namespace, name and labels; the kind is the caller's. */
export function means(ref: Ref, object: KubeObject): boolean {
  const { metadata } = object;
  if (ref.namespace !== undefined && metadata.namespace !== ref.namespace) return false;
  if (ref.name !== undefined && metadata.name !== ref.name) return false;
  return Object.entries(ref.selector ?? {}).every(([key, value]) => metadata.labels?.[key] === value);
}

/** `namespace/name`, or the name alone. */
export function nameOf(object: KubeObject): string {
  return object.metadata.namespace
    ? `${object.metadata.namespace}/${object.metadata.name}`
    : object.metadata.name;
}

function refused(url: string, status: number, message: string | undefined): CouldNotLook {
  const why = message ?? `HTTP ${status}`;
  return new CouldNotLook({
    'zh-TW': `叢集不讓檢查讀取 ${url}：${why}`,
    en: `The cluster refuses to list ${url}: ${why}`,
  });
}
