// A work queue of keys as client-go's: a key at most once in line and never twice at work, and one that failed comes again
// after pauses that grow. Knows no object.

import type { Clock, Timer } from '../../../clock.ts';

/** client-go's rate limiter for failures. Milliseconds. */
const FIRST_PAUSE = 5;
const LONGEST_PAUSE = 1_000_000;
/** What a real reconcile spends on the wire at least; meanwhile more changes become the same piece of work. */
const GATHER = 5;

export interface WorkQueue {
  add(key: string): void;
  /** Adds `key` after `ms`; of several requests for a key the earliest counts. */
  addAfter(key: string, ms: number): void;
  /** Nothing is begun any more. */
  stop(): void;
}

/** One worker, as most operators have. `work` may give the milliseconds after which the key is to come again. */
export function createQueue(options: {
  clock: Clock;
  work(key: string): Promise<number | undefined>;
  onError(key: string, error: unknown): void;
}): WorkQueue {
  const { clock } = options;
  const line = new Set<string>();
  const failures = new Map<string, number>();
  const waiting = new Map<string, { at: number; timer: Timer }>();
  let running = false;
  let stopped = false;

  const add = (key: string) => {
    if (stopped) return;
    line.add(key);
    pump();
  };
  const pump = () => {
    if (running || stopped || line.size === 0) return;
    running = true;
    clock.after(GATHER, () => void turn());
  };
  const turn = async () => {
    const [key] = line;
    if (key !== undefined && !stopped) {
      line.delete(key);
      try {
        const again = await options.work(key);
        failures.delete(key);
        if (again !== undefined) addAfter(key, again);
      } catch (error) {
        const failed = failures.get(key) ?? 0;
        failures.set(key, failed + 1);
        if (!stopped) options.onError(key, error);
        addAfter(key, Math.min(FIRST_PAUSE * 2 ** failed, LONGEST_PAUSE));
      }
    }
    running = false;
    pump();
  };
  const addAfter = (key: string, ms: number) => {
    if (stopped) return;
    const at = clock.now() + ms;
    const known = waiting.get(key);
    if (known && known.at <= at) return;
    known?.timer.cancel();
    const timer = clock.after(ms, () => {
      waiting.delete(key);
      add(key);
    });
    waiting.set(key, { at, timer });
  };

  return {
    add,
    addAfter,
    stop() {
      stopped = true;
      line.clear();
      for (const { timer } of waiting.values()) timer.cancel();
      waiting.clear();
    },
  };
}
