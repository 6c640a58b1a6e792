// oauth2-proxy's settings: from its file, its environment and its arguments, the later winning; and what is wrong with them.
// Knows no requests.

export interface ProxyOptions {
  clientId: string;
  clientSecret: string;
  cookieSecret: Buffer;
  cookieName: string;
  cookieSecure: boolean;
  /** Milliseconds. */
  cookieExpire: number;
  port: number;
  address: string;
  issuer: string;
  skipDiscovery: boolean;
  loginUrl: string;
  redeemUrl: string;
  jwksUrl: string;
  redirectUrl: string;
  relativeRedirect: boolean;
  scope: string;
  prompt: string;
  pkce: boolean;
  skipProviderButton: boolean;
  provider: string;
  bearerTokens: boolean;
  setAuthorization: boolean;
  setXAuthRequest: boolean;
  /** Paths that need no session, and such whose refusal is JSON. */
  skipAuth: RegExp[];
  apiRoutes: RegExp[];
  /** What is answered once it is known who asks. */
  upstreamStatus: number | undefined;
}

/** What ends the program before it serves; the message is what its log says after the place. */
export class OptionsError extends Error {}

type Raw = Record<string, string | string[]>;

/** The part of TOML that such a file is written in: `name = value`, with strings, numbers, booleans and lists of strings. */
export function parseFile(text: string): Raw {
  const found: Raw = {};
  const plain = text.replace(/^\s*#.*$/gm, '');
  const entry = /^[ \t]*([\w-]+)[ \t]*=[ \t]*(\[[^\]]*\]|"(?:[^"\\]|\\.)*"|[^\s#]+)[ \t]*(?:#.*)?$/gm;
  const rest = plain.replace(entry, (_all, name: string, value: string) => {
    const items = [...value.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, item = '']) =>
      item.replace(/\\(.)/g, '$1'),
    );
    found[name] = value.startsWith('[') ? items : value.startsWith('"') ? (items[0] ?? '') : value;
    return '';
  });
  const wrong = rest.split('\n').findIndex(line => line.trim() !== '');
  if (wrong >= 0)
    throw new OptionsError(
      `ERROR: Failed to load config: error unmarshalling config: toml: line ${wrong + 1}: expected '.' or '=', but got ${JSON.stringify(rest.split('\n')[wrong]!.trim()[0])} instead`,
    );
  return found;
}

/** Flags are `--cookie-name=x`, variables OAUTH2_PROXY_COOKIE_NAME, entries of the file `cookie_name`. */
export function gather(
  argv: readonly string[],
  env: Record<string, string>,
  read: (path: string) => string | undefined,
): Raw {
  const flags: Raw = {};
  for (const [index, arg] of argv.entries()) {
    const found = /^--?([a-z0-9-]+)(?:=(.*))?$/s.exec(arg);
    if (!found) continue;
    const next = argv[index + 1];
    flags[found[1]!.replaceAll('-', '_')] = found[2] ?? (next?.startsWith('-') === false ? next : 'true');
  }
  const variables: Raw = {};
  for (const [name, value] of Object.entries(env))
    if (name.startsWith('OAUTH2_PROXY_')) variables[name.slice(13).toLowerCase()] = value;
  const path = flags['config'] ?? variables['config'];
  let file: Raw = {};
  if (typeof path === 'string') {
    const text = read(path);
    if (text === undefined)
      throw new OptionsError(
        `ERROR: Failed to load config: unable to load config file: open ${path}: no such file or directory`,
      );
    file = parseFile(text);
  }
  return { ...file, ...variables, ...flags };
}

const LISTS: Record<string, string> = {
  api_route: 'api_routes',
  email_domain: 'email_domains',
  skip_auth_route: 'skip_auth_routes',
  upstream: 'upstreams',
};

export function optionsOf(raw: Raw): ProxyOptions {
  const text = (name: string, otherwise = '') => String(raw[name] ?? otherwise);
  const flag = (name: string) => text(name) === 'true';
  const list = (name: string) => {
    const single = Object.keys(LISTS).find(key => LISTS[key] === name);
    const value = raw[name] ?? (single && raw[single]) ?? [];
    return Array.isArray(value) ? value : value.split(',');
  };
  const wrong: string[] = [];
  const secret = text('cookie_secret');
  const cookieSecret = secretBytes(secret);
  if (secret === '') wrong.push('missing setting: cookie-secret or cookie-secret-file');
  else if (![16, 24, 32].includes(cookieSecret.length))
    wrong.push(
      `cookie_secret must be 16, 24, or 32 bytes to create an AES cipher, but is ${cookieSecret.length} bytes`,
    );
  if (text('client_id') === '') wrong.push('provider missing setting: client-id');
  if (text('client_secret') === '') wrong.push('missing setting: client-secret or client-secret-file');
  if (list('email_domains').length === 0)
    wrong.push(
      'missing setting for email validation: email-domain or authenticated-emails-file required.\n      use email-domain=* to authorize all email addresses',
    );
  if (wrong.length > 0)
    throw new OptionsError(`invalid configuration:${wrong.map(words => `\n  ${words}`).join('')}`);
  const address = text('http_address', '127.0.0.1:4180');
  const upstream = /^static:\/\/(\d+)$/.exec(list('upstreams')[0] ?? '')?.[1];
  return {
    clientId: text('client_id'),
    clientSecret: text('client_secret'),
    cookieSecret,
    cookieName: text('cookie_name', '_oauth2_proxy'),
    cookieSecure: text('cookie_secure', 'true') === 'true',
    cookieExpire: hours(text('cookie_expire', '168h')),
    address,
    port: Number(address.split(':').pop()),
    issuer: text('oidc_issuer_url'),
    skipDiscovery: flag('skip_oidc_discovery'),
    loginUrl: text('login_url'),
    redeemUrl: text('redeem_url'),
    jwksUrl: text('oidc_jwks_url'),
    redirectUrl: text('redirect_url', '/oauth2/callback'),
    relativeRedirect: flag('relative_redirect_url'),
    scope: text('scope', 'openid email profile'),
    prompt: text('prompt'),
    pkce: text('code_challenge_method') === 'S256',
    skipProviderButton: flag('skip_provider_button'),
    provider: text('provider_display_name', 'OpenID Connect'),
    bearerTokens: flag('skip_jwt_bearer_tokens'),
    setAuthorization: flag('set_authorization_header'),
    setXAuthRequest: flag('set_xauthrequest'),
    skipAuth: list('skip_auth_routes').map(route => new RegExp(route.replace(/^[A-Z]+=/, ''))),
    apiRoutes: list('api_routes').map(route => new RegExp(route)),
    upstreamStatus: upstream === undefined ? undefined : Number(upstream),
  };
}

/** Base64 where it decodes to a key of a good length, else the bytes as they are. */
function secretBytes(text: string): Buffer {
  const decoded = Buffer.from(text, 'base64url');
  return [16, 24, 32].includes(decoded.length) && decoded.toString('base64url') === text.replace(/=+$/, '')
    ? decoded
    : Buffer.from(text);
}

const hours = (text: string) => Number(/^(\d+)h/.exec(text)?.[1] ?? 168) * 3600_000;
