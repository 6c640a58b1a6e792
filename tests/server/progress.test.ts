// Progress over HTTP on a real server: the overview, away and back as one file, forgetting; and what each address refuses.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { ProgressOverview } from '#common/protocol/index.ts';
import { realClock } from '../../server/clock.ts';
import { openProgress } from '../../server/progress/index.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';

const AT = '2026-11-24T06:00:00.000Z';
let server: TestServer;

before(async () => {
  server = await startTestServer({
    providers: [],
    kubectl: { state: 'found', path: '/bin/true', version: 'v1.36.2', source: 'path' },
    sandbox: { tier: 'none', forwarder: 'node', note: { 'zh-TW': '', en: '' } },
  });
});
after(() => server.close());

const JSON_HEADERS = { 'content-type': 'application/json', 'x-kubeflow-by-doing': '1' };

function ask(path: string, init: RequestInit = {}): Promise<Response> {
  return fetch(server.origin + path, { ...init, headers: { cookie: server.cookie, ...init.headers } });
}
const post = (path: string, body: unknown) =>
  ask(path, {
    method: 'POST',
    headers: JSON_HEADERS,
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
const overview = async () => (await (await ask('/api/progress')).json()) as ProgressOverview;

/** A file as another machine would have exported it. */
function exported(...labs: string[]): unknown {
  const other = openProgress({ file: ':memory:', clock: realClock() });
  for (const lab of labs) other.passed(other.begin(lab, 'practice', AT).id, 'look', AT);
  const file = JSON.parse(JSON.stringify(other.export()));
  other.close();
  return file;
}

test('nothing was begun: an empty overview without a problem', async () => {
  assert.deepEqual(await overview(), { labs: [] });
});

test('a file is read in, shown, and comes out again as it was', async () => {
  const file = exported('gateway-pending', 'rbac-denied');
  const answer = await post('/api/progress/import', file);
  assert.equal(answer.status, 200);
  assert.deepEqual(
    (await overview()).labs.map(({ lab, passed }) => [lab, passed]),
    [
      ['gateway-pending', ['look']],
      ['rbac-denied', ['look']],
    ],
  );
  assert.deepEqual(await (await post('/api/progress/export', {})).json(), file);
});

test('one lab is forgotten, then everything', async () => {
  await post('/api/progress/import', exported('gateway-pending', 'rbac-denied'));
  const one = (await (await post('/api/progress/forget', { lab: 'rbac-denied' })).json()) as ProgressOverview;
  assert.deepEqual(
    one.labs.map(({ lab }) => lab),
    ['gateway-pending'],
  );
  await post('/api/progress/forget', {});
  assert.deepEqual(await overview(), { labs: [] });
});

describe('what is refused changes nothing', () => {
  before(async () => {
    await post('/api/progress/import', exported('gateway-pending'));
  });
  after(async () => assert.equal((await overview()).labs.length, 1));

  for (const path of ['/api/progress/export', '/api/progress/import', '/api/progress/forget']) {
    test(`${path} wants a cookie, POST, JSON and the header`, async () => {
      const body = '{}';
      const bare = await fetch(server.origin + path, { method: 'POST', headers: JSON_HEADERS, body });
      assert.equal(bare.status, 401);
      assert.equal((await ask(path)).status, 405);
      assert.equal((await ask(path, { method: 'DELETE', headers: JSON_HEADERS })).status, 405);
      const form = { 'content-type': 'application/x-www-form-urlencoded', 'x-kubeflow-by-doing': '1' };
      assert.equal((await ask(path, { method: 'POST', headers: form, body: 'lab=x' })).status, 415);
      const plain = { 'content-type': 'application/json' };
      assert.equal((await ask(path, { method: 'POST', headers: plain, body })).status, 403);
      const elsewhere = { ...JSON_HEADERS, origin: 'http://evil.example' };
      assert.equal((await ask(path, { method: 'POST', headers: elsewhere, body })).status, 403);
    });
  }

  test('the overview wants a cookie, and no other site may embed it', async () => {
    assert.equal((await fetch(`${server.origin}/api/progress`)).status, 401);
    assert.equal((await ask('/api/progress', { headers: { origin: 'http://evil.example' } })).status, 403);
    assert.equal((await ask('/api/progress', { method: 'POST', headers: JSON_HEADERS })).status, 404);
  });

  test('what is no export is refused with a sentence', async () => {
    for (const [body, why] of [
      ['not json', /not JSON/],
      [{ hello: 1 }, /not a progress file of this project/],
      [{ format: 'kubeflow-by-doing/progress', version: 99 }, /of version 99/],
      [{ ...(exported('x') as object), steps: [{ attempt: 7, step: 's', hints: 0 }] }, /FOREIGN KEY/i],
    ] as const) {
      const answer = await post('/api/progress/import', body);
      assert.equal(answer.status, 400);
      assert.match(((await answer.json()) as { error: string }).error, why);
    }
  });

  test('a wish that is not of this protocol is refused', async () => {
    for (const body of [{ lab: 3 }, { lab: '../x' }, { labs: 'x' }, [], 'x'])
      assert.equal((await post('/api/progress/forget', body)).status, 400, JSON.stringify(body));
    assert.equal((await post('/api/progress/elsewhere', {})).status, 404);
    assert.equal((await post('/api/progressive', {})).status, 404);
  });

  test('a forget request of more than its bytes is cut', async () => {
    const answer = await post('/api/progress/forget', `"${'x'.repeat(70_000)}"`).catch(() => undefined);
    assert.ok(answer === undefined || answer.status === 413);
  });
});
