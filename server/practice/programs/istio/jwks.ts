// How istiod gets the keys of token issuers, so that proxies need not ask: from the issuer's discovery document, again and again.
// Knows no proxies.

import type { JsonWebKey } from 'node:crypto';
import { getHttp } from '../http-client.ts';
import type { Container } from '../types.ts';

/** Between fetches that succeed, unless PILOT_JWT_PUB_KEY_REFRESH_INTERVAL says otherwise; after a failure; between its retries. */
const REFRESH_MS = 20 * 60_000;
const AFTER_FAILURE_MS = 60_000;
const RETRY_MS = 1_000;
/** A refresh that fails is tried so often before it counts as one. */
const RETRIES = 7;
const DISCOVERY = '/.well-known/openid-configuration';

export interface Issuer {
  issuer: string;
  jwksUri?: string;
}

export class KeyResolver {
  private readonly container: Container;
  private readonly log: (level: string, text: string) => void;
  private readonly changed: () => void;
  private readonly known = new Map<string, JsonWebKey[]>();

  constructor(container: Container, log: (level: string, text: string) => void, changed: () => void) {
    this.container = container;
    this.log = log;
    this.changed = changed;
  }

  /** What is known of an issuer's keys now; an issuer that is new is looked after from here on. */
  keysOf(issuer: Issuer): JsonWebKey[] {
    const key = keyOf(issuer);
    const found = this.known.get(key);
    if (found) return found;
    this.known.set(key, []);
    void this.follow(issuer);
    return [];
  }

  private async follow(issuer: Issuer): Promise<void> {
    const { clock, signal, env } = this.container;
    let pause = AFTER_FAILURE_MS;
    while (!signal.aborted) {
      const keys = await this.refresh(issuer);
      if (signal.aborted) return;
      if (keys) {
        const before = JSON.stringify(this.known.get(keyOf(issuer)));
        this.known.set(keyOf(issuer), keys);
        if (JSON.stringify(keys) !== before) {
          this.log('info', `model\tUpdated cached JWT public key from "${issuer.jwksUri ?? issuer.issuer}"`);
          this.changed();
        }
        pause = AFTER_FAILURE_MS;
        await clock.sleep(duration(env['PILOT_JWT_PUB_KEY_REFRESH_INTERVAL']) ?? REFRESH_MS, signal);
      } else {
        await clock.sleep(pause, signal);
        pause = Math.min(pause * 2, 60 * 60_000);
      }
    }
  }

  private async refresh({ issuer, jwksUri }: Issuer): Promise<JsonWebKey[] | undefined> {
    let uri = jwksUri;
    try {
      if (uri === undefined) {
        const found = JSON.parse(await this.get(`${issuer}${DISCOVERY}`));
        uri = String(found.jwks_uri);
      }
      return JSON.parse(await this.get(uri)).keys ?? [];
    } catch (error) {
      if (this.container.signal.aborted) return undefined;
      const why = error instanceof Error ? error.message : String(error);
      this.log(
        'error',
        uri === undefined
          ? `model\tFailed to resolve Jwks from issuer "${issuer}": ${why}`
          : `model\tFailed to refresh JWT public key from "${uri}": ${why}`,
      );
      return undefined;
    }
  }

  private async get(uri: string): Promise<string> {
    const { clock, signal } = this.container;
    for (let left = RETRIES; ; left--) {
      try {
        const { status, body } = await getHttp(this.container, uri);
        const text = Buffer.from(body).toString('utf8');
        if (status >= 200 && status < 300) return text;
        throw new Error(`status ${status}, message ${JSON.stringify(text)}`);
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        if (left === 0 || signal.aborted) throw error;
        this.log('warn', `model\tFailed to GET from "${uri}": ${why}. Retry in 1s`);
        await clock.sleep(RETRY_MS, signal);
      }
    }
  }
}

const keyOf = ({ issuer, jwksUri = '' }: Issuer) => `${issuer} ${jwksUri}`;

/** `1m`, `20m0s`; undefined for anything else. Milliseconds. */
function duration(text = ''): number | undefined {
  const found = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/.exec(text);
  if (!found || text === '') return undefined;
  const [, hours = 0, minutes = 0, seconds = 0] = found.map(one => Number(one ?? 0));
  return ((hours * 60 + minutes) * 60 + seconds) * 1000;
}
