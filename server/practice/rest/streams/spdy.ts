// SPDY/3.1 framing for one connection, server side: streams with headers, data both ways, pings. Knows no Kubernetes and no
// sockets; bytes come in through `receive` and go out through the given function.

import { constants, createInflate, type Inflate } from 'node:zlib';

const VERSION = 3;
const SYN_STREAM = 1;
const SYN_REPLY = 2;
const RST_STREAM = 3;
const PING = 6;
const GOAWAY = 7;
const HEADERS = 8;
const FLAG_FIN = 0x01;
const PROTOCOL_ERROR = 1;
const REFUSED_STREAM = 3;

/** Frames above this are an attack or a mistake, bytes; the length field could say 16 MiB. */
const MAX_FRAME = 4 * 1024 * 1024;
/** Inflated headers of one stream, bytes. */
const MAX_HEADERS = 64 * 1024;
/** Data frames are cut to this, bytes. */
const CHUNK = 64 * 1024;
const MAX_STREAMS = 1024;

export interface SpdyStream {
  readonly id: number;
  /** Names are lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** At most one listener; what came before it is kept for it. */
  onData(listener: (chunk: Buffer) => void): void;
  /** The client ended its side. */
  onEnd(listener: () => void): void;
  /** Reset by the client, or the connection is gone. */
  onClose(listener: () => void): void;
  write(chunk: Uint8Array): void;
  /** Half-close of our side. */
  end(): void;
  reset(): void;
}

export interface SpdyConnection {
  receive(chunk: Buffer): void;
  /** The transport is gone. */
  closed(): void;
}

/**
 * Answers each SYN_STREAM with a SYN_REPLY and hands the stream to `onStream`. `fail` is called once when the client breaks
 * the protocol: the transport is to be closed then.
 */
export function spdyConnection(
  send: (frame: Buffer) => void,
  onStream: (stream: SpdyStream) => void,
  fail: (reason: string) => void,
): SpdyConnection {
  const streams = new Map<number, Stream>();
  let inflate: Inflate | undefined;
  let replied = false;
  let pending: Buffer = Buffer.alloc(0);
  let over = false;
  // Headers inflate asynchronously and share one context: frames wait in line behind them.
  let queue: Promise<void> = Promise.resolve();

  const stop = (reason?: string) => {
    if (over) return;
    over = true;
    for (const stream of streams.values()) stream.close();
    streams.clear();
    inflate?.close();
    if (reason !== undefined) fail(reason);
  };

  const control = (type: number, payload: Buffer, flags = 0) => {
    const head = Buffer.alloc(8);
    head.writeUInt16BE(0x8000 | VERSION, 0);
    head.writeUInt16BE(type, 2);
    head.writeUInt32BE((flags << 24) | payload.length, 4);
    if (!over) send(Buffer.concat([head, payload]));
  };
  const data = (id: number, chunk: Uint8Array, flags: number) => {
    const head = Buffer.alloc(8);
    head.writeUInt32BE(id, 0);
    head.writeUInt32BE(((flags << 24) | chunk.length) >>> 0, 4);
    if (!over) send(Buffer.concat([head, chunk]));
  };

  async function frame(head: Buffer, payload: Buffer): Promise<void> {
    if (over) return;
    const flags = head[4] ?? 0;
    if (!((head[0] ?? 0) & 0x80)) {
      const stream = streams.get(head.readUInt32BE(0) & 0x7fffffff);
      if (!stream) return;
      if (payload.length > 0) stream.push(payload);
      if (flags & FLAG_FIN) stream.pushEnd();
      return;
    }
    const type = head.readUInt16BE(2);
    if (type === SYN_STREAM) return open(payload, flags);
    if (type === HEADERS && payload.length >= 4) {
      // Later headers carry nothing for us, but the shared context must see them.
      await readHeaders(payload.subarray(4));
      if (flags & FLAG_FIN) streams.get(payload.readUInt32BE(0) & 0x7fffffff)?.pushEnd();
    } else if (type === RST_STREAM && payload.length >= 4) {
      const stream = streams.get(payload.readUInt32BE(0) & 0x7fffffff);
      streams.delete(stream?.id ?? 0);
      stream?.close();
    } else if (type === PING && payload.length >= 4) {
      // Clients number their pings oddly; an even one answers ours, and we send none.
      if (payload.readUInt32BE(0) % 2 === 1) control(PING, payload.subarray(0, 4));
    } else if (type === GOAWAY) {
      for (const stream of streams.values()) stream.pushEnd();
    }
  }

  async function open(payload: Buffer, flags: number): Promise<void> {
    if (payload.length < 10) return stop('SYN_STREAM is too short');
    const id = payload.readUInt32BE(0) & 0x7fffffff;
    const headers = await readHeaders(payload.subarray(10));
    if (!headers || over) return;
    if (streams.has(id) || id % 2 === 0) return control(RST_STREAM, words(id, PROTOCOL_ERROR));
    if (streams.size >= MAX_STREAMS) return control(RST_STREAM, words(id, REFUSED_STREAM));
    const stream = new Stream(id, headers, {
      write: (chunk, fin) => data(id, chunk, fin ? FLAG_FIN : 0),
      reset: () => {
        streams.delete(id);
        control(RST_STREAM, words(id, 5));
      },
      done: () => streams.delete(id),
    });
    streams.set(id, stream);
    control(SYN_REPLY, Buffer.concat([words(id), emptyHeaders(!replied)]));
    replied = true;
    if (flags & FLAG_FIN) stream.pushEnd();
    onStream(stream);
  }

  async function readHeaders(block: Buffer): Promise<Record<string, string> | undefined> {
    inflate ??= createInflate({ dictionary: DICTIONARY, flush: constants.Z_SYNC_FLUSH });
    const current = inflate;
    const chunks: Buffer[] = [];
    let size = 0;
    const outcome = await new Promise<string | undefined>(resolve => {
      const onData = (chunk: Buffer) => {
        size += chunk.length;
        if (size > MAX_HEADERS) done('headers are too large');
        else chunks.push(chunk);
      };
      const onError = (error: Error) => done(`headers do not inflate: ${error.message}`);
      const done = (problem?: string) => {
        current.removeListener('data', onData);
        current.removeListener('error', onError);
        resolve(problem);
      };
      current.on('data', onData);
      current.once('error', onError);
      current.write(block, () => done());
    });
    if (outcome !== undefined) {
      current.on('error', () => {});
      stop(outcome);
      return undefined;
    }
    const headers = parseHeaders(Buffer.concat(chunks));
    if (!headers) stop('headers are malformed');
    return headers;
  }

  return {
    receive(chunk) {
      if (over) return;
      pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
      while (pending.length >= 8) {
        const length = pending.readUInt32BE(4) & 0xffffff;
        if (length > MAX_FRAME) return stop('a frame is too large');
        if (pending.length < 8 + length) return;
        const head = pending.subarray(0, 8);
        const payload = pending.subarray(8, 8 + length);
        pending = pending.subarray(8 + length);
        queue = queue.then(() => frame(head, payload)).catch(error => stop(String(error)));
      }
    },
    closed: () => stop(),
  };
}

interface StreamOutput {
  write(chunk: Uint8Array, fin: boolean): void;
  reset(): void;
  done(): void;
}

class Stream implements SpdyStream {
  readonly id: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly #output: StreamOutput;
  #waiting: Buffer[] = [];
  #data: ((chunk: Buffer) => void) | undefined;
  #end: (() => void) | undefined;
  #close: (() => void) | undefined;
  #inputEnded = false;
  #outputEnded = false;
  #closed = false;

  constructor(id: number, headers: Record<string, string>, output: StreamOutput) {
    this.id = id;
    this.headers = headers;
    this.#output = output;
  }

  onData(listener: (chunk: Buffer) => void): void {
    this.#data = listener;
    for (const chunk of this.#waiting) listener(chunk);
    this.#waiting = [];
  }
  onEnd(listener: () => void): void {
    this.#end = listener;
    if (this.#inputEnded) listener();
  }
  onClose(listener: () => void): void {
    this.#close = listener;
    if (this.#closed) listener();
  }

  write(chunk: Uint8Array): void {
    if (this.#outputEnded || this.#closed) return;
    for (let at = 0; at < chunk.length; at += CHUNK)
      this.#output.write(chunk.subarray(at, at + CHUNK), false);
  }
  end(): void {
    if (this.#outputEnded || this.#closed) return;
    this.#outputEnded = true;
    this.#output.write(new Uint8Array(0), true);
    if (this.#inputEnded) this.#output.done();
  }
  reset(): void {
    if (this.#closed) return;
    this.close();
    this.#output.reset();
  }

  push(chunk: Buffer): void {
    if (this.#inputEnded) return;
    if (this.#data) this.#data(chunk);
    else this.#waiting.push(chunk);
  }
  pushEnd(): void {
    if (this.#inputEnded) return;
    this.#inputEnded = true;
    this.#end?.();
    if (this.#outputEnded) this.#output.done();
  }
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#close?.();
  }
}

function words(...values: number[]): Buffer {
  const buffer = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) buffer.writeUInt32BE(value, index * 4);
  return buffer;
}

/**
 * A header block without headers, as stored (uncompressed) deflate: a count of zero and a sync marker. The first block of a
 * connection starts the zlib stream, without asking for the dictionary.
 */
function emptyHeaders(first: boolean): Buffer {
  const count = words(0);
  const stored = Buffer.from([0x00, 0x04, 0x00, 0xfb, 0xff]);
  const sync = Buffer.from([0x00, 0x00, 0x00, 0xff, 0xff]);
  return Buffer.concat([first ? Buffer.from([0x78, 0x01]) : Buffer.alloc(0), stored, count, sync]);
}

function parseHeaders(block: Buffer): Record<string, string> | undefined {
  if (block.length < 4) return undefined;
  const headers: Record<string, string> = {};
  let at = 4;
  const text = (): string | undefined => {
    if (at + 4 > block.length) return undefined;
    const length = block.readUInt32BE(at);
    at += 4;
    if (at + length > block.length) return undefined;
    at += length;
    return block.toString('utf8', at - length, at);
  };
  for (let count = block.readUInt32BE(0); count > 0; count--) {
    const name = text();
    const value = text();
    if (name === undefined || value === undefined) return undefined;
    headers[name.toLowerCase()] = value.split('\0')[0] ?? '';
  }
  return headers;
}

/** The SPDY/3 header dictionary (draft-mbelshe-httpbis-spdy-00, 2.6.10.1): words with their lengths, then a tail of text. */
const DICTIONARY_WORDS =
  'options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow authorization cache-control connection content-base content-encoding content-language content-length content-location content-md5 content-range content-type date etag expect expires from host if-match if-modified-since if-none-match if-range if-unmodified-since last-modified location max-forwards pragma proxy-authenticate proxy-authorization range referer retry-after server te trailer transfer-encoding upgrade user-agent vary via warning www-authenticate method get status'.split(
    ' ',
  );
const DICTIONARY_TAIL =
  '100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden404 Not Found500 Internal Server Error501 Not Implemented503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,text/javascript,publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.';
const DICTIONARY = Buffer.concat([
  ...[
    ...DICTIONARY_WORDS,
    '200 OK',
    'version',
    'HTTP/1.1',
    'url',
    'public',
    'set-cookie',
    'keep-alive',
    'origin',
  ].map(word => Buffer.concat([words(word.length), Buffer.from(word)])),
  Buffer.from(DICTIONARY_TAIL),
]);
