// A forwarded port in the browser: the way in, and every way that must not be one. Real kubectl and a real sandbox are in
// practice.test.ts, a real browser in tests/browser/terminal.test.ts.

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, request as httpRequest, type IncomingMessage, type Server } from 'node:http';
import { connect } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { WebSocket, WebSocketServer } from 'ws';
import type { ForwardInfo } from '#common/protocol/index.ts';
import { fakeClock } from '../../server/clock.ts';
import { createForwardDoors, type ForwardDoors, otherName } from '../../server/http/forward-door.ts';
import { cookieName } from '../../server/http/gate.ts';
import { type Forward, followForwards } from '../../server/session/forwards.ts';
import { createCommandLog } from '../../server/terminal/index.ts';

type Headers = Record<string, string>;
interface Answer {
  status: number;
  headers: IncomingMessage['headers'];
  body: string;
}

function ask(port: number, path: string, headers: Headers = {}, method = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      { host: '127.0.0.1', port, path, method, headers, setHost: false },
      answer => {
        let body = '';
        answer.on('data', chunk => {
          body += chunk;
        });
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body }));
      },
    );
    request.once('error', reject);
    request.end();
  });
}

/** What stands on the forwarded port; keeps what it was asked. */
async function program(socketPath: string) {
  const seen: { url: string; headers: IncomingMessage['headers'] }[] = [];
  const server: Server = createServer((request, response) => {
    seen.push({ url: request.url ?? '', headers: request.headers });
    if (request.url === '/away') response.setHeader('location', 'http://localhost:8080/here?x=1');
    if (request.url === '/elsewhere') response.setHeader('location', 'https://example.com/');
    response.setHeader('set-cookie', [
      'mine=1; Path=/',
      `${cookieName(4680)}=stolen; Path=/`,
      `  ${cookieName(4680).toUpperCase()}=stolen; Path=/`,
    ]);
    response.setHeader('clear-site-data', '"cookies"');
    response.setHeader('content-security-policy', "script-src 'self'");
    response.end(`you asked for ${request.url}`);
  });
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (ws, request) => {
    seen.push({ url: request.url ?? '', headers: request.headers });
    ws.on('message', data => ws.send(`echo ${data}`));
  });
  await new Promise<void>(resolve => server.listen(socketPath, resolve));
  return { seen, server };
}

describe('a forwarded port behind its door', () => {
  let folder: string;
  let doors: ForwardDoors;
  let forward: Forward;
  let end: () => void;
  let behind: Awaited<ReturnType<typeof program>>;
  let port: number;
  let host: string;
  let cookie: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kbd-forward-'));
    const socketPath = join(folder, 'port.sock');
    behind = await program(socketPath);
    const { promise: ended, resolve } = Promise.withResolvers<void>();
    end = resolve;
    forward = { id: '1-8080', port: 8080, reach: async () => socketPath, ended };
    doors = createForwardDoors();
    const link = new URL(await doors.open(forward, '127.0.0.1:4680'));
    port = Number(link.port);
    host = link.host;
    const first = await ask(port, link.pathname + link.search, { host });
    assert.equal(first.status, 303);
    assert.equal(first.headers.location, '/');
    cookie = (first.headers['set-cookie']?.[0] ?? '').split(';')[0] ?? '';
  });
  after(async () => {
    doors.close();
    behind.server.closeAllConnections();
    behind.server.close();
    await rm(folder, { recursive: true, force: true });
  });
  const inside = (): Headers => ({ host, cookie });
  const seen = () => behind.seen.at(-1)!;

  test('opens by its one-time link, and is another site than the page it was opened from', async () => {
    assert.equal(otherName('127.0.0.1:4680'), 'localhost');
    assert.equal(otherName('[::1]:4680'), 'localhost');
    assert.equal(otherName('localhost:4680'), '127.0.0.1');
    assert.match(host, /^localhost:\d+$/);
    const answer = await ask(port, '/index.html?a=b', inside());
    assert.equal(answer.status, 200);
    assert.equal(answer.body, 'you asked for /index.html?a=b');
    assert.equal(seen().headers.host, 'localhost:8080');
  });

  test('a link is good once, a made-up one never, and without its cookie nothing is shown', async () => {
    const link = new URL(await doors.open(forward, '127.0.0.1:4680'));
    const again = () => ask(port, link.pathname + link.search, { host });
    assert.equal((await again()).status, 303);
    assert.equal((await again()).status, 401);
    assert.equal((await ask(port, '/?kubeflow-by-doing=guess', { host })).status, 401);
    const asked = behind.seen.length;
    assert.equal((await ask(port, '/', { host })).status, 401);
    assert.equal((await ask(port, '/', { host, cookie: `${cookieName(port)}=x` })).status, 401);
    // The main server's secret is no pass here.
    assert.equal((await ask(port, '/', { host, cookie: cookie.replace(String(port), '4680') })).status, 401);
    assert.equal(behind.seen.length, asked, 'the program saw a request that was refused');
  });

  test('a rebound name and an address of the network are refused', async () => {
    for (const name of [
      'evil.example',
      `evil.example:${port}`,
      'localhost',
      'localhost:8080',
      `10.0.0.1:${port}`,
    ])
      assert.equal((await ask(port, '/', { host: name, cookie })).status, 403, name);
    const outside = Object.values(networkInterfaces())
      .flatMap(list => list ?? [])
      .filter(one => !one.internal && one.family === 'IPv4');
    for (const { address } of outside)
      await assert.rejects(
        new Promise((resolve, reject) =>
          connect(port, address).once('connect', resolve).once('error', reject),
        ),
        /ECONNREFUSED/,
      );
  });

  test('another site, and another port of this host, may not use it, nor frame it', async () => {
    for (const origin of ['http://evil.example', 'null', `http://127.0.0.1:4680`, `https://${host}`])
      assert.equal((await ask(port, '/', { ...inside(), origin }, 'POST')).status, 403, origin);
    for (const site of ['cross-site', 'same-site'])
      for (const [mode, dest] of [
        ['no-cors', 'script'],
        ['navigate', 'iframe'],
        ['cors', 'empty'],
      ] as const)
        assert.equal(
          (
            await ask(port, '/', {
              ...inside(),
              'sec-fetch-site': site,
              'sec-fetch-mode': mode,
              'sec-fetch-dest': dest,
            })
          ).status,
          403,
          `${site} ${mode}`,
        );
    const { headers } = await ask(port, '/', inside());
    assert.match(String(headers['content-security-policy']), /^script-src 'self', frame-ancestors 'none'$/);
    assert.equal(headers['x-frame-options'], 'DENY');
    assert.equal((await ask(port, '/', { ...inside(), origin: `http://${host}` }, 'POST')).status, 200);
    assert.equal(seen().headers.origin, 'http://localhost:8080');
  });

  test('no cookie of ours reaches the program, and none of its cookies becomes ours', async () => {
    const all = `theirs=1; ${cookieName(4680)}=main; ${cookie}; other=2`;
    const { headers } = await ask(port, '/', {
      host,
      cookie: all,
      referer: `http://${host}/?kubeflow-by-doing=t`,
    });
    assert.equal(seen().headers.cookie, 'theirs=1; other=2');
    assert.equal(seen().headers.referer, undefined);
    assert.deepEqual(headers['set-cookie'], ['mine=1; Path=/']);
    assert.equal(headers['clear-site-data'], undefined);
  });

  test('only this port: absolute addresses, CONNECT and paths upwards lead nowhere else', async () => {
    assert.equal((await ask(port, 'http://127.0.0.1:22/', inside())).status, 400);
    assert.equal((await ask(port, '//127.0.0.1:22/', inside())).status, 400);
    assert.equal((await ask(port, '/\\evil', inside())).status, 400);
    // The program gets the path as it came; there is no folder of ours behind it.
    assert.equal((await ask(port, '/../../etc/passwd', inside())).body, 'you asked for /../../etc/passwd');
    const tunnel = await new Promise<string>(resolve => {
      const socket = connect(port, '127.0.0.1');
      let said = '';
      socket.on('data', data => {
        said += data;
      });
      socket.on('close', () => resolve(said));
      socket.write(`CONNECT 127.0.0.1:22 HTTP/1.1\r\nhost: ${host}\r\ncookie: ${cookie}\r\n\r\n`);
    });
    assert.doesNotMatch(tunnel, /200/);
  });

  test('where the program sends one by its own name leads through the door', async () => {
    assert.equal((await ask(port, '/away', inside())).headers.location, '/here?x=1');
    assert.equal((await ask(port, '/elsewhere', inside())).headers.location, 'https://example.com/');
  });

  test('WebSockets pass with the right Origin and the cookie, and not without', async () => {
    const open = (headers: Headers, origin?: string) =>
      new Promise<string>(resolve => {
        const ws = new WebSocket(`ws://127.0.0.1:${port}/live`, { headers, ...(origin ? { origin } : {}) });
        ws.on('open', () => ws.send('hi'));
        ws.on('message', data => {
          resolve(String(data));
          ws.close();
        });
        ws.on('error', error => resolve(error.message));
      });
    assert.equal(await open(inside(), `http://${host}`), 'echo hi');
    assert.equal(seen().headers.cookie, undefined);
    assert.equal(seen().headers.origin, 'http://localhost:8080');
    assert.match(await open(inside(), 'http://evil.example'), /403/);
    assert.match(await open(inside(), 'http://127.0.0.1:4680'), /403/);
    assert.match(await open(inside()), /403/);
    assert.match(await open({ host }, `http://${host}`), /401/);
    assert.match(await open({ ...inside(), host: 'evil.example' }, 'http://evil.example'), /403/);
  });

  test('a program that does not speak HTTP is said to', async () => {
    const socketPath = join(folder, 'database.sock');
    const { createServer: tcp } = await import('node:net');
    const database = tcp(socket => socket.end('5.7.44-log'));
    await new Promise<void>(resolve => database.listen(socketPath, resolve));
    const { promise: ended, resolve } = Promise.withResolvers<void>();
    const link = new URL(
      await doors.open({ id: '2-3306', port: 3306, reach: async () => socketPath, ended }, 'localhost:1'),
    );
    const first = await ask(Number(link.port), link.pathname + link.search, { host: link.host });
    const pass = (first.headers['set-cookie']?.[0] ?? '').split(';')[0] ?? '';
    const answer = await ask(Number(link.port), '/', { host: link.host, cookie: pass });
    assert.equal(answer.status, 502);
    assert.match(answer.body, /資料庫[\s\S]*did not answer in HTTP/);
    resolve();
    database.close();
  });

  test('when the command ends the door is shut', async () => {
    end();
    await new Promise(resolve => setTimeout(resolve, 50));
    await assert.rejects(ask(port, '/', inside()), /ECONNREFUSED/);
  });
});

describe('which ports are offered', () => {
  const follow = (relay = true) => {
    const clock = fakeClock();
    const log = createCommandLog(clock);
    const told: ForwardInfo[][] = [];
    const open = new Set<number>();
    const forwards = followForwards({
      commands: log,
      clock,
      listens: async port => open.has(port),
      ...(relay ? { relay: async () => ({ socketPath: '/nowhere', close: async () => {} }) } : {}),
      changed: () =>
        told.push(
          forwards.list().map(({ id, port, direct }) => ({ id, port, ...(direct ? { direct } : {}) })),
        ),
    });
    const run = async (line: string, output: string) => {
      const running = log.begin('t', line, '/');
      running.print(Buffer.from(output));
      await clock.advance(200);
      return running;
    };
    const aside = async (text: string, terminal = 't') => {
      log.aside(terminal, Buffer.from(text));
      await clock.advance(1);
    };
    const ports = () => forwards.list().map(({ port }) => port);
    return { run, aside, told, forwards, open, clock, ports };
  };
  const SAID = 'Forwarding from 127.0.0.1:8080 -> 80\r\nForwarding from [::1]:8080 -> 80\r\n';

  test('what kubectl port-forward and proxy hold open, until they end', async () => {
    const { run, told, forwards, clock } = follow();
    const first = await run('kubectl port-forward -n istio-system svc/gateway 8080:80', SAID);
    const second = await run(
      'cd x && k --context minikube -n kubeflow proxy',
      'Starting to serve on 127.0.0.1:8001\r\n',
    );
    assert.deepEqual(
      told.at(-1)?.map(({ port }) => port),
      [8080, 8001],
    );
    first.end(130);
    await clock.advance(1);
    assert.deepEqual(
      told.at(-1)?.map(({ port }) => port),
      [8001],
    );
    second.end(0);
    await clock.advance(1);
    assert.deepEqual(told.at(-1), []);
    assert.deepEqual(forwards.list(), []);
  });

  test('not what another command prints, nor a port that is not on loopback', async () => {
    const { run, told } = follow();
    await run('cat forwarded.txt', SAID);
    await run('kubectl logs web', SAID);
    await run('kubectl logs -f proxy', SAID);
    await run('echo port-forward', SAID);
    await run('kubectl proxy --address=0.0.0.0', 'Starting to serve on [::]:8001\r\n');
    await run('kubectl port-forward web 8080:80', `error: ${SAID}`);
    assert.deepEqual(told, []);
  });

  test('without a sandbox the browser goes to the port by itself, and nothing of ours leads there', async () => {
    const { run, told, forwards } = follow(false);
    await run('kubectl port-forward web 8080:80', SAID);
    assert.equal(told.at(-1)?.[0]?.direct, true);
    const doors = createForwardDoors();
    await assert.rejects(doors.open(forwards.list()[0]!, 'localhost:1'), /no door/);
  });

  test('one that went to the background is offered behind the prompt, until its port is let go', async () => {
    for (const line of ['kubectl port-forward svc/web 8080:80 &', 'kubectl proxy & sleep 1']) {
      const { run, aside, open, clock, ports, told } = follow();
      (await run(line, '[1] 4711\r\n')).end(0);
      // In pieces, behind what the prompt and the learner have written.
      await aside('\x1b[1;32mlearner@minikube\x1b[0m:~$ Forwarding from 127.0.');
      assert.deepEqual(ports(), []);
      open.add(8080);
      await aside('0.1:8080 -> 80\r\n');
      assert.deepEqual(ports(), [8080]);
      // Another command is no end of it, nor is time.
      (await run('curl localhost:8080', 'hello\r\n')).end(0);
      await clock.advance(60_000);
      assert.deepEqual(ports(), [8080]);
      open.delete(8080);
      await clock.advance(3000);
      assert.deepEqual(ports(), []);
      assert.equal(told.length, 2);
      assert.equal(clock.pending, 0);
    }
  });

  test('so is one that says it before the prompt, while another command runs, or is sent there by Ctrl-Z', async () => {
    const { run, open, clock, ports } = follow();
    open.add(8080).add(8081).add(8082);
    (await run('kubectl port-forward a 8080:80 &', SAID)).end(0);
    (await run('kubectl port-forward b 8081:80 2>&1 &', '')).end(0);
    (await run('sleep 2', 'Forwarding from 127.0.0.1:8081 -> 80\r\n')).end(0);
    (await run('kubectl port-forward c 8082:80', 'Forwarding from 127.0.0.1:8082 -> 80\r\n')).end(148);
    await clock.advance(10_000);
    assert.deepEqual(ports(), [8080, 8081, 8082]);
  });

  test('a line shown aside is believed of a terminal that left kubectl behind, of a port that listens, for a while', async () => {
    const { run, aside, open, clock, told } = follow();
    await aside(SAID);
    open.add(8080);
    (await run('kubectl port-forward web 8080:80 && echo gone', '')).end(1);
    (await run('kubectl port-forward web 8080:80 > log 2>&1', '')).end(1);
    await aside(SAID);
    (await run('kubectl port-forward web 8080:80 &', '')).end(0);
    await aside(SAID, 'another terminal');
    await aside('Forwarding from 127.0.0.1:9999 -> 80\r\n');
    await clock.advance(31_000);
    await aside(SAID);
    assert.deepEqual(told, []);
  });

  test('a port forwarded anew is one offer', async () => {
    const { run, open, clock, ports } = follow();
    open.add(8080);
    (await run('kubectl port-forward web 8080:80 &', SAID)).end(0);
    await run('kubectl port-forward web 8080:80', SAID);
    await clock.advance(3000);
    assert.deepEqual(ports(), [8080]);
  });

  test('a few at most', async () => {
    const { run, forwards } = follow();
    const many = Array.from({ length: 50 }, (_, n) => `Forwarding from 127.0.0.1:${9000 + n} -> 80\r\n`);
    await run('kubectl port-forward web 8080:80', many.join(''));
    assert.equal(forwards.list().length, 8);
  });
});
