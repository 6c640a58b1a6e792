// Keys that come again: after a while that was asked for, or after pauses that grow with every failure, as client-go's work
// queues have it. Knows no line and no object.

/** client-go's default rate limiter: 5 ms doubling up to 1000 s. */
const FIRST_PAUSE = 5;
const LONGEST_PAUSE = 1_000_000;

interface Timer {
  cancel(): void;
}

interface Clock {
  now(): number;
  after(ms: number, task: () => void): Timer;
}

export class Requeue {
  readonly #waiting = new Map<string, { at: number; timer: Timer }>();
  readonly #failures = new Map<string, number>();
  readonly #clock: Clock;
  readonly #add: (key: string) => void;

  constructor(clock: Clock, add: (key: string) => void) {
    this.#clock = clock;
    this.#add = add;
  }

  /** Adds `key` after `ms`; of several requests for a key the earliest counts. */
  after(key: string, ms: number): void {
    const at = this.#clock.now() + ms;
    const known = this.#waiting.get(key);
    if (known && known.at <= at) return;
    known?.timer.cancel();
    const timer = this.#clock.after(ms, () => {
      this.#waiting.delete(key);
      this.#add(key);
    });
    this.#waiting.set(key, { at, timer });
  }

  /** Adds `key` after the pause its failures in a row have earned. */
  failed(key: string): void {
    const before = this.#failures.get(key) ?? 0;
    this.#failures.set(key, before + 1);
    this.after(key, Math.min(FIRST_PAUSE * 2 ** before, LONGEST_PAUSE));
  }

  succeeded(key: string): void {
    this.#failures.delete(key);
  }

  stop(): void {
    for (const { timer } of this.#waiting.values()) timer.cancel();
    this.#waiting.clear();
  }
}
