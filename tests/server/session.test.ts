// A learner's sitting: opening, coming back, a second tab, refusals with a reason, expiry, a restart of the server.

import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { WebSocket } from 'ws';
import type { OpenAnswer, SessionMessage } from '#common/protocol/index.ts';
import { fakeClock } from '../../server/clock.ts';
import { createMinikubeProvider } from '../../server/cluster/index.ts';
import { createSessions } from '../../server/session/index.ts';
import { createKubectl, type Sandbox } from '../../server/workspace/index.ts';
import { helloProvider, listeningLab } from '../support/fake-parts.ts';
import { minikubeDouble } from '../support/minikube-double.ts';
import { startTestServer, type TestServerOptions } from '../support/test-server.ts';

const KUBECTL = { state: 'found', path: '/bin/true', version: 'v1.36.2', source: 'path' } as const;
const NO_WALLS: Sandbox = {
  tier: 'none',
  forwarder: 'node',
  note: { 'zh-TW': '沒有沙箱', en: 'no sandbox here' },
};

async function serving(t: TestContext, options: TestServerOptions = {}) {
  const lab = listeningLab();
  const provider = helloProvider();
  const server = await startTestServer({
    providers: [provider],
    lab: async () => lab,
    tools: async () => [],
    kubectl: KUBECTL,
    sandbox: NO_WALLS,
    ...options,
  });
  t.after(() => server.close());
  return { lab, provider, server };
}

function refused(answer: OpenAnswer): { reason: string; note: string } {
  assert.equal(answer.ok, false, JSON.stringify(answer));
  return answer.ok ? { reason: '', note: '' } : { reason: answer.reason, note: answer.note.en };
}

/** A page's session socket, with what it was told. */
async function connectSession(origin: string, cookie: string, session: string) {
  const ws = new WebSocket(`${origin.replace('http', 'ws')}/ws/session/${session}`, {
    headers: { cookie },
    origin,
  });
  const messages: SessionMessage[] = [];
  const waiting = new Set<() => void>();
  ws.on('message', data => {
    messages.push(JSON.parse(String(data)) as SessionMessage);
    for (const look of waiting) look();
  });
  await new Promise(resolve => ws.once('open', resolve));
  return {
    messages,
    send: (message: unknown) => ws.send(JSON.stringify(message)),
    close: () => ws.close(),
    until: (matches: (message: SessionMessage) => boolean) =>
      new Promise<SessionMessage>((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`not told; only ${JSON.stringify(messages)}`)), 5000);
        const look = () => {
          const found = messages.find(matches);
          if (!found) return;
          clearTimeout(timer);
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
        look();
      }),
  };
}

test('a second tab and a reload get the same session; two at once open one cluster', async t => {
  const { server, provider, lab } = await serving(t);
  const answers = await Promise.all([server.open({}), server.open({ language: 'zh-TW' }), server.open({})]);
  const sessions = answers.map(answer => (answer.ok ? answer.state.session : answer.note.en));
  assert.equal(new Set(sessions).size, 1);
  assert.equal(provider.attached, 1);
  assert.equal(lab.options.length, 1);
  const other = await server.open({ lab: 'other' });
  assert.notEqual(other.ok && other.state.session, sessions[0]);
  assert.equal(provider.attached, 2);
});

test('a page is told the whole state first, then each change', async t => {
  const { server, lab } = await serving(t);
  const answer = await server.open({});
  assert.ok(answer.ok);
  const page = await connectSession(server.origin, server.cookie, answer.state.session);
  const state = await page.until(message => message.type === 'state');
  assert.deepEqual(state, { type: 'state', state: answer.state });
  lab.emit({ type: 'attempt', attempt: { ...lab.view, status: 'complete' } });
  await page.until(message => message.type === 'attempt' && message.attempt.status === 'complete');
  page.send({ type: 'hint', step: 'look' });
  await page.until(message => message.type === 'step' && message.step.id === 'look');
  page.close();
});

test('reset empties the cluster', async t => {
  const { server, provider } = await serving(t);
  const answer = await server.open({});
  assert.ok(answer.ok);
  const page = await connectSession(server.origin, server.cookie, answer.state.session);
  page.send({ type: 'reset' });
  for (let i = 0; i < 100 && provider.resets === 0; i++)
    await new Promise(resolve => setTimeout(resolve, 20));
  assert.equal(provider.resets, 1);
  page.close();
});

test('terminals open up to a bound, and closing the last one opens another', async t => {
  const { server } = await serving(t);
  const answer = await server.open({});
  assert.ok(answer.ok);
  const page = await connectSession(server.origin, server.cookie, answer.state.session);
  for (let i = 0; i < 6; i++) page.send({ type: 'open-terminal' });
  await page.until(message => message.type === 'error');
  const full = page.messages.filter(message => message.type === 'terminals').at(-1);
  assert.equal(full?.type === 'terminals' && full.terminals.length, 6);
  for (const terminal of full?.type === 'terminals' ? full.terminals : [])
    page.send({ type: 'close-terminal', terminal: terminal.id });
  const last = await page.until(
    message =>
      message.type === 'terminals' &&
      message.terminals.length === 1 &&
      message.terminals[0]!.id.endsWith('.7'),
  );
  assert.ok(last);
  page.close();
});

test('outside a sandbox the learner is asked first', async t => {
  const { server, provider } = await serving(t);
  assert.deepEqual(refused(await server.open({ consent: false })), {
    reason: 'needs-consent',
    note: 'no sandbox here',
  });
  assert.deepEqual(refused(await server.open({ consent: undefined })).reason, 'needs-consent');
  assert.equal(provider.attached, 0);
});

test('without kubectl no lab opens, and the answer says the way out', async t => {
  const { server } = await serving(t, {
    kubectl: { state: 'missing', note: { 'zh-TW': '沒有', en: 'install kubectl' } },
  });
  assert.deepEqual(refused(await server.open({})), { reason: 'no-kubectl', note: 'install kubectl' });
});

test('a lab that is not there, and one for the other kind of cluster, are refused', async t => {
  const only = listeningLab(['minikube']);
  const { server } = await serving(t, { lab: async () => only });
  assert.match(refused(await server.open({ lab: 'none' })).note, /there is no lab none/);
  assert.equal(refused(await server.open({})).reason, 'no-cluster');
});

test('a cluster that does not start is said in one line, and the next try starts anew', async t => {
  let fail = true;
  const hello = helloProvider();
  const { server } = await serving(t, {
    providers: [
      {
        ...hello,
        attach: (...args) => {
          if (fail) throw new Error('the cluster fell over\n    at some.place');
          return hello.attach(...args);
        },
      },
    ],
  });
  t.mock.method(console, 'error', () => {});
  assert.deepEqual(refused(await server.open({})), {
    reason: 'failed',
    note: 'The lab could not be opened: the cluster fell over',
  });
  fail = false;
  assert.equal((await server.open({})).ok, true);
});

test('after a restart of the server the home is as it was', async t => {
  const data = await mkdtemp(join(tmpdir(), 'kbd-restart-'));
  t.after(() => rm(data, { recursive: true, force: true }));
  const first = await serving(t, { data });
  assert.ok((await first.server.open({})).ok);
  await writeFile(join(first.lab.options[0]!.home, 'kserve-rbac.yaml'), 'kind: RoleBinding\n');
  await first.server.close();
  const second = await serving(t, { data });
  assert.ok((await second.server.open({})).ok);
  assert.equal(second.lab.options[0]!.home, first.lab.options[0]!.home);
  assert.equal(
    await readFile(join(second.lab.options[0]!.home, 'kserve-rbac.yaml'), 'utf8'),
    'kind: RoleBinding\n',
  );
});

test('a running minikube opens a shell with a kubeconfig of our own, after a yes', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'kbd-mk-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const double = await minikubeDouble(folder, [{ name: 'lab', state: 'running' }]);
  const run = async (file: string, args: string[]) => {
    const { execFile } = await import('node:child_process');
    return new Promise<{ code: number; stdout: string; stderr: string }>(resolve =>
      execFile(join(double.bin, file), args, (error, stdout, stderr) =>
        resolve({ code: error ? 1 : 0, stdout, stderr }),
      ),
    );
  };
  const minikube = createMinikubeProvider({ run, env: { MINIKUBE_HOME: double.home } });
  const { server, lab } = await serving(t, { providers: [helloProvider(), minikube] });
  const cluster = { kind: 'minikube', profile: 'lab' } as const;
  const unasked = refused(await server.open({ cluster, consent: false }));
  assert.equal(unasked.reason, 'needs-consent');
  assert.match(unasked.note, /your own shell/);
  const answer = await server.open({ cluster });
  assert.ok(answer.ok, JSON.stringify(answer));
  assert.equal(answer.state.cluster.profile, 'lab');
  const config = await readFile(join(lab.options[0]!.home, '.kube', 'config'), 'utf8');
  assert.match(config, /server: https:\/\/192\.168\.49\.2:8443/);
  assert.equal(lab.options[0]!.cluster.reset, undefined);
  const gone = refused(
    await server.open({ lab: 'other', cluster: { kind: 'minikube', profile: 'not-there' } }),
  );
  assert.equal(gone.reason, 'no-cluster');
});

test('a session nobody looks at ends after hours, one that is looked at does not', async t => {
  const data = await mkdtemp(join(tmpdir(), 'kbd-expiry-'));
  t.after(() => rm(data, { recursive: true, force: true }));
  const clock = fakeClock();
  const provider = helloProvider();
  const lab = listeningLab();
  const sessions = createSessions({
    data,
    labs: '/nowhere',
    lab: async () => lab,
    providers: [provider],
    sandbox: NO_WALLS,
    kubectl: createKubectl({ cache: data, known: KUBECTL }),
    tools: async () => [],
    progress: { close: () => {}, current: () => undefined } as never,
    clock,
  });
  t.after(() => sessions.close());
  const request = { lab: 'any', cluster: { kind: 'practice' }, language: 'en', consent: true } as const;
  const answer = await sessions.open(request);
  assert.ok(answer.ok);
  const leave = sessions.get(answer.state.session)!.subscribe(() => {});
  await clock.advance(6 * 3600_000);
  assert.ok(sessions.get(answer.state.session));
  leave();
  await clock.advance(4 * 3600_000);
  for (let i = 0; i < 100 && provider.attached > 0; i++)
    await new Promise(resolve => setTimeout(resolve, 20));
  assert.equal(provider.attached, 0);
  assert.equal(sessions.get(answer.state.session), undefined);
  for (let i = 0; i < 100 && (await readdir(join(data, 'run'))).length > 0; i++) {
    await new Promise(resolve => setTimeout(resolve, 20));
  }
  assert.deepEqual(await readdir(join(data, 'run')), []);
});

test('more sessions than there is room for push out the one looked at longest ago, never one that is watched', async t => {
  const { server, provider } = await serving(t);
  const names = [...'abcdefghij'];
  const pages: Awaited<ReturnType<typeof connectSession>>[] = [];
  for (const lab of names) {
    const answer = await server.open({ lab });
    assert.ok(answer.ok);
    if (lab !== 'c') pages.push(await connectSession(server.origin, server.cookie, answer.state.session));
  }
  const eleventh = await server.open({ lab: 'k' });
  assert.ok(eleventh.ok);
  assert.equal(provider.attached, 10);
  pages.push(await connectSession(server.origin, server.cookie, eleventh.state.session));
  assert.equal(refused(await server.open({ lab: 'l' })).reason, 'busy');
  for (const page of pages) page.close();
});
