// Dex' HTTP server: from the authorization request over the password form to the code and the token. Decides by its
// configuration and its storage; knows no cluster.

import { createHash, randomBytes } from 'node:crypto';
import type { Container, HttpRequest, HttpResponse } from '../types.ts';
import { bcryptCost, type DexClient, type DexConfig } from './config.ts';
import { approvalPage, errorPage, passwordPage } from './pages.ts';
import type { DexStorage, Say } from './storage.ts';
import { type Identity, Keys, TOKEN_LIFE } from './tokens.ts';

/** How long a form may be left open, and a code unused. Milliseconds. */
const REQUEST_LIFE = 24 * 3600_000;
const CODE_LIFE = 30 * 60_000;
/** bcrypt costs that Dex takes; below it is too weak, above too slow. */
const COST = { least: 10, most: 16, recommended: 12 };
const CONNECTOR = 'local';
const SCOPES = ['openid', 'email', 'groups', 'profile', 'offline_access'];

/** 26 characters, as Dex' identifiers are. */
const newId = () =>
  BigInt(`0x1${randomBytes(16).toString('hex')}`)
    .toString(32)
    .slice(-26);
const redirect = (status: number, location: string): HttpResponse => ({
  status,
  headers: { Location: location, 'Content-Type': 'text/html; charset=utf-8' },
});
const json = (status: number, value: unknown): HttpResponse => ({
  status,
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify(value, null, 2),
});

export class DexServer {
  private readonly container: Container;
  private readonly config: DexConfig;
  private readonly storage: DexStorage;
  private readonly say: Say;
  readonly keys: Keys;
  /** The path of the issuer, which all of Dex lies below. */
  private readonly base: string;

  constructor(container: Container, config: DexConfig, storage: DexStorage, say: Say) {
    this.container = container;
    this.config = config;
    this.storage = storage;
    this.say = say;
    this.keys = new Keys(container, storage, say);
    this.base = new URL(config.issuer).pathname.replace(/\/$/, '');
  }

  async handle(request: HttpRequest, peer: string): Promise<HttpResponse> {
    const [path = '', search = ''] = request.path.split(/\?(.*)/s);
    const query = new URLSearchParams(search);
    const below = path.startsWith(`${this.base}/`) ? path.slice(this.base.length) : undefined;
    switch (below) {
      case '/healthz':
        return { status: 200, headers: { 'Content-Type': 'text/plain' }, body: 'Health check passed' };
      case '/.well-known/openid-configuration':
        return json(200, this.discovery());
      case '/keys':
        return json(200, { keys: [(await this.keys.current()).public] });
      case '/auth':
        return redirect(302, `${this.base}/auth/${CONNECTOR}?${query}`);
      case `/auth/${CONNECTOR}`:
        return this.authorize(query);
      case `/auth/${CONNECTOR}/login`:
        return this.login(request, query, peer);
      case '/approval':
        return this.approve(request, query);
      case '/token':
        return this.token(request);
      default:
        return { status: 404, headers: { 'Content-Type': 'text/plain' }, body: '404 page not found\n' };
    }
  }

  /** What nobody finished is forgotten; told only when there was something. */
  async collectGarbage(): Promise<void> {
    const now = this.container.clock.now();
    const counts = { authrequests: 0, authcodes: 0 };
    for (const kind of ['authrequests', 'authcodes'] as const)
      for (const { name, fields } of await this.storage.list(kind))
        if (Date.parse(fields['expiry']) < now) {
          await this.storage.delete(kind, name);
          counts[kind]++;
        }
    if (counts.authrequests + counts.authcodes > 0)
      this.say('INFO', 'garbage collection run, delete auth', {
        requests: counts.authrequests,
        auth_codes: counts.authcodes,
        device_requests: 0,
        device_tokens: 0,
      });
  }

  private discovery() {
    const at = (path: string) => `${this.config.issuer}${path}`;
    return {
      issuer: this.config.issuer,
      authorization_endpoint: at('/auth'),
      token_endpoint: at('/token'),
      jwks_uri: at('/keys'),
      grant_types_supported: ['authorization_code'],
      response_types_supported: ['code'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256'],
      code_challenge_methods_supported: ['S256', 'plain'],
      scopes_supported: SCOPES,
      token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
    };
  }

  private client = (id: string): DexClient | undefined => this.config.clients.find(one => one.id === id);

  private async authorize(query: URLSearchParams): Promise<HttpResponse> {
    const refuse = (message: string) => {
      this.say('ERROR', 'failed to parse authorization request', { err: message });
      return errorPage(400, message);
    };
    const id = query.get('client_id') ?? '';
    const client = this.client(id);
    if (!client) return refuse(`Invalid client_id ("${id}").`);
    const redirectURI = query.get('redirect_uri') ?? '';
    if (!client.redirectURIs.includes(redirectURI))
      return refuse(`Unregistered redirect_uri ("${redirectURI}").`);
    const scopes = (query.get('scope') ?? '').split(' ').filter(Boolean);
    const back = (error: string, description: string) =>
      redirect(
        303,
        `${redirectURI}?${new URLSearchParams({ error, error_description: description, state: query.get('state') ?? '' })}`,
      );
    if (!scopes.includes('openid')) return back('invalid_scope', 'Missing required scope(s) ["openid"].');
    if (query.get('response_type') !== 'code')
      return back('unsupported_response_type', `Unsupported response type ${query.get('response_type')}`);
    const request = newId();
    await this.storage.create('authrequests', request, {
      clientID: id,
      responseTypes: ['code'],
      scopes,
      redirectURI,
      nonce: query.get('nonce') ?? '',
      state: query.get('state') ?? '',
      forceApprovalPrompt: false,
      loggedIn: false,
      claims: { userID: '', username: '', preferredUsername: '', email: '', emailVerified: false },
      connectorID: CONNECTOR,
      expiry: new Date(this.container.clock.now() + REQUEST_LIFE).toISOString(),
      code_challenge: query.get('code_challenge') ?? '',
      code_challenge_method: query.get('code_challenge_method') ?? '',
    });
    return redirect(302, `${this.base}/auth/${CONNECTOR}/login?back=&state=${request}`);
  }

  private async login(request: HttpRequest, query: URLSearchParams, peer: string): Promise<HttpResponse> {
    const state = query.get('state') ?? '';
    if (state === '') return errorPage(400, 'User session error.');
    const asked = await this.storage.get('authrequests', state);
    if (!asked) {
      this.say('ERROR', "invalid 'state' parameter provided", { err: 'not found' });
      return errorPage(400, 'Requested resource does not exist.');
    }
    const form = (login: string, invalid: boolean) => passwordPage({ action: request.path, login, invalid });
    if (request.method === 'GET') return form('', false);
    if (request.method !== 'POST') return errorPage(400, 'Unsupported request method.');
    const sent = new URLSearchParams(Buffer.from(request.body).toString('utf8'));
    const user = sent.get('login') ?? '';
    const marks = { client_remote_addr: peer, request_id: this.container.random.uuid() };
    let identity: Identity | undefined;
    try {
      identity = await this.identify(user, sent.get('password') ?? '');
    } catch (error) {
      const err = (error as Error).message;
      this.say('ERROR', 'failed to login user', { err, ...marks });
      return errorPage(500, `Login error: ${err}`);
    }
    if (!identity) {
      this.say('ERROR', 'failed login attempt: Invalid credentials.', { user, ...marks });
      return form(user, true);
    }
    this.say('INFO', 'login successful', {
      connector_id: CONNECTOR,
      username: identity.username,
      preferred_username: '',
      email: identity.email,
      groups: [],
      ...marks,
    });
    await this.storage.delete('authrequests', state);
    const { userID, username, email } = identity;
    const claims = { userID, username, preferredUsername: '', email, emailVerified: true };
    if (this.config.skipApprovalScreen) return redirect(303, await this.issueCode({ ...asked, claims }));
    await this.storage.create('authrequests', state, { ...asked, loggedIn: true, claims });
    return redirect(303, `${this.base}/approval?req=${state}`);
  }

  /** Undefined: refused. Rejects when the hash is none that Dex compares with. */
  private async identify(email: string, password: string): Promise<Identity | undefined> {
    const known = this.config.passwords.find(one => one.email.toLowerCase() === email.toLowerCase());
    if (!this.config.passwordDb || !known) return undefined;
    const cost = bcryptCost(known.hash) ?? 0;
    if (cost < COST.least)
      throw new Error(`given hash cost = ${cost} does not meet minimum cost requirement = ${COST.least}`);
    if (cost > COST.most)
      throw new Error(
        `given hash cost = ${cost} is above upper bound cost = ${COST.most}, recommended cost = ${COST.recommended}`,
      );
    const { compare } = (await import('bcryptjs')).default;
    return (await compare(password, known.hash)) ? known : undefined;
  }

  /** The address that the browser is sent on to, with a code that is good for one use. */
  private async issueCode(asked: Record<string, any>): Promise<string> {
    const { redirectURI, state, nonce, scopes, clientID, claims } = asked;
    const code = newId();
    await this.storage.create('authcodes', code, {
      clientID,
      redirectURI,
      nonce,
      scopes,
      connectorID: CONNECTOR,
      claims,
      expiry: new Date(this.container.clock.now() + CODE_LIFE).toISOString(),
      code_challenge: asked['code_challenge'],
      code_challenge_method: asked['code_challenge_method'],
    });
    return `${redirectURI}?${new URLSearchParams({ code, state })}`;
  }

  private async approve(request: HttpRequest, query: URLSearchParams): Promise<HttpResponse> {
    const id = query.get('req') ?? '';
    const asked = await this.storage.get('authrequests', id);
    if (!asked?.['loggedIn']) return errorPage(400, 'User session error.');
    if (request.method === 'GET') return approvalPage(this.client(asked['clientID'])?.name ?? '', id);
    await this.storage.delete('authrequests', id);
    return redirect(303, await this.issueCode(asked));
  }

  private async token(request: HttpRequest): Promise<HttpResponse> {
    const sent = new URLSearchParams(Buffer.from(request.body).toString('utf8'));
    const [id, secret] = credentials(request, sent);
    const client = this.client(id);
    const fail = (status: number, error: string, description = '') =>
      json(status, { error, ...(description && { error_description: description }) });
    if (!client || client.secret !== secret) {
      this.say('INFO', 'invalid client_secret on token request', { client_id: id });
      return fail(401, 'invalid_client', 'Invalid client credentials.');
    }
    if (sent.get('grant_type') !== 'authorization_code') return fail(400, 'unsupported_grant_type');
    const code = sent.get('code') ?? '';
    const issued = await this.storage.get('authcodes', code);
    if (!issued || issued['clientID'] !== id || Date.parse(issued['expiry']) < this.container.clock.now())
      return fail(400, 'invalid_request', 'Invalid or expired code parameter.');
    if (!proven(issued, sent.get('code_verifier') ?? ''))
      return fail(400, 'invalid_grant', 'Invalid code_verifier.');
    if (issued['redirectURI'] !== sent.get('redirect_uri'))
      return fail(400, 'invalid_request', 'redirect_uri did not match URI from initial request.');
    await this.storage.delete('authcodes', code);
    const accessToken = randomBytes(32).toString('base64url');
    const { scopes, nonce, claims } = issued as { scopes: string[]; nonce: string; claims: Identity };
    return json(200, {
      access_token: accessToken,
      token_type: 'bearer',
      expires_in: TOKEN_LIFE / 1000 - 1,
      id_token: await this.keys.idToken({
        issuer: this.config.issuer,
        client: id,
        identity: claims,
        scopes,
        nonce,
        accessToken,
      }),
    });
  }
}

/** Who the client says it is: in the Authorization header, or in the form. */
function credentials({ headers }: HttpRequest, sent: URLSearchParams): [string, string] {
  const basic = /^Basic (.+)$/i.exec(headers['authorization'] ?? '')?.[1];
  if (basic === undefined) return [sent.get('client_id') ?? '', sent.get('client_secret') ?? ''];
  const [id = '', secret = ''] = Buffer.from(basic, 'base64').toString('utf8').split(/:(.*)/s);
  return [decodeURIComponent(id), decodeURIComponent(secret)];
}

/** Whether the one who brings the code is the one who asked for it (PKCE). */
function proven(issued: Record<string, any>, verifier: string): boolean {
  const challenge = issued['code_challenge'];
  if (!challenge) return verifier === '';
  return issued['code_challenge_method'] === 'S256'
    ? createHash('sha256').update(verifier).digest('base64url') === challenge
    : verifier === challenge;
}
