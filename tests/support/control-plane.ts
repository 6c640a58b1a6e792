// A real etcd and kube-apiserver from a folder of binaries (as KUBEBUILDER_ASSETS names it), for comparison. Loopback only;
// everything they write goes away with them.

import { type ChildProcess, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { realClock } from '../../server/clock.ts';
import { createAuthority, kubeconfigText } from '../../server/practice/rest/index.ts';
import { api } from './api.ts';

/** A control plane that is not ready by then will not become it, ms. */
const READY_WITHIN = 60_000;

export interface ControlPlane {
  kubeconfig: string;
  stop(): Promise<void>;
}

export async function startControlPlane(assets: string): Promise<ControlPlane> {
  const folder = await mkdtemp(join(tmpdir(), 'control-plane-'));
  const children: ChildProcess[] = [];
  const stop = async () => {
    for (const child of children.reverse()) {
      const gone = new Promise(resolve => child.once('exit', resolve));
      if (child.exitCode === null && child.kill('SIGTERM')) await gone;
    }
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const [client, peer, secure] = [await freePort(), await freePort(), await freePort()];
    const authority = createAuthority(realClock());
    const account = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
    const file = async (name: string, text: string) => {
      const path = join(folder, name);
      await writeFile(path, text, { mode: 0o600 });
      return path;
    };
    const ca = await file('ca.crt', authority.caCert);
    const cert = await file('server.crt', authority.server.cert);
    const key = await file('server.key', authority.server.key);
    const accountKey = await file('account.key', account.export({ type: 'pkcs8', format: 'pem' }).toString());
    const etcdUrl = `http://127.0.0.1:${client}`;
    const start = (name: string, args: string[]) => {
      children.push(spawn(join(assets, name), args, { stdio: 'ignore', cwd: folder }));
    };
    start('etcd', [
      `--data-dir=${join(folder, 'etcd')}`,
      `--listen-client-urls=${etcdUrl}`,
      `--advertise-client-urls=${etcdUrl}`,
      `--listen-peer-urls=http://127.0.0.1:${peer}`,
      '--unsafe-no-fsync',
    ]);
    start('kube-apiserver', [
      `--etcd-servers=${etcdUrl}`,
      '--bind-address=127.0.0.1',
      `--secure-port=${secure}`,
      `--client-ca-file=${ca}`,
      `--tls-cert-file=${cert}`,
      `--tls-private-key-file=${key}`,
      '--authorization-mode=RBAC',
      '--service-cluster-ip-range=10.96.0.0/12',
      '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
      `--service-account-key-file=${accountKey}`,
      `--service-account-signing-key-file=${accountKey}`,
      '--allow-privileged=true',
    ]);
    const kubeconfig = await file(
      'kubeconfig',
      kubeconfigText({
        server: `https://127.0.0.1:${secure}`,
        caCert: authority.caCert,
        clientCert: authority.client.cert,
        clientKey: authority.client.key,
      }),
    );
    await ready(kubeconfig, children);
    return { kubeconfig, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function ready(kubeconfig: string, children: readonly ChildProcess[]): Promise<void> {
  const deadline = Date.now() + READY_WITHIN;
  for (;;) {
    const answer = await api(kubeconfig, '', '/readyz').catch(() => undefined);
    if (answer?.status === 200) return;
    const ended = children.find(child => child.exitCode !== null);
    if (ended)
      throw new Error(`${ended.spawnfile} ended with ${ended.exitCode} before the control plane was ready.`);
    if (Date.now() > deadline) throw new Error('The control plane did not become ready in time.');
    await new Promise(resolve => setTimeout(resolve, 200));
  }
}

function freePort(): Promise<number> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() =>
        address && typeof address === 'object' ? resolve(address.port) : reject(new Error('no port')),
      );
    });
  });
}
