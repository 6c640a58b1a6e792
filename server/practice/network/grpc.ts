// gRPC over HTTP/2 on a byte stream, one message each way: asking, and answering. Knows no messages and no services.

import {
  type ClientHttp2Session,
  connect,
  performServerHandshake,
  type ServerHttp2Session,
} from 'node:http2';
import { Duplex } from 'node:stream';
import type { ByteStream } from './types.ts';

/** The codes in use here, by gRPC's numbers. */
const CODES: Record<number, string> = {
  2: 'Unknown',
  3: 'InvalidArgument',
  5: 'NotFound',
  12: 'Unimplemented',
  14: 'Unavailable',
};
export const GRPC = { unknown: 2, invalidArgument: 3, notFound: 5, unimplemented: 12, unavailable: 14 };
/** The length that stands before a message. */
const HEAD = 5;

/** A call that did not end well, in the words of Go's client. */
export class GrpcError extends Error {
  readonly code: number;
  readonly detail: string;
  /** It arose elsewhere. */
  override readonly stack = undefined;
  constructor(code: number, detail: string) {
    super(`rpc error: code = ${CODES[code] ?? `Code(${code})`} desc = ${detail}`);
    this.code = code;
    this.detail = detail;
  }
}

/** From the bytes of one message to those of its answer; a GrpcError is told to the caller as it is. */
export type GrpcMethod = (request: Buffer) => Buffer | Promise<Buffer>;

/** Answers the calls of one connection, by path: `/package.Service/Method`. */
export function serveGrpc(stream: ByteStream, methods: Readonly<Record<string, GrpcMethod>>): void {
  const session = performServerHandshake(socketOf(stream)) as ServerHttp2Session;
  session.on('error', () => stream.destroy());
  session.on('stream', (call, headers) => {
    call.on('error', () => {});
    const parts: Buffer[] = [];
    call.on('data', (part: Buffer) => parts.push(part));
    call.on('end', async () => {
      const head = { ':status': 200, 'content-type': 'application/grpc' };
      try {
        const path = String(headers[':path']);
        const method = methods[path];
        if (!method) throw new GrpcError(GRPC.unimplemented, `unknown method ${path}`);
        const answer = await method(Buffer.concat(parts).subarray(HEAD));
        if (call.destroyed) return;
        call.respond(head, { waitForTrailers: true });
        call.on('wantTrailers', () => call.sendTrailers({ 'grpc-status': '0' }));
        call.end(framed(answer));
      } catch (error) {
        if (call.destroyed) return;
        const { code, detail } =
          error instanceof GrpcError ? error : new GrpcError(GRPC.unknown, String((error as Error).message));
        const status = { 'grpc-status': String(code), 'grpc-message': encodeURIComponent(detail) };
        call.respond({ ...head, ...status }, { endStream: true });
      }
    });
  });
}

/** Makes one call and closes the stream; rejects with a GrpcError. */
export function callGrpc(
  stream: ByteStream,
  path: string,
  request: Buffer,
  authority: string,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let session: ClientHttp2Session | undefined;
    const close = () => {
      session?.destroy();
      stream.destroy();
    };
    const fail = (code: number, detail: string) => {
      reject(new GrpcError(code, detail));
      close();
    };
    const lost = () => fail(GRPC.unavailable, 'error reading from server: EOF');
    session = connect(`http://${authority}`, { createConnection: () => socketOf(stream) });
    session.on('error', lost);
    session.on('close', lost);
    const call = session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    const parts: Buffer[] = [];
    let status: Record<string, unknown> = {};
    call.on('error', lost);
    call.on('response', headers => {
      if (!String(headers['content-type']).startsWith('application/grpc'))
        return fail(
          GRPC.unavailable,
          `unexpected HTTP status code received from server: ${headers[':status']}`,
        );
      status = headers;
    });
    call.on('trailers', trailers => {
      status = trailers;
    });
    call.on('data', (part: Buffer) => parts.push(part));
    call.on('end', () => {
      const code = Number(status['grpc-status']);
      if (code !== 0) return fail(code, decodeURIComponent(String(status['grpc-message'] ?? '')));
      resolve(Buffer.concat(parts).subarray(HEAD));
      close();
    });
    call.end(framed(request));
  });
}

/** A message as gRPC frames it: not compressed, its length, its bytes. */
export function framed(body: Buffer): Buffer {
  const head = Buffer.alloc(HEAD);
  head.writeUInt32BE(body.length, 1);
  return Buffer.concat([head, body]);
}

/** A byte stream as Node's HTTP/2 wants it. */
export function socketOf(stream: ByteStream): Duplex {
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
