// A work queue of keys as client-go's: a key at most once in line and never twice at work, and one that failed comes again
// after pauses that grow. Knows no object.

import type { Clock } from '../../../clock.ts';
import { Requeue } from '../../../kube/index.ts';

/** What a real reconcile spends on the wire at least, in milliseconds; meanwhile more changes become the same piece of work. */
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
        later.succeeded(key);
        if (again !== undefined) addAfter(key, again);
      } catch (error) {
        if (!stopped) {
          options.onError(key, error);
          later.failed(key);
        }
      }
    }
    running = false;
    pump();
  };
  const later = new Requeue(clock, add);
  const addAfter = (key: string, ms: number) => {
    if (!stopped) later.after(key, ms);
  };

  return {
    add,
    addAfter,
    stop() {
      stopped = true;
      line.clear();
      later.stop();
    },
  };
}
