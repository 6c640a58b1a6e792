// The node's open ports for shells behind walls: one unix socket tells which are open, and leads to each of them. Knows the
// cluster's network, no pods and no sandbox.
//
// Whoever connects says in a line what it wants: `open` is answered with the list of ports, and with the new list whenever
// it changes; a port that is open leads there, byte for byte. Anything else is hung up on.

import { chmod, rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import type { ClusterNetwork } from './network/index.ts';
import { joinSocket } from './node-ports.ts';

/** No port is longer, in bytes. */
const LONGEST_LINE = 5;
/** More than a shell has use for. */
const MAX_CONNECTIONS = 1024;

export interface NodeSocket {
  close(): Promise<void>;
}

export async function openNodeSocket(options: {
  path: string;
  network: ClusterNetwork;
  nodeAddress: string;
}): Promise<NodeSocket> {
  const { path, network, nodeAddress } = options;
  const sockets = new Set<Socket>();

  const lead = (socket: Socket, wanted: string, begun: Uint8Array): void => {
    if (wanted === 'open') {
      const stop = network.watchPorts(nodeAddress, ports => socket.write(`${ports.join(' ')}\n`));
      socket.once('close', stop).resume();
      return;
    }
    const port = Number(wanted);
    if (!network.openPorts(nodeAddress).includes(port)) return void socket.destroy();
    network.dial(nodeAddress, port).then(
      stream => {
        joinSocket(socket, stream);
        if (begun.length > 0) stream.write(begun);
        socket.resume();
      },
      () => socket.destroy(),
    );
  };

  const server = createServer({ allowHalfOpen: true }, socket => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket)).on('error', () => socket.destroy());
    let head = Buffer.alloc(0);
    const read = (chunk: Buffer) => {
      head = Buffer.concat([head, chunk]);
      const end = head.indexOf('\n');
      if (end > LONGEST_LINE || (end < 0 && head.length > LONGEST_LINE)) return void socket.destroy();
      if (end < 0) return;
      socket.off('data', read).pause();
      lead(socket, head.subarray(0, end).toString('latin1'), head.subarray(end + 1));
    };
    socket.on('data', read);
  });
  server.maxConnections = MAX_CONNECTIONS;
  await rm(path, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(path, resolve);
  });
  await chmod(path, 0o600);
  return {
    async close() {
      const closed = new Promise<void>(resolve => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
