// How long a container that ended waits for its next life: doubling, and forgotten after a long good one. Knows no events.

/** Restarts wait this long; forgotten after twice the maximum. Milliseconds. */
const WAIT_MS = { first: 10_000, last: 300_000 };

export class CrashBackoff {
  private state: { ms: number; at: number } | undefined;

  /** The wait that is due now. */
  get ms(): number {
    return this.state?.ms ?? 0;
  }

  forget(): void {
    this.state = undefined;
  }

  /** What is left of the wait since the end at `endedAt`; at 0 the next life begins, and the next wait is longer. */
  left(endedAt: number, now: number): number {
    if (this.state && endedAt - this.state.at > 2 * WAIT_MS.last) this.state = undefined;
    const left = this.state ? endedAt + this.state.ms - now : 0;
    if (left <= 0)
      this.state = { ms: Math.min((this.state?.ms ?? WAIT_MS.first / 2) * 2, WAIT_MS.last), at: now };
    return Math.max(0, left);
  }
}
