// One practice cluster in a worker thread of its own: no load in it can stall another cluster or a terminal.
// Knows the thread's port and the cluster, nothing of sessions.

import { randomInt } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';
import { realClock } from '../clock.ts';
import { seededRandom } from '../random.ts';
import { createPracticeCluster } from './cluster.ts';
import { surviveFaults } from './faults.ts';
import type { PracticeSnapshot } from './types.ts';
import type { WorkerMessage, WorkerRequest, WorkerStart } from './worker-protocol.ts';
import { asWritten } from './worker-trace.ts';

const port = parentPort;
if (!port) throw new Error('server/practice/worker-main.ts runs as a worker thread only');
const say = (message: WorkerMessage) => port.postMessage(message);
const textOf = (error: unknown) =>
  error instanceof Error ? asWritten(error.stack ?? error.message) : String(error);

const { seed, speed, ...options } = workerData as WorkerStart;
/** Snapshots stay here: only their numbers cross the boundary, so taking and restoring one costs no copying. */
const snapshots = new Map<number, PracticeSnapshot>();
let nextSnapshot = 1;

const fault = (where: string, error: unknown) => say({ type: 'fault', where, message: textOf(error) });

async function main(): Promise<void> {
  surviveFaults(fault);
  // Said once, not at every write: the owner looks when it is ready to.
  let told = true;
  const cluster = await createPracticeCluster({
    ...options,
    onChange: () => {
      if (told) return;
      told = true;
      say({ type: 'changed' });
    },
    clock: realClock(speed),
    random: seededRandom(seed || randomInt(2 ** 31)),
    onFault: fault,
  });

  async function answer(request: WorkerRequest): Promise<unknown> {
    switch (request.method) {
      case 'snapshot':
        snapshots.set(nextSnapshot, await cluster.snapshot());
        return nextSnapshot++;
      case 'restore': {
        const snapshot = snapshots.get(request.snapshot);
        if (snapshot === undefined)
          throw new Error(`there is no snapshot ${request.snapshot} in this cluster`);
        await cluster.restore(snapshot);
        return undefined;
      }
      case 'forget':
        snapshots.delete(request.snapshot);
        return undefined;
      case 'save':
        told = false;
        return cluster.save(request.snapshots.map(number => snapshots.get(number)));
      case 'close':
        await cluster.close();
        // The thread ends when its last handle is gone.
        port?.unref();
        return undefined;
    }
  }

  port?.on('message', (request: WorkerRequest) => {
    answer(request).then(
      value => say({ type: 'answer', id: request.id, value }),
      error => say({ type: 'answer', id: request.id, error: textOf(error) }),
    );
  });
  const savedSnapshots = cluster.savedSnapshots.map(snapshot => {
    snapshots.set(nextSnapshot, snapshot);
    return nextSnapshot++;
  });
  say({
    type: 'started',
    credentials: cluster.credentials,
    savedSnapshots,
    ...(cluster.port === undefined ? {} : { port: cluster.port }),
  });
}

main().catch(error => say({ type: 'failed', message: textOf(error) }));
