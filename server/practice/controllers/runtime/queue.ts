// A work queue of keys: each key at most once in line, at most once at work, retried with growing pauses. Knows no object.

import type { Clock } from '../../../clock.ts';
import { Requeue } from '../../../kube/index.ts';
import type { Turns } from './turns.ts';

/** Turns of keys that are remembered beyond those in line. */
const MOST_TURNS = 1000;
/** Keys worked on at the same time; upstream's controllers run five workers. */
const WORKERS = 5;

export interface WorkQueue {
  add(key: string): void;
  /** Adds `key` after `ms`; of several requests for a key the earliest counts. */
  addAfter(key: string, ms: number): void;
  /** Nothing in line and nothing at work (waiting for a moment does not count). */
  readonly quiet: boolean;
  /** Lets work begin; keys added before wait in line. */
  start(): void;
  stop(): void;
}

export interface WorkQueueOptions {
  clock: Clock;
  work(key: string): Promise<void>;
  onError(key: string, error: unknown): void;
  turns: Turns;
  /** Called whenever the queue becomes quiet. */
  onQuiet(): void;
  workers?: number;
}

export function createQueue(options: WorkQueueOptions): WorkQueue {
  const { clock, turns, workers = WORKERS } = options;
  const line = new Set<string>();
  const working = new Set<string>();
  const again = new Set<string>();
  /** In which turn a key was last worked on: what changes meanwhile is looked at in the next one, all at once. */
  const lastTurn = new Map<string, number>();
  let running = 0;
  let started = false;
  let stopped = false;

  const add = (key: string) => {
    if (stopped) return;
    if (working.has(key)) again.add(key);
    else line.add(key);
    pump();
  };
  const later = new Requeue(clock, add);
  const addAfter = (key: string, ms: number) => {
    if (stopped) return;
    if (ms <= 0) add(key);
    else later.after(key, ms);
  };
  const pump = () => {
    while (started && !stopped && running < workers && line.size > 0) {
      running++;
      void worker();
    }
  };
  const worker = async () => {
    // The line is read after a microtask, so that several changes made in one go become one piece of work.
    await undefined;
    for (;;) {
      const key = line.values().next().value;
      if (key === undefined || stopped) break;
      line.delete(key);
      working.add(key);
      await turns.work();
      if (lastTurn.get(key) === turns.current()) await turns.next();
      else if (lastTurn.size > line.size + MOST_TURNS) lastTurn.clear();
      lastTurn.set(key, turns.current());
      again.delete(key);
      try {
        await options.work(key);
        later.succeeded(key);
      } catch (error) {
        if (!stopped) {
          options.onError(key, error);
          later.failed(key);
        }
      }
      working.delete(key);
      if (again.delete(key)) line.add(key);
    }
    running--;
    if (running === 0 && line.size === 0) options.onQuiet();
  };

  return {
    add,
    addAfter,
    get quiet() {
      return stopped || (running === 0 && line.size === 0);
    },
    start() {
      started = true;
      pump();
    },
    stop() {
      stopped = true;
      line.clear();
      again.clear();
      later.stop();
    },
  };
}
