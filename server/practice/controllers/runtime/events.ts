// Records what happens to objects as events, counting repeats, folding look-alikes and dropping floods as client-go's
// correlator does. Knows the event, not who looks at it.

import type { Clock } from '../../../clock.ts';
import type { ApiClient, KubeObject } from '../../../kube/index.ts';
import { microTimestamp, StatusError, timestamp } from '../../../kube/index.ts';
import { EVENTS } from '../resources.ts';
import type { EventRecorder } from '../types.ts';

/** More different messages than this about one thing within the interval are folded into one event. */
const MAX_SIMILAR = 10;
const SIMILAR_INTERVAL = 600_000;
/** Events about one object from one source: a burst, then one in five minutes. */
const SPAM_BURST = 25;
const SPAM_REFILL = 300_000;
/** Repeats of a new-style event within this time make a series. */
const SERIES_INTERVAL = 360_000;
/** Remembered keys a recorder holds; upstream keeps 4096. */
const REMEMBERED = 4096;

export interface EventSource {
  component: string;
  host?: string;
}

export interface FullEventRecorder extends EventRecorder {
  /** An event in the style of events.k8s.io: a moment, an action, no counting. */
  action(
    object: KubeObject,
    type: 'Normal' | 'Warning',
    reason: string,
    action: string,
    message: string,
    related?: KubeObject,
  ): void;
}

/** Where events are written, one after the other, for all recorders of a cluster. */
export interface EventSink {
  recorder(source: EventSource): FullEventRecorder;
  readonly quiet: boolean;
}

export interface EventSinkOptions {
  client: ApiClient;
  clock: Clock;
  onQuiet?(): void;
}

export function objectReference(object: KubeObject, fieldPath?: string) {
  return {
    kind: object.kind,
    ...(object.metadata.namespace ? { namespace: object.metadata.namespace } : {}),
    name: object.metadata.name,
    uid: object.metadata.uid,
    apiVersion: object.apiVersion,
    resourceVersion: object.metadata.resourceVersion,
    ...(fieldPath ? { fieldPath } : {}),
  };
}

interface Observed {
  name: string;
  namespace: string;
  count: number;
  last: number;
}

export function createEventSink(options: EventSinkOptions): EventSink {
  const { client, clock } = options;
  const line: (() => Promise<void>)[] = [];
  let writing = false;
  let sequence = 0;

  const write = (task: () => Promise<void>) => {
    line.push(task);
    if (!writing) void drain();
  };
  const drain = async () => {
    writing = true;
    for (let task = line.shift(); task; task = line.shift()) {
      try {
        await task();
      } catch {
        // Events are best effort, as upstream: a namespace that is going away takes no more of them.
      }
    }
    writing = false;
    options.onQuiet?.();
  };
  /** `<object>.<hex of unix nanoseconds>`; the sequence keeps names apart within a millisecond. */
  const nameFor = (object: string) => {
    const nanos = BigInt(clock.now()) * 1_000_000n + BigInt(sequence++ % 1_000_000);
    return `${object}.${nanos.toString(16)}`;
  };

  /** Several sinks may name an event of one object in the same moment: then the next name is taken. */
  const create = async (body: KubeObject) => {
    for (let tries = 0; ; tries++) {
      try {
        await client.create(EVENTS, body);
        return;
      } catch (error) {
        if (!(error instanceof StatusError) || error.reason !== 'AlreadyExists' || tries === 9) throw error;
        body.metadata = { ...body.metadata, name: nameFor(body['involvedObject'].name) };
      }
    }
  };

  const recorder = (source: EventSource): FullEventRecorder => {
    const similar = new Map<string, { messages: Set<string>; last: number }>();
    const observed = new Map<string, Observed>();
    const tokens = new Map<string, { left: number; at: number }>();
    const series = new Map<string, Observed>();

    const allowed = (key: string, now: number) => {
      const bucket = tokens.get(key) ?? { left: SPAM_BURST, at: now };
      const left = Math.min(SPAM_BURST, bucket.left + (now - bucket.at) / SPAM_REFILL);
      remember(tokens, key, { left: left >= 1 ? left - 1 : left, at: now });
      return left >= 1;
    };
    const fold = (group: string, message: string, now: number) => {
      const known = similar.get(group);
      const entry =
        known && now - known.last <= SIMILAR_INTERVAL ? known : { messages: new Set<string>(), last: now };
      entry.messages.add(message);
      entry.last = now;
      remember(similar, group, entry);
      if (entry.messages.size < MAX_SIMILAR) return { key: `${group}\n${message}`, message };
      entry.messages.delete(entry.messages.values().next().value ?? '');
      return { key: group, message: `(combined from similar events): ${message}` };
    };

    return {
      event(object, type, reason, message, fieldPath) {
        const now = clock.now();
        const reference = objectReference(object, fieldPath);
        const namespace = object.metadata.namespace ?? 'default';
        const about = `${reference.kind}/${namespace}/${reference.name}/${reference.uid}/${reference.apiVersion}`;
        const group = `${about}/${fieldPath ?? ''}/${type}/${reason}`;
        const folded = fold(group, message, now);
        const known = observed.get(folded.key);
        const entry: Observed = known
          ? { ...known, count: known.count + 1, last: now }
          : { name: nameFor(object.metadata.name), namespace, count: 1, last: now };
        remember(observed, folded.key, entry);
        if (!allowed(about, now)) return;
        const at = timestamp(now);
        const body: KubeObject = {
          apiVersion: 'v1',
          kind: 'Event',
          metadata: { name: entry.name, namespace },
          involvedObject: reference,
          reason,
          message: folded.message,
          source: { component: source.component, ...(source.host ? { host: source.host } : {}) },
          firstTimestamp: at,
          lastTimestamp: at,
          count: entry.count,
          type,
          eventTime: null,
          reportingComponent: source.component,
          reportingInstance: source.host ?? '',
        };
        write(async () => {
          if (entry.count > 1) {
            try {
              const change = { count: entry.count, lastTimestamp: at, message: folded.message };
              await client.patch(EVENTS, { namespace, name: entry.name }, 'merge', change);
              return;
            } catch (error) {
              // Expired in the meantime: upstream starts it again under a new name and from one.
              if (!(error instanceof StatusError) || error.code !== 404) throw error;
              entry.name = nameFor(object.metadata.name);
              entry.count = 1;
              body.metadata = { name: entry.name, namespace };
              body['count'] = 1;
            }
          }
          await create(body);
        });
      },

      action(object, type, reason, action, message, related) {
        const now = clock.now();
        const reference = objectReference(object);
        const namespace = object.metadata.namespace ?? 'default';
        const key = [type, action, reason, ...Object.values(reference), related?.metadata.uid ?? ''].join(
          '\n',
        );
        const known = series.get(key);
        if (known && now - known.last < SERIES_INTERVAL) {
          const entry = { ...known, count: known.count + 1, last: now };
          remember(series, key, entry);
          const change = { series: { count: entry.count, lastObservedTime: microTimestamp(now) } };
          write(async () => {
            await client.patch(EVENTS, { namespace, name: entry.name }, 'merge', change);
          });
          return;
        }
        const name = nameFor(object.metadata.name);
        remember(series, key, { name, namespace, count: 1, last: now });
        const body: KubeObject = {
          apiVersion: 'v1',
          kind: 'Event',
          metadata: { name, namespace },
          involvedObject: reference,
          reason,
          message,
          source: {},
          firstTimestamp: null,
          lastTimestamp: null,
          type,
          eventTime: microTimestamp(now),
          action,
          ...(related ? { related: objectReference(related) } : {}),
          reportingComponent: source.component,
          reportingInstance: source.host ? `${source.component}-${source.host}` : source.component,
        };
        write(() => create(body));
      },
    };
  };

  return {
    recorder,
    get quiet() {
      return !writing && line.length === 0;
    },
  };
}

function remember<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key);
  map.set(key, value);
  if (map.size > REMEMBERED) map.delete(map.keys().next().value ?? '');
}
