// How nginx writes the time in its logs.

import type { Container } from './types.ts';

/** `2026/11/24 07:00:00`, as nginx stamps its errors. */
export const errorStamp = ({ clock }: Container): string =>
  new Date(clock.now()).toISOString().slice(0, 19).replace('T', ' ').replaceAll('-', '/');

/** `24/Nov/2026:07:00:00 +0000`, as nginx stamps a request. */
export function accessStamp(ms: number): string {
  const at = new Date(ms);
  const day = String(at.getUTCDate()).padStart(2, '0');
  return `${day}/${at.toUTCString().slice(8, 11)}/${at.getUTCFullYear()}:${at.toISOString().slice(11, 19)} +0000`;
}
