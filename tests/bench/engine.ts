// The practice cluster's own numbers: requests, watches, snapshots, pods. One cluster in this process, asked over TLS with
// connections that stay, and through its in-process client.

import { Agent, request } from 'node:https';
import { parse } from 'yaml';
import { realClock } from '../../server/clock.ts';
import { createPracticeCluster, type PracticeCluster } from '../../server/practice/index.ts';
import { seededRandom } from '../../server/random.ts';
import type { Measured } from './main.ts';

const PODS = { group: '', version: 'v1', resource: 'pods' };
const MAPS = { group: '', version: 'v1', resource: 'configmaps' };
const COUNT = { pods: 500, objects: 2000, watchers: 100, gets: 200 };
/** A node that has room for all of them; a kubelet takes no more pods than its limit. */
const NODES = Array.from({ length: 6 }, (_, index) => ({
  name: index === 0 ? 'minikube' : `minikube-m0${index + 1}`,
  cpus: '64',
  memory: '256Gi',
}));
const READY_TIMEOUT = 60_000;

export async function engine(runs: number): Promise<Measured[]> {
  const cluster = await createPracticeCluster({
    clock: realClock(),
    random: seededRandom(1),
    listen: { port: 0 },
    nodes: NODES,
  });
  const wire = connection(cluster);
  try {
    const get = await times(COUNT.gets, () => wire.call('GET', '/api/v1/namespaces/default'));
    const create = await times(COUNT.gets, index =>
      wire.call('POST', '/api/v1/namespaces/default/configmaps', map(`wire-${index}`)),
    );
    const ready = await ms(() => podsReady(cluster));
    const list = await times(runs, () => wire.call('GET', '/api/v1/pods'));
    const fanOut = await watched(cluster, runs);
    for (let index = 0; index < COUNT.objects; index++)
      await cluster.client.create(MAPS, map(`map-${index}`));
    const snapshots: number[] = [];
    const restores: number[] = [];
    for (let run = 0; run < runs; run++) {
      let snapshot: unknown;
      snapshots.push(
        await ms(async () => {
          snapshot = await cluster.snapshot();
        }),
      );
      await cluster.client.delete(MAPS, { namespace: 'default', name: `map-${run}` });
      restores.push(await ms(() => cluster.restore(snapshot)));
    }
    const line = (name: string, values: number[], budget: number): Measured => ({
      name,
      unit: 'ms',
      values,
      budget,
    });
    return [
      line('get over TLS', get, 3),
      line('create over TLS', create, 5),
      line(`list of ${COUNT.pods} pods over TLS`, list, 150),
      line(`a change reaches ${COUNT.watchers} watchers`, fanOut, 50),
      line(`${COUNT.pods} pods from created to Ready`, [ready], 30_000),
      line(`snapshot of ${COUNT.objects} objects and ${COUNT.pods} pods`, snapshots, 20),
      line('restore of it', restores, 100),
    ];
  } finally {
    wire.close();
    await cluster.close();
  }
}

const map = (name: string) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'default' },
  data: { key: 'value' },
});

async function podsReady({ client }: PracticeCluster): Promise<void> {
  const ready = new Set<string>();
  let all: () => void = () => {};
  const done = new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${ready.size} pods are Ready`)), READY_TIMEOUT);
    all = () => {
      clearTimeout(timer);
      resolve();
    };
  });
  const handle = client.watch(PODS, { namespace: 'default' }, ({ object }) => {
    const conditions: { type: string; status: string }[] = object['status']?.conditions ?? [];
    if (conditions.some(({ type, status }) => type === 'Ready' && status === 'True'))
      ready.add(object.metadata.name);
    if (ready.size >= COUNT.pods) all();
  });
  for (let index = 0; index < COUNT.pods; index++)
    await client.create(PODS, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: `pod-${index}`, namespace: 'default' },
      spec: { containers: [{ name: 'main', image: 'registry.k8s.io/pause:3.10' }] },
    });
  await done;
  handle.stop();
}

/** From a write to the last of the watchers, in this process. */
async function watched({ client }: PracticeCluster, runs: number): Promise<number[]> {
  const values: number[] = [];
  let heard = 0;
  let all: () => void = () => {};
  const handles = Array.from({ length: COUNT.watchers }, () =>
    client.watch(MAPS, { namespace: 'default' }, ({ object }) => {
      if (object.metadata.name.startsWith('fan-') && ++heard === COUNT.watchers) all();
    }),
  );
  for (let run = 0; run < runs; run++) {
    heard = 0;
    const reached = new Promise<void>(resolve => {
      all = resolve;
    });
    values.push(
      await ms(async () => {
        await client.create(MAPS, map(`fan-${run}`));
        await reached;
      }),
    );
  }
  for (const handle of handles) handle.stop();
  return values;
}

async function ms(task: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await task();
  return performance.now() - begun;
}

async function times(count: number, task: (index: number) => Promise<unknown>): Promise<number[]> {
  const values: number[] = [];
  for (let index = 0; index < count; index++) values.push(await ms(() => task(index)));
  return values;
}

/** Requests over one connection that stays open, as client libraries keep theirs. */
function connection(cluster: PracticeCluster) {
  const { users } = parse(cluster.kubeconfig('')) as { users: { user: Record<string, string> }[] };
  const pem = (name: string) => Buffer.from(users[0]!.user[name]!, 'base64');
  const agent = new Agent({
    keepAlive: true,
    maxSockets: 1,
    ca: cluster.credentials.caCert,
    cert: pem('client-certificate-data'),
    key: pem('client-key-data'),
  });
  return {
    call: (method: string, path: string, body?: unknown) =>
      new Promise<void>((resolve, reject) => {
        const options = { host: '127.0.0.1', port: cluster.port, path, method, agent };
        const headers = { 'content-type': 'application/json' };
        const call = request({ ...options, headers }, answer => {
          answer.resume();
          answer.once('end', () =>
            (answer.statusCode ?? 500) < 300
              ? resolve()
              : reject(new Error(`${method} ${path}: ${answer.statusCode}`)),
          );
        });
        call.once('error', reject);
        call.end(body === undefined ? undefined : JSON.stringify(body));
      }),
    close: () => agent.destroy(),
  };
}
