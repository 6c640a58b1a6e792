// Attacks each line of the security gate, on a real server: what a web page, a rebound name or a stale tab could send.

import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import { connect, createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { after, before, describe, test } from 'node:test';
import { WebSocket } from 'ws';
import { frame, MAX_FRAME, Op } from '#common/protocol/index.ts';
import { helloProvider, listeningLab } from '../support/fake-parts.ts';
import { connectTerminal } from '../support/terminal-client.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';

let server: TestServer;
let session: string;
let terminal: string;

before(async () => {
  const lab = listeningLab();
  server = await startTestServer({
    providers: [helloProvider()],
    lab: async () => lab,
    kubectl: { state: 'found', path: '/bin/true', version: 'v1.36.2', source: 'path' },
    // Shells of this suite are never typed into; without walls they start anywhere.
    sandbox: { tier: 'none', forwarder: 'node', note: { 'zh-TW': '', en: '' } },
    site: { 'index.html': '<!doctype html><title>site</title>', 'zh-TW/index.html': '<title>tw</title>' },
  });
  const answer = await server.open({});
  assert.ok(answer.ok, JSON.stringify(answer));
  session = answer.state.session;
  terminal = answer.state.terminals[0]!.id;
});
after(() => server.close());

type Headers = Record<string, string>;

/** A request as sent, without fetch's own ideas about headers. */
function ask(path: string, headers: Headers = {}, options: { method?: string; body?: string } = {}) {
  return new Promise<{ status: number; headers: Record<string, unknown>; body: string }>(
    (resolve, reject) => {
      const { method = 'GET', body } = options;
      const request = httpRequest({ host: '127.0.0.1', port: server.port, path, method, headers }, answer => {
        let text = '';
        answer.on('data', chunk => {
          text += chunk;
        });
        answer.on('end', () =>
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: text }),
        );
      });
      request.once('error', reject);
      request.end(body);
    },
  );
}

const cookie = (): Headers => ({ cookie: server.cookie });
const json = (): Headers => ({ ...cookie(), 'content-type': 'application/json', 'x-kubeflow-by-doing': '1' });

describe('where it listens', () => {
  test('only on loopback addresses', async () => {
    const others = Object.values(networkInterfaces())
      .flat()
      .filter(address => address && !address.internal && address.family === 'IPv4');
    for (const address of others) {
      const refused = await new Promise<boolean>(resolve => {
        const socket = connect({ host: address!.address, port: server.port });
        socket.once('connect', () => resolve(false));
        socket.once('error', () => resolve(true));
      });
      assert.ok(refused, `${address!.address} answers`);
    }
    assert.equal((await ask('/', cookie())).status, 200);
  });
});

describe('Host', () => {
  test('the three loopback names with the port come in', async () => {
    for (const host of ['127.0.0.1', 'localhost', '[::1]', 'LOCALHOST']) {
      assert.equal((await ask('/', { ...cookie(), host: `${host}:${server.port}` })).status, 200, host);
    }
  });
  test('any other name is refused, cookie or not', async () => {
    const names = [
      `evil.example:${server.port}`,
      'localhost',
      '127.0.0.1',
      `127.0.0.1:${server.port + 1}`,
      `localhost.evil.example:${server.port}`,
      `127.0.0.1.nip.io:${server.port}`,
      `0.0.0.0:${server.port}`,
      `127.0.0.2:${server.port}`,
      `user@127.0.0.1:${server.port}`,
      `localhost.:${server.port}`,
    ];
    for (const host of names) {
      assert.equal((await ask('/', { ...cookie(), host })).status, 403, host);
      assert.equal((await ask('/api/status', { ...cookie(), host })).status, 403, host);
    }
  });
});

describe('a request target', () => {
  test('is a path: absolute and protocol-relative ones are refused', async () => {
    for (const path of [`http://evil.example/`, '//evil.example/', '/\\evil.example']) {
      assert.equal((await ask(path, cookie())).status, 400, path);
    }
  });
  test('never leads out of the site', async () => {
    for (const path of [
      '/../package.json',
      '/..%2fpackage.json',
      '/%2e%2e/package.json',
      '/zh-TW/..%5c..%5cpackage.json',
    ]) {
      const answer = await ask(path, cookie());
      assert.notEqual(answer.status, 200, path);
      assert.doesNotMatch(answer.body, /kubeflow-by-doing"/, path);
    }
  });
});

describe('the cookie', () => {
  test('a page without it is the door, in both languages, without a script', async () => {
    const answer = await ask('/zh-TW/');
    assert.equal(answer.status, 401);
    assert.match(answer.body, /請從終端機印出的網址進來/);
    assert.match(answer.body, /URL in your terminal/);
    assert.doesNotMatch(answer.body, /<script/);
  });
  test('a request without it is refused, so is one with a wrong, a cut or another port’s', async () => {
    const [name, value] = server.cookie.split('=');
    const wrong = [
      '',
      `${name}=`,
      `${name}=${value!.slice(0, -1)}`,
      `${name}=${value}x`,
      `x${name}=${value}`,
      `kubeflow-by-doing-${server.port + 1}=${value}`,
    ];
    for (const header of wrong) {
      assert.equal((await ask('/api/status', { cookie: header })).status, 401, header);
      assert.equal((await ask('/index.html', { cookie: header })).status, 401, header);
    }
    assert.equal((await ask('/api/status', { cookie: `other=1; ${server.cookie}; more=2` })).status, 200);
  });
  test('is out of reach for scripts and other sites, and named after the port', async () => {
    const link = new URL(server.link());
    const answer = await ask(link.pathname + link.search);
    const header = String(answer.headers['set-cookie']);
    assert.match(
      header,
      new RegExp(`^kubeflow-by-doing-${server.port}=[\\w-]{43}; Path=/; HttpOnly; SameSite=Strict$`),
    );
  });
});

describe('the link', () => {
  test('opens once, leaves no token in the address, and then only lets in whoever is in', async () => {
    const link = new URL(server.link());
    const path = link.pathname + link.search;
    const first = await ask(path);
    assert.equal(first.status, 303);
    assert.equal(first.headers['location'], '/');
    assert.equal(first.headers['cache-control'], 'no-store');
    const again = await ask(path);
    assert.equal(again.status, 401);
    assert.equal(again.headers['set-cookie'], undefined);
    assert.equal((await ask(path, cookie())).status, 303);
  });
  test('sends nobody to another host', async () => {
    for (const path of ['/.//example.com/', '/..//example.com', '/x/..//example.com', '/%2e//example.com']) {
      const { status, headers } = await ask(`${path}?token=used`, cookie());
      assert.equal(status, 303, path);
      assert.equal(new URL(String(headers['location']), server.origin).origin, server.origin, path);
    }
  });
  test('a made-up token opens nothing', async () => {
    for (const token of ['', 'x', 'undefined', '../..', '__proto__']) {
      const answer = await ask(`/?token=${encodeURIComponent(token)}`);
      assert.equal(answer.status, 401, token);
      assert.equal(answer.headers['set-cookie'], undefined, token);
    }
  });
});

describe('other sites', () => {
  test('an Origin that is not this page is refused on plain requests too', async () => {
    for (const origin of ['http://evil.example', 'null', `https://127.0.0.1:${server.port}`]) {
      assert.equal((await ask('/', { ...cookie(), origin })).status, 403, origin);
    }
  });
  test('what another site embeds is refused; following a link is not', async () => {
    const from = (site: string, mode: string, dest: string) => ({
      ...cookie(),
      'sec-fetch-site': site,
      'sec-fetch-mode': mode,
      'sec-fetch-dest': dest,
    });
    assert.equal((await ask('/', from('cross-site', 'no-cors', 'image'))).status, 403);
    assert.equal((await ask('/', from('same-site', 'cors', 'empty'))).status, 403);
    assert.equal((await ask('/', from('cross-site', 'navigate', 'iframe'))).status, 403);
    assert.equal((await ask('/', from('cross-site', 'navigate', 'document'))).status, 200);
    assert.equal((await ask('/', from('same-origin', 'cors', 'empty'))).status, 200);
  });
  test('no answer allows them anything (CORS)', async () => {
    const preflight = await ask(
      '/api/session',
      { ...cookie(), origin: 'http://evil.example', 'access-control-request-method': 'POST' },
      { method: 'OPTIONS' },
    );
    assert.equal(preflight.status, 403);
    for (const answer of [preflight, await ask('/', cookie()), await ask('/api/status', cookie())]) {
      assert.equal(Object.keys(answer.headers).filter(name => name.startsWith('access-control')).length, 0);
    }
  });
});

describe('JSON addresses', () => {
  const body = '{"lab":"any","cluster":{"kind":"practice"},"language":"en","consent":true}';
  test('want POST, the content type and the custom header, each', async () => {
    const post = { method: 'POST', body };
    const without = (name: string) =>
      Object.fromEntries(Object.entries(json()).filter(([key]) => key !== name));
    assert.equal((await ask('/api/session', json(), post)).status, 200);
    assert.equal((await ask('/api/session', json())).status, 405);
    assert.equal((await ask('/api/session', without('cookie'), post)).status, 401);
    assert.equal((await ask('/api/session', without('content-type'), post)).status, 415);
    assert.equal((await ask('/api/session', { ...json(), 'content-type': 'text/plain' }, post)).status, 415);
    assert.equal(
      (await ask('/api/session', { ...json(), 'content-type': 'application/jsonx' }, post)).status,
      415,
    );
    assert.equal((await ask('/api/session', without('x-kubeflow-by-doing'), post)).status, 403);
    assert.equal((await ask('/api/session', { ...json(), 'x-kubeflow-by-doing': 'true' }, post)).status, 403);
    assert.equal(
      (await ask('/api/kubectl/fetch', without('x-kubeflow-by-doing'), { method: 'POST', body: '{}' }))
        .status,
      403,
    );
  });
  test('refuse what is not exactly a request', async () => {
    const bodies = [
      '',
      'no json',
      '[]',
      '{"lab":"../..","cluster":{"kind":"practice"},"language":"en"}',
      '{"lab":"any","cluster":{"kind":"kind"},"language":"en"}',
      '{"lab":"any","cluster":{"kind":"minikube","profile":"-p x; rm"},"language":"en"}',
      body.replace('}', '},"command":"rm"').replace('}}', '}'),
      body.replace('"consent":true', '"consent":"yes"'),
    ];
    for (const text of bodies) {
      assert.equal((await ask('/api/session', json(), { method: 'POST', body: text })).status, 400, text);
    }
  });
  test('refuse a body that is too long', async () => {
    const long = JSON.stringify({ lab: 'x'.repeat(80_000) });
    assert.equal((await ask('/api/session', json(), { method: 'POST', body: long })).status, 413);
  });
  test('of progress are behind the same gate, and take only what they name', async () => {
    const post = (text: string) => ({ method: 'POST', body: text });
    for (const name of ['export', 'import', 'forget']) {
      const path = `/api/progress/${name}`;
      assert.equal((await ask(path, json())).status, 405, path);
      const { cookie: _, ...stranger } = json();
      assert.equal((await ask(path, stranger, post('{}'))).status, 401, path);
      assert.equal((await ask(path, { ...json(), origin: 'null' }, post('{}'))).status, 403, path);
      assert.equal((await ask(path, { ...json(), 'content-type': 'text/plain' }, post('{}'))).status, 415);
      const { 'x-kubeflow-by-doing': __, ...plain } = json();
      assert.equal((await ask(path, plain, post('{}'))).status, 403, path);
    }
    assert.equal((await ask('/api/progress')).status, 401);
    assert.equal((await ask('/api/progress', cookie(), post('{}'))).status, 404);
    assert.equal((await ask('/api/progress/../status', cookie())).status, 200);
    for (const text of ['{"lab":"../.."}', '{"lab":1}', '[]', '{"all":true}', 'null'])
      assert.equal((await ask('/api/progress/forget', json(), post(text))).status, 400, text);
    for (const text of ['', 'no json', '[]', '{"format":"another"}', '{"__proto__":{"x":1}}'])
      assert.equal((await ask('/api/progress/import', json(), post(text))).status, 400, text);
  });
  test('take no command from an address', async () => {
    const answer = await ask(`/zh-TW/?command=rm&run=1`, cookie());
    assert.equal(answer.status, 200);
    assert.equal(answer.headers['location'], undefined);
  });
});

describe('headers', () => {
  test('every page carries the policy: no inline script, no frame, no base, no sniffing, no referrer', async () => {
    const { headers } = await ask('/', cookie());
    const policy = String(headers['content-security-policy']);
    assert.match(policy, /default-src 'none'/);
    assert.match(policy, /script-src 'self' 'wasm-unsafe-eval';/);
    assert.match(policy, /frame-ancestors 'none'/);
    assert.match(policy, /base-uri 'none'/);
    assert.doesNotMatch(policy, /script-src[^;]*('unsafe-inline'|'unsafe-eval'|\*|https?:)/);
    assert.equal(headers['x-content-type-options'], 'nosniff');
    assert.equal(headers['referrer-policy'], 'no-referrer');
    assert.equal(headers['x-frame-options'], 'DENY');
    assert.equal(headers['cross-origin-opener-policy'], 'same-origin');
  });
  test('a missing page is a 404, also for whoever asks with another method', async () => {
    assert.equal((await ask('/nothing', cookie())).status, 404);
    assert.equal((await ask('/', cookie(), { method: 'DELETE' })).status, 405);
  });
});

/** The status of an upgrade: 101 when it came through, else what was answered. */
function upgrade(path: string, headers: Headers): Promise<number> {
  return new Promise(resolve => {
    const ws = new WebSocket(`ws://127.0.0.1:${server.port}${path}`, { headers });
    ws.once('open', () => {
      ws.terminate();
      resolve(101);
    });
    ws.once('unexpected-response', (request, answer) => {
      request.destroy();
      resolve(answer.statusCode ?? 0);
    });
    ws.once('error', () => resolve(0));
  });
}

describe('upgrades', () => {
  const good = (): Headers => ({ ...cookie(), origin: server.origin });
  const paths = () => [`/ws/terminal/${terminal}`, `/ws/session/${session}`];

  test('the page of this server comes in, by each of its names', async () => {
    for (const path of paths()) {
      assert.equal(await upgrade(path, good()), 101);
      const host = `localhost:${server.port}`;
      assert.equal(await upgrade(path, { ...good(), host, origin: `http://${host}` }), 101);
    }
  });
  test('an Origin that is missing, null or only looks alike is refused', async () => {
    const origins = [
      'null',
      '',
      'http://evil.example',
      `https://127.0.0.1:${server.port}`,
      'http://127.0.0.1',
      `http://127.0.0.1:${server.port}1`,
      `http://127.0.0.1:${server.port}.evil.example`,
      `http://evil.example/127.0.0.1:${server.port}`,
      `http://localhost:${server.port}`,
      `${server.origin}/`,
    ];
    for (const path of paths()) {
      assert.equal(await upgrade(path, cookie()), 403, 'missing');
      for (const origin of origins) assert.equal(await upgrade(path, { ...cookie(), origin }), 403, origin);
    }
  });
  test('the cookie is wanted here as well', async () => {
    for (const path of paths()) {
      assert.equal(await upgrade(path, { origin: server.origin }), 401);
      assert.equal(await upgrade(path, { origin: server.origin, cookie: `${server.cookie}x` }), 401);
      assert.equal(
        await upgrade(`${path}?token=${new URL(server.link()).searchParams.get('token')}`, {
          origin: server.origin,
        }),
        401,
      );
    }
  });
  test('a rebound name is refused even with its own Origin', async () => {
    const host = `evil.example:${server.port}`;
    for (const path of paths())
      assert.equal(await upgrade(path, { ...cookie(), host, origin: `http://${host}` }), 403);
  });
  test('nothing else can be upgraded', async () => {
    for (const path of [
      '/',
      '/ws',
      '/ws/',
      '/ws/terminal/',
      '/ws/other/x',
      '/ws/terminal/../x',
      `/ws/terminal/${'x'.repeat(100)}`,
      '/api/session',
    ]) {
      assert.equal(await upgrade(path, good()), 404, path);
    }
  });
  test('an id that is not there is told so, and nothing is made for it', async () => {
    const ws = new WebSocket(`ws://127.0.0.1:${server.port}/ws/terminal/any-00000000.1`, { headers: good() });
    assert.equal(await new Promise(resolve => ws.once('close', resolve)), 4404);
  });
  test('sockets are counted', async () => {
    const open: WebSocket[] = [];
    const statuses: number[] = [];
    for (let i = 0; i < 60; i++) {
      const ws = new WebSocket(`ws://127.0.0.1:${server.port}/ws/session/${session}`, { headers: good() });
      open.push(ws);
      statuses.push(
        await new Promise<number>(resolve => {
          ws.once('open', () => resolve(101));
          ws.once('unexpected-response', (_, answer) => resolve(answer.statusCode ?? 0));
          ws.once('error', () => {});
        }),
      );
    }
    assert.equal(statuses[0], 101);
    assert.equal(statuses.at(-1), 503);
    for (const ws of open) {
      if (ws.readyState === ws.CLOSED) continue;
      const gone = new Promise(resolve => ws.once('close', resolve));
      ws.terminate();
      await gone;
    }
  });
});

describe('frames', () => {
  const client = () => connectTerminal(server.origin, terminal, { cookie: server.cookie, acks: false });

  test('text, unknown opcodes, cut and server-only frames end the socket', async () => {
    const bad = [
      'ls\r',
      '{"type":"resize","cols":80}',
      new Uint8Array([]),
      new Uint8Array([0]),
      new Uint8Array([99, 1, 2]),
      new Uint8Array([Op.ack, 0, 0]),
      new Uint8Array([Op.resize, 0, 80, 0]),
      new Uint8Array([Op.resize, 0, 0, 0, 0]),
      new Uint8Array([Op.resize, 255, 255, 255, 255]),
      new Uint8Array([Op.exit, 0, 0, 0, 0]),
      frame(Op.screen, 'xxxxyyyy'),
      frame(Op.output, 'x'),
    ];
    for (const data of bad) {
      const viewer = await client();
      viewer.sendRaw(data);
      assert.equal(await viewer.closed(), 4400, JSON.stringify(data));
    }
  });
  test('an ack for more than was sent ends the socket', async () => {
    const viewer = await client();
    viewer.ack(0xffffffff);
    assert.equal(await viewer.closed(), 4400);
  });
  test('a frame over the limit ends the socket', async () => {
    const viewer = await client();
    viewer.sendRaw(frame(Op.input, new Uint8Array(MAX_FRAME + 1)));
    assert.equal(await viewer.closed(), 1009);
  });
  test('a flood of frames ends the socket', async () => {
    const viewer = await client();
    for (let i = 0; i < 4000; i++) viewer.sendRaw(frame(Op.ack, new Uint8Array(4)));
    assert.equal(await viewer.closed(), 4408);
  });
  test('a message that is not one ends a session’s socket', async () => {
    for (const text of [
      '',
      'x',
      '{}',
      '{"type":"run","text":"rm"}',
      '{"type":"hint","step":1}',
      '{"type":"reset","more":1}',
    ]) {
      const ws = new WebSocket(`ws://127.0.0.1:${server.port}/ws/session/${session}`, {
        headers: { cookie: server.cookie, origin: server.origin },
      });
      await new Promise(resolve => ws.once('open', resolve));
      ws.send(text);
      assert.equal(await new Promise(resolve => ws.once('close', resolve)), 4400, text);
    }
  });
});

test('a taken port is an error with the system’s code', async () => {
  const other = createServer();
  await new Promise<void>(resolve => other.listen(0, '127.0.0.1', resolve));
  const { port } = other.address() as { port: number };
  await assert.rejects(startTestServer({ port, providers: [] }), { code: 'EADDRINUSE' });
  await new Promise(resolve => other.close(resolve));
});
