// Runs an operator's controllers in a container: copies of what they watch, a queue each, until the container ends.
// Everything goes through the API client of the pod's own account. Knows no operator.

import { type ApiClient, EventRecorder, type KubeObject, type ObjectKey } from '../../../kube/index.ts';
import { answerProbe, portsOf } from '../general.ts';
import { untilAborted } from '../signals.ts';
import type { Container } from '../types.ts';
import { keyText, kindsOf } from './habits.ts';
import { type Informer, inform } from './informer.ts';
import { controllerOf } from './objects.ts';
import { createQueue, type WorkQueue } from './queue.ts';
import type { Controller, Habits, Operator, Watched } from './types.ts';

/** controller-runtime gives up on copies that are not there by then. Milliseconds. */
const SYNC_LIMIT = 120_000;

export interface OperatorOptions {
  /** The source of its events: `notebook-controller`. */
  component: string;
  habits: Habits;
  controllers: readonly Controller[];
  /** Ports it answers itself; the others the pod declares answer probes only. */
  ownPorts?: readonly number[];
}

/** The exit code: 0 after SIGTERM, 137 after SIGKILL, 1 without an account or when the habits give up. */
export async function runOperator(container: Container, options: OperatorOptions): Promise<number> {
  const { clock, random, signal, api } = container;
  const { habits, controllers, ownPorts = [] } = options;
  if (!api) {
    habits.noAccount?.();
    return 1;
  }
  const life = new AbortController();
  const stop = () => life.abort();
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();

  const informers = new Map<string, Informer>();
  const idOf = ({ group, version, resource }: Omit<Watched, 'kind' | 'type'>) =>
    `${resource}.${version}.${group}`;
  const informerOf = (kind: Watched): Informer => {
    const known = informers.get(idOf(kind));
    if (known) return known;
    const started = inform(container, api, kind, life.signal, habits.kindMissing);
    informers.set(idOf(kind), started);
    return started;
  };

  const queues = new Map<string, WorkQueue>();
  const operator: Operator = {
    container,
    api: seenAtOnce(api, resource => informers.get(idOf(resource))),
    events: new EventRecorder({ client: api, clock, random, source: { component: options.component } }),
    get: (kind, key) => informerOf(kind).get(key),
    list: (kind, namespace) => informerOf(kind).list(namespace),
    owned: (kind, owner) =>
      informerOf(kind)
        .list(owner.metadata.namespace)
        .filter(({ metadata }) => controllerOf(metadata)?.uid === owner.metadata.uid),
    queue: (controller, key) => queues.get(controller)?.add(keyText(key)),
  };

  for (const port of portsOf(container))
    if (!ownPorts.includes(port)) container.serveHttp(port, ({ path }) => answerProbe(container, path));
  try {
    const failures = controllers.map(controller => {
      const queue = createQueue({
        clock,
        work: text => controller.reconcile(keyOf(text), operator),
        onError: (text, error) => habits.failed(controller, keyOf(text), error),
      });
      queues.set(controller.name, queue);
      return control(controller, queue, operator, { habits, informerOf, signal: life.signal });
    });
    const failed = await Promise.race([...failures, untilAborted(life.signal)]);
    if (failed === 'late') return 1;
    return signal.reason === 'SIGTERM' ? 0 : 137;
  } finally {
    life.abort();
    signal.removeEventListener('abort', stop);
    for (const queue of queues.values()) queue.stop();
  }
}

/** Resolves when copies do not come in time; otherwise never. */
async function control(
  controller: Controller,
  queue: WorkQueue,
  operator: Operator,
  parts: { habits: Habits; informerOf(kind: Watched): Informer; signal: AbortSignal },
): Promise<'late'> {
  const { habits, informerOf, signal } = parts;
  const never = new Promise<never>(() => {});
  habits.starting?.(controller);
  const kinds = kindsOf(controller);
  for (const kind of kinds) informerOf(kind);
  for (const kind of kinds) {
    const waits: Promise<'synced' | 'late'>[] = [informerOf(kind).synced.then(() => 'synced')];
    if (habits.late) waits.push(operator.container.clock.sleep(SYNC_LIMIT, signal).then(() => 'late'));
    const outcome = await Promise.race(waits);
    if (signal.aborted) return never;
    if (outcome === 'late') {
      habits.late?.(controller, kind);
      return 'late';
    }
  }
  habits.started?.(controller);
  const add = (key: ObjectKey) => queue.add(keyText(key));
  informerOf(controller.for).subscribe(object => add(object.metadata));
  for (const kind of controller.owns ?? [])
    informerOf(kind).subscribe(({ metadata }) => {
      const owner = controllerOf(metadata);
      if (owner?.kind !== controller.for.kind) return;
      add({ name: owner.name, ...(metadata.namespace && { namespace: metadata.namespace }) });
    });
  for (const { kind, keys } of controller.watches ?? [])
    informerOf(kind).subscribe(object => {
      for (const key of keys(object, operator)) add(key);
    });
  return never;
}

function keyOf(text: string): ObjectKey {
  const [namespace = '', name = ''] = text.split('/');
  return { ...(namespace && { namespace }), name };
}

/** A client whose writes are in the copies before the caller goes on, so that no reconcile acts twice on an old picture. */
function seenAtOnce(
  api: ApiClient,
  informerOf: (resource: Omit<Watched, 'kind' | 'type'>) => Informer | undefined,
): ApiClient {
  const learn = (resource: Parameters<typeof informerOf>[0], object: KubeObject) => {
    informerOf(resource)?.learn(object);
    return object;
  };
  return {
    get: (resource, key) => api.get(resource, key),
    list: (resource, more) => api.list(resource, more),
    watch: (resource, more, onEvent, onEnd) => api.watch(resource, more, onEvent, onEnd),
    delete: (resource, key, more) => api.delete(resource, key, more),
    create: async (resource, object, subresource) => {
      const made = await api.create(resource, object, subresource);
      return subresource ? made : learn(resource, made);
    },
    update: async (resource, object, subresource) =>
      learn(resource, await api.update(resource, object, subresource)),
    patch: async (resource, key, type, patch, more) =>
      learn(resource, await api.patch(resource, key, type, patch, more)),
  };
}
