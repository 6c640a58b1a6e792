// One practice cluster started ahead of the click that wants it. Knows workers and their sockets, nothing of sessions.

import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { PracticeWorker, StartPractice } from './worker.ts';

export interface Size {
  cpus: string;
  memory: string;
}

export interface Spare {
  /** Starts one with its socket in `folder`, unless one is there or on its way. */
  prepare(folder: string): void;
  /** Gives it away with its socket moved to `socketPath`; undefined when there is none of that size. */
  take(size: Size, socketPath: string): Promise<PracticeWorker | undefined>;
  close(): Promise<void>;
}

interface Waiting {
  socketPath: string;
  /** Undefined when it did not start; whoever clicks then starts their own and is told why that fails. */
  worker: Promise<PracticeWorker | undefined>;
}

export function createSpare(start: StartPractice, node: { name: string } & Size): Spare {
  let waiting: Waiting | undefined;
  let closed = false;
  let made = 0;

  const discard = async (spare: Waiting): Promise<void> => {
    await (await spare.worker)?.close();
    await rm(spare.socketPath, { force: true });
  };

  return {
    prepare: folder => {
      if (waiting || closed) return;
      const socketPath = join(folder, `spare-${++made}.sock`);
      const begin = async () => {
        await mkdir(folder, { recursive: true, mode: 0o700 });
        await rm(socketPath, { force: true });
        return start({ nodes: [node], listen: { socketPath, port: 0 } });
      };
      const spare: Waiting = { socketPath, worker: begin().catch(() => undefined) };
      waiting = spare;
      const forget = () => {
        if (waiting === spare) waiting = undefined;
      };
      spare.worker.then(worker => (worker ? worker.ended?.then(forget) : forget()));
    },
    take: async (size, socketPath) => {
      const spare = waiting;
      if (!spare || size.cpus !== node.cpus || size.memory !== node.memory) return undefined;
      waiting = undefined;
      const worker = await spare.worker;
      if (!worker) return undefined;
      try {
        // A listening socket may be renamed: whoever connects finds it by its file, not by its first name.
        await rename(spare.socketPath, socketPath);
        return worker;
      } catch {
        // Another file system: then it is of no use.
        await discard(spare);
        return undefined;
      }
    },
    close: async () => {
      closed = true;
      const spare = waiting;
      waiting = undefined;
      if (!spare) return;
      await discard(spare);
      await rm(dirname(spare.socketPath), { recursive: true, force: true });
    },
  };
}
