// Many practice clusters in threads of one process, some of them badly behaved: what their neighbours notice. Knows no
// expected numbers.

import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openKubeApi } from '../../server/check/index.ts';
import { realClock } from '../../server/clock.ts';
import { baselineOf } from '../../server/lab/baselines/index.ts';
import { startPracticeWorker, type WorkerCluster } from '../../server/practice/index.ts';
import { apiRequest } from './api-request.ts';

/** Room for everything in the baseline, so that every one of its programs runs. */
const NODES = [{ name: 'minikube', cpus: '16', memory: '32Gi' }];
const POLL_MS = 100;

export interface Neighbour {
  kubeconfig: string;
  /** The text of that file. */
  config: string;
  cluster: WorkerCluster;
  /** Answers the parsed body; rejects on an error status. */
  ask(method: string, path: string, body?: unknown): Promise<any>;
}

export interface Neighbours {
  all: Neighbour[];
  close(): Promise<void>;
}

/** Starts them one after another, each with the whole of Kubeflow in it when `filled`. */
export async function startNeighbours(
  count: number,
  options: { filled: boolean; controlPlaneOnly?: boolean },
): Promise<Neighbours> {
  const folder = await mkdtemp(join(tmpdir(), 'kbd-neighbours-'));
  const all: Neighbour[] = [];
  const close = async () => {
    await Promise.all(all.map(({ cluster }) => cluster.close()));
    await rm(folder, { recursive: true, force: true });
  };
  try {
    for (let index = 0; index < count; index++) {
      const cluster = await startPracticeWorker({
        nodes: NODES,
        listen: { port: 0 },
        seed: index + 1,
        controlPlaneOnly: options.controlPlaneOnly === true,
      });
      const config = cluster.kubeconfig(`https://127.0.0.1:${cluster.port}`);
      const kubeconfig = join(folder, `${index}.yaml`);
      await writeFile(kubeconfig, config, { mode: 0o600 });
      const ask: Neighbour['ask'] = (method, path, body) => apiRequest(config, method, path, body);
      all.push({ cluster, config, kubeconfig, ask });
      if (options.filled) await fill(kubeconfig);
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { all, close };
}

/** Brings a cluster to the Kubeflow of December 2024. */
export async function fill(kubeconfig: string): Promise<void> {
  const api = await openKubeApi(kubeconfig);
  try {
    const context = { clock: realClock(), signal: new AbortController().signal, note: () => {} };
    await baselineOf('kubeflow-seed')!.apply(api, context);
  } finally {
    api.close();
  }
}

/** A pod that runs one shell script for ever. */
export function shellPod(name: string, script: string): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default' },
    spec: {
      terminationGracePeriodSeconds: 0,
      containers: [{ name: 'main', image: 'busybox:1.36', command: ['sh', '-c', script] }],
    },
  };
}

/** Puts a pod in and waits until its container has started. */
export async function runPod(neighbour: Neighbour, pod: any, timeout = 40_000): Promise<void> {
  const path = '/api/v1/namespaces/default/pods';
  await neighbour.ask('POST', path, pod);
  await until(async () => {
    const { status } = await neighbour.ask('GET', `${path}/${pod.metadata.name}`);
    const container = status.containerStatuses?.[0];
    return container?.state.running !== undefined || container?.lastState?.terminated !== undefined;
  }, timeout);
}

export async function until(holds: () => Promise<boolean>, timeout: number, poll = POLL_MS): Promise<void> {
  const end = performance.now() + timeout;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`it did not come to be within ${timeout} ms`);
    await sleep(poll);
  }
}

export interface Sampled {
  /** How long each call took, ms, in order of length. */
  millis: number[];
  median: number;
}

/** Calls `one` again and again until `during` settles, and at least `least` times. */
export async function sample(
  one: () => Promise<unknown>,
  during: Promise<unknown>,
  least = 10,
): Promise<Sampled> {
  let over = false;
  const end = during.finally(() => {
    over = true;
  });
  end.catch(() => {});
  const millis: number[] = [];
  while (!over || millis.length < least) {
    const begun = performance.now();
    await one();
    millis.push(performance.now() - begun);
  }
  await end;
  millis.sort((a, b) => a - b);
  return { millis, median: millis[millis.length >> 1]! };
}

/** Resident memory of this process, MB; the most there ever was with `peak`. */
export function residentMb(): { now: number; peak: number } {
  const status = readFileSync('/proc/self/status', 'utf8');
  const of = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]) / 1024;
  return { now: of('VmRSS'), peak: of('VmHWM') };
}

/** CPU time this process has used, ms, all threads. */
export function cpuMillis(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
