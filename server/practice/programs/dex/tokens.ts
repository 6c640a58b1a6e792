// Dex' signing keys and the tokens that it signs with them. Keys lie in its storage, so that every replica signs with the same.

import {
  createHash,
  createPrivateKey,
  generateKeyPair,
  type JsonWebKey,
  randomBytes,
  sign,
} from 'node:crypto';
import { promisify } from 'node:util';
import type { Container } from '../types.ts';
import type { DexStorage, Say } from './storage.ts';

const NAME = 'openid-connect-keys';
/** Milliseconds. */
export const TOKEN_LIFE = 24 * 3600_000;
const ROTATION = 6 * 3600_000;

export interface Identity {
  userID: string;
  username: string;
  email: string;
}

export class Keys {
  private readonly container: Container;
  private readonly storage: DexStorage;
  private readonly say: Say;
  private turn: Promise<{ private: JsonWebKey; public: JsonWebKey }> | undefined;

  constructor(container: Container, storage: DexStorage, say: Say) {
    this.container = container;
    this.storage = storage;
    this.say = say;
  }

  /** Those in the storage; the first replica that looks makes them. Later ones are not rotated: nobody here stays that long. */
  current(): Promise<{ private: JsonWebKey; public: JsonWebKey }> {
    this.turn ??= this.read().catch(error => {
      this.turn = undefined;
      throw error;
    });
    return this.turn;
  }

  private async read(): Promise<{ private: JsonWebKey; public: JsonWebKey }> {
    const kept = await this.storage.get('signingkeies', NAME);
    if (kept) return { private: kept['signingKey'], public: kept['signingKeyPub'] };
    this.say('INFO', 'keys expired, rotating');
    const pair = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 });
    const kid = randomBytes(20).toString('hex');
    const marks = { use: 'sig', kid, alg: 'RS256' };
    const made = {
      private: { ...marks, ...pair.privateKey.export({ format: 'jwk' }) },
      public: { ...marks, ...pair.publicKey.export({ format: 'jwk' }) },
    };
    const next = this.container.clock.now() + ROTATION;
    const first = await this.storage.create('signingkeies', NAME, {
      signingKey: made.private,
      signingKeyPub: made.public,
      verificationKeys: null,
      nextRotation: new Date(next).toISOString(),
    });
    if (!first) return this.read();
    this.say('INFO', 'keys rotated', { next_rotation: new Date(next).toISOString().replace('T', ' ') });
    return made;
  }

  async idToken(of: {
    issuer: string;
    client: string;
    identity: Identity;
    scopes: string[];
    nonce?: string;
    accessToken: string;
  }): Promise<string> {
    const key = (await this.current()).private;
    const seconds = Math.floor(this.container.clock.now() / 1000);
    const { email, username, userID } = of.identity;
    const claims = {
      iss: of.issuer,
      sub: subject(userID, 'local'),
      aud: of.client,
      exp: seconds + TOKEN_LIFE / 1000,
      iat: seconds,
      ...(of.nonce && { nonce: of.nonce }),
      at_hash: createHash('sha256').update(of.accessToken).digest().subarray(0, 16).toString('base64url'),
      ...(of.scopes.includes('email') && { email, email_verified: true }),
      ...(of.scopes.includes('profile') && { name: username }),
    };
    const coded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const text = `${coded({ alg: 'RS256', kid: (key as { kid: string }).kid })}.${coded(claims)}`;
    const signature = sign('RSA-SHA256', Buffer.from(text), createPrivateKey({ key, format: 'jwk' }));
    return `${text}.${signature.toString('base64url')}`;
  }
}

/** Dex' subject is a protobuf message of two strings, user and connector. */
function subject(user: string, connector: string): string {
  const field = (number: number, text: string) => {
    const value = Buffer.from(text);
    return Buffer.concat([Buffer.from([(number << 3) | 2, value.length]), value]);
  };
  return Buffer.concat([field(1, user), field(2, connector)]).toString('base64url');
}
