// Watching: what happened to the selected objects since a version, as the stream of one client. Knows no transport.

import type { Timer } from '../../clock.ts';
import type { KubeObject } from '../../kube/index.ts';
import { apiVersionOf, badRequest, expired, internalError, invalid, StatusError } from '../../kube/index.ts';
import { StoreError, type StoreEvent } from '../store/index.ts';
import type { Environment } from './environment.ts';
import { parseVersion } from './read.ts';
import { type Selection, selectionOf } from './selection.ts';
import type { ResourcePath, ServedResource, WatchRequest, WatchSink } from './types.ts';

/** Upstream sends a bookmark about once a minute. */
const BOOKMARK_MS = 60_000;

export async function watchObjects(
  environment: Environment,
  served: ServedResource,
  path: ResourcePath,
  request: WatchRequest,
  sink: WatchSink,
): Promise<{ stop(): void }> {
  const { definition } = served;
  checkInitialEvents(request);
  const byName = path.name ? `metadata.name=${path.name}` : undefined;
  const fieldSelector = [request.fieldSelector, byName].filter(Boolean).join(',');
  const selection = selectionOf(definition, { ...request, fieldSelector });
  const storage = environment.served.storageOf(definition);
  const prefix =
    path.namespace && definition.namespaced ? `${storage.prefix}${path.namespace}/` : storage.prefix;
  const { resourceVersion, sendInitialEvents } = request;
  const fromStart = !resourceVersion || resourceVersion === '0';
  if (!fromStart) parseVersion(environment, resourceVersion);

  let stopped = false;
  let unsubscribe: (() => void) | undefined;
  let timer: Timer | undefined;
  let stopOnChange: (() => void) | undefined;
  const stop = () => {
    stopped = true;
    unsubscribe?.();
    timer?.cancel();
    stopOnChange?.();
  };

  let last = fromStart ? environment.store.revision : Number(resourceVersion);
  if (sendInitialEvents !== false && (sendInitialEvents || fromStart)) {
    const list = environment.store.list(prefix);
    last = list.revision;
    const converting = environment.served.ready(served, list.items);
    if (converting) await converting;
    for (const stored of list.items) {
      const object = environment.served.toServed(served, stored);
      if (!selection || selection(object)) sink.event({ type: 'ADDED', object });
      if (stopped) return { stop };
    }
    if (sendInitialEvents && request.allowWatchBookmarks) {
      sink.event({ type: 'BOOKMARK', object: bookmark(served, last, true) });
    }
  }

  /** What still waits for a conversion webhook; later events wait behind it. */
  let queue: Promise<void> | undefined;
  const deliver = (event: StoreEvent) => {
    if (stopped) return;
    const translated = translate(environment, served, selection, event);
    if (translated) sink.event(translated);
  };
  const fail = (error: unknown) => {
    if (stopped) return;
    stop();
    const status = error instanceof StatusError ? error.status : internalError(String(error)).status;
    sink.event({ type: 'ERROR', object: status });
    sink.end();
  };
  const onEvent = (event: StoreEvent) => {
    if (stopped) return;
    last = event.revision;
    const converting = environment.served.ready(served, [event.object, event.previous]);
    if (!converting && !queue) return deliver(event);
    converting?.catch(() => {});
    const mine: Promise<void> = (queue ?? Promise.resolve())
      .then(() => converting)
      .then(() => deliver(event), fail)
      .then(() => {
        if (queue === mine) queue = undefined;
      });
    queue = mine;
  };
  try {
    unsubscribe = environment.store.watch(prefix, last, onEvent);
  } catch (error) {
    if (!(error instanceof StoreError) || error.code !== 'expired') throw error;
    const status = expired(`too old resource version: ${last} (${error.message})`).status;
    sink.event({ type: 'ERROR', object: status });
    sink.end();
    return { stop: () => {} };
  }
  // The backlog came while `unsubscribe` was not yet there to be called.
  if (stopped) unsubscribe();

  if (request.allowWatchBookmarks && !stopped) {
    const again = () => {
      timer = environment.clock.after(BOOKMARK_MS, () => {
        if (stopped) return;
        // A bookmark says that everything up to it has been sent.
        if (!queue)
          sink.event({ type: 'BOOKMARK', object: bookmark(served, environment.store.revision, false) });
        again();
      });
    };
    again();
  }
  if (served.custom && !stopped) {
    // A removed or changed definition ends the streams of its objects.
    stopOnChange = environment.served.onChange(groups => {
      if (!groups.includes(definition.group)) return;
      const now = environment.served.find(definition.group, served.version, definition.resource);
      if (now?.definition === definition) return;
      stop();
      sink.end();
    });
  }
  return { stop };
}

/** Entering the selection is ADDED, leaving it is DELETED with the last state that was in it, at the new version. */
function translate(
  environment: Environment,
  served: ServedResource,
  selection: Selection | undefined,
  event: StoreEvent,
): { type: 'ADDED' | 'MODIFIED' | 'DELETED'; object: KubeObject } | undefined {
  const object = environment.served.toServed(served, event.object);
  if (!selection) return { type: event.type, object };
  const before = event.previous && environment.served.toServed(served, event.previous);
  const wasIn = before !== undefined && selection(before);
  if (event.type === 'DELETED') return wasIn ? { type: 'DELETED', object } : undefined;
  const isIn = selection(object);
  if (isIn) return { type: wasIn ? 'MODIFIED' : 'ADDED', object };
  if (!wasIn || !before) return undefined;
  const resourceVersion = String(event.revision);
  return { type: 'DELETED', object: { ...before, metadata: { ...before.metadata, resourceVersion } } };
}

function bookmark(served: ServedResource, revision: number, initial: boolean): KubeObject {
  return {
    kind: served.kind.kind,
    apiVersion: apiVersionOf(served.kind),
    metadata: {
      resourceVersion: String(revision),
      creationTimestamp: null,
      ...(initial ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {}),
    } as KubeObject['metadata'],
  };
}

function checkInitialEvents(request: WatchRequest): void {
  const { sendInitialEvents, resourceVersionMatch } = request;
  const refuse = (field: string, message: string) =>
    invalid({ group: 'meta.k8s.io', kind: 'ListOptions' }, '', [
      { field, type: 'Forbidden', message: `Forbidden: ${message}` },
    ]);
  if (sendInitialEvents === undefined) {
    if (resourceVersionMatch) {
      throw refuse(
        'resourceVersionMatch',
        'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided',
      );
    }
    return;
  }
  if (resourceVersionMatch !== 'NotOlderThan') {
    throw refuse(
      'resourceVersionMatch',
      'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan',
    );
  }
  if (sendInitialEvents && !request.allowWatchBookmarks) {
    throw badRequest('sendInitialEvents requires allowWatchBookmarks');
  }
}
