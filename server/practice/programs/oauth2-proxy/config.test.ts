// oauth2-proxy's settings: where they come from, which one wins, and what is missing.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gather, OptionsError, optionsOf, parseFile } from './config.ts';
import { seal, unseal } from './sealed.ts';

const FILE = `provider = "oidc" # a comment
upstreams = [ "static://200" ]
email_domains = [ "*" ]
skip_auth_routes = [
  # nobody is asked here
  "^/dex/",
]
cookie_expire = "24h"
cookie_refresh = 0
skip_oidc_discovery = true
`;
const KEYS = ['--client-id=web', '--client-secret=s', '--cookie-secret=0123456789abcdef'];

test('arguments win over the environment, and that over the file', () => {
  assert.deepEqual(parseFile(FILE)['skip_auth_routes'], ['^/dex/']);
  const raw = gather(
    ['--config=/cfg', '--http-address', '0.0.0.0:4180', ...KEYS],
    { OAUTH2_PROXY_COOKIE_NAME: 'jar', OAUTH2_PROXY_COOKIE_EXPIRE: '1h', OAUTH2_PROXY_CLIENT_ID: 'other' },
    path => (path === '/cfg' ? FILE : undefined),
  );
  const options = optionsOf(raw);
  const { clientId, cookieName, cookieExpire, port, upstreamStatus, skipDiscovery } = options;
  assert.deepEqual(
    { clientId, cookieName, cookieExpire, port, upstreamStatus, skipDiscovery },
    {
      clientId: 'web',
      cookieName: 'jar',
      cookieExpire: 3_600_000,
      port: 4180,
      upstreamStatus: 200,
      skipDiscovery: true,
    },
  );
});

test('what is missing is told together, and ends it', () => {
  assert.throws(() => optionsOf({}), {
    message: `invalid configuration:
  missing setting: cookie-secret or cookie-secret-file
  provider missing setting: client-id
  missing setting: client-secret or client-secret-file
  missing setting for email validation: email-domain or authenticated-emails-file required.
      use email-domain=* to authorize all email addresses`,
  });
  assert.throws(() => gather(['--config=/gone'], {}, () => undefined), OptionsError);
  assert.throws(() => parseFile('cookie_name jar\n'), /toml: line 1/);
});

test('a sealed value is read with the same key and name, for as long as it lives', () => {
  const key = Buffer.from('0123456789abcdef');
  const sealed = seal(key, 'jar', { email: 'ada@example.com' }, 1_000_000);
  assert.doesNotMatch(Buffer.from(sealed.split('|')[0]!, 'base64url').toString('latin1'), /ada/);
  const read = (text: string, name = 'jar', now = 1_000_000, by = key) =>
    unseal<{ email: string }>(by, name, text, now, 60_000)?.email;
  assert.equal(read(sealed), 'ada@example.com');
  assert.equal(read(sealed, 'other'), undefined);
  assert.equal(read(sealed, 'jar', 1_061_000), undefined);
  assert.equal(read(sealed, 'jar', 1_000_000, Buffer.from('fedcba9876543210')), undefined);
  assert.equal(read(`${sealed.slice(0, 8)}x${sealed.slice(9)}`), undefined);
});
