// Plain SPDY/3.1 upgrades, as kubectl up to 1.29 uses them and newer ones fall back to.

import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { badRequest } from '../../../kube/index.ts';
import { type SpdyStream, spdyConnection } from './spdy.ts';

/** A client that has stopped reading is cut when so much waits for it, bytes. */
const MAX_UNREAD = 64 * 1024 * 1024;

export const isSpdy = (request: IncomingMessage) => request.headers.upgrade?.toLowerCase() === 'spdy/3.1';

/** The first of `supported` that the client offers. */
export function chooseProtocol(request: IncomingMessage, supported: readonly string[]): string {
  const offered = String(request.headers['x-stream-protocol-version'] ?? '')
    .split(',')
    .map(name => name.trim());
  const chosen = supported.find(name => offered.includes(name));
  if (chosen === undefined) {
    throw badRequest(
      `unable to upgrade: unable to negotiate protocol: client supports [${offered.join(' ')}], server accepts [${supported.join(' ')}]`,
    );
  }
  return chosen;
}

/** Answers 101 and speaks SPDY on the socket. `onClose` is called once when the connection is gone. */
export function acceptSpdy(
  socket: Duplex,
  head: Buffer,
  protocol: string,
  onStream: (stream: SpdyStream) => void,
  onClose: () => void,
): void {
  socket.write(
    [
      'HTTP/1.1 101 Switching Protocols',
      'Connection: Upgrade',
      'Upgrade: SPDY/3.1',
      `X-Stream-Protocol-Version: ${protocol}`,
      '',
      '',
    ].join('\r\n'),
  );
  const connection = spdyConnection(
    frame => {
      if (!socket.writable) return;
      socket.write(frame);
      if (socket.writableLength > MAX_UNREAD) socket.destroy();
    },
    onStream,
    () => socket.destroy(),
  );
  if (head.length > 0) connection.receive(head);
  socket.on('data', (chunk: Buffer) => connection.receive(chunk));
  socket.once('end', () => socket.end());
  socket.once('close', () => {
    connection.closed();
    onClose();
  });
  socket.resume();
}
