// One watch as a stream of JSON lines, whole objects or tables. Bounds what a client that never reads can cost.

import type { Clock } from '../../clock.ts';
import type { KubeObject } from '../../kube/index.ts';
import type { RegistryWatchEvent, ServedResource, WatchSink } from '../registry/types.ts';
import type { Accepted } from './negotiate.ts';
import type { Reply, WireResponse } from './reply.ts';
import { formOf, type IncludeObject } from './table.ts';

/** Bytes that may wait for a slow reader before its watch is cut; it then lists again, as with a real server. */
const MAX_UNREAD_BYTES = 8 * 1024 * 1024;

export interface WatchStreamOptions {
  clock: Clock;
  served: ServedResource;
  accepted: Accepted;
  includeObject: IncludeObject;
  /** Milliseconds until the stream ends by itself. */
  timeout: number;
}

/** The last event's line, shared by all watchers that get the same object one after the other. */
let lastEvent: { type: string; object: unknown; line: string } | undefined;

/**
 * A sink for the registry that writes to `reply`. `onClose` is called once, when the client or the server ended it.
 * Headers go out with the first event or with `start`, whichever comes first.
 */
export function watchStream(
  reply: Reply,
  options: WatchStreamOptions,
  onClose: () => void,
): WatchSink & { start(): void } {
  const { response } = reply;
  let closed = false;
  let columnsSent = false;
  const timer = options.clock.after(options.timeout, () => finish());

  function close(): void {
    if (closed) return;
    closed = true;
    timer.cancel();
    onClose();
  }
  function finish(): void {
    if (closed) return;
    close();
    start();
    response.end();
  }
  function start(): void {
    if (!reply.sent && !response.destroyed) reply.stream('application/json');
  }
  response.once('close', close);
  response.once('error', close);

  return {
    start,
    event(event) {
      if (closed) return;
      start();
      response.write(line(event));
      if (unread(response) > MAX_UNREAD_BYTES) {
        close();
        response.destroy();
      }
    },
    end: finish,
  };

  function line(event: RegistryWatchEvent): string {
    if (event.type === 'ERROR') return `${JSON.stringify(event)}\n`;
    if (options.accepted.as) {
      const form = formOf(event.object, options.served, options.accepted, {
        now: options.clock.now(),
        includeObject: options.includeObject,
      }) as { columnDefinitions?: unknown };
      // Clients keep the columns of the first event.
      if (form.columnDefinitions) {
        if (columnsSent) form.columnDefinitions = null;
        columnsSent = true;
      }
      return `${JSON.stringify({ type: event.type, object: form })}\n`;
    }
    return wholeObject(event.type, event.object);
  }
}

function wholeObject(type: string, object: KubeObject): string {
  if (lastEvent?.object === object && lastEvent.type === type) return lastEvent.line;
  const line = `${JSON.stringify({ type, object })}\n`;
  lastEvent = { type, object, line };
  return line;
}

/** What Node holds for this client, in whichever layer. */
function unread(response: WireResponse): number {
  if (response.stream) return response.stream.writableLength;
  return response.writableLength + (response.socket?.writableLength ?? 0);
}
