// How oauth2-proxy speaks with the issuer of tokens: turns a code into a session and checks a token against the issuer's keys.
// Knows no browsers.

import type { JsonWebKey } from 'node:crypto';
import { getHttp } from '../http-client.ts';
import { signed } from '../istio/jwt.ts';
import type { Container } from '../types.ts';
import type { ProxyOptions } from './config.ts';

export interface Session {
  email: string;
  user: string;
  groups: string[];
  idToken: string;
  accessToken: string;
  /** Milliseconds. */
  created: number;
  expires: number;
}

export class Provider {
  private readonly container: Container;
  private readonly options: ProxyOptions;
  private keys: JsonWebKey[] = [];

  constructor(container: Container, options: ProxyOptions) {
    this.container = container;
    this.options = options;
  }

  /** Reads where the issuer is to be spoken with; rejects when it does not answer. */
  async discover(): Promise<void> {
    const { issuer } = this.options;
    const answer = await getHttp(this.container, `${issuer}/.well-known/openid-configuration`);
    const text = Buffer.from(answer.body).toString('utf8');
    if (answer.status !== 200) throw new Error(`unexpected status "${answer.status}": ${text}`);
    const found = JSON.parse(text);
    if (found.issuer !== issuer)
      throw new Error(
        `oidc: issuer did not match the issuer returned by provider, expected "${issuer}" got "${found.issuer}"`,
      );
    this.options.loginUrl ||= found.authorization_endpoint;
    this.options.redeemUrl ||= found.token_endpoint;
    this.options.jwksUrl ||= found.jwks_uri;
  }

  /** Rejects with what the log and the page say. */
  async redeem(code: string, redirectUri: string, verifier: string): Promise<Session> {
    const { clientId, clientSecret, redeemUrl } = this.options;
    const sent = new URLSearchParams({
      code,
      grant_type: 'authorization_code',
      redirect_uri: redirectUri,
      ...(verifier && { code_verifier: verifier }),
    });
    const answer = await getHttp(this.container, redeemUrl, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/x-www-form-urlencoded',
        Authorization: `Basic ${Buffer.from(`${encodeURIComponent(clientId)}:${encodeURIComponent(clientSecret)}`).toString('base64')}`,
      },
      body: sent.toString(),
    }).catch(error => {
      throw new Error(`token exchange failed: ${(error as Error).message}`);
    });
    const text = Buffer.from(answer.body).toString('utf8');
    if (answer.status !== 200)
      throw new Error(`token exchange failed: oauth2: ${tokenError(text, answer.status)}`);
    const { id_token: idToken = '', access_token: accessToken = '' } = JSON.parse(text);
    return { ...(await this.verified(idToken)), accessToken };
  }

  /** The session of a token that the issuer signed for us; rejects for any other. */
  async verified(idToken: string): Promise<Session> {
    const [head = '', body = '', signature = ''] = idToken.split('.');
    const claims = JSON.parse(Buffer.from(body, 'base64url').toString('utf8') || '{}');
    const { issuer, clientId } = this.options;
    const now = this.container.clock.now();
    if (claims.iss !== issuer)
      throw new Error(
        `could not verify id_token: oidc: id token issued by a different provider, expected "${issuer}" got "${claims.iss}"`,
      );
    if (claims.exp * 1000 < now) throw new Error('could not verify id_token: oidc: token is expired');
    const { kid } = JSON.parse(Buffer.from(head, 'base64url').toString('utf8'));
    const key = await this.key(kid);
    if (!key || !signed(`${head}.${body}`, signature, key))
      throw new Error(
        'could not verify id_token: failed to verify signature: failed to verify id token signature',
      );
    if (![claims.aud].flat().includes(clientId))
      throw new Error(
        `could not verify id_token: audience from claim aud with value [${claims.aud}] does not match with any of allowed audiences map[${clientId}:{}]`,
      );
    return {
      email: claims.email ?? '',
      user: claims.sub,
      groups: claims.groups ?? [],
      idToken,
      accessToken: '',
      created: now,
      expires: claims.exp * 1000,
    };
  }

  /** Asked for again when a token names one that is not known. */
  private async key(kid: string): Promise<JsonWebKey | undefined> {
    const find = () => this.keys.find(one => one['kid'] === kid);
    if (find()) return find();
    try {
      const answer = await getHttp(this.container, this.options.jwksUrl);
      this.keys = JSON.parse(Buffer.from(answer.body).toString('utf8')).keys ?? [];
    } catch (error) {
      throw new Error(
        `could not verify id_token: failed to verify signature: fetching keys oidc: get keys failed ${(error as Error).message}`,
      );
    }
    return find();
  }
}

/** Go's oauth2 prints the error's name and description, or the answer as it came. */
function tokenError(text: string, status: number): string {
  try {
    const { error, error_description: description } = JSON.parse(text);
    return `"${error}"${description ? ` "${description}"` : ''}`;
  } catch {
    return `cannot fetch token: ${status}\nResponse: ${text}`;
  }
}
