// Opens each node port of a cluster's services on the machine's loopback. Knows services and byte streams, no pods.

import { createServer, type Server, type Socket } from 'node:net';
import type { ApiClient } from '../kube/index.ts';
import type { ByteStream, Network } from './network/index.ts';

/** What may wait for a reader who has stopped. */
const MAX_UNREAD_BYTES = 64 * 1024 * 1024;
const SERVICES = { group: '', version: 'v1', resource: 'services' };

export interface NodePorts {
  stop(): void;
}

/** A port that another program holds is left to it; `onTaken` hears of it. */
export function openNodePorts(options: {
  client: ApiClient;
  network: Network;
  /** Where node ports are inside the cluster. */
  nodeAddress: string;
  onTaken?: (port: number, error: Error) => void;
}): NodePorts {
  const { client, network, nodeAddress } = options;
  const wanted = new Map<string, number[]>();
  const servers = new Map<number, Server>();
  const sockets = new Set<Socket>();

  const serve = (port: number): Server => {
    const server = createServer(socket => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      socket.on('error', () => socket.destroy());
      network.dial(nodeAddress, port).then(
        stream => joinSocket(socket, stream),
        () => socket.resetAndDestroy(),
      );
    });
    server.once('error', error => options.onTaken?.(port, error));
    return server.listen(port, '127.0.0.1');
  };
  const reconcile = () => {
    const ports = new Set([...wanted.values()].flat());
    for (const [port, server] of servers)
      if (!ports.has(port)) {
        servers.delete(port);
        server.close();
      }
    for (const port of ports) if (!servers.has(port)) servers.set(port, serve(port));
  };

  const watch = client.watch(SERVICES, {}, ({ type, object }) => {
    const key = `${object.metadata.namespace}/${object.metadata.name}`;
    const ports: { nodePort?: number; protocol?: string }[] = object['spec']?.ports ?? [];
    const open = ports.flatMap(p => (p.nodePort && (p.protocol ?? 'TCP') === 'TCP' ? [p.nodePort] : []));
    if (type === 'DELETED' || open.length === 0) wanted.delete(key);
    else wanted.set(key, open);
    reconcile();
  });
  return {
    stop() {
      watch.stop();
      for (const server of servers.values()) server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** What one side says the other hears, until either is gone. */
export function joinSocket(socket: Socket, stream: ByteStream): void {
  stream.onData(chunk => {
    socket.write(chunk);
    if (socket.writableLength > MAX_UNREAD_BYTES) socket.destroy();
  });
  stream.onEnd(() => socket.end());
  stream.onClose(error => (error ? socket.destroy() : socket.end()));
  socket.on('data', chunk => stream.write(chunk));
  socket.on('end', () => stream.end());
  socket.on('close', () => stream.destroy());
}
