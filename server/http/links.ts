// One-time links: the token in a printed URL, good for one browser once. Knows no requests.

import { randomBytes } from 'node:crypto';

/** More open links than this are not kept; the oldest go. */
const OPEN_LINKS = 20;

export interface Links {
  /** A new token; put it into a URL. */
  issue(): string;
  /** True once for each issued token. */
  redeem(token: string): boolean;
}

export function createLinks(): Links {
  const open = new Set<string>();
  return {
    issue: () => {
      const token = randomBytes(24).toString('base64url');
      open.add(token);
      for (const oldest of open) {
        if (open.size <= OPEN_LINKS) break;
        open.delete(oldest);
      }
      return token;
    },
    // 192 random bits: a lookup's timing tells nothing that could be used.
    redeem: token => open.delete(token),
  };
}
