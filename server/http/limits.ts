// Caps on what one page may send. Knows no sockets.

import type { Clock } from '../clock.ts';

/** Largest JSON body, in bytes: an answer or an open request is far below. */
export const MAX_BODY = 64 * 1024;
/** Largest progress file that can be read in, in bytes: years of learning. */
export const MAX_IMPORT = 32 * 1024 * 1024;
/** Sockets one run of the server accepts at a time: a handful of tabs with a few terminals each. */
export const MAX_SOCKETS = 48;
/** Bytes of output a socket may hold unsent before its page counts as gone. */
export const MAX_UNSENT = 16 * 1024 * 1024;
/** Frames a second from one page, and how many at once: fast typing is 20, a held key 40, acks a few hundred. */
export const FRAME_RATE = { perSecond: 1000, burst: 2000 };
/** Bytes a second from one page, and how many at once: a large paste passes. */
export const BYTE_RATE = { perSecond: 512 * 1024, burst: 4 * 1024 * 1024 };
/** JSON messages on a session's socket. */
export const MESSAGE_RATE = { perSecond: 20, burst: 60 };

/** A bucket that fills with time; `take` is false when there is not enough in it. */
export function tokenBucket(
  rate: { perSecond: number; burst: number },
  clock: Clock,
): { take(amount: number): boolean } {
  let level = rate.burst;
  let at = clock.now();
  return {
    take: amount => {
      const now = clock.now();
      level = Math.min(rate.burst, level + ((now - at) / 1000) * rate.perSecond);
      at = now;
      if (amount > level) return false;
      level -= amount;
      return true;
    },
  };
}
