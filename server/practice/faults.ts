// What must not happen and does: a task that throws is told to whoever runs the cluster, and nothing else ends with it.
// Controllers and kubelets look again by themselves; this is for what escapes them.

import type { Clock } from '../clock.ts';

/** Where it happened, in a few words, and what was thrown. */
export type TellFault = (where: string, error: unknown) => void;

/** The same clock, whose tasks cannot end the process: what they throw, now or later, is told. */
export function guardedClock(clock: Clock, tell: TellFault): Clock {
  return {
    now: () => clock.now(),
    sleep: (ms, signal) => clock.sleep(ms, signal),
    after: (ms, task) =>
      clock.after(ms, () => {
        try {
          // A task may be an async function where nobody awaits it.
          const result: unknown = task();
          if (result instanceof Promise) result.catch(error => tell('timer', error));
        } catch (error) {
          tell('timer', error);
        }
      }),
  };
}

/**
 * For a process or thread that is nothing but a cluster: what nobody caught is told, and the cluster goes on. Gives the
 * function that ends this.
 */
export function surviveFaults(tell: TellFault): () => void {
  const thrown = (error: unknown) => tell('uncaught', error);
  const rejected = (error: unknown) => tell('unhandled', error);
  process.on('uncaughtException', thrown);
  process.on('unhandledRejection', rejected);
  return () => {
    process.off('uncaughtException', thrown);
    process.off('unhandledRejection', rejected);
  };
}
