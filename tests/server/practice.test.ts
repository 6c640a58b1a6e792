// The main job with nothing replaced: a lab opens on the practice cluster, and real kubectl works in the page's terminal.

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { WebSocket } from 'ws';
import type { AttemptView, SessionMessage, Text } from '#common/protocol/index.ts';
import { onPath } from '../../server/on-path.ts';
import { createKubectl, probeSandbox } from '../../server/workspace/index.ts';
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
  /** What the page is told of the cluster it comes back to. */
  let note: Text | undefined;

  const start = async () => {
    server = await startTestServer({ labs: join(folder, 'labs'), data: join(folder, 'data') });
    const answer = await server.open({ lab: 'trying' });
    assert.ok(answer.ok, JSON.stringify(answer));
    session = answer.state.session;
    note = answer.state.note;
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

  const names = (text: string) => text.match(/pod\/web-\S+/g)?.sort();

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

  test('Tab completes kinds and names, by itself and after the line that lessons teach', async () => {
    for (const line of ['k', 'source <(kubectl completion bash); kubectl']) {
      const [command = '', before] = line.split('; ').reverse();
      if (before) await run(before);
      const begun = terminal.text.length;
      terminal.type(`${command} get no\tminik\t -o=na\t\r`);
      await terminal.until(text => /node\/minikube\r?\n/.test(text.slice(begun)));
      await terminal.prompt();
      assert.doesNotMatch(terminal.text.slice(begun), /not found|error/i);
    }
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

  test('a forwarded port is offered, opens behind a door of its own, and is shut with the command', async t => {
    if (sandbox.tier !== 'bwrap') return t.skip('without a sandbox the browser needs no way to the port');
    await run('kubectl rollout status deployment web --timeout=20s');
    terminal.run('kubectl port-forward deployment/web 18081:80');
    const forwards = () => messages.findLast(message => message.type === 'forwards')?.forwards ?? [];
    await until(() => forwards().length === 1, 'the port is offered');
    const [{ id: forward, port } = { id: '', port: 0 }] = forwards();
    assert.equal(port, 18081);
    const path = `${server.origin}/open/${session}/${forward}`;
    const ask = (url: string, cookie?: string) =>
      fetch(url, { redirect: 'manual', headers: cookie ? { cookie } : {} });
    // Our gate first; then only what this session forwards.
    assert.equal((await ask(path)).status, 401);
    assert.equal((await ask(`${server.origin}/open/${session}/1-22`, server.cookie)).status, 404);
    assert.equal((await ask(`${server.origin}/open/other/${forward}`, server.cookie)).status, 404);
    const location = (await ask(path, server.cookie)).headers.get('location') ?? '';
    assert.match(location, /^http:\/\/localhost:\d+\/\?kubeflow-by-doing=/);
    const first = await ask(location);
    assert.equal(first.status, 303);
    const cookie = (first.headers.get('set-cookie') ?? '').split(';')[0];
    const { origin } = new URL(location);
    const shown = await ask(`${origin}/`, cookie);
    assert.match(await shown.text(), /Welcome to nginx/);
    assert.equal((await ask(`${origin}/none`, cookie)).status, 404);
    // That pass opens nothing of ours.
    assert.equal((await ask(`${server.origin}/api/status`, cookie)).status, 401);
    terminal.type('\x03');
    await terminal.prompt();
    await until(() => forwards().length === 0, 'it is not offered any more');
    assert.equal((await ask(path, server.cookie)).status, 404);
    await assert.rejects(ask(`${origin}/`, cookie));
    // From the background it is heard too; its end is the port's, not the line's.
    await run('kubectl port-forward deployment/web 18081:80 &');
    await until(() => forwards().length === 1, 'the port is offered again');
    await run('true');
    const again = await ask(`${server.origin}/open/${session}/${forwards()[0]?.id}`, server.cookie);
    assert.equal(again.status, 303);
    await run('kill %1');
    await until(() => forwards().length === 0, 'its port was let go');
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

  /** A file in the session's folder, where the cluster is kept. */
  const keptFile = () => join(folder, 'data', 'sessions', session, 'cluster');
  const restart = async () => {
    await server.close();
    await start();
    await until(() => ['running', 'complete'].includes(attempt()?.status ?? ''), 'the lab runs again');
  };

  test('after a restart of the server the cluster is as it was, its pods run, and what was passed is passed', async () => {
    await run('kubectl get nodes');
    await until(() => stepState('look') === 'passed', 'look is passed');
    await run('kubectl create deployment web --image=nginx:1.27 --replicas=2');
    await run('kubectl rollout status deployment web --timeout=30s');
    await run('kubectl create configmap of-before --from-literal=a=b; echo kept > ~/kept.txt');
    const pods = await run('kubectl get pods -o name | sort');
    await restart();
    assert.equal(note?.en, 'The cluster is as you left it.');
    assert.equal(stepState('look'), 'passed');
    assert.match(await run('kubectl get configmap of-before -o jsonpath={.data.a}'), /b/);
    assert.deepEqual(names(await run('kubectl get pods -o name | sort')), names(pods));
    assert.match(await run('kubectl exec deploy/web -- curl -s localhost'), /Welcome to nginx/);
    assert.match(await run('cat ~/kept.txt'), /kept/);
    // It lives: what is asked of it now happens.
    await run('kubectl delete pod -l app=web --wait=false');
    assert.match(await run('kubectl rollout status deployment web --timeout=30s'), /successfully rolled out/);
  });

  test('a reset after that goes back to the lab’s start, not to what was kept', async () => {
    control.send('{"type":"reset"}');
    await until(() => stepState('look') === 'open' && attempt()?.status === 'running', 'all is open');
    assert.match(await run('kubectl get deployments,configmaps of-before 2>&1'), /not found|No resources/);
    assert.match(await run('kubectl get deployments'), /No resources found/);
  });

  test('a cluster whose file is damaged is prepared anew, and the page is told why', async () => {
    await run('kubectl get nodes; kubectl create namespace of-before');
    await until(() => stepState('look') === 'passed', 'look is passed');
    await server.close();
    const whole = await readFile(keptFile());
    await writeFile(keptFile(), whole.subarray(0, whole.length >> 1));
    await start();
    await until(() => attempt()?.status === 'running', 'the lab runs again');
    assert.match(note?.en ?? '', /cannot be taken up again \(its file is damaged\).*prepared anew/);
    assert.match(note?.['zh-TW'] ?? '', /檔案損壞了.*重新準備/);
    assert.equal(stepState('look'), 'passed');
    assert.match(await run('kubectl get namespace of-before'), /not found/);
    assert.match(await run('kubectl get nodes'), /minikube +Ready/);
  });

  test('a reset lets go of the kept cluster', async () => {
    await run('kubectl create namespace of-before');
    await until(() => existsSync(keptFile()), 'it is kept');
    const told = messages.length;
    control.send('{"type":"reset"}');
    const since = () =>
      messages.slice(told).flatMap(message => (message.type === 'attempt' ? [message.attempt.status] : []));
    await until(() => since().includes('preparing') && since().at(-1) === 'running', 'it was reset');
    await restart();
    assert.match(await run('kubectl get namespace of-before'), /not found/);
  });
});

describe('a server that is killed', { skip }, () => {
  test('loses at most the last second', async t => {
    const folder = await mkdtemp(join(tmpdir(), 'kbd-killed-'));
    t.after(() => rm(folder, { recursive: true, force: true }));
    await mkdir(join(folder, 'labs', 'trying'), { recursive: true });
    await writeFile(join(folder, 'labs', 'trying', 'lab.yaml'), LAB);
    const child = spawn(
      process.execPath,
      [join(ROOT, 'tests/support/killable.ts'), join(folder, 'labs'), join(folder, 'data')],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    t.after(() => child.kill('SIGKILL'));
    const said = await new Promise<string>(resolve =>
      child.stdout.once('data', data => resolve(String(data))),
    );
    const { kubeconfig } = JSON.parse(said) as { kubeconfig: string };
    const kubectl = (config: string, ...args: string[]) =>
      promisify(execFile)('kubectl', ['--kubeconfig', config, ...args]).then(
        ({ stdout }) => stdout,
        error => String(error.stderr),
      );
    await kubectl(kubeconfig, 'create', 'deployment', 'web', '--image=nginx:1.27');
    await kubectl(kubeconfig, 'rollout', 'status', 'deployment', 'web', '--timeout=20s');
    await kubectl(kubeconfig, 'create', 'namespace', 'early');
    await sleep(1000);
    const ended = new Promise(resolve => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
    const server = await startTestServer({ labs: join(folder, 'labs'), data: join(folder, 'data') });
    t.after(() => server.close());
    const answer = await server.open({ lab: 'trying' });
    assert.ok(answer.ok, JSON.stringify(answer));
    assert.equal(answer.state.note?.en, 'The cluster is as you left it.');
    const again = join(folder, 'data', 'run', answer.state.session, 'kubeconfig');
    assert.match(await kubectl(again, 'get', 'namespace', 'early'), /early +Active/);
    assert.match(
      await kubectl(again, 'rollout', 'status', 'deployment', 'web', '--timeout=20s'),
      /successfully rolled out/,
    );
  });
});
