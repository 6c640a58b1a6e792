// WebSocket upgrades for the streaming subresources: chooses the subprotocol and hands out a plain message interface.

import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';

/** A message larger than this ends the connection, bytes. */
const MAX_MESSAGE = 4 * 1024 * 1024;

/** A client that has stopped reading is cut when so much waits for it, bytes. */
const MAX_UNREAD = 64 * 1024 * 1024;

export interface Messages {
  send(data: Buffer): void;
  onMessage(listener: (data: Buffer) => void): void;
  onClose(listener: () => void): void;
  /** Resolves when the client has begun to read, or is gone. */
  reads(): Promise<void>;
  close(): void;
}

export const isWebSocket = (request: IncomingMessage) =>
  request.headers.upgrade?.toLowerCase() === 'websocket';

export function offeredProtocols(request: IncomingMessage): string[] {
  return (request.headers['sec-websocket-protocol'] ?? '')
    .split(',')
    .map(name => name.trim())
    .filter(name => name !== '');
}

/** Completes the handshake with `protocol`, which may be any text: the port-forward tunnel's name is no HTTP token. */
export function acceptWebSocket(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  protocol: string,
): Promise<Messages> {
  // The library refuses names with a slash: it never sees the header, and the answer's is added by hand.
  delete request.headers['sec-websocket-protocol'];
  const server = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: MAX_MESSAGE });
  server.once('headers', headers => headers.push(`Sec-WebSocket-Protocol: ${protocol}`));
  return new Promise((resolve, reject) => {
    socket.once('close', () => reject(new Error('The client went away.')));
    server.handleUpgrade(request, socket, head, connection => resolve(messages(connection)));
  });
}

function messages(connection: WebSocket): Messages {
  const waiting: Buffer[] = [];
  let listener: ((data: Buffer) => void) | undefined;
  connection.on('message', data => {
    const chunk = Buffer.isBuffer(data)
      ? data
      : Array.isArray(data)
        ? Buffer.concat(data)
        : Buffer.from(data);
    if (listener) listener(chunk);
    else waiting.push(chunk);
  });
  connection.on('error', () => connection.terminate());
  return {
    send(data) {
      if (connection.readyState !== connection.OPEN) return;
      connection.send(data);
      if (connection.bufferedAmount > MAX_UNREAD) connection.terminate();
    },
    onMessage(next) {
      listener = next;
      for (const chunk of waiting.splice(0)) next(chunk);
    },
    onClose: next => void connection.once('close', next),
    // Whoever reads answers a ping: RFC 6455, 5.5.2.
    reads: () =>
      new Promise(resolve => {
        connection.once('pong', () => resolve());
        connection.once('close', () => resolve());
        connection.ping();
      }),
    close: () => connection.close(1000),
  };
}
