// TLS over a byte stream, the client's side: for programs that reach a server with a real certificate, as the API server's.
// Knows no HTTP.

import { Duplex } from 'node:stream';
import type { ByteStream } from './types.ts';

/** The first bytes of a TLS record that a server may begin with: an alert, or its part of the handshake. */
const TLS_RECORDS = new Set([0x15, 0x16]);

/** The server answers without TLS: in this cluster, one whose certificate nobody made. */
export class PlainServer extends Error {}

/** Node's name for what is wrong with a certificate is in `code`. */
export class CertificateError extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

export interface TlsOptions {
  /** As the URL names it; an address is asked for without a name. */
  host: string;
  /** PEM; only these are trusted. */
  ca?: string;
  /** False: whatever the server shows is taken. */
  verify: boolean;
}

/** Rejects with a CertificateError, or with PlainServer. */
export async function openTls(stream: ByteStream, options: TlsOptions): Promise<ByteStream> {
  // Only whoever asks for TLS pays for it.
  const { connect } = await import('node:tls');
  let plain = false;
  let begun = false;
  const wire = new Duplex({
    read() {},
    write(chunk: Uint8Array, _encoding, done) {
      stream.write(chunk);
      done();
    },
    final(done) {
      stream.end();
      done();
    },
    destroy(error, done) {
      stream.destroy(error ?? undefined);
      done(null);
    },
  });
  stream.onData(chunk => {
    if (!begun) plain = !TLS_RECORDS.has(chunk[0] ?? 0);
    begun = true;
    wire.push(chunk);
  });
  stream.onEnd(() => wire.push(null));
  return new Promise((resolve, reject) => {
    const socket = connect({
      socket: wire,
      rejectUnauthorized: options.verify,
      ...(/^[\d.:[\]]+$/.test(options.host) ? {} : { servername: options.host }),
      host: options.host,
      ...(options.ca === undefined ? {} : { ca: options.ca }),
    });
    socket.once('error', (error: Error & { code?: string }) => {
      if (plain) reject(new PlainServer('the server speaks no TLS'));
      else reject(new CertificateError(error.code ?? '', error.message));
    });
    socket.once('secureConnect', () =>
      resolve({
        write: chunk => void socket.write(chunk),
        end: () => void socket.end(),
        destroy: error => void socket.destroy(error),
        onData: listener => void socket.on('data', listener),
        onEnd: listener => void socket.on('end', listener),
        onClose: listener => void socket.on('close', () => listener()),
      }),
    );
  });
}
