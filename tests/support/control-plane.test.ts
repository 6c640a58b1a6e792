// Whether the conformance suite finds and drives a real etcd and kube-apiserver. Both are doubles here: programs of these
// names that write down how they were started, the second of them answering as a server that is ready.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { startControlPlane } from './control-plane.ts';

const SUITE = fileURLToPath(new URL('../conformance/main.ts', import.meta.url));
const folder = await mkdtemp(join(tmpdir(), 'assets-'));
after(() => rm(folder, { recursive: true, force: true }));

/** Ends on SIGTERM and says so; `serve` answers every request with "ok" on the secure port, with the files given. */
const double = (name: string, serve: boolean) => `#!${process.execPath}
const fs = require('node:fs');
const args = process.argv.slice(2);
const flag = name => args.find(arg => arg.startsWith('--' + name + '='))?.split('=').slice(1).join('=');
fs.writeFileSync(${JSON.stringify(join(folder, `${name}.started`))}, JSON.stringify(args));
process.on('SIGTERM', () => {
  fs.appendFileSync(${JSON.stringify(join(folder, 'ended'))}, '${name}\\n');
  process.exit(0);
});
if (${serve}) {
  const read = name => fs.readFileSync(flag(name));
  require('node:https')
    .createServer(
      { cert: read('tls-cert-file'), key: read('tls-private-key-file'), ca: read('client-ca-file'), requestCert: true, rejectUnauthorized: true },
      (request, response) => response.end(request.url === '/readyz' ? 'ok' : '{}'),
    )
    .listen(Number(flag('secure-port')), flag('bind-address'));
} else setInterval(() => {}, 1000);
`;

const install = async (name: string, text: string) => writeFile(join(folder, name), text, { mode: 0o755 });
const startedWith = (name: string): string[] =>
  JSON.parse(readFileSync(join(folder, `${name}.started`), 'utf8'));
const split = (args: string[]) =>
  Object.fromEntries(args.map(arg => arg.split(/=(.*)/s) as [string, string]));

test('etcd and kube-apiserver are started with what they need of each other, and ended in turn', async () => {
  await install('etcd', double('etcd', false));
  await install('kube-apiserver', double('kube-apiserver', true));
  const { kubeconfig, stop } = await startControlPlane(folder);
  const etcd = split(startedWith('etcd'));
  const server = split(startedWith('kube-apiserver'));
  const own = dirname(kubeconfig);
  const url = etcd['--listen-client-urls'] ?? '';
  assert.match(url, /^http:\/\/127\.0\.0\.1:\d+$/);
  assert.deepEqual(etcd, {
    '--data-dir': join(own, 'etcd'),
    '--listen-client-urls': url,
    '--advertise-client-urls': url,
    '--listen-peer-urls': etcd['--listen-peer-urls'],
    '--unsafe-no-fsync': undefined,
  });
  const port = server['--secure-port'] ?? '';
  assert.deepEqual(server, {
    '--etcd-servers': url,
    '--bind-address': '127.0.0.1',
    '--secure-port': port,
    '--client-ca-file': join(own, 'ca.crt'),
    '--tls-cert-file': join(own, 'server.crt'),
    '--tls-private-key-file': join(own, 'server.key'),
    '--authorization-mode': 'RBAC',
    '--service-cluster-ip-range': '10.96.0.0/12',
    '--service-account-issuer': 'https://kubernetes.default.svc.cluster.local',
    '--service-account-key-file': join(own, 'account.key'),
    '--service-account-signing-key-file': join(own, 'account.key'),
    '--allow-privileged': 'true',
  });
  const { clusters } = parse(readFileSync(kubeconfig, 'utf8'));
  assert.equal(clusters[0].cluster.server, `https://127.0.0.1:${port}`);
  await stop();
  assert.equal(readFileSync(join(folder, 'ended'), 'utf8'), 'kube-apiserver\netcd\n');
  assert.equal(existsSync(own), false, 'nothing of it stays');
});

test('a server that ends before it is ready is told, and etcd is not left behind', async () => {
  await install('etcd', double('etcd', false));
  await install('kube-apiserver', `#!${process.execPath}\nprocess.exit(3);\n`);
  await assert.rejects(
    startControlPlane(folder),
    /kube-apiserver ended with 3 before the control plane was ready/,
  );
  assert.match(readFileSync(join(folder, 'ended'), 'utf8'), /etcd\n$/);
});

test('the suite takes the folder from KUBEBUILDER_ASSETS and runs what needs no nodes against it', async () => {
  await install('etcd', double('etcd', false));
  await install('kube-apiserver', double('kube-apiserver', true));
  const run = (...areas: string[]) =>
    new Promise<{ code: number | null; text: string }>(resolve => {
      const child = spawn(process.execPath, [SUITE, ...areas], {
        env: { ...process.env, KUBEBUILDER_ASSETS: folder, NODE_TEST_CONTEXT: undefined },
      });
      let text = '';
      for (const stream of [child.stdout, child.stderr])
        stream.on('data', chunk => {
          text += chunk;
        });
      child.once('exit', code => resolve({ code, text }));
    });
  const streams = await run('streams');
  assert.equal(streams.code, 2, streams.text);
  assert.match(streams.text, /No area is called streams/, 'streams need a kubelet');
  const discovery = await run('discovery');
  assert.notEqual(discovery.code, 0, 'the double serves no resources, and the suite says so');
  assert.match(discovery.text, /✖/);
});
