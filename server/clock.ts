// Time as an argument: whoever needs the time or a delay takes a Clock, so that tests tick it and a lab may run it faster.

/** A handle on a pending call; `cancel` is idempotent. */
export interface Timer {
  cancel(): void;
}

/** Milliseconds throughout; `now` is milliseconds since the Unix epoch. */
export interface Clock {
  now(): number;
  /** Calls `task` once when `now` has gone on by `ms`, never before; a delay of 0 is still asynchronous. */
  after(ms: number, task: () => void): Timer;
  /** Resolves after `ms`, or at once (without error) when `signal` aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** By how much Node's timers may be ahead of the time of day, ms; more than this and the time of day was set anew. */
const EARLY_MS = 20;

/** The machine's clock. `speed` 2 makes every delay half as long and `now` run twice as fast from its creation. */
export function realClock(speed = 1): Clock {
  const origin = Date.now();
  const now = () => (speed === 1 ? Date.now() : origin + (Date.now() - origin) * speed);
  return fromTimers(now, (ms, task) => {
    const due = now() + ms;
    let handle: NodeJS.Timeout;
    const wait = (left: number) => {
      // A pending delay must never keep the process alive on its own: whoever wants to live holds a socket.
      handle = setTimeout(ring, left / speed).unref();
    };
    // Node counts whole milliseconds of another clock, so one timer in twenty rings a moment early: who then looks whether
    // it is time, finds that it is not, and would wait for ever.
    const ring = () => {
      const left = due - now();
      if (left > 0 && left / speed < EARLY_MS) wait(left);
      else task();
    };
    wait(ms);
    return { cancel: () => clearTimeout(handle) };
  });
}

/** A clock that only moves when told to. */
export interface FakeClock extends Clock {
  /** Runs everything due within the next `ms`, in order, awaiting promise callbacks between tasks. */
  advance(ms: number): Promise<void>;
  /** How many delays are pending. */
  readonly pending: number;
}

/** A clock for tests, standing at `start` until `advance` is called. */
export function fakeClock(start = Date.UTC(2026, 10, 23, 23, 10, 0)): FakeClock {
  let current = start;
  let sequence = 0;
  const queue: { at: number; sequence: number; task: () => void }[] = [];
  const settle = () => new Promise<void>(resolve => setImmediate(resolve));
  const clock = fromTimers(
    () => current,
    (ms, task) => {
      const entry = { at: current + Math.max(0, ms), sequence: sequence++, task };
      queue.push(entry);
      return {
        cancel: () => {
          const index = queue.indexOf(entry);
          if (index >= 0) queue.splice(index, 1);
        },
      };
    },
  );
  return {
    ...clock,
    get pending() {
      return queue.length;
    },
    async advance(ms) {
      const end = current + ms;
      await settle();
      for (;;) {
        queue.sort((a, b) => a.at - b.at || a.sequence - b.sequence);
        const next = queue[0];
        if (!next || next.at > end) break;
        queue.shift();
        current = Math.max(current, next.at);
        next.task();
        await settle();
      }
      current = end;
    },
  };
}

function fromTimers(now: () => number, after: (ms: number, task: () => void) => Timer): Clock {
  return {
    now,
    after,
    sleep: (ms, signal) =>
      new Promise(resolve => {
        if (signal?.aborted) return resolve();
        const onAbort = () => {
          timer.cancel();
          resolve();
        };
        const timer = after(ms, () => {
          signal?.removeEventListener('abort', onAbort);
          resolve();
        });
        signal?.addEventListener('abort', onAbort, { once: true });
      }),
  };
}
