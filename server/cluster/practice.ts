// The practice cluster as a provider: each session gets one of its own, in a worker thread. Knows nothing of what is inside.

import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClusterOffer, Text } from '#common/protocol/index.ts';
import { type Clock, realClock } from '../clock.ts';
import type { PracticeSnapshot } from '../practice/types.ts';
import { createKeeper, type Kept, OTHER_VERSION, readKept } from './keep.ts';
import { createSpare, removeSockets } from './spare.ts';
import type { AttachedCluster, ClusterProvider, StartOptions } from './types.ts';
import type { PracticeWorker, StartPractice } from './worker.ts';

const NODE_NAME = 'minikube';
/** The machine the seed's author had: minikube's least. */
const DEFAULT_SIZE = { cpus: '2', memory: '4Gi' };

const OFFER: ClusterOffer = {
  kind: 'practice',
  state: 'available',
  version: 'v1.36.2',
  note: {
    'zh-TW': '練習叢集：在這個程式裡執行的 Kubernetes API，不需要 Docker，馬上可用。',
    en: 'Practice cluster: a Kubernetes API inside this program; needs no Docker and is there at once.',
  },
};
const STARTING: Text = { 'zh-TW': '正在啟動練習叢集……', en: 'Starting the practice cluster...' };

interface Attached extends AttachedCluster {
  worker: PracticeWorker;
  empty: PracticeSnapshot;
}

/** `start` is the practice cluster's own door; imported late, so that reading lessons loads none of it. */
export function createPracticeProvider(
  start: StartPractice = startInWorker,
  clock: Clock = realClock(),
): ClusterProvider {
  const spare = createSpare(start, { name: NODE_NAME, ...DEFAULT_SIZE });
  return {
    kind: 'practice',
    available: async () => [OFFER],
    attach: async (folder, _offer, options: StartOptions, progress): Promise<Attached> => {
      progress(STARTING);
      const sockets = {
        socketPath: join(folder, 'cluster.sock'),
        nodeSocketPath: join(folder, 'node.sock'),
      };
      const kubeconfig = join(folder, 'kubeconfig');
      await removeSockets(sockets);
      const size = {
        cpus: options.cpus ?? DEFAULT_SIZE.cpus,
        memory: options.memory ?? DEFAULT_SIZE.memory,
      };
      const usual = { nodes: [{ name: NODE_NAME, ...size }], listen: { ...sockets, port: 0 } };
      const { keptIn, keptFor } = options;
      // A node of another size is another cluster.
      const tag = (whose: string) => `${whose} ${size.cpus} ${size.memory}`;
      let kept: Kept = { state: 'none' };
      if (keptIn && keptFor) kept = await readKept(keptIn, tag(keptFor));
      let again: PracticeWorker | undefined;
      if (kept.state === 'kept') {
        try {
          again = await start({ ...usual, saved: kept.bytes });
        } catch (error) {
          console.error(error);
          kept = { state: 'lost', why: OTHER_VERSION };
        }
      }
      const worker = again ?? (await spare.take(size, sockets)) ?? (await start(usual));
      try {
        const port = worker.port;
        if (port === undefined) throw new Error('The practice cluster did not open a port.');
        await writeFile(kubeconfig, worker.kubeconfig(`https://127.0.0.1:${port}`), { mode: 0o600 });
        const empty = worker.savedSnapshots?.[0] ?? (await worker.snapshot());
        const keeper =
          keptIn && worker.save
            ? createKeeper({
                file: keptIn,
                save: () => worker.save!([empty]),
                clock,
                onFault: error => console.error(`The practice cluster could not be kept: ${error.message}`),
              })
            : undefined;
        if (keeper) worker.onChange?.(() => keeper.changed());
        return {
          kubeconfig,
          env: {},
          ...sockets,
          server: { host: '127.0.0.1', port },
          worker,
          empty,
          kept: kept.state === 'lost' ? { lost: kept.why } : kept.state,
          ...(keeper
            ? { keep: (whose: string | undefined) => keeper.keep(whose === undefined ? whose : tag(whose)) }
            : {}),
          detach: async () => {
            await keeper?.close();
            await worker.close();
            await removeSockets(sockets);
            await rm(kubeconfig, { force: true });
          },
        };
      } catch (error) {
        await worker.close();
        throw error;
      }
    },
    reset: cluster => own(cluster).worker.restore(own(cluster).empty),
    snapshot: cluster => own(cluster).worker.snapshot(),
    restore: (cluster, snapshot) => own(cluster).worker.restore(snapshot),
    prepare: folder => spare.prepare(folder),
    close: () => spare.close(),
  };
}

function own(cluster: AttachedCluster): Attached {
  if (!('worker' in cluster)) throw new Error('This cluster was not attached by the practice provider.');
  return cluster as Attached;
}

const startInWorker: StartPractice = async options => {
  const { startPracticeWorker } = await import('../practice/index.ts');
  return startPracticeWorker(options);
};
