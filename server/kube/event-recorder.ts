// Records events about objects as client-go's recorder does: repeats are counted on one Event, floods are cut.
// Knows no reasons and no words.

import type { ApiClient } from './client.ts';
import { type GroupVersionResource, type KubeObject, timestamp } from './object.ts';
import { StatusError } from './status.ts';

const EVENTS: GroupVersionResource = { group: '', version: 'v1', resource: 'events' };

/** Per source and object: a burst, then one every five minutes (client-go's spam filter). */
const BURST = 25;
const REFILL_MS = 300_000;
/** More different messages than this in ten minutes are put together. */
const MAX_SIMILAR = 10;
const SIMILAR_WINDOW_MS = 600_000;
/** Correlated events remembered; the oldest are forgotten. */
const MAX_REMEMBERED = 4096;

interface Clock {
  now(): number;
}

interface Random {
  below(limit: number): number;
}

interface Seen {
  name: string;
  namespace: string;
  count: number;
}

export class EventRecorder {
  private readonly seen = new Map<string, Seen>();
  private readonly tokens = new Map<string, { left: number; at: number }>();
  private readonly similar = new Map<string, { messages: Set<string>; at: number }>();
  private queue: Promise<void> = Promise.resolve();
  private readonly client: ApiClient;
  private readonly clock: Clock;
  private readonly random: Random;
  private readonly source: { component: string; host?: string };

  constructor(services: {
    client: ApiClient;
    clock: Clock;
    random: Random;
    source: { component: string; host?: string };
  }) {
    this.client = services.client;
    this.clock = services.clock;
    this.random = services.random;
    this.source = services.source;
  }

  /** `fieldPath` names the part concerned: `spec.containers{web}`. `uid` replaces the object's own (nodes use their name). */
  record(
    object: KubeObject,
    type: 'Normal' | 'Warning',
    reason: string,
    message: string,
    options: { fieldPath?: string; uid?: string } = {},
  ): void {
    const about = `${object.kind}/${object.metadata.namespace ?? ''}/${object.metadata.name}/${object.metadata.uid ?? ''}`;
    if (!this.allow(about)) return;
    let text = message;
    const kindOf = `${about}|${options.fieldPath ?? ''}|${type}|${reason}`;
    const group = this.similar.get(kindOf);
    if (!group || this.clock.now() - group.at > SIMILAR_WINDOW_MS)
      this.remember(this.similar, kindOf, { messages: new Set([message]), at: this.clock.now() });
    else {
      group.messages.add(message);
      group.at = this.clock.now();
      if (group.messages.size > MAX_SIMILAR) text = `(combined from similar events): ${message}`;
    }
    const combined = text !== message;
    const key = combined ? kindOf : `${kindOf}|${text}`;
    const now = timestamp(this.clock.now());
    this.queue = this.queue.then(async () => {
      try {
        const known = this.seen.get(key);
        if (known) {
          known.count++;
          const change = { count: known.count, lastTimestamp: now, ...(combined ? { message: text } : {}) };
          try {
            await this.client.patch(
              EVENTS,
              { namespace: known.namespace, name: known.name },
              'merge',
              change,
            );
            return;
          } catch (error) {
            if (!(error instanceof StatusError) || error.code !== 404) throw error;
          }
        }
        const created = await this.client.create(
          EVENTS,
          this.eventFor(object, type, reason, text, now, options),
        );
        this.remember(this.seen, key, {
          name: created.metadata.name,
          namespace: created.metadata.namespace ?? 'default',
          count: 1,
        });
      } catch {
        // An event that cannot be written (its namespace is going away) is dropped, as upstream does.
      }
    });
  }

  /** Resolves when everything recorded so far is written. */
  flush(): Promise<void> {
    return this.queue;
  }

  /** Forgets what was counted, for instance after the cluster went back in time. */
  reset(): void {
    this.seen.clear();
    this.tokens.clear();
    this.similar.clear();
  }

  private remember<V>(map: Map<string, V>, key: string, value: V): void {
    map.set(key, value);
    if (map.size > MAX_REMEMBERED) map.delete(map.keys().next().value!);
  }

  private allow(about: string): boolean {
    const now = this.clock.now();
    const bucket = this.tokens.get(about) ?? { left: BURST, at: now };
    bucket.left = Math.min(BURST, bucket.left + (now - bucket.at) / REFILL_MS);
    bucket.at = now;
    this.remember(this.tokens, about, bucket);
    if (bucket.left < 1) return false;
    bucket.left -= 1;
    return true;
  }

  private eventFor(
    object: KubeObject,
    type: string,
    reason: string,
    message: string,
    now: string,
    options: { fieldPath?: string; uid?: string },
  ): KubeObject {
    const namespace = object.metadata.namespace ?? 'default';
    const nanos = BigInt(Math.floor(this.clock.now())) * 1_000_000n + BigInt(this.random.below(1_000_000));
    return {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: `${object.metadata.name}.${nanos.toString(16)}`, namespace },
      involvedObject: {
        kind: object.kind,
        ...(object.metadata.namespace ? { namespace: object.metadata.namespace } : {}),
        name: object.metadata.name,
        uid: options.uid ?? object.metadata.uid,
        ...(object.kind === 'Node'
          ? {}
          : { apiVersion: object.apiVersion, resourceVersion: object.metadata.resourceVersion }),
        ...(options.fieldPath ? { fieldPath: options.fieldPath } : {}),
      },
      reason,
      message,
      source: this.source,
      firstTimestamp: now,
      lastTimestamp: now,
      count: 1,
      type,
      eventTime: null,
      reportingComponent: this.source.component,
      reportingInstance: this.source.host ?? '',
    };
  }
}
