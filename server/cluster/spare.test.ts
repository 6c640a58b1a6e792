import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createPracticeProvider } from './practice.ts';
import type { ClusterProvider } from './types.ts';
import type { PracticeWorker, StartPractice } from './worker.ts';

interface Double {
  folder: string;
  provider: ClusterProvider;
  /** Sizes of the clusters started so far, in order. */
  started: string[];
  running: () => number;
  /** What the n-th cluster does when it dies by itself. */
  die: (() => void)[];
  failing: boolean;
  attach(options?: { cpus?: string }): ReturnType<ClusterProvider['attach']>;
}

/** Clusters that only listen, and greet with the number of their start. */
async function double(t: TestContext): Promise<Double> {
  const folder = await mkdtemp(join(tmpdir(), 'kbd-spare-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  let running = 0;
  let sessions = 0;
  const start: StartPractice = async ({ nodes, listen }) => {
    if (it.failing) throw new Error('no room');
    const number = it.started.push(`${nodes[0]!.cpus} ${nodes[0]!.memory}`);
    const api = createServer(socket => socket.end(String(number)));
    const node = createServer(socket => socket.end(`node of ${number}`));
    const listening = (server: Server, path: string) =>
      new Promise<void>(resolve => server.listen(path, resolve));
    const closed = async () => {
      for (const server of [api, node]) await new Promise(resolve => server.close(resolve));
    };
    await listening(api, listen.socketPath);
    await listening(node, listen.nodeSocketPath);
    t.after(closed);
    running++;
    const ended = new Promise<void>(resolve => it.die.push(resolve));
    const worker: PracticeWorker = {
      port: 1,
      ended,
      kubeconfig: () => '',
      snapshot: async () => 0,
      restore: async () => {},
      close: async () => {
        running--;
        await closed();
      },
    };
    return worker;
  };
  const provider = createPracticeProvider(start);
  const it: Double = {
    folder,
    provider,
    started: [],
    running: () => running,
    die: [],
    failing: false,
    attach: async (options = {}) => {
      const own = await mkdtemp(join(folder, `session-${++sessions}-`));
      const [offer] = await provider.available();
      return provider.attach(own, offer!, options, () => {});
    },
  };
  return it;
}

const greeting = (socketPath: string) =>
  new Promise<string>((resolve, reject) => {
    const socket = connect(socketPath);
    socket.once('data', data => resolve(String(data)));
    socket.once('error', reject);
  });

test('a cluster made ready is given to the next session, reached through the session’s own socket', async t => {
  const it = await double(t);
  it.provider.prepare!(join(it.folder, 'spare'));
  it.provider.prepare!(join(it.folder, 'spare'));
  const cluster = await it.attach();
  assert.deepEqual(it.started, ['2 4Gi']);
  assert.equal(await greeting(cluster.socketPath!), '1');
  assert.equal(await greeting(cluster.nodeSocketPath!), 'node of 1');
  const next = await it.attach();
  assert.equal(await greeting(next.socketPath!), '2');
  await cluster.detach();
  await next.detach();
  assert.equal(it.running(), 0);
});

test('a lab that wants another machine gets its own, and the spare stays', async t => {
  const it = await double(t);
  it.provider.prepare!(join(it.folder, 'spare'));
  const large = await it.attach({ cpus: '6' });
  assert.deepEqual(it.started.toSorted(), ['2 4Gi', '6 4Gi']);
  const usual = await it.attach();
  assert.equal(it.started.length, 2);
  await large.detach();
  await usual.detach();
});

test('a spare that ended or never started is not given away', async t => {
  const it = await double(t);
  it.failing = true;
  it.provider.prepare!(join(it.folder, 'spare'));
  await new Promise(resolve => setTimeout(resolve, 50));
  it.failing = false;
  it.provider.prepare!(join(it.folder, 'spare'));
  await new Promise(resolve => setTimeout(resolve, 50));
  assert.equal(it.started.length, 1);
  it.die[0]!();
  await new Promise(resolve => setTimeout(resolve, 10));
  const cluster = await it.attach();
  assert.equal(await greeting(cluster.socketPath!), '2');
  await cluster.detach();
});

test('closing ends a spare that nobody took, also one still on its way, and its folder', async t => {
  const it = await double(t);
  it.provider.prepare!(join(it.folder, 'spare'));
  await it.provider.close!();
  assert.equal(it.started.length, 1);
  assert.equal(it.running(), 0);
  assert.equal(existsSync(join(it.folder, 'spare')), false);
  it.provider.prepare!(join(it.folder, 'spare'));
  await new Promise(resolve => setTimeout(resolve, 20));
  assert.equal(it.started.length, 1);
});
