// Who is asking: client certificates, bearer tokens, impersonation and the anonymous user. Knows no permissions beyond
// asking the authorizer whether somebody may impersonate.

import { createHash, X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { forbidden, StatusError, unauthorized } from '../../kube/index.ts';
import type { AccessAttributes, Authorizer, User } from '../registry/types.ts';

export type TokenAuthenticator = (token: string) => User | undefined | Promise<User | undefined>;

type Headers = Record<string, string | string[] | undefined>;

const AUTHENTICATED = 'system:authenticated';
const UNAUTHENTICATED = 'system:unauthenticated';
const SERVICE_ACCOUNT = /^system:serviceaccount:([^:]+):([^:]+)$/;
const CREDENTIAL_ID = 'authentication.kubernetes.io/credential-id';
/** A browser's WebSocket cannot set headers: it sends the token as one of the protocols it offers. */
const PROTOCOL_TOKEN = 'base64url.bearer.authorization.k8s.io.';

/** Lines `token,user,uid,"group1,group2"` of a static token file (`--token-auth-file`). */
export function staticTokens(text: string): TokenAuthenticator {
  const users = new Map<string, User>();
  for (const line of text.split('\n')) {
    const fields = line.match(/"[^"]*"|[^,]+/g)?.map(field => field.trim().replace(/^"|"$/g, ''));
    if (!fields || fields.length < 3 || line.trimStart().startsWith('#')) continue;
    const [token = '', name = '', uid = '', groups = ''] = fields;
    users.set(token, {
      name,
      uid,
      groups: groups === '' ? [] : groups.split(',').map(group => group.trim()),
    });
  }
  return token => users.get(token);
}

/** The user behind a request, before impersonation. Rejects with 401 when credentials were shown and are not good. */
export async function authenticate(
  socket: TLSSocket,
  headers: Headers,
  tokens: readonly TokenAuthenticator[],
): Promise<User> {
  const certified = certificateUser(socket);
  if (certified) return certified;
  const token = bearerToken(headers);
  if (token !== undefined) {
    for (const authenticator of tokens) {
      const user = await authenticator(token);
      if (user) return withGroup(user, AUTHENTICATED);
    }
    throw unauthorized();
  }
  return { name: 'system:anonymous', groups: [UNAUTHENTICATED] };
}

const bySocket = new WeakMap<TLSSocket, User | null>();

function certificateUser(socket: TLSSocket): User | undefined {
  let user = bySocket.get(socket);
  if (user === undefined) {
    user = readCertificate(socket);
    bySocket.set(socket, user);
  }
  return user ?? undefined;
}

function readCertificate(socket: TLSSocket): User | null {
  const peer = socket.getPeerCertificate();
  if (!peer?.raw) return null;
  if (!socket.authorized) throw unauthorized();
  const subject = subjectOf(new X509Certificate(peer.raw));
  const name = subject.CN?.[0] ?? '';
  if (name === '') return null;
  return withGroup(
    {
      name,
      groups: subject.O ?? [],
      extra: { [CREDENTIAL_ID]: [`X509SHA256=${createHash('sha256').update(peer.raw).digest('hex')}`] },
    },
    AUTHENTICATED,
  );
}

function subjectOf(certificate: X509Certificate): Record<string, string[]> {
  const fields: Record<string, string[]> = {};
  for (const line of certificate.subject.split('\n')) {
    const equals = line.indexOf('=');
    const key = line.slice(0, equals);
    fields[key] = [...(fields[key] ?? []), line.slice(equals + 1).replace(/\\(.)/g, '$1')];
  }
  return fields;
}

function bearerToken(headers: Headers): string | undefined {
  const authorization = single(headers.authorization);
  const match = /^Bearer\s+(\S+)\s*$/i.exec(authorization ?? '');
  if (match) return match[1];
  for (const protocol of (single(headers['sec-websocket-protocol']) ?? '').split(',')) {
    const name = protocol.trim();
    if (name.startsWith(PROTOCOL_TOKEN)) {
      return Buffer.from(name.slice(PROTOCOL_TOKEN.length), 'base64url').toString('utf8');
    }
  }
  return undefined;
}

/** Replaces `user` by whom it wants to act as, where the headers say so and the authorizer agrees. */
export function impersonate(user: User, headers: Headers, authorizer: Authorizer): User {
  const name = single(headers['impersonate-user']);
  const groups = all(headers['impersonate-group']);
  const uid = single(headers['impersonate-uid']);
  const extra: Record<string, string[]> = {};
  for (const [header, value] of Object.entries(headers)) {
    if (!header.startsWith('impersonate-extra-')) continue;
    extra[unescapeKey(header.slice('impersonate-extra-'.length))] = all(value);
  }
  if (name === undefined) {
    if (groups.length === 0 && uid === undefined && Object.keys(extra).length === 0) return user;
    throw new StatusError({
      message: 'Internal error occurred: requested impersonation without impersonating a user',
      reason: 'InternalError',
      details: { causes: [{ reason: '', message: 'requested impersonation without impersonating a user' }] },
      code: 500,
    });
  }

  const need = (
    group: string,
    resource: string,
    target: string,
    namespace?: string,
    subresource?: string,
  ) => {
    const attributes: AccessAttributes = {
      user,
      verb: 'impersonate',
      group,
      resource,
      name: target,
      ...(group ? { version: 'v1' } : {}),
      ...(namespace ? { namespace } : {}),
      ...(subresource ? { subresource } : {}),
    };
    if (authorizer.decide(attributes).allowed) return;
    const where = namespace ? `in the namespace "${namespace}"` : 'at the cluster scope';
    const what = subresource ? `${resource}/${subresource}` : resource;
    throw forbidden(
      { group, resource },
      target,
      `User "${user.name}" cannot impersonate resource "${what}" in API group "${group}" ${where}`,
    );
  };

  const account = SERVICE_ACCOUNT.exec(name);
  if (account) need('', 'serviceaccounts', account[2] ?? '', account[1]);
  else need('', 'users', name);
  for (const group of groups) need('', 'groups', group);
  for (const [key, values] of Object.entries(extra)) {
    for (const value of values) need('authentication.k8s.io', 'userextras', value, undefined, key);
  }
  if (uid !== undefined) need('authentication.k8s.io', 'uids', uid);

  const own =
    groups.length > 0 || !account
      ? groups
      : ['system:serviceaccounts', `system:serviceaccounts:${account[1]}`];
  const acting: User = {
    name,
    groups: own,
    ...(uid !== undefined ? { uid } : {}),
    ...(Object.keys(extra).length ? { extra } : {}),
  };
  return withGroup(acting, name === 'system:anonymous' ? UNAUTHENTICATED : AUTHENTICATED);
}

function withGroup(user: User, group: string): User {
  const known = user.groups.includes(AUTHENTICATED) || user.groups.includes(UNAUTHENTICATED);
  return known ? user : { ...user, groups: [...user.groups, group] };
}

function single(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}

/** Node joins repeated headers with `, `; Kubernetes group names hold no comma. */
function all(value: string | string[] | undefined): string[] {
  if (value === undefined) return [];
  return (Array.isArray(value) ? value : value.split(','))
    .map(item => item.trim())
    .filter(item => item !== '');
}

function unescapeKey(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
}
