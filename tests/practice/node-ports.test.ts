// The node's ports as a learner's shell reaches them, with nothing replaced but the lab: server, walls, cluster, minikube.

import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { onPath } from '../../server/on-path.ts';
import { createKubectl, probeSandbox } from '../../server/workspace/index.ts';
import { listeningLab } from '../support/fake-parts.ts';
import { connectTerminal, type TerminalClient } from '../support/terminal-client.ts';
import { ROOT, startTestServer, type TestServer } from '../support/test-server.ts';

const found = await createKubectl({ cache: join(ROOT, '.cache', 'kubectl') }).look();
const sandbox = await probeSandbox();
const skip =
  found.state !== 'found'
    ? 'there is no kubectl here'
    : sandbox.tier !== 'bwrap'
      ? 'bubblewrap does not work here'
      : !(await onPath('curl')) && 'there is no curl here';

const WEB =
  'kubectl create deployment web --image=nginx:1.27; kubectl create service nodeport web --tcp=80:80 --node-port=30080';

const CURL = 'curl -sS -m 5 192.168.49.2:30080';

describe('ports of the node in a sandboxed shell', { skip }, () => {
  let server: TestServer;
  let terminal: TerminalClient;
  let session: string;

  const shellOf = async (lab: string) => {
    const answer = await server.open({ lab });
    assert.ok(answer.ok, JSON.stringify(answer));
    const client = await connectTerminal(server.origin, answer.state.terminals[0]!.id, {
      cookie: server.cookie,
    });
    await client.prompt();
    return { client, session: answer.state.session };
  };
  before(async () => {
    const lab = listeningLab();
    server = await startTestServer({ lab: async () => lab });
    ({ client: terminal, session } = await shellOf('one'));
    // It takes its time to become ready, which others need not wait for.
    await run('(minikube addons enable ingress > ingress.log 2>&1 &)');
  });
  after(() => server?.close());

  const run = async (line: string, client = terminal) => {
    const before = client.text.length;
    client.run(line);
    await client.prompt();
    return client.text.slice(before).split('\x1b[?2004l\r').slice(1).join('').split('\x1b[?2004h')[0]!;
  };
  /** Ports open and close a moment after what opens and closes them, as on a real node. */
  const until = async (line: string, holds: RegExp, client = terminal) => {
    let text = '';
    for (let tries = 0; tries < 60; tries++) {
      text = await run(line, client);
      if (holds.test(text)) return text;
      await sleep(200);
    }
    assert.fail(text || 'nothing was printed');
  };
  const REFUSED = /curl: \(7\) .*(Connection refused|Could not connect|Couldn't connect)/;

  test('a node port is refused until a pod answers there, then leads to it by every name a learner has', async () => {
    assert.match(await run('curl -sS -m 5 $(minikube ip):30080'), REFUSED);
    await run(WEB);
    await run('kubectl rollout status deployment web --timeout=30s');
    await until(CURL, /nginx/);
    assert.match(await run('curl -sS -m 5 $(minikube ip):30080'), /Welcome to nginx!/);
    assert.match(await run('minikube service web --url'), /^http:\/\/192\.168\.49\.2:30080\r?\n$/);
    assert.match(await run('curl -sS -m 5 -i $(minikube service web --url)'), /HTTP\/1\.1 200 OK/);
    assert.match(
      await run('curl -sS -m 5 http://control-plane.minikube.internal:30080'),
      /Welcome to nginx!/,
    );
  });

  test('what is sent and answered is whole', async () => {
    await run(
      `kubectl exec deploy/web -- sh -c "head -c 300000 /dev/zero | tr '\\\\0' x > /usr/share/nginx/html/big"`,
    );
    assert.match(await run('curl -sS -m 5 192.168.49.2:30080/big | wc -c'), /^300000\r?\n/);
  });

  test('a port without a pod behind it is refused, and so is one whose service is gone', async () => {
    await run('kubectl scale deployment web --replicas=0');
    await until(CURL, REFUSED);
    await run('kubectl scale deployment web --replicas=1');
    await until(CURL, /nginx/);
    await run('kubectl delete service web');
    await until(CURL, REFUSED);
    await run('kubectl create service nodeport web --tcp=80:80 --node-port=30080');
    await until(CURL, /nginx/);
  });

  test('the ingress add-on answers on port 80 of the node, whatever the name resolves to', async () => {
    await until('tail -n 1 ingress.log', /The 'ingress' addon is enabled/);
    await run('kubectl create ingress hello --class=nginx --rule="hello.example/*=web:80"');
    const ask = (name: string) =>
      `curl -sS -m 5 -o /dev/null -w '%{http_code}.' --resolve ${name}:80:$(minikube ip) http://${name}/`;
    await until(ask('hello.example'), /^(200|403)\./);
    assert.match(await run(ask('other.example')), /^404\./);
  });

  test('a pod in the node’s own network answers on the node', async () => {
    await run(
      `kubectl run own --image=busybox:1.35 --overrides='{"spec":{"hostNetwork":true}}' -- httpd -f -p 8099`,
    );
    await until('curl -sS -m 5 192.168.49.2:8099', /404 Not Found/);
  });

  test('leads to this session’s cluster alone: not to another’s, not to this machine', async () => {
    const other = await shellOf('two');
    assert.notEqual(other.session, session);
    assert.match(await run(CURL, other.client), REFUSED);
    await run(
      WEB.replace('nginx:1.27', 'gcr.io/google-samples/hello-app:2.0').replace('80:80', '80:8080'),
      other.client,
    );
    await run('kubectl rollout status deployment web --timeout=30s', other.client);
    await until(CURL, /Version: 2\.0\.0/, other.client);
    assert.doesNotMatch(await run(CURL), /Version/);
    // This very server listens on the machine's loopback; a shell finds it under no address of its own.
    for (const address of ['127.0.0.1', '192.168.49.2'])
      assert.match(await run(`curl -sS -m 5 ${address}:${server.port}`), REFUSED);
    other.client.close();
    // And nobody outside of the sandbox finds the ports on this machine.
    const refused = await new Promise(resolve =>
      connect(30080, '127.0.0.1')
        .on('connect', () => resolve('connected'))
        .on('error', error => resolve((error as NodeJS.ErrnoException).code)),
    );
    assert.equal(refused, 'ECONNREFUSED');
  });

  test('leads to open ports alone: what the node keeps to itself is hung up on', async () => {
    const path = join(server.data, 'run', session, 'node.sock');
    const ask = (line: string): Promise<string> =>
      new Promise((resolve, reject) => {
        let text = '';
        connect(path, function (this: import('node:net').Socket) {
          this.write(line);
        })
          .on('data', chunk => {
            text += chunk;
          })
          .on('close', () => resolve(text))
          .on('error', reject);
      });
    const told = await new Promise<string>(resolve => {
      const socket = connect(path, () => socket.write('open\n'));
      socket.once('data', chunk => resolve(String(chunk)) ?? socket.destroy());
    });
    const open = told.trim().split(' ').map(Number);
    assert.deepEqual(
      open.filter(port => port < 30_000),
      [80, 8099],
    );
    assert.ok(open.includes(30080), told);
    const answers = await ask('30080\nGET / HTTP/1.0\r\n\r\n');
    assert.match(answers, /^HTTP\/1\.\d \d{3} /);
    for (const line of [
      '10250\nGET /pods HTTP/1.0\r\n\r\n',
      '8443\nGET / HTTP/1.0\r\n\r\n',
      '22\n',
      'localhost:80\n',
      '0x7580\n',
    ])
      assert.equal(await ask(line), '');
  });

  test('a shell cannot listen below port 1024 itself', async () => {
    const tried = await run(
      `"$KBD_NODE" -e 'require("net").createServer().on("error", e => console.log(e.code)).listen(81, process.exit)'`,
    );
    assert.match(tried, /^EACCES\r?\n$/);
  });
});
