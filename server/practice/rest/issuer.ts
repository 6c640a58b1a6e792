// OpenID discovery: where others learn who signs service account tokens, and with which keys.

import type { TokenIssuer } from '../registry/index.ts';

/** How long others may keep what they were told, seconds. */
const MAX_AGE = 3600;

export const ISSUER_PATHS = ['/.well-known/openid-configuration', '/openid/v1/jwks'] as const;
const [CONFIGURATION, KEYS] = ISSUER_PATHS;

export interface IssuerAnswer {
  contentType: string;
  cacheControl: string;
  body: object;
}

/** `address`: of this server, as pods reach it. Undefined for other paths. */
export function issuerAnswer(path: string, tokens: TokenIssuer, address: string): IssuerAnswer | undefined {
  const cacheControl = `public, max-age=${MAX_AGE}`;
  const trimmed = path.endsWith('/') ? path.slice(0, -1) : path;
  if (trimmed === KEYS)
    return { contentType: 'application/jwk-set+json', cacheControl, body: { keys: tokens.keys } };
  if (trimmed !== CONFIGURATION) return undefined;
  const body = {
    issuer: tokens.issuer,
    jwks_uri: `https://${address}${KEYS}`,
    response_types_supported: ['id_token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: [tokens.algorithm],
  };
  return { contentType: 'application/json', cacheControl, body };
}
