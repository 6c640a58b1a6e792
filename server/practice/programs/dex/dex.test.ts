// Dex without a cluster: what its configuration may say, and which hashes it compares with.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { realClock } from '../../../clock.ts';
import { seededRandom } from '../../../random.ts';
import type { Container } from '../types.ts';
import { ConfigError, readConfig } from './config.ts';
import { DexServer } from './server.ts';
import { memoryStorage } from './storage.ts';

const FILE = '/etc/dex/cfg/config.yaml';
/** `12341234` at cost 12, as Kubeflow ships it. */
const SHIPPED = '$2y$12$4K/VkmDd1q1Orb3xAt82zu8gk7Ad6ReFR4LCP9UeYE90NLiN9Df72';
/** `weak` at htpasswd's own cost. */
const WEAK = '$2b$05$gW2l9gCX2p3QdBhiJN3IWe.h9MEN.tpCJc9zRE1b1qcWzf.BiZsFa';

const written = (more: object = {}) => ({
  issuer: 'http://dex.auth.svc:5556/dex',
  storage: { type: 'memory' },
  web: { http: '0.0.0.0:5556' },
  oauth2: { skipApprovalScreen: true },
  enablePasswordDB: true,
  staticPasswords: [{ email: 'ada@example.com', hashFromEnv: 'HASH', username: 'ada', userID: '1' }],
  staticClients: [{ id: 'web', secret: 's', name: 'Web', redirectURIs: ['/back'] }],
  ...more,
});
const read = (hash: string, more?: object) => readConfig(FILE, written(more), { HASH: hash });

test('a hash may be written as it is or in base64, and nothing else is one', () => {
  for (const hash of [SHIPPED, Buffer.from(SHIPPED).toString('base64')])
    assert.equal(read(hash).passwords[0]?.hash, SHIPPED);
  const message = (hash: string) => {
    try {
      read(hash);
    } catch (error) {
      assert.ok(error instanceof ConfigError);
      return error.message;
    }
    return 'accepted';
  };
  const before = `error unmarshalling config file ${FILE}: `;
  assert.equal(message(''), `${before}no password hash provided for user ada@example.com`);
  assert.equal(
    message('12341234'),
    `${before}malformed bcrypt hash: crypto/bcrypt: hashedSecret too short to be a bcrypted password`,
  );
  assert.throws(() => read(SHIPPED, { storage: { type: 'floppy' } }), /unknown storage type "floppy"/);
  assert.throws(
    () => read(SHIPPED, { issuer: '', enablePasswordDB: false }),
    /^Error: invalid Config:\n\t-\tno issuer specified in config file\n\t-\tcannot specify static passwords without enabling password db$/,
  );
  assert.throws(
    () => read(SHIPPED, { staticClients: [{ id: 'web' }] }),
    /Name field is required for a client/,
  );
});

/** Signs in at a server that knows this hash; gives the answer to the form. */
async function answerTo(hash: string, password: string, more?: object) {
  const container = { clock: realClock(), random: seededRandom(1) } as Container;
  const server = new DexServer(container, read(hash, more), memoryStorage(), () => {});
  const ask = (method: string, path: string, body = '') =>
    server.handle({ method, path, headers: {}, body: Buffer.from(body) }, '10.244.0.9');
  const form = await ask(
    'GET',
    '/dex/auth/local?client_id=web&redirect_uri=/back&response_type=code&scope=openid&state=mine',
  );
  const to = form.headers?.['Location'] ?? '';
  return { ask, answer: await ask('POST', to, `login=ada@example.com&password=${password}`) };
}

test('the right password gives a code, once', async () => {
  const { ask, answer } = await answerTo(SHIPPED, '12341234');
  assert.equal(answer.status, 303);
  const code = /^\/back\?code=(\w+)&state=mine$/.exec(answer.headers?.['Location'] ?? '')?.[1];
  const redeem = (secret: string) =>
    ask(
      'POST',
      '/dex/token',
      `grant_type=authorization_code&client_id=web&client_secret=${secret}&redirect_uri=/back&code=${code}`,
    );
  assert.equal((await redeem('wrong')).status, 401);
  const { id_token: token } = JSON.parse(String((await redeem('s')).body));
  const claims = JSON.parse(Buffer.from(token.split('.')[1], 'base64url').toString());
  assert.equal(
    `${claims.iss} ${claims.aud} ${claims.sub}`,
    'http://dex.auth.svc:5556/dex web CgExEgVsb2NhbA',
  );
  assert.equal((await redeem('s')).status, 400);
});

test('a hash that is too cheap is not compared with', async () => {
  const { answer } = await answerTo(WEAK, 'weak');
  assert.equal(answer.status, 500);
  assert.match(
    String(answer.body),
    /Login error: given hash cost = 5 does not meet minimum cost requirement = 10/,
  );
});

test('where approval is wanted it is asked for before there is a code', async () => {
  const { ask, answer } = await answerTo(SHIPPED, '12341234', { oauth2: {} });
  const to = answer.headers?.['Location'] ?? '';
  assert.match(to, /^\/dex\/approval\?req=\w+$/);
  assert.match(String((await ask('GET', to)).body), /Web has requested access to your account/);
  assert.match((await ask('POST', to, 'approval=approve')).headers?.['Location'] ?? '', /^\/back\?code=/);
  assert.equal((await ask('GET', to)).status, 400);
});
