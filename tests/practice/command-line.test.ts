// `npm run practice` as other people's scripts start it: every option, what it prints, and how it ends.

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { readSettings } from '../../server/practice/cli.ts';
import { api } from '../support/api.ts';

const PROGRAM = fileURLToPath(new URL('../../server/practice-main.ts', import.meta.url));
const folder = await mkdtemp(join(tmpdir(), 'practice-cli-'));
const running = new Set<ChildProcess>();
after(async () => {
  for (const child of running) child.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

interface Started {
  kubeconfig: string;
  url: string;
  child: ChildProcess;
  get(path: string, headers?: Record<string, string>, credentials?: boolean): ReturnType<typeof api>;
  post(path: string, body: object): ReturnType<typeof api>;
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

let count = 0;

function run(args: readonly string[], nodeOptions: readonly string[] = []) {
  const child = spawn(process.execPath, [...nodeOptions, PROGRAM, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  const output = { text: '' };
  const exit = new Promise<number | null>(resolve =>
    child.once('exit', code => {
      running.delete(child);
      resolve(code);
    }),
  );
  const listeners = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', chunk => {
      output.text += chunk;
      for (const listener of listeners) listener();
    });
  const says = (pattern: RegExp) =>
    new Promise<RegExpExecArray>((resolve, reject) => {
      const look = () => {
        const found = pattern.exec(output.text);
        if (found) resolve(found);
      };
      listeners.add(look);
      look();
      void exit.then(code => reject(new Error(`it ended with ${code}: ${output.text}`)));
    });
  return { child, output, exit, says };
}

async function start(...args: string[]): Promise<Started> {
  const kubeconfig = join(folder, `kubeconfig-${++count}`);
  const { child, exit, says } = run(['--kubeconfig', kubeconfig, ...args]);
  const [, url = ''] = await says(/answers at (\S+)\s+export KUBECONFIG=\S+\s+kubectl get nodes/);
  return {
    kubeconfig,
    url,
    child,
    get: (path, headers, credentials) =>
      api(kubeconfig, url, path, {
        ...(headers ? { headers } : {}),
        ...(credentials === false ? { credentials } : {}),
      }),
    post: (path, body) =>
      api(kubeconfig, url, path, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    stop(signal = 'SIGTERM') {
      child.kill(signal);
      return exit;
    },
  };
}

async function refused(...args: string[]): Promise<string> {
  const { exit, output } = run(args);
  assert.equal(await exit, 2, output.text);
  return output.text.split('\n')[0] as string;
}

const freePort = (): Promise<number> =>
  new Promise(resolve => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });

test('it listens on the port asked for, on loopback, writes a private kubeconfig and ends cleanly', async () => {
  const port = await freePort();
  const { url, kubeconfig, get, stop } = await start('--port', String(port), '--control-plane-only');
  assert.equal(url, `https://127.0.0.1:${port}`);
  assert.equal(statSync(kubeconfig).mode & 0o777, 0o600);
  const { clusters } = parse(readFileSync(kubeconfig, 'utf8'));
  assert.equal(clusters[0].cluster.server, url);
  assert.equal((await get('/readyz')).text, 'ok');
  const nodes = (await get('/api/v1/nodes')).json as { items: unknown[] };
  assert.equal(nodes.items.length, 0, 'a bare control plane has no nodes');
  const second = run([
    '--port',
    String(port),
    '--kubeconfig',
    join(folder, 'second'),
    '--control-plane-only',
  ]);
  assert.equal(await second.exit, 1);
  assert.match(second.output.text, /^That port is taken: choose another with --port\.$/m);
  assert.equal(await stop('SIGTERM'), 0);
  await assert.rejects(
    new Promise((resolve, reject) => connect(port, '127.0.0.1').on('connect', resolve).on('error', reject)),
  );
});

test('nodes are as many and as large as asked for; a node port answers on loopback; Ctrl-C ends it', async () => {
  const { get, post, stop } = await start('--nodes', '2', '--cpus', '3', '--memory', '5Gi', '--seed', '7');
  const { items } = (await get('/api/v1/nodes')).json as {
    items: { metadata: { name: string }; status: { capacity: Record<string, string> } }[];
  };
  assert.deepEqual(
    items.map(({ metadata, status }) => [metadata.name, status.capacity.cpu, status.capacity.memory]),
    [
      // All but the page that the kernel keeps.
      ['minikube', '3', '5242876Ki'],
      ['minikube-m02', '3', '5242876Ki'],
    ],
  );
  const nodePort = 30_000 + ((await freePort()) % 2768);
  await post('/apis/apps/v1/namespaces/default/deployments', {
    metadata: { name: 'web' },
    spec: {
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: { containers: [{ name: 'c', image: 'nginx:1.27' }] },
      },
    },
  });
  const service = await post('/api/v1/namespaces/default/services', {
    metadata: { name: 'web' },
    spec: { type: 'NodePort', selector: { app: 'web' }, ports: [{ port: 80, nodePort }] },
  });
  assert.equal(service.status, 201, service.text);
  const deadline = Date.now() + 60_000;
  let page = '';
  while (!/Welcome to nginx/.test(page)) {
    assert.ok(Date.now() < deadline, `the node port did not answer: ${page}`);
    await new Promise(resolve => setTimeout(resolve, 200));
    page = await fetch(`http://127.0.0.1:${nodePort}/`).then(
      answer => answer.text(),
      error => String(error),
    );
  }
  assert.equal(await stop('SIGINT'), 0);
});

test('authorization, static tokens and the range of services are those asked for', async () => {
  const tokens = join(folder, 'tokens.csv');
  await writeFile(tokens, 'sesame,ali,42,"readers,others"\n');
  const common = ['--control-plane-only', '--token-auth-file', tokens];
  const rbac = await start(...common, '--service-cluster-ip-range', '10.3.0.0/24');
  const bearer = { authorization: 'Bearer sesame' };
  const forbidden = await rbac.get('/api/v1/namespaces/default/pods', bearer, false);
  assert.equal(forbidden.status, 403);
  assert.match(forbidden.text, /User \\"ali\\" cannot list resource \\"pods\\"/);
  assert.equal((await rbac.get('/api/v1/pods', { authorization: 'Bearer wrong' }, false)).status, 401);
  const service = (await rbac.get('/api/v1/namespaces/default/services/kubernetes')).json as {
    spec: { clusterIP: string };
  };
  assert.equal(service.spec.clusterIP, '10.3.0.1');
  const open = await start(...common, '--authorization', 'AlwaysAllow');
  assert.equal((await open.get('/api/v1/namespaces/default/pods', bearer, false)).status, 200);
  await Promise.all([rbac.stop(), open.stop()]);
});

test('a baseline of the labs is there when it says so', async () => {
  const { get, stop } = await start('--baseline', 'pipelines-elsewhere', '--network-policy');
  const { items } = (await get('/apis/apps/v1/namespaces/kubeflow/deployments')).json as {
    items: { metadata: { name: string } }[];
  };
  assert.deepEqual(items.map(({ metadata }) => metadata.name).sort(), ['metadata-grpc-deployment', 'mysql']);
  await stop();
});

test('--help names every option, and what cannot be is refused with the way out', async () => {
  const { exit, output } = run(['--help']);
  assert.equal(await exit, 0);
  for (const option of [
    'port',
    'kubeconfig',
    'nodes',
    'cpus',
    'memory',
    'control-plane-only',
    'authorization',
    'token-auth-file',
    'service-cluster-ip-range',
    'baseline',
    'seed',
    'network-policy',
  ])
    assert.match(output.text, new RegExp(`--${option} `), option);
  const names = /want one of (.*)$/.exec(await refused('--baseline', 'nope'))?.[1];
  assert.match(names ?? '', /^empty, .*kubeflow-seed/);
  assert.match(output.text, new RegExp(`holds at first: ${names};`));
});

test('a value that cannot be is said with what may stand there', () => {
  const wrong = (message: string | RegExp, ...args: string[]) =>
    assert.throws(() => readSettings(args), { message });
  wrong('--port 70000: want a whole number from 0 to 65535', '--port', '70000');
  wrong('--nodes two: want a whole number from 0 to 100', '--nodes', 'two');
  wrong('--memory lots: want a quantity such as 4Gi', '--memory', 'lots');
  wrong('--authorization ABAC: want RBAC or AlwaysAllow', '--authorization', 'ABAC');
  wrong(
    '--service-cluster-ip-range x: want an IPv4 range such as 10.96.0.0/12',
    '--service-cluster-ip-range',
    'x',
  );
  wrong(/Unknown option '--nope'/, '--nope');
  const missing = join(folder, 'not-there');
  wrong(/^--token-auth-file .*not-there: it cannot be read/, '--token-auth-file', missing);
});

test('what fails in a timer or a promise is told, and the cluster goes on', async () => {
  const kubeconfig = join(folder, 'kubeconfig-faults');
  // Loaded before the program: fails again and again, outside of anything that would catch it.
  const failing = `setInterval(() => {
    Promise.reject(new Error('nobody waits for this'));
    throw new Error('nobody catches this');
  }, 100).unref();`;
  const { child, exit, output, says } = run(
    ['--kubeconfig', kubeconfig, '--control-plane-only'],
    ['--import', `data:text/javascript,${encodeURIComponent(failing)}`],
  );
  const [, url = ''] = await says(/answers at (\S+)/);
  await says(/practice: uncaught: nobody catches this/);
  await says(/practice: unhandled: nobody waits for this/);
  const answer = await api(kubeconfig, url, '/api/v1/namespaces/default');
  assert.equal(answer.status, 200, output.text);
  child.kill('SIGTERM');
  assert.equal(await exit, 0, output.text);
});
