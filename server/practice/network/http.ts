// HTTP/1.1 over byte streams: a small server and a small client. Knows no addresses, no TLS and no routing.

import type { ByteStream } from './types.ts';

/** Larger header blocks are refused, as most servers do. */
const MAX_HEADER_BYTES = 64 * 1024;
/** Programs are small; nothing of theirs needs a larger body. */
const MAX_BODY_BYTES = 32 * 1024 * 1024;

export interface HttpRequest {
  method: string;
  /** Path with query. */
  path: string;
  /** Lower-case names; repeated headers are joined by `, `. */
  headers: Record<string, string>;
  body: Uint8Array;
}

export interface HttpResponse {
  status: number;
  /** A value of several lines is sent as several headers: cookies cannot share one. */
  headers?: Record<string, string>;
  body?: string | Uint8Array;
}

export interface HttpAnswer {
  status: number;
  statusText: string;
  /** Lower-case names; repeated headers are joined by `, `, cookies by a newline. */
  headers: Record<string, string>;
  /** Header lines as they came, for showing. */
  lines: string[];
  body: Uint8Array;
}

export const STATUS_TEXT: Record<number, string> = {
  200: 'OK',
  201: 'Created',
  202: 'Accepted',
  204: 'No Content',
  301: 'Moved Permanently',
  302: 'Found',
  303: 'See Other',
  304: 'Not Modified',
  307: 'Temporary Redirect',
  308: 'Permanent Redirect',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  409: 'Conflict',
  413: 'Request Entity Too Large',
  415: 'Unsupported Media Type',
  422: 'Unprocessable Entity',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
};

const text = new TextDecoder('latin1');
const bytes = (value: string | Uint8Array | undefined): Uint8Array =>
  value === undefined ? new Uint8Array() : typeof value === 'string' ? Buffer.from(value) : value;

interface Message {
  start: string;
  headers: Record<string, string>;
  lines: string[];
  body: Uint8Array;
}

class ProtocolError extends Error {}

// A cluster at rest is asked mostly by its own probes, a few times a second: often enough to count in each of many clusters,
// too seldom for V8 to keep regular expressions compiled. Hence plain comparisons in what every message goes through.

const isChunked = (headers: Record<string, string>) =>
  headers['transfer-encoding'] !== undefined && /\bchunked\b/i.test(headers['transfer-encoding']);

/** Digits only, else undefined. */
function wholeNumber(digits: string): number | undefined {
  for (let at = 0; at < digits.length; at++)
    if (digits.charCodeAt(at) < 48 || digits.charCodeAt(at) > 57) return undefined;
  return digits === '' ? undefined : Number(digits);
}

/**
 * Cuts a stream of bytes into messages. `bodyless` says that the next message has no body whatever its headers say
 * (answers to HEAD, 204, 304); `untilEnd` allows a body that ends with the connection (answers without a length).
 */
class MessageReader {
  private buffer = Buffer.alloc(0);
  private head: Omit<Message, 'body'> | undefined;
  private chunks: Buffer[] = [];
  private chunked = 0;
  private readonly kind: 'request' | 'response';

  constructor(kind: 'request' | 'response') {
    this.kind = kind;
  }

  push(chunk: Uint8Array): void {
    this.buffer = this.buffer.length === 0 ? Buffer.from(chunk) : Buffer.concat([this.buffer, chunk]);
  }

  get started(): boolean {
    return this.head !== undefined || this.buffer.length > 0;
  }

  /** The next whole message, or undefined when more bytes are needed. */
  next(bodyless = false): Message | undefined {
    this.head ??= this.readHead();
    const head = this.head;
    if (!head) return undefined;
    if (this.kind === 'response' && head.start.startsWith('HTTP/1.1 100')) {
      this.head = undefined;
      return this.next(bodyless);
    }
    const status = this.kind === 'response' ? Number(head.start.split(' ')[1]) : 0;
    if (bodyless || status === 204 || status === 304) return this.finish(new Uint8Array());
    if (isChunked(head.headers)) return this.readChunked();
    const length = head.headers['content-length'];
    if (length === undefined) return this.kind === 'request' ? this.finish(new Uint8Array()) : undefined;
    const size = wholeNumber(length);
    if (size === undefined) throw new ProtocolError('bad Content-Length');
    if (size > MAX_BODY_BYTES) throw new ProtocolError('http: request body too large');
    if (this.buffer.length < size) return undefined;
    const body = this.take(size);
    return this.finish(body);
  }

  /** The message whose body ends with the connection. */
  atEnd(): Message | undefined {
    if (!this.head || this.kind === 'request') return undefined;
    if (this.head.headers['content-length'] !== undefined) return undefined;
    if (isChunked(this.head.headers)) return undefined;
    return this.finish(this.take(this.buffer.length));
  }

  private finish(body: Uint8Array): Message {
    const message = { ...this.head!, body };
    this.head = undefined;
    this.chunks = [];
    this.chunked = 0;
    return message;
  }

  private take(size: number): Buffer {
    const part = this.buffer.subarray(0, size);
    this.buffer = this.buffer.subarray(size);
    return part;
  }

  private readHead(): Omit<Message, 'body'> | undefined {
    const end = this.buffer.indexOf('\r\n\r\n');
    if (end < 0) {
      if (this.buffer.length > MAX_HEADER_BYTES) throw new ProtocolError('header too large');
      return undefined;
    }
    const lines = text.decode(this.take(end + 4)).split('\r\n');
    const start = lines[0] ?? '';
    if (!(this.kind === 'request' ? isRequestLine(start) : isStatusLine(start)))
      throw new ProtocolError(`malformed HTTP ${this.kind}`);
    const headers: Record<string, string> = {};
    for (const line of lines.slice(1)) {
      const colon = line.indexOf(':');
      if (colon <= 0) continue;
      const name = line.slice(0, colon).trim().toLowerCase();
      const value = line.slice(colon + 1).trim();
      const between = name === 'set-cookie' ? '\n' : ', ';
      headers[name] = name in headers ? `${headers[name]}${between}${value}` : value;
    }
    return { start, headers, lines: lines.slice(1).filter(line => line !== '') };
  }

  private readChunked(): Message | undefined {
    for (;;) {
      const end = this.buffer.indexOf('\r\n');
      if (end < 0) return undefined;
      const size = Number.parseInt(text.decode(this.buffer.subarray(0, end)), 16);
      if (!Number.isFinite(size)) throw new ProtocolError('malformed chunked encoding');
      if (size === 0) {
        const close = this.buffer.indexOf('\r\n', end + 2);
        if (close < 0) return undefined;
        this.take(close + 2);
        return this.finish(Buffer.concat(this.chunks));
      }
      if (this.buffer.length < end + 2 + size + 2) return undefined;
      this.take(end + 2);
      this.chunks.push(Buffer.from(this.take(size)));
      this.chunked += size;
      if (this.chunked > MAX_BODY_BYTES) throw new ProtocolError('http: request body too large');
      this.take(2);
    }
  }
}

/** `GET /path HTTP/1.1`. */
function isRequestLine(line: string): boolean {
  const [method = '', target = '', version = '', more] = line.split(' ');
  return more === undefined && isVersion(version) && isWord(method) && isWord(target);
}

/** Neither empty nor broken by control characters. */
function isWord(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) <= 32) return false;
  return text !== '';
}

/** `HTTP/1.1 200 OK`. */
function isStatusLine(line: string): boolean {
  const [version = '', code = ''] = line.split(' ', 2);
  return isVersion(version) && code.length === 3 && wholeNumber(code) !== undefined;
}

const isVersion = (text: string) => text === 'HTTP/1.1' || text === 'HTTP/1.0';

function encode(start: string, headers: Record<string, string>, body: Uint8Array): Uint8Array {
  const lines = [
    start,
    ...Object.entries(headers).flatMap(([name, value]) => value.split('\n').map(line => `${name}: ${line}`)),
  ];
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), body]);
}

const hasHeader = (headers: Record<string, string>, name: string) =>
  Object.keys(headers).some(key => key.toLowerCase() === name);

/** Answers every request that arrives on `stream`, one after another, until either side closes. `now` dates the answers. */
export function serveHttp(
  stream: ByteStream,
  handle: (request: HttpRequest) => HttpResponse | Promise<HttpResponse>,
  now: () => number,
): void {
  const reader = new MessageReader('request');
  let busy = false;
  let ended = false;
  let closed = false;

  const answer = (method: string, keepAlive: boolean, response: HttpResponse) => {
    const body = bytes(response.body);
    const headers: Record<string, string> = { ...response.headers };
    if (!hasHeader(headers, 'date')) headers['Date'] = new Date(now()).toUTCString();
    if (!hasHeader(headers, 'content-length') && response.status !== 204 && response.status !== 304)
      headers['Content-Length'] = String(body.length);
    if (!keepAlive) headers['Connection'] = 'close';
    const start = `HTTP/1.1 ${response.status} ${STATUS_TEXT[response.status] ?? ''}`.trimEnd();
    stream.write(encode(start, headers, method === 'HEAD' ? new Uint8Array() : body));
    if (!keepAlive) {
      closed = true;
      stream.end();
    }
  };

  const pump = async () => {
    if (busy || closed) return;
    busy = true;
    try {
      for (;;) {
        const message = reader.next();
        if (!message) break;
        const [method = 'GET', path = '/', version = 'HTTP/1.1'] = message.start.split(' ');
        const wants = (message.headers['connection'] ?? '').toLowerCase();
        const keepAlive = version === 'HTTP/1.0' ? wants.includes('keep-alive') : !wants.includes('close');
        let response: HttpResponse;
        try {
          response = await handle({ method, path, headers: message.headers, body: message.body });
        } catch (error) {
          response = { status: 500, body: `${error instanceof Error ? error.message : String(error)}\n` };
        }
        answer(method, keepAlive, response);
        if (closed) return;
      }
      if (ended) stream.end();
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      answer('GET', false, {
        status: 400,
        headers: { 'Content-Type': 'text/plain; charset=utf-8' },
        body: '400 Bad Request',
      });
    } finally {
      busy = false;
    }
  };
  stream.onData(chunk => {
    reader.push(chunk);
    void pump();
  });
  stream.onEnd(() => {
    ended = true;
    if (!busy && !closed) stream.end();
  });
}

export interface HttpCall {
  method?: string;
  path: string;
  headers?: Record<string, string>;
  body?: string | Uint8Array;
}

/** One request over an open connection, which is closed afterwards. Rejects when the peer closes before a whole answer. */
export function requestHttp(stream: ByteStream, call: HttpCall): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const reader = new MessageReader('response');
    const method = call.method ?? 'GET';
    let settled = false;
    const finish = (message: Message | undefined) => {
      if (!message || settled) return;
      settled = true;
      const [, code = '0', ...words] = message.start.split(' ');
      resolve({
        status: Number(code),
        statusText: words.join(' '),
        headers: message.headers,
        lines: message.lines,
        body: message.body,
      });
      stream.end();
    };
    const attempt = (read: () => Message | undefined) => {
      if (settled) return;
      try {
        finish(read());
      } catch (error) {
        settled = true;
        reject(error);
        stream.destroy();
      }
    };
    const broken = (error?: Error) => {
      attempt(() => reader.atEnd());
      if (settled) return;
      settled = true;
      reject(error ?? new Error(reader.started ? 'unexpected EOF' : 'EOF'));
    };
    stream.onData(chunk => {
      reader.push(chunk);
      attempt(() => reader.next(method === 'HEAD'));
    });
    stream.onEnd(() => broken());
    stream.onClose(error => broken(error));
    const body = bytes(call.body);
    const headers: Record<string, string> = { ...call.headers };
    if (body.length > 0 && !hasHeader(headers, 'content-length'))
      headers['Content-Length'] = String(body.length);
    stream.write(encode(`${method} ${call.path} HTTP/1.1`, headers, body));
  });
}
