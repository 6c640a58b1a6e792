// The gRPC health protocol, grpc.health.v1, over HTTP/2 on a byte stream: asking, and answering. Knows no probe and no program.

import {
  type ClientHttp2Session,
  connect,
  performServerHandshake,
  type ServerHttp2Session,
} from 'node:http2';
import { Duplex } from 'node:stream';
import type { ByteStream } from './types.ts';

const CHECK = '/grpc.health.v1.Health/Check';
const STATUS = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'] as const;
const NOT_FOUND = 5;
const UNIMPLEMENTED = 12;

/** What a check found, or why there was no answer to it. */
export type Health =
  | { status: (typeof STATUS)[number] }
  | { refused: 'unimplemented' | 'unknown service' | 'no gRPC' };

/** Answers checks on one connection: of the whole server (service ''), and of the services named. */
export function serveHealth(stream: ByteStream, services: readonly string[] = ['']): void {
  const session = performServerHandshake(socketOf(stream)) as ServerHttp2Session;
  session.on('error', () => stream.destroy());
  session.on('stream', (call, headers) => {
    call.on('error', () => {});
    const parts: Buffer[] = [];
    call.on('data', (part: Buffer) => parts.push(part));
    call.on('end', () => {
      const known = services.includes(stringOf(Buffer.concat(parts).subarray(5)));
      const code = headers[':path'] !== CHECK ? UNIMPLEMENTED : known ? 0 : NOT_FOUND;
      const head = { ':status': 200, 'content-type': 'application/grpc' };
      if (code !== 0) return call.respond({ ...head, 'grpc-status': String(code) }, { endStream: true });
      call.respond(head, { waitForTrailers: true });
      call.on('wantTrailers', () => call.sendTrailers({ 'grpc-status': '0' }));
      call.end(message(Buffer.from([0x08, STATUS.indexOf('SERVING')])));
    });
  });
}

/** Asks a server how it is. The stream is closed afterwards. */
export function checkHealth(stream: ByteStream, service: string, authority: string): Promise<Health> {
  return new Promise(resolve => {
    let session: ClientHttp2Session | undefined;
    const done = (health: Health) => {
      resolve(health);
      session?.destroy();
      stream.destroy();
    };
    session = connect(`http://${authority}`, { createConnection: () => socketOf(stream) });
    session.on('error', () => done({ refused: 'no gRPC' }));
    session.on('close', () => done({ refused: 'no gRPC' }));
    const call = session.request({
      ':method': 'POST',
      ':path': CHECK,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    const parts: Buffer[] = [];
    let status: unknown;
    call.on('error', () => done({ refused: 'no gRPC' }));
    call.on('response', headers => {
      status = headers['grpc-status'];
      if (!String(headers['content-type']).startsWith('application/grpc')) done({ refused: 'no gRPC' });
    });
    call.on('trailers', trailers => {
      status = trailers['grpc-status'];
    });
    call.on('data', (part: Buffer) => parts.push(part));
    call.on('end', () => {
      if (Number(status) === UNIMPLEMENTED) done({ refused: 'unimplemented' });
      else if (Number(status) === NOT_FOUND) done({ refused: 'unknown service' });
      else if (Number(status) !== 0) done({ refused: 'no gRPC' });
      else done({ status: STATUS[Buffer.concat(parts)[6] ?? 0] ?? 'UNKNOWN' });
    });
    call.end(
      message(service ? Buffer.from([0x0a, service.length, ...Buffer.from(service)]) : Buffer.alloc(0)),
    );
  });
}

/** A message as gRPC frames it: not compressed, its length, its bytes. */
function message(body: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(body.length, 1);
  return Buffer.concat([head, body]);
}

/** Field 1 of a protobuf message that has nothing else: a short text. */
const stringOf = (body: Buffer): string => (body[0] === 0x0a ? body.toString('utf8', 2, 2 + body[1]!) : '');

function socketOf(stream: ByteStream): Duplex {
  const socket = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, next) {
      stream.write(chunk);
      next();
    },
    final(next) {
      stream.end();
      next();
    },
    destroy(error, next) {
      stream.destroy();
      next(error);
    },
  });
  stream.onData(chunk => socket.push(Buffer.from(chunk)));
  stream.onEnd(() => socket.push(null));
  stream.onClose(() => socket.destroy());
  return socket;
}
