// Starts a practice cluster in a worker thread and hides the thread. Knows the protocol between them, not the cluster.

import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { realClock } from '../clock.ts';
import { createAuthority } from './rest/certificates.ts';
import { kubeconfigText } from './rest/kubeconfig.ts';
import type { PracticeCluster, PracticeSnapshot } from './types.ts';
import { workerCode } from './worker-code.ts';
import type { WorkerMessage, WorkerRequest, WorkerStart } from './worker-protocol.ts';

/** A cluster that is slower than this to start is broken, ms. */
const START_TIMEOUT = 30_000;
/** MB. Small young generations keep many idle clusters small; the old one is what a cluster that ran away may take. */
const MEMORY_LIMITS = { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 768 };
/**
 * Compiled code without types, kept between runs. A thread that finds all of its code there does not load the type
 * stripper, which is 100 ms and 20 MB of each cluster; so it is told before its first line runs.
 */
const COMPILE_CACHE = fileURLToPath(new URL('../../.cache/compile', import.meta.url));
/** How long a worker may take to close before it is ended, ms. */
const CLOSE_TIMEOUT = 3000;

export interface WorkerOptions extends Omit<WorkerStart, 'seed' | 'speed' | 'authority'> {
  /** Of names and jitter; random when absent. */
  seed?: number;
  /** How fast the cluster's clock runs; default 1. */
  speed?: number;
  /** Told about what went wrong inside; default: nobody. */
  onFault?: (where: string, message: string) => void;
}

/** A PracticeCluster without the in-process client: that cannot cross the thread boundary. */
export interface WorkerCluster extends Omit<PracticeCluster, 'client'> {
  /** Resolves when the thread is gone, whatever ended it. */
  readonly ended: Promise<void>;
  /** `listener` is told once when something was written after the last `save`. */
  onChange(listener: () => void): void;
  /** Lets the worker drop a snapshot that is no longer needed. */
  forget(snapshot: PracticeSnapshot): Promise<void>;
}

type Waiting = { resolve(value: unknown): void; reject(error: Error): void };
/** `Omit` over a union, member by member. */
type WithoutId<T> = T extends unknown ? Omit<T, 'id'> : never;

export async function startPracticeWorker(options: WorkerOptions): Promise<WorkerCluster> {
  const { onFault, seed = 0, speed = 1, ...start } = options;
  const code = await workerCode();
  // Made here, where the code that makes it is warm: in a new thread it takes three times as long.
  const authority = start.saved ? {} : { authority: createAuthority(realClock(speed)) };
  const worker = new Worker(code ?? new URL('./worker.ts', import.meta.url), {
    workerData: { ...start, ...authority, seed, speed } satisfies WorkerStart,
    resourceLimits: MEMORY_LIMITS,
    env: { ...process.env, NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? COMPILE_CACHE },
    // The worker says through messages what is worth saying.
    stdout: false,
    stderr: false,
  });
  const waiting = new Map<number, Waiting>();
  let nextId = 1;
  let over = false;
  let changed = () => {};
  const ended = new Promise<void>(resolve => worker.once('exit', () => resolve()));
  const gone = () => new Error('the practice cluster has ended');
  ended.then(() => {
    over = true;
    for (const { reject } of waiting.values()) reject(gone());
    waiting.clear();
  });

  const started = await new Promise<Extract<WorkerMessage, { type: 'started' }>>((resolve, reject) => {
    const fail = (why: string) => {
      worker.terminate();
      reject(new Error(why));
    };
    const timer = setTimeout(() => fail('the practice cluster did not start in time'), START_TIMEOUT);
    worker.once('error', error => {
      clearTimeout(timer);
      reject(error);
    });
    worker.on('message', (message: WorkerMessage) => {
      switch (message.type) {
        case 'started':
          clearTimeout(timer);
          return resolve(message);
        case 'failed':
          clearTimeout(timer);
          return fail(`the practice cluster did not start: ${message.message}`);
        case 'fault':
          return onFault?.(message.where, message.message);
        case 'changed':
          return changed();
        case 'answer': {
          const entry = waiting.get(message.id);
          waiting.delete(message.id);
          if (message.error === undefined) entry?.resolve(message.value);
          else entry?.reject(new Error(message.error));
        }
      }
    });
  });
  worker.on('error', error => onFault?.('worker thread', String(error)));

  const ask = (request: WithoutId<WorkerRequest>): Promise<unknown> =>
    new Promise((resolve, reject) => {
      if (over) return reject(gone());
      const id = nextId++;
      waiting.set(id, { resolve, reject });
      worker.postMessage({ ...request, id } as WorkerRequest);
    });

  const { credentials, port } = started;
  return {
    onChange: listener => {
      changed = listener;
    },
    savedSnapshots: started.savedSnapshots,
    ...(port === undefined ? {} : { port }),
    credentials,
    ended,
    kubeconfig: server => kubeconfigText({ server, ...credentials }),
    snapshot: () => ask({ method: 'snapshot' }),
    async restore(snapshot) {
      await ask({ method: 'restore', snapshot: snapshot as number });
    },
    save: (snapshots = []) =>
      ask({ method: 'save', snapshots: snapshots as number[] }) as Promise<Uint8Array<ArrayBuffer>>,
    async forget(snapshot) {
      await ask({ method: 'forget', snapshot: snapshot as number });
    },
    async close() {
      const late = new Promise<void>(resolve => setTimeout(resolve, CLOSE_TIMEOUT).unref());
      await Promise.race([ask({ method: 'close' }).catch(() => {}), late]);
      await worker.terminate();
    },
  };
}
