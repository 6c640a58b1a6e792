// client-go's informer: the copies of one kind, kept by a list and a watch, listed again when the watch ends. A refusal is
// logged in client-go's words and tried again. Knows no kind.

import { type ApiClient, type KubeObject, type ObjectKey, StatusError } from '../../../kube/index.ts';
import type { Container } from '../types.ts';
import { klog } from './logs.ts';
import type { Watched } from './types.ts';

/** client-go's back-off between two tries to list. Milliseconds. */
const FIRST_RETRY = 800;
const LAST_RETRY = 30_000;
/** controller-runtime asks again for a kind that is not there. Milliseconds. */
const KIND_POLL = 10_000;
const REFLECTOR = 'pkg/mod/k8s.io/client-go@v0.30.4/tools/cache/reflector.go:232';

export interface Informer {
  /** Resolves when the first list has come. */
  synced: Promise<void>;
  get(key: ObjectKey): KubeObject | undefined;
  list(namespace?: string): KubeObject[];
  /** Takes over the answer to a write of one's own, which the watch may tell only later. */
  learn(object: KubeObject): void;
  /** Is told every change; `deleted` objects come in their last state. What is there already counts as a change. */
  subscribe(listener: (object: KubeObject, deleted: boolean) => void): void;
}

const idOf = ({ namespace, name }: ObjectKey) => `${namespace ?? ''}/${name}`;
const revisionOf = (object: KubeObject) => Number(object.metadata.resourceVersion ?? 0);

/** Starts an informer that lives as long as `signal` has not fired. */
export function inform(
  container: Container,
  api: ApiClient,
  kind: Watched,
  signal: AbortSignal,
  kindMissing?: (kind: Watched) => void,
): Informer {
  const { clock, random } = container;
  const copies = new Map<string, KubeObject>();
  const listeners = new Set<(object: KubeObject, deleted: boolean) => void>();
  /** The newest change that list or watch has told of. */
  let told = 0;
  let firstList!: () => void;
  const synced = new Promise<void>(resolve => {
    firstList = resolve;
  });

  const tell = (object: KubeObject, deleted: boolean) => {
    for (const listener of listeners) listener(object, deleted);
  };
  const put = (object: KubeObject) => {
    const id = idOf(object.metadata);
    const known = copies.get(id);
    if (known && revisionOf(known) >= revisionOf(object)) return;
    if (known && known.metadata.uid !== object.metadata.uid) tell(known, true);
    copies.set(id, object);
    tell(object, false);
  };
  const drop = (object: KubeObject) => {
    const id = idOf(object.metadata);
    if (copies.get(id)?.metadata.uid !== object.metadata.uid) return;
    copies.delete(id);
    tell(object, true);
  };

  const listAndWatch = async () => {
    const { items, resourceVersion } = await api.list(kind);
    const there = new Set(items.map(item => item.metadata.uid));
    for (const old of [...copies.values()]) if (!there.has(old.metadata.uid)) drop(old);
    for (const item of items) put(item);
    told = Math.max(told, Number(resourceVersion));
    firstList();
    await new Promise<void>(resolve => {
      const end = () => {
        handle.stop();
        signal.removeEventListener('abort', end);
        resolve();
      };
      const handle = api.watch(
        kind,
        { resourceVersion },
        ({ type, object }) => {
          told = Math.max(told, revisionOf(object));
          if (type === 'DELETED') drop(object);
          else put(object);
        },
        end,
      );
      if (signal.aborted) end();
      else signal.addEventListener('abort', end, { once: true });
    });
  };
  const served = async () => {
    const kinds = await api.discover?.(kind.group, kind.version);
    return !kinds || kinds.some(found => found.kind === kind.kind);
  };
  const follow = async () => {
    while (kindMissing && !signal.aborted && !(await served())) {
      kindMissing(kind);
      await clock.sleep(KIND_POLL, signal);
    }
    let pause = FIRST_RETRY;
    while (!signal.aborted) {
      try {
        await listAndWatch();
        pause = FIRST_RETRY;
      } catch (error) {
        if (!(error instanceof StatusError)) throw error;
        const failed = `failed to list ${kind.type}: ${error.message}`;
        container.logError(klog(container, 'W', 'reflector.go:547', `${REFLECTOR}: ${failed}`));
        container.logError(
          klog(container, 'E', 'reflector.go:150', `${REFLECTOR}: Failed to watch ${kind.type}: ${failed}`),
        );
      }
      // Up to twice as long, so that many do not ask at the same moment.
      await clock.sleep(pause + random.below(pause), signal);
      pause = Math.min(pause * 2, LAST_RETRY);
    }
  };
  void follow();

  return {
    synced,
    get: key => copies.get(idOf(key)),
    list: namespace =>
      [...copies.values()].filter(({ metadata }) => !namespace || metadata.namespace === namespace),
    learn(object) {
      // Whatever is older than the last word of the watch has been told by it already, or is gone again.
      if (revisionOf(object) > told) put(object);
    },
    subscribe: listener => {
      listeners.add(listener);
      for (const object of copies.values()) listener(object, false);
    },
  };
}
