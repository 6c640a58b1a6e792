// The main job with nothing replaced: a lab opens on the practice cluster, and real kubectl works in the page's terminal.

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import type { AttemptView, SessionMessage } from '#common/protocol/index.ts';
import { createKubectl, onPath, probeSandbox } from '../../server/workspace/index.ts';
import { connectTerminal, type TerminalClient } from '../support/terminal-client.ts';
import { ROOT, startTestServer, type TestServer } from '../support/test-server.ts';

const LAB = `title: { zh-TW: 試一試, en: Trying }
minutes: 1
cluster: { cpus: 2, memory: 4Gi }
steps:
  - id: look
    task: { zh-TW: 看看節點。, en: Look at the node. }
    hints: [{ zh-TW: 提示, en: Hint }]
    checks:
      - command: { ran: kubectl get nodes, exit: 0 }
  - id: serve
    task: { zh-TW: 讓網站運作。, en: Make the site run. }
    hints: [{ zh-TW: 提示, en: Hint }]
    checks:
      - resource:
          ref: { kind: Deployment, namespace: default, name: web }
          match: { status: { readyReplicas: 1 } }
`;

const found = await createKubectl({ cache: join(ROOT, '.cache', 'kubectl') }).look();
const sandbox = await probeSandbox();
const curl = await onPath('curl');
const skip = found.state === 'found' ? false : 'there is no kubectl here';

describe('a lab on the practice cluster', { skip }, () => {
  let folder: string;
  let server: TestServer;
  let terminal: TerminalClient;
  let session: string;
  let id: string;
  const messages: SessionMessage[] = [];
  let control: WebSocket;

  const start = async () => {
    server = await startTestServer({ labs: join(folder, 'labs'), data: join(folder, 'data') });
    const answer = await server.open({ lab: 'trying' });
    assert.ok(answer.ok, JSON.stringify(answer));
    session = answer.state.session;
    id = answer.state.terminals[0]!.id;
    messages.length = 0;
    control = new WebSocket(`${server.origin.replace('http', 'ws')}/ws/session/${session}`, {
      headers: { cookie: server.cookie },
      origin: server.origin,
    });
    control.on('message', data => messages.push(JSON.parse(String(data)) as SessionMessage));
    await new Promise(resolve => control.once('open', resolve));
    terminal = await connectTerminal(server.origin, id, { cookie: server.cookie });
    await terminal.prompt();
  };
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kbd-practice-'));
    await mkdir(join(folder, 'labs', 'trying'), { recursive: true });
    await writeFile(join(folder, 'labs', 'trying', 'lab.yaml'), LAB);
    await start();
  });
  after(async () => {
    await server?.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** The attempt as the page holds it after all messages. */
  const attempt = (): AttemptView | undefined => {
    let view: AttemptView | undefined;
    for (const message of messages) {
      if (message.type === 'state') view = message.state.attempt;
      if (message.type === 'attempt') view = message.attempt;
      if (message.type === 'step' && view)
        view = {
          ...view,
          steps: view.steps.map(step => (step.id === message.step.id ? message.step : step)),
        };
    }
    return view;
  };
  const stepState = (step: string) => attempt()?.steps.find(candidate => candidate.id === step)?.state;
  const until = async (holds: () => boolean, what: string) => {
    for (let waited = 0; waited < 30_000; waited += 50) {
      if (holds()) return;
      await sleep(50);
    }
    assert.fail(`${what}; instead ${JSON.stringify(attempt())}`);
  };
  const run = async (line: string, client = terminal) => {
    const before = client.text.length;
    client.run(line);
    await client.prompt();
    return client.text.slice(before);
  };

  test('kubectl in the terminal reaches it, by minikube’s own address inside a sandbox', async () => {
    const text = await run('kubectl cluster-info');
    assert.match(
      text,
      sandbox.tier === 'bwrap' ? /https:\/\/192\.168\.49\.2:8443/ : /https:\/\/127\.0\.0\.1:\d+/,
    );
    assert.match(await run('kubectl version'), /Server Version: v1\.36\.2/);
  });

  test('nothing is green at first; each step turns green when the cluster or the terminal gets there', async () => {
    await until(() => attempt()?.status === 'running', 'the lab runs');
    assert.equal(stepState('serve'), 'open');
    assert.match(await run('kubectl get nodes'), /minikube +Ready/);
    await until(() => stepState('look') === 'passed', 'look is passed');
    await run('kubectl create deployment web --image=nginx:1.27');
    await until(() => stepState('serve') === 'passed', 'serve is passed');
    await until(() => attempt()?.status === 'complete', 'the lab is complete');
    await run('kubectl scale deployment web --replicas=0');
    await until(() => stepState('serve') === 'slipped', 'serve has slipped');
    await run('kubectl scale deployment web --replicas=1');
    await until(() => stepState('serve') === 'passed', 'serve is passed again');
  });

  test('a port-forward in one terminal is reached from another', {
    skip: curl ? false : 'there is no curl here',
  }, async () => {
    await run('kubectl rollout status deployment web --timeout=20s');
    control.send('{"type":"open-terminal"}');
    await until(() => messages.some(message => message.type === 'terminals'), 'a second terminal');
    const terminals = messages.findLast(message => message.type === 'terminals')!;
    const second = await connectTerminal(server.origin, terminals.terminals.at(-1)!.id, {
      cookie: server.cookie,
    });
    await second.prompt();
    terminal.run('kubectl port-forward deployment/web 18080:80');
    await terminal.until(/Forwarding from 127\.0\.0\.1:18080/);
    assert.match(await run('curl -s -i -m 10 http://127.0.0.1:18080/', second), /HTTP\/1\.1 200 OK/);
    terminal.type('\x03');
    await terminal.prompt();
    second.close();
  });

  test('a reset empties the cluster and the steps', async () => {
    await run('kubectl create namespace left-over');
    control.send('{"type":"reset"}');
    await until(
      () => stepState('serve') === 'open' && stepState('look') === 'open' && attempt()?.status === 'running',
      'all is open',
    );
    assert.match(await run('kubectl get namespace left-over'), /NotFound|not found/);
    assert.match(await run('kubectl get deployments'), /No resources found/);
  });

  test('after a restart of the server what was passed is still passed, on a cluster that is new', async () => {
    await run('kubectl get nodes');
    await until(() => stepState('look') === 'passed', 'look is passed');
    await run('kubectl create namespace of-before; echo kept > ~/kept.txt');
    await server.close();
    await start();
    await until(() => attempt()?.status === 'running', 'the lab runs again');
    assert.equal(stepState('look'), 'passed');
    assert.match(await run('kubectl get namespace of-before'), /not found/);
    assert.match(await run('cat ~/kept.txt'), /kept/);
  });
});
