// Decides when a pty must wait, from bytes sent and bytes parsed. Knows no ptys and no sockets.

/** Bytes sent and not yet parsed at which the pty waits; about 30 ms of xterm's work, so that Ctrl-C still feels immediate. */
export const HIGH_WATER = 256 * 1024;
/** Bytes at which it goes on. */
export const LOW_WATER = 64 * 1024;

/** The bytes on the way to one viewer. */
export class Ledger {
  #sent = 0;

  get unparsed(): number {
    return this.#sent;
  }

  sent(bytes: number): void {
    this.#sent += bytes;
  }

  /** False when more was acknowledged than was sent, or no whole number: the page and the server no longer agree. */
  parsed(bytes: number): boolean {
    if (!Number.isSafeInteger(bytes) || bytes < 0 || bytes > this.#sent) return false;
    this.#sent -= bytes;
    return true;
  }
}

/**
 * Whether the pty should be paused now. The recorder counts always; of the viewers the quickest decides, because one that
 * sleeps (a tab in the background) must not stop the shell for the other: it gets the whole screen again later.
 */
export function shouldPause(paused: boolean, recorder: number, viewers: readonly number[]): boolean {
  const mark = paused ? LOW_WATER : HIGH_WATER;
  return recorder > mark || (viewers.length > 0 && Math.min(...viewers) > mark);
}
