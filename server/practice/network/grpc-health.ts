// The gRPC health protocol, grpc.health.v1, over HTTP/2 on a byte stream: asking, and answering. Knows no probe and no program.

import { type ClientHttp2Session, connect } from 'node:http2';
import { framed, GRPC, GrpcError, type GrpcMethod, serveGrpc, socketOf } from './grpc.ts';
import type { ByteStream } from './types.ts';

const CHECK = '/grpc.health.v1.Health/Check';
const STATUS = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'] as const;

/** What a check found, or why there was no answer to it. */
export type Health =
  | { status: (typeof STATUS)[number] }
  | { refused: 'unimplemented' | 'unknown service' | 'no gRPC' };

/** What answers checks, beside a server's other methods: of the whole server (service ''), and of the services named. */
export const healthMethods = (services: readonly string[] = ['']): Record<string, GrpcMethod> => ({
  [CHECK]: request => {
    const service = stringOf(request);
    if (!services.includes(service)) throw new GrpcError(GRPC.notFound, 'unknown service');
    return Buffer.from([0x08, STATUS.indexOf('SERVING')]);
  },
});

/** Answers checks on one connection, and nothing else. */
export const serveHealth = (stream: ByteStream, services?: readonly string[]): void =>
  serveGrpc(stream, healthMethods(services));

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
      if (Number(status) === GRPC.unimplemented) done({ refused: 'unimplemented' });
      else if (Number(status) === GRPC.notFound) done({ refused: 'unknown service' });
      else if (Number(status) !== 0) done({ refused: 'no gRPC' });
      else done({ status: STATUS[Buffer.concat(parts)[6] ?? 0] ?? 'UNKNOWN' });
    });
    call.end(
      framed(service ? Buffer.from([0x0a, service.length, ...Buffer.from(service)]) : Buffer.alloc(0)),
    );
  });
}

/** Field 1 of a protobuf message that has nothing else: a short text. */
const stringOf = (body: Buffer): string => (body[0] === 0x0a ? body.toString('utf8', 2, 2 + body[1]!) : '');
