// What every cluster provider must do, run on each of them: offers, a private kubeconfig, an API server behind it, an end.

import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { parse } from 'yaml';
import {
  type AttachedCluster,
  type ClusterProvider,
  createMinikubeProvider,
  createPracticeProvider,
} from '../../server/cluster/index.ts';
import { startPracticeWorker } from '../../server/practice/index.ts';
import { apiRequest } from '../support/api-request.ts';
import { minikubeDouble } from '../support/minikube-double.ts';

/** A provider under test, and what ends the parts that stand in for a real cluster. */
type Make = (folder: string) => Promise<{ provider: ClusterProvider; end(): Promise<void> }>;

const PROVIDERS: Record<string, Make> = {
  practice: async () => ({ provider: createPracticeProvider(), end: async () => {} }),
  // Its CLI is a double; the API server behind it is a practice cluster, whose credentials lie where minikube keeps its own.
  minikube: async folder => {
    const cluster = await startPracticeWorker({
      nodes: [{ name: 'minikube', cpus: '2', memory: '4Gi' }],
      listen: { port: 0 },
    });
    const double = await minikubeDouble(
      folder,
      [{ name: 'minikube', state: 'running', ip: '127.0.0.1', port: cluster.port }],
      cluster.credentials,
    );
    const provider = createMinikubeProvider({
      env: { MINIKUBE_HOME: double.home },
      run: async (file, args) => {
        const { execFile } = await import('node:child_process');
        return new Promise(resolve =>
          execFile(join(double.bin, file), args, (error, stdout, stderr) =>
            resolve({ code: error ? 1 : 0, stdout, stderr }),
          ),
        );
      },
    });
    return { provider, end: () => cluster.close() };
  },
};

for (const [name, make] of Object.entries(PROVIDERS)) {
  describe(`the ${name} provider`, () => {
    let folder: string;
    let session: string;
    let provider: ClusterProvider;
    let end: () => Promise<void>;
    let cluster: AttachedCluster;
    before(async () => {
      folder = await mkdtemp(join(tmpdir(), 'kbd-provider-'));
      session = await mkdtemp(join(folder, 'session-'));
      ({ provider, end } = await make(folder));
      const offers = await provider.available();
      const offer = offers.find(candidate => candidate.state === 'available');
      assert.ok(offer);
      cluster = await provider.attach(session, offer, { cpus: '2', memory: '4Gi' }, () => {});
    });
    after(async () => {
      await cluster?.detach();
      await end?.();
      await rm(folder, { recursive: true, force: true });
    });
    const kubeconfig = () => readFile(cluster.kubeconfig, 'utf8');

    test('offers what is there, each with a sentence in both languages, quickly', async () => {
      const begun = performance.now();
      for (const offer of await provider.available()) {
        assert.equal(offer.kind, provider.kind);
        assert.ok(offer.note.en && offer.note['zh-TW']);
      }
      assert.ok(performance.now() - begun < 2000);
    });
    test('writes a kubeconfig of its own, inside the session’s folder, for its owner alone, with one context', async () => {
      assert.ok(cluster.kubeconfig.startsWith(session));
      assert.equal((await stat(cluster.kubeconfig)).mode & 0o777, 0o600);
      const config = parse(await kubeconfig());
      assert.deepEqual(
        config.contexts.map((context: { name: string }) => context.name),
        [config['current-context']],
      );
      assert.equal(
        config.clusters[0].cluster.server,
        `https://${cluster.server.host}:${cluster.server.port}`,
      );
      assert.doesNotMatch(
        await kubeconfig(),
        /certificate-authority: |client-key: |insecure-skip-tls-verify/,
      );
    });
    test('leads to an API server with a node, verified by the authority in it', async () => {
      const nodes = await apiRequest(await kubeconfig(), 'GET', '/api/v1/nodes');
      assert.equal(nodes.items[0].metadata.name, 'minikube');
    });
    test('says which socket a sandbox may use, if there is one', async () => {
      if (!cluster.socketPath) return;
      const socket = connect(cluster.socketPath);
      await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
      socket.destroy();
    });
    test('where it can, goes back to empty and to a moment', async () => {
      if (!provider.reset || !provider.snapshot || !provider.restore) return;
      const text = await kubeconfig();
      const namespaces = async () =>
        (await apiRequest(text, 'GET', '/api/v1/namespaces')).items.map(
          (item: { metadata: { name: string } }) => item.metadata.name,
        );
      const make = (name: string) =>
        apiRequest(text, 'POST', '/api/v1/namespaces', {
          apiVersion: 'v1',
          kind: 'Namespace',
          metadata: { name },
        });
      await make('one');
      const moment = await provider.snapshot(cluster);
      await make('two');
      await provider.restore(cluster, moment);
      assert.ok((await namespaces()).includes('one') && !(await namespaces()).includes('two'));
      await provider.reset(cluster);
      assert.ok(!(await namespaces()).includes('one') && (await namespaces()).includes('default'));
    });
    test('detached, leaves no socket in the session’s folder', async () => {
      await cluster.detach();
      cluster.detach = async () => {};
      assert.deepEqual(
        (await readdir(session)).filter(file => file.endsWith('.sock')),
        [],
      );
    });
  });
}
