// The practice cluster's own numbers: requests, watches, snapshots, pods. One cluster in this process, asked over TLS with
// connections that stay, and through its in-process client.

import { Agent, request } from 'node:https';
import { parse } from 'yaml';
import { realClock } from '../../server/clock.ts';
import { createPracticeCluster, type PracticeCluster } from '../../server/practice/index.ts';
import { seededRandom } from '../../server/random.ts';
import { startNeighbours } from '../support/neighbours.ts';
import type { Measured } from './main.ts';

const PODS = { group: '', version: 'v1', resource: 'pods' };
const MAPS = { group: '', version: 'v1', resource: 'configmaps' };
const COUNT = { pods: 500, objects: 2000, watchers: 100, gets: 200, requests: 1000 };
const AT_ONCE = 8;
/** A node that has room for all of them; a kubelet takes no more pods than its limit. */
const NODES = Array.from({ length: 6 }, (_, index) => ({
  name: index === 0 ? 'minikube' : `minikube-m0${index + 1}`,
  cpus: '64',
  memory: '256Gi',
}));
const READY_TIMEOUT = 60_000;

export async function engine(runs: number): Promise<Measured[]> {
  const rates = await requestRates(runs);
  const cluster = await createPracticeCluster({
    clock: realClock(),
    random: seededRandom(1),
    listen: { port: 0 },
    nodes: NODES,
  });
  const wire = connection(cluster.kubeconfig(`https://127.0.0.1:${cluster.port}`), 1);
  try {
    const get = await times(COUNT.gets, () => wire.call('GET', '/api/v1/namespaces/default'));
    const create = await times(COUNT.gets, index =>
      wire.call('POST', '/api/v1/namespaces/default/configmaps', map(`wire-${index}`)),
    );
    for (let index = 0; index < COUNT.objects; index++)
      await cluster.client.create(MAPS, map(`map-${index}`));
    const lost = await restored(cluster, runs, async () => {
      for (let index = 0; index < COUNT.objects; index++)
        await cluster.client.delete(MAPS, { namespace: 'default', name: `map-${index}` });
    });
    const ready = await ms(() => podsReady(cluster));
    const list = await times(runs, () => wire.call('GET', '/api/v1/pods'));
    const fanOut = await watched(cluster, runs);
    const running = await restored(cluster, runs, run =>
      cluster.client.delete(PODS, { namespace: 'default', name: `pod-${run}` }, { gracePeriodSeconds: 0 }),
    );
    const line = (name: string, values: number[], budget: number): Measured => ({
      name,
      unit: 'ms',
      values,
      budget,
    });
    return [
      { name: 'gets a second, eight at a time', unit: '/s', values: rates.gets, budget: 1000 },
      { name: 'creates a second, eight at a time', unit: '/s', values: rates.creates, budget: 500 },
      line('get over TLS', get, 1),
      line('create over TLS', create, 5),
      line(`list of ${COUNT.pods} pods over TLS`, list, 150),
      line(`a change reaches ${COUNT.watchers} watchers`, fanOut, 50),
      line(`${COUNT.pods} pods from created to Ready`, [ready], 30_000),
      line(`snapshot of ${COUNT.objects} objects`, lost.snapshots, 20),
      line('restore of it after all were deleted', lost.restores, 20),
      line(`restore of ${COUNT.pods} running pods beside them`, running.restores, 100),
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

/** What a cluster in its thread answers to a client in another one. */
async function requestRates(runs: number): Promise<{ gets: number[]; creates: number[] }> {
  const { all, close } = await startNeighbours(1, { filled: false });
  const wire = connection(all[0]!.config, AT_ONCE);
  const rate = async (task: (index: number) => Promise<unknown>) => {
    let next = 0;
    const client = async () => {
      while (next < COUNT.requests) await task(next++);
    };
    const took = await ms(() => Promise.all(Array.from({ length: AT_ONCE }, client)));
    return (1000 * COUNT.requests) / took;
  };
  const path = '/api/v1/namespaces/default';
  const gets: number[] = [];
  const creates: number[] = [];
  try {
    for (let run = 0; run < runs; run++) {
      gets.push(await rate(() => wire.call('GET', path)));
      creates.push(await rate(index => wire.call('POST', `${path}/configmaps`, map(`rate-${run}-${index}`))));
    }
  } finally {
    wire.close();
    await close();
  }
  return { gets, creates };
}

/** Takes a moment, changes something and goes back, again and again. */
async function restored(
  cluster: PracticeCluster,
  runs: number,
  change: (run: number) => Promise<unknown>,
): Promise<{ snapshots: number[]; restores: number[] }> {
  const snapshots: number[] = [];
  const restores: number[] = [];
  for (let run = 0; run < runs; run++) {
    let snapshot: unknown;
    snapshots.push(
      await ms(async () => {
        snapshot = await cluster.snapshot();
      }),
    );
    await change(run);
    restores.push(await ms(() => cluster.restore(snapshot)));
  }
  return { snapshots, restores };
}

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

/** Requests over connections that stay open, as client libraries keep theirs. */
function connection(kubeconfig: string, maxSockets: number) {
  const { clusters, users } = parse(kubeconfig) as {
    clusters: { cluster: Record<string, string> }[];
    users: { user: Record<string, string> }[];
  };
  const { cluster } = clusters[0]!;
  const pem = (text = '') => Buffer.from(text, 'base64');
  const agent = new Agent({
    keepAlive: true,
    maxSockets,
    ca: pem(cluster['certificate-authority-data']),
    cert: pem(users[0]!.user['client-certificate-data']),
    key: pem(users[0]!.user['client-key-data']),
  });
  const { hostname, port } = new URL(cluster['server'] ?? '');
  return {
    call: (method: string, path: string, body?: unknown) =>
      new Promise<void>((resolve, reject) => {
        const options = { host: hostname, port, path, method, agent };
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
