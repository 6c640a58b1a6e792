// oauth2-proxy's HTTP server: says for each request of the gateway whether its cookie belongs to a session, and takes people
// through the sign-in. Decides by its settings and its cookies; knows no cluster.

import { createHash, randomBytes } from 'node:crypto';
import { escapeHtml, standInPage } from '../stand-in-page.ts';
import type { Container, HttpRequest, HttpResponse } from '../types.ts';
import type { ProxyOptions } from './config.ts';
import type { ProxyLog } from './log.ts';
import type { Provider, Session } from './provider.ts';
import { seal, unseal } from './sealed.ts';

/** A sign-in must be finished within this time. Milliseconds. */
const CSRF_LIFE = 15 * 60_000;
const NO_CACHE = {
  'Cache-Control': 'no-cache, no-store, must-revalidate, max-age=0',
  Expires: 'Thu, 01 Jan 1970 00:00:00 UTC',
  'X-Accel-Expires': '0',
};
const NO_CSRF = 'Login Failed: Unable to find a valid CSRF token. Please try again.';

interface Csrf {
  state: string;
  nonce: string;
  verifier: string;
}

const digest = (text: string) => createHash('sha256').update(text).digest('base64url');
const html = (status: number, title: string, body: string): HttpResponse => ({
  status,
  headers: { 'Content-Type': 'text/html; charset=utf-8', ...NO_CACHE },
  body: standInPage('oauth2-proxy', title, body),
});
const plain = (status: number, body: string): HttpResponse => ({
  status,
  headers: { 'Content-Type': 'text/plain; charset=utf-8' },
  body,
});

export class AuthServer {
  private readonly container: Container;
  private readonly options: ProxyOptions;
  private readonly provider: Provider;
  private readonly log: ProxyLog;

  constructor(container: Container, options: ProxyOptions, provider: Provider, log: ProxyLog) {
    this.container = container;
    this.options = options;
    this.provider = provider;
    this.log = log;
  }

  async handle(request: HttpRequest, peer: string): Promise<HttpResponse> {
    const [path = '/', search = ''] = request.path.split(/\?(.*)/s);
    if (path === '/ping' || path === '/ready') return plain(200, 'OK');
    const began = this.container.clock.now();
    const id = request.headers['x-request-id'] ?? this.container.random.uuid();
    const session = await this.sessionOf(request);
    const query = new URLSearchParams(search);
    const response = await this.answer({ ...request, path }, query, session, { peer, id });
    const seconds = ((this.container.clock.now() - began) / 1000).toFixed(3);
    this.log.request({ peer, id, user: session?.email ?? '', request, path, response, seconds });
    return response;
  }

  private async answer(
    request: HttpRequest,
    query: URLSearchParams,
    session: Session | undefined,
    from: { peer: string; id: string },
  ): Promise<HttpResponse> {
    switch (request.path) {
      case '/oauth2/start':
        return this.start(request, query);
      case '/oauth2/callback':
        return this.callback(request, query, from);
      case '/oauth2/sign_in':
        return this.signInPage(200, query.get('rd') ?? '/');
      case '/oauth2/sign_out':
        return this.found(target(query.get('rd')), [this.cookie(this.options.cookieName, '', -3600_000)]);
      case '/oauth2/auth':
        return session ? { status: 202, headers: this.identity(session) } : plain(401, 'Unauthorized\n');
      case '/oauth2/userinfo': {
        if (!session) return plain(401, 'Unauthorized\n');
        const { user, email, groups } = session;
        return {
          status: 200,
          headers: { 'Content-Type': 'application/json' },
          body: `${JSON.stringify({ user, email, ...(groups.length > 0 && { groups }) })}\n`,
        };
      }
      default:
        return this.proxy(request, session);
    }
  }

  private proxy(request: HttpRequest, session: Session | undefined): HttpResponse {
    const { skipAuth, apiRoutes, skipProviderButton, upstreamStatus } = this.options;
    if (session || skipAuth.some(route => route.test(request.path)))
      return upstreamStatus === undefined
        ? plain(404, '404 page not found\n')
        : { ...plain(upstreamStatus, 'Authenticated'), headers: session ? this.identity(session) : {} };
    if (apiRoutes.some(route => route.test(request.path))) {
      this.log.info('oauthproxy.go:1029', 'No valid authentication in request. Access Denied.');
      return { status: 401, headers: { 'Content-Type': 'application/json' }, body: '{}' };
    }
    this.log.info('oauthproxy.go:1035', 'No valid authentication in request. Initiating login.');
    return skipProviderButton
      ? this.start(request, new URLSearchParams({ rd: request.path }))
      : this.signInPage(403, request.path);
  }

  private signInPage(status: number, to: string): HttpResponse {
    return html(
      status,
      'Sign In',
      `<h1>Sign In</h1>
<form method="GET" action="/oauth2/start">
<input type="hidden" name="rd" value="${escapeHtml(target(to))}">
<button type="submit">Sign in with ${escapeHtml(this.options.provider)}</button>
</form>`,
    );
  }

  private start(request: HttpRequest, query: URLSearchParams): HttpResponse {
    const csrf: Csrf = { state: random(), nonce: random(), verifier: this.options.pkce ? random(72) : '' };
    const { clientId, scope, prompt, loginUrl, cookieName } = this.options;
    const sent = new URLSearchParams({
      client_id: clientId,
      ...(csrf.verifier && { code_challenge: digest(csrf.verifier), code_challenge_method: 'S256' }),
      nonce: digest(csrf.nonce),
      ...(prompt && { prompt }),
      redirect_uri: this.redirectUri(request),
      response_type: 'code',
      scope,
      state: `${digest(csrf.state)}:${target(query.get('rd'))}`,
    });
    const name = `${cookieName}_csrf`;
    const sealed = seal(this.options.cookieSecret, name, csrf, this.container.clock.now());
    return this.found(`${loginUrl}?${sent}`, [this.cookie(name, sealed, CSRF_LIFE)]);
  }

  private async callback(
    request: HttpRequest,
    query: URLSearchParams,
    from: { peer: string; id: string },
  ): Promise<HttpResponse> {
    const { cookieName, cookieSecret, cookieExpire } = this.options;
    const now = this.container.clock.now();
    const refused = query.get('error');
    if (refused) {
      this.log.info('oauthproxy.go:844', `Error while parsing OAuth2 callback: ${refused}`);
      return this.error(
        403,
        `Login Failed: The upstream identity provider returned an error: ${refused}`,
        from.id,
      );
    }
    const [nonce = '', to = '/'] = (query.get('state') ?? '').split(/:(.*)/s);
    const name = `${cookieName}_csrf`;
    const kept = cookiesOf(request)[name];
    const csrf = kept === undefined ? undefined : unseal<Csrf>(cookieSecret, name, kept, now, CSRF_LIFE);
    if (!csrf) {
      const why = kept === undefined ? 'http: named cookie not present' : 'CSRF cookie failed validation';
      this.log.info(
        'oauthproxy.go:874',
        `Invalid authentication via OAuth2: unable to obtain CSRF cookie: ${why} (state=${nonce})`,
      );
      return this.error(403, NO_CSRF, from.id);
    }
    let session: Session;
    try {
      const code = query.get('code');
      if (!code) throw new Error('missing code');
      session = await this.provider.redeem(code, this.redirectUri(request), csrf.verifier);
    } catch (error) {
      this.log.info(
        'oauthproxy.go:891',
        `Error redeeming code during OAuth2 callback: ${(error as Error).message}`,
      );
      return this.error(
        500,
        'Oops! Something went wrong. For more information contact your server administrator.',
        from.id,
      );
    }
    const drop = this.cookie(name, '', -3600_000);
    if (digest(csrf.state) !== nonce) {
      this.log.auth({
        ...from,
        user: session.email,
        outcome: 'AuthFailure',
        message: 'Invalid authentication via OAuth2: CSRF token mismatch, potential attack',
      });
      return this.error(403, NO_CSRF, from.id);
    }
    this.log.auth({
      ...from,
      user: session.email,
      outcome: 'AuthSuccess',
      message: `Authenticated via OAuth2: ${sessionText(session)}`,
    });
    return this.found(target(to), [
      drop,
      this.cookie(cookieName, seal(cookieSecret, cookieName, session, now), cookieExpire),
    ]);
  }

  private async sessionOf(request: HttpRequest): Promise<Session | undefined> {
    const { cookieName, cookieSecret, cookieExpire, bearerTokens } = this.options;
    const now = this.container.clock.now();
    const bearer = /^Bearer (.+)$/.exec(request.headers['authorization'] ?? '')?.[1];
    if (bearerTokens && bearer) {
      try {
        return await this.provider.verified(bearer);
      } catch (error) {
        this.log.info(
          'jwt_session.go:51',
          `Error retrieving session from token in Authorization header: [${(error as Error).message}]`,
        );
      }
    }
    const kept = cookiesOf(request)[cookieName];
    if (kept === undefined) return undefined;
    const session = unseal<Session>(cookieSecret, cookieName, kept, now, cookieExpire);
    if (session && session.expires > now) return session;
    this.log.info(
      'stored_session.go:94',
      session
        ? `Error loading cookied session: session is expired, removing session`
        : 'Error loading cookied session: cookie signature not valid, removing session',
    );
    return undefined;
  }

  private identity({ idToken, email, user, groups }: Session): Record<string, string> {
    return {
      ...(this.options.setAuthorization && { Authorization: `Bearer ${idToken}` }),
      ...(this.options.setXAuthRequest && {
        'X-Auth-Request-User': user,
        'X-Auth-Request-Email': email,
        ...(groups.length > 0 && { 'X-Auth-Request-Groups': groups.join(',') }),
      }),
    };
  }

  private error(status: number, message: string, id: string): HttpResponse {
    const title = { 403: 'Forbidden', 500: 'Internal Server Error' }[status] ?? '';
    return html(
      status,
      `${status} ${title}`,
      `<h1>${status} ${title}</h1>
<p>${escapeHtml(message)}</p>
<p>Request ID: ${escapeHtml(id)}</p>
<form method="GET" action="/oauth2/sign_in"><button type="submit">Sign in</button></form>`,
    );
  }

  /** As the browser and Dex see it: the path alone where it is told to be relative, else with the host that was asked. */
  private redirectUri({ headers }: HttpRequest): string {
    const { redirectUrl, relativeRedirect, cookieSecure } = this.options;
    if (relativeRedirect || /^https?:/.test(redirectUrl)) return redirectUrl;
    return `${cookieSecure ? 'https' : 'http'}://${headers['host'] ?? ''}${redirectUrl}`;
  }

  private cookie(name: string, value: string, life: number): string {
    const expires = new Date(this.container.clock.now() + life).toUTCString();
    return `${name}=${value}; Path=/; Expires=${expires}; HttpOnly${this.options.cookieSecure ? '; Secure' : ''}`;
  }

  private found(location: string, cookies: string[]): HttpResponse {
    return {
      status: 302,
      headers: { Location: location, ...NO_CACHE, 'Set-Cookie': cookies.join('\n') },
    };
  }
}

const random = (bytes = 32) => randomBytes(bytes).toString('base64url');

/** Only addresses of this site. */
const target = (rd: string | null) => (rd && /^\/(?![/\\])/.test(rd) ? rd : '/');

function cookiesOf({ headers }: HttpRequest): Record<string, string> {
  const parts = (headers['cookie'] ?? '').split(/;\s*/).map(part => part.split(/=(.*)/s));
  return Object.fromEntries(parts.map(([name = '', value = '']) => [name, value]));
}

function sessionText({ email, user, groups, created, expires }: Session): string {
  const at = (ms: number) => `${new Date(ms).toISOString().replace('T', ' ').replace('Z', '')} +0000 UTC`;
  return `Session{email:${email} user:${user} PreferredUsername: token:true id_token:true created:${at(created)} expires:${at(expires)}${groups.length > 0 ? ` groups:[${groups.join(' ')}]` : ''}}`;
}
