// One practice cluster started ahead of the click that wants it. Knows workers and their sockets, nothing of sessions.

import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { PracticeWorker, StartPractice } from './worker.ts';

export interface Size {
  cpus: string;
  memory: string;
}

export interface Sockets {
  socketPath: string;
  nodeSocketPath: string;
}

export interface Spare {
  /** Starts one with its socket in `folder`, unless one is there or on its way. */
  prepare(folder: string): void;
  /** Gives it away with its sockets moved there; undefined when there is none of that size. */
  take(size: Size, sockets: Sockets): Promise<PracticeWorker | undefined>;
  close(): Promise<void>;
}

interface Waiting extends Sockets {
  /** Undefined when it did not start; whoever clicks then starts their own and is told why that fails. */
  worker: Promise<PracticeWorker | undefined>;
}

export function createSpare(start: StartPractice, node: { name: string } & Size): Spare {
  let waiting: Waiting | undefined;
  let closed = false;
  let made = 0;

  const discard = async (spare: Waiting): Promise<void> => {
    await (await spare.worker)?.close();
    await removeSockets(spare);
  };

  return {
    prepare: folder => {
      if (waiting || closed) return;
      const number = ++made;
      const sockets: Sockets = {
        socketPath: join(folder, `spare-${number}.sock`),
        nodeSocketPath: join(folder, `spare-${number}-node.sock`),
      };
      const begin = async () => {
        await mkdir(folder, { recursive: true, mode: 0o700 });
        await removeSockets(sockets);
        return start({ nodes: [node], listen: { ...sockets, port: 0 } });
      };
      const spare: Waiting = { ...sockets, worker: begin().catch(() => undefined) };
      waiting = spare;
      const forget = () => {
        if (waiting === spare) waiting = undefined;
      };
      spare.worker.then(worker => (worker ? worker.ended?.then(forget) : forget()));
    },
    take: async (size, sockets) => {
      const spare = waiting;
      if (!spare || size.cpus !== node.cpus || size.memory !== node.memory) return undefined;
      waiting = undefined;
      const worker = await spare.worker;
      if (!worker) return undefined;
      try {
        // A listening socket may be renamed: whoever connects finds it by its file, not by its first name.
        await rename(spare.socketPath, sockets.socketPath);
        await rename(spare.nodeSocketPath, sockets.nodeSocketPath);
        return worker;
      } catch {
        // Another file system: then it is of no use.
        await discard(spare);
        await removeSockets(sockets);
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

/** Those that a killed server left would be in the way. */
export async function removeSockets({ socketPath, nodeSocketPath }: Sockets): Promise<void> {
  await rm(socketPath, { force: true });
  await rm(nodeSocketPath, { force: true });
}
