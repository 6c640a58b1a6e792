// Content addresses. Knows no content.

import { createHash } from 'node:crypto';

/** `sha256:…` of a text. */
export const sha256 = (text: string) => `sha256:${createHash('sha256').update(text).digest('hex')}`;
