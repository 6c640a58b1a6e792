// What Envoy does with a request before it looks for a route: asks the external authorizer, checks the token, and lets policies
// decide about who is known by then. Knows no routes.

import { type HttpAnswer, requestHttp } from '../../network/index.ts';
import type { Container, HttpRequest, HttpResponse } from '../types.ts';
import { refusalOf, ruleHolds } from './authorization.ts';
import type { ProxyConfig } from './config.ts';
import { checkJwt } from './jwt.ts';

/** An answer and how the access log explains it. */
export interface Outcome {
  response: HttpResponse;
  upstream?: string;
  flags: string;
  detail: string;
}

/** Envoy's filters in their order: the external authorizer, tokens, then what policies say of who is known by now. */
export async function admit(
  container: Container,
  config: Pick<ProxyConfig, 'authorizer' | 'jwtRules' | 'policies'>,
  request: HttpRequest,
): Promise<Outcome | { headers: Record<string, string> }> {
  const { authorizer, jwtRules = [], policies = [] } = config;
  const path = request.path.split('?')[0]!;
  let { headers } = request;
  const asked = { method: request.method, path, headers };
  if (authorizer?.rules.some(rule => ruleHolds(rule, asked))) {
    const checked = await authorize(container, authorizer, request);
    if (checked.refusal) return { response: checked.refusal, flags: 'UAEX', detail: 'ext_authz_denied' };
    headers = { ...headers, ...checked.headers };
  }
  const token = checkJwt(jwtRules, headers, container.clock.now());
  if (token.kind === 'refused')
    return {
      response: {
        status: 401,
        headers: {
          'content-type': 'text/plain',
          'www-authenticate': `Bearer realm="http://${headers['host'] ?? ''}${path}", error="invalid_token"`,
        },
        body: token.reason,
      },
      flags: '-',
      detail: `jwt_authn_access_denied{${token.reason.replaceAll(' ', '_')}}`,
    };
  if (token.kind === 'accepted') {
    headers = { ...headers, ...token.headers };
    for (const name of token.removed) delete headers[name];
  }
  const principal = token.kind === 'accepted' ? token.principal : undefined;
  const refusal = refusalOf(policies, { ...asked, headers, principal });
  if (refusal === undefined) return { headers };
  return {
    response: { status: 403, headers: { 'content-type': 'text/plain' }, body: 'RBAC: access denied' },
    flags: '-',
    detail: refusal,
  };
}

async function authorize(
  container: Container,
  authorizer: NonNullable<ProxyConfig['authorizer']>,
  request: HttpRequest,
): Promise<{ refusal?: HttpResponse; headers?: Record<string, string> }> {
  const headers: Record<string, string> = { Host: request.headers['host'] ?? '', Connection: 'close' };
  for (const name of ['authorization', 'cookie'])
    if (request.headers[name]) headers[name] = request.headers[name]!;
  try {
    const stream = await container.network.dial(authorizer.host, authorizer.port);
    const answer = await requestHttp(stream, { method: request.method, path: request.path, headers });
    if (answer.status >= 200 && answer.status < 300) {
      const passed: Record<string, string> = {};
      for (const name of [
        'authorization',
        'x-auth-request-user',
        'x-auth-request-email',
        'x-auth-request-groups',
      ])
        if (answer.headers[name]) passed[name] = answer.headers[name]!;
      return { headers: passed };
    }
    return {
      refusal: {
        status: answer.status,
        headers: kept(answer, ['content-type', 'set-cookie', 'location']),
        body: answer.body,
      },
    };
  } catch {
    // The check itself failed: Envoy refuses with an empty 403.
    return { refusal: { status: 403 } };
  }
}

function kept(answer: HttpAnswer, names: string[]): Record<string, string> {
  return Object.fromEntries(
    names.filter(n => answer.headers[n] !== undefined).map(n => [n, answer.headers[n]!]),
  );
}
