// Brings controllers to life against one cluster: caches, queues, events, and a way to know when all is done. Knows no kind.

import type { Clock } from '../../../clock.ts';
import type { ApiClient } from '../../../kube/index.ts';
import { StatusError } from '../../../kube/index.ts';
import type { Random } from '../../../random.ts';
import { startScheduler } from '../scheduler/scheduler.ts';
import type { Controller, ControllerContext, SigningRequest } from '../types.ts';
import { createCaches, type SharedCaches } from './caches.ts';
import { readYourWrites } from './client.ts';
import { createEventSink, type EventSink } from './events.ts';
import { type Everything, watchEverything } from './everything.ts';
import { keyOf } from './keys.ts';
import { createQueue, type WorkQueue } from './queue.ts';
import { createTurns, type Turns } from './turns.ts';

/** Hops over the microtask queue after which silence counts as silence. */
const SETTLE = 20;

export interface ControllerUser {
  name: string;
  groups: string[];
}

/** The program that upstream's controllers are parts of: their writes are attributed to it. */
const MANAGER = { fieldManager: 'kube-controller-manager' };
const SCHEDULER = { fieldManager: 'kube-scheduler' };

export interface StartOptions {
  /** An in-process client acting as `user`; `fieldManager` is who its writes are attributed to. */
  clientFor(user: ControllerUser, options?: { fieldManager?: string }): ApiClient;
  clock: Clock;
  random: Random;
  controllers: readonly Controller[];
  /** False leaves pods unscheduled. */
  scheduler?: boolean;
  /** Host name in the scheduler's events; upstream uses the machine's. */
  host?: string;
  /** Signs certificate requests; absent: they stay approved and unsigned. */
  sign?(request: SigningRequest): Promise<string>;
  /** See the context of a controller. */
  policyWarnings?: ControllerContext['policyWarnings'];
  /** PEM text that the root certificate publisher hands out. */
  rootCa?: string;
  /** Told about every failed reconcile that is not a mere conflict; failures are retried whatever happens here. */
  onError?(controller: string, key: string, error: unknown): void;
}

export interface RunningControllers {
  stop(): Promise<void>;
  /** Resolves when nothing is left to do now; what waits for a moment on the clock does not count. */
  idle(): Promise<void>;
}

export function startControllers(options: StartOptions): RunningControllers {
  const { clock, random } = options;
  let stopped = false;
  const waiters = new Set<() => void>();
  const onQuiet = () => {
    for (const waiter of waiters) waiter();
    waiters.clear();
  };
  const turns = createTurns();

  const manager = options.clientFor(userNamed('system:kube-controller-manager'), MANAGER);
  const caches = createCaches(manager, clock);
  const everything = watchEverything(caches);
  const sink = createEventSink({ client: manager, clock, onQuiet });
  const queues = options.controllers.map(controller =>
    startOne(controller, { ...options, caches, everything, sink, turns, onQuiet }),
  );
  const scheduler =
    options.scheduler === false
      ? undefined
      : startScheduler({
          client: readYourWrites(options.clientFor(userNamed('system:kube-scheduler'), SCHEDULER), caches),
          events: createEventSink({
            client: options.clientFor(userNamed('system:kube-scheduler'), SCHEDULER),
            clock,
            onQuiet,
          }),
          caches,
          clock,
          random,
          turn: () => turns.work(),
          onQuiet,
          host: options.host ?? 'minikube',
        });

  let ready = false;
  const begin = caches.ready().then(() => {
    ready = true;
    if (stopped) return;
    for (const queue of queues) queue.start();
    scheduler?.start();
  });
  const quiet = () =>
    stopped || (ready && sink.quiet && queues.every(q => q.quiet) && (scheduler?.quiet ?? true));

  return {
    async stop() {
      stopped = true;
      for (const queue of queues) queue.stop();
      scheduler?.stop();
      caches.stop();
      onQuiet();
    },
    async idle() {
      await begin;
      for (let calm = 0; calm < SETTLE; ) {
        if (quiet()) {
          calm++;
          await undefined;
        } else {
          calm = 0;
          await new Promise<void>(resolve => waiters.add(resolve));
        }
      }
    },
  };
}

/** The user with the groups that the API server would give it. */
function userNamed(name: string): ControllerUser {
  const account = /^system:serviceaccount:([^:]+):/.exec(name);
  const groups = account ? ['system:serviceaccounts', `system:serviceaccounts:${account[1]}`] : [];
  return { name, groups: [...groups, 'system:authenticated'] };
}

interface Surroundings extends StartOptions {
  caches: SharedCaches;
  everything: Everything;
  sink: EventSink;
  turns: Turns;
  onQuiet(): void;
}

function startOne(controller: Controller, options: Surroundings): WorkQueue {
  const { clock, random, caches, everything, sink, turns, onQuiet } = options;
  const component = controller.component ?? controller.name;
  const queue = createQueue({
    clock,
    turns,
    onQuiet,
    work: key => controller.reconcile(key, context),
    onError(key, error) {
      if (error instanceof StatusError && error.code === 409) return;
      options.onError?.(controller.name, key, error);
    },
  });
  const context: ControllerContext = {
    client: readYourWrites(
      options.clientFor(
        userNamed(controller.user ?? `system:serviceaccount:kube-system:${controller.name}`),
        controller.fieldManager ? { fieldManager: controller.fieldManager } : MANAGER,
      ),
      caches,
    ),
    clock,
    random,
    cache: resource => caches.of(resource),
    events: sink.recorder({ component }),
    requeueAfter: (key, ms) => queue.addAfter(key, ms),
    memory: new Map(),
    rootCa: options.rootCa ?? '',
    ...(options.sign ? { sign: options.sign } : {}),
    ...(options.policyWarnings ? { policyWarnings: options.policyWarnings } : {}),
    known: () => everything.known(),
  };
  if (controller.everything) {
    const { everything: keysOf } = controller;
    everything.subscribe(change => {
      for (const key of keysOf(change, context)) queue.add(key);
    });
  }
  for (const resource of controller.reads ?? []) caches.of(resource);
  for (const watch of controller.watches) {
    caches.of(watch.resource).subscribe((object, previous, deleted) => {
      if (!watch.keys) return queue.add(keyOf(object.metadata));
      for (const key of watch.keys(object, previous, context, deleted)) queue.add(key);
    });
  }
  return queue;
}
