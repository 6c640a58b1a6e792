// Service account tokens: signed for pods and people, read back as users. Knows the objects they are bound to by name and uid.

import { createHash, generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto';
import type { KubeObject } from '../../kube/index.ts';
import type { Environment } from './environment.ts';
import { readAny } from './environment.ts';
import type { User } from './types.ts';

const ISSUER = 'https://kubernetes.default.svc.cluster.local';
export const DEFAULT_AUDIENCE = ISSUER;
const ALGORITHM = 'ES256';

interface Claims {
  aud: string[];
  exp: number;
  iat: number;
  iss: string;
  jti: string;
  nbf: number;
  sub: string;
  'kubernetes.io': {
    namespace: string;
    node?: { name: string; uid: string };
    pod?: { name: string; uid: string };
    secret?: { name: string; uid: string };
    serviceaccount: { name: string; uid: string };
  };
}

export interface BoundObject {
  kind: string;
  apiVersion?: string;
  name: string;
  uid?: string;
}

export interface TokenKeys {
  privateKey: KeyObject;
  publicKey: KeyObject;
}

export function createTokenKeys(): TokenKeys {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

/** What others need in order to check our tokens: who signs them, and the public keys as a JSON Web Key Set. */
export interface TokenIssuer {
  issuer: string;
  algorithm: string;
  keys: object[];
}

export function tokenIssuer({ publicKey }: TokenKeys): TokenIssuer {
  const key = { use: 'sig', kid: keyId(publicKey), alg: ALGORITHM, ...publicKey.export({ format: 'jwk' }) };
  return { issuer: ISSUER, algorithm: ALGORITHM, keys: [key] };
}

const keyIds = new WeakMap<KeyObject, string>();

/** As upstream names its keys: by a digest of the public one. */
function keyId(publicKey: KeyObject): string {
  const known = keyIds.get(publicKey);
  if (known) return known;
  const der = publicKey.export({ format: 'der', type: 'spki' });
  const id = createHash('sha256').update(der).digest('base64url');
  keyIds.set(publicKey, id);
  return id;
}

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

export function signToken(
  environment: Environment,
  keys: TokenKeys,
  account: KubeObject,
  options: { audiences: string[]; expirationSeconds: number; bound?: KubeObject; node?: KubeObject },
): string {
  const now = Math.floor(environment.clock.now() / 1000);
  const reference = (object: KubeObject) => ({
    name: object.metadata.name,
    uid: object.metadata.uid as string,
  });
  const namespace = account.metadata.namespace as string;
  const claims: Claims = {
    aud: options.audiences,
    exp: now + options.expirationSeconds,
    iat: now,
    iss: ISSUER,
    jti: environment.random.uuid(),
    'kubernetes.io': {
      namespace,
      ...(options.node ? { node: reference(options.node) } : {}),
      ...(options.bound ? { [options.bound.kind.toLowerCase()]: reference(options.bound) } : {}),
      serviceaccount: reference(account),
    },
    nbf: now,
    sub: `system:serviceaccount:${namespace}:${account.metadata.name}`,
  };
  const body = `${encode({ alg: ALGORITHM, kid: keyId(keys.publicKey) })}.${encode(claims)}`;
  const signature = sign('sha256', Buffer.from(body), { key: keys.privateKey, dsaEncoding: 'ieee-p1363' });
  return `${body}.${signature.toString('base64url')}`;
}

export interface Authenticated {
  user: User;
  audiences: string[];
}

/** Who a token speaks for; undefined when it is not ours, expired, or what it is bound to is gone. */
export function authenticateToken(
  environment: Environment,
  keys: TokenKeys,
  token: string,
): Authenticated | undefined {
  const parts = token.split('.');
  if (parts.length !== 3) return undefined;
  const [header, payload, signature] = parts as [string, string, string];
  const valid = verify(
    'sha256',
    Buffer.from(`${header}.${payload}`),
    { key: keys.publicKey, dsaEncoding: 'ieee-p1363' },
    Buffer.from(signature, 'base64url'),
  );
  if (!valid) return undefined;
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Claims;
  if (claims.exp * 1000 <= environment.clock.now()) return undefined;
  const { namespace, serviceaccount, ...bound } = claims['kubernetes.io'];
  const still = (resource: string, expected: { name: string; uid: string }, where: string | undefined) =>
    readAny(environment, { group: '', resource }, where, expected.name)?.metadata.uid === expected.uid;
  if (!still('serviceaccounts', serviceaccount, namespace)) return undefined;
  if (bound.pod && !still('pods', bound.pod, namespace)) return undefined;
  if (bound.secret && !still('secrets', bound.secret, namespace)) return undefined;
  return {
    user: {
      name: claims.sub,
      uid: serviceaccount.uid,
      groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
      extra: {
        'authentication.kubernetes.io/credential-id': [`JTI=${claims.jti}`],
        ...(bound.node
          ? {
              'authentication.kubernetes.io/node-name': [bound.node.name],
              'authentication.kubernetes.io/node-uid': [bound.node.uid],
            }
          : {}),
        ...(bound.pod
          ? {
              'authentication.kubernetes.io/pod-name': [bound.pod.name],
              'authentication.kubernetes.io/pod-uid': [bound.pod.uid],
            }
          : {}),
      },
    },
    audiences: claims.aud,
  };
}
