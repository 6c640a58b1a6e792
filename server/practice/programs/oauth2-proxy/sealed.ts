// What oauth2-proxy gives a browser to keep: encrypted and signed with its cookie secret, so that every replica can read it and
// nobody else. Knows no requests.

import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';

const cipherOf = (key: Buffer) => `aes-${(key.length * 8) as 128 | 192 | 256}-gcm` as const;
const IV = 12;
const TAG = 16;

const signature = (key: Buffer, name: string, text: string) =>
  createHmac('sha256', key).update(`${name}${text}`).digest('base64url');

/** `value|seconds|signature`; the name is signed too. */
export function seal(key: Buffer, name: string, value: unknown, now: number): string {
  const iv = randomBytes(IV);
  const cipher = createCipheriv(cipherOf(key), key, iv);
  const body = Buffer.concat([iv, cipher.update(JSON.stringify(value)), cipher.final(), cipher.getAuthTag()]);
  const text = `${body.toString('base64url')}|${Math.floor(now / 1000)}`;
  return `${text}|${signature(key, name, text)}`;
}

/** Undefined for what we did not seal, and for what is older than `life` milliseconds. */
export function unseal<T>(
  key: Buffer,
  name: string,
  sealed: string,
  now: number,
  life: number,
): T | undefined {
  const [value = '', seconds = '', given = ''] = sealed.split('|');
  if (signature(key, name, `${value}|${seconds}`) !== given) return undefined;
  if (Number(seconds) * 1000 + life < now) return undefined;
  const body = Buffer.from(value, 'base64url');
  try {
    const decipher = createDecipheriv(cipherOf(key), key, body.subarray(0, IV));
    decipher.setAuthTag(body.subarray(-TAG));
    const text = Buffer.concat([decipher.update(body.subarray(IV, -TAG)), decipher.final()]);
    return JSON.parse(text.toString('utf8'));
  } catch {
    return undefined;
  }
}
