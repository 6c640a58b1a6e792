// Envoy's check of a request's token: which issuer's rules it falls under, whether a key of that issuer signed it, and what of it
// the application is told. Knows no connections; keys come with the rules.

import { createPublicKey, type JsonWebKey, verify } from 'node:crypto';

export interface JwtRule {
  issuer: string;
  audiences?: string[];
  fromHeaders: { name: string; prefix: string }[];
  outputClaimToHeaders: { claim: string; header: string }[];
  forwardOriginalToken: boolean;
  /** Empty while istiod has not got them. */
  keys: JsonWebKey[];
}

export type JwtOutcome =
  | { kind: 'none' }
  | { kind: 'accepted'; principal: string; headers: Record<string, string>; removed: string[] }
  | { kind: 'refused'; reason: string };

const part = (text: string) => JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));

/** Looks at the first token that a rule's headers carry. `now` in milliseconds; the reasons are Envoy's. */
export function checkJwt(
  rules: readonly JwtRule[],
  headers: Record<string, string>,
  now: number,
): JwtOutcome {
  const places = rules.flatMap(({ fromHeaders }) => fromHeaders);
  const place = places.find(({ name, prefix }) => headers[name.toLowerCase()]?.startsWith(prefix));
  if (!place) return { kind: 'none' };
  const token = headers[place.name.toLowerCase()]!.slice(place.prefix.length);
  const sections = token.split('.');
  if (sections.length !== 3)
    return {
      kind: 'refused',
      reason: 'Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections',
    };
  const [head = '', body = '', signature = ''] = sections;
  let header: Record<string, string>;
  let claims: Record<string, unknown>;
  try {
    header = part(head);
  } catch {
    return { kind: 'refused', reason: 'Jwt header is an invalid JSON' };
  }
  try {
    claims = part(body);
  } catch {
    return { kind: 'refused', reason: 'Jwt payload is an invalid JSON' };
  }
  const rule = rules.find(({ issuer }) => issuer === claims['iss']);
  if (!rule) return { kind: 'refused', reason: 'Jwt issuer is not configured' };
  if (typeof claims['exp'] === 'number' && claims['exp'] * 1000 < now)
    return { kind: 'refused', reason: 'Jwt is expired' };
  const audiences = [claims['aud'] ?? []].flat();
  if (rule.audiences?.length && !rule.audiences.some(one => audiences.includes(one)))
    return { kind: 'refused', reason: 'Audiences in Jwt are not allowed' };
  const key = rule.keys.find(({ kid }) => kid === header['kid']);
  if (!key || header['alg'] !== 'RS256')
    return { kind: 'refused', reason: "Jwks doesn't have key to match kid or alg from Jwt" };
  if (!signed(`${head}.${body}`, signature, key))
    return { kind: 'refused', reason: 'Jwt verification fails' };
  return {
    kind: 'accepted',
    principal: `${claims['iss']}/${claims['sub']}`,
    headers: outputs(rule, claims),
    removed: rule.forwardOriginalToken ? [] : [place.name.toLowerCase()],
  };
}

/** Also what oauth2-proxy and others ask: whether a key made this signature (RS256). */
export function signed(text: string, signature: string, key: JsonWebKey): boolean {
  try {
    const publicKey = createPublicKey({ key, format: 'jwk' });
    return verify('RSA-SHA256', Buffer.from(text), publicKey, Buffer.from(signature, 'base64url'));
  } catch {
    return false;
  }
}

function outputs({ outputClaimToHeaders }: JwtRule, claims: Record<string, unknown>): Record<string, string> {
  const plain = outputClaimToHeaders.flatMap(({ claim, header }) => {
    const value = claims[claim];
    const written = Array.isArray(value) ? value.join(',') : value;
    return ['string', 'number', 'boolean'].includes(typeof written)
      ? [[header.toLowerCase(), String(written)] as const]
      : [];
  });
  return Object.fromEntries(plain);
}
