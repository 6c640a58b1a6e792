// Writes answers: headers that every answer carries, JSON or YAML, compression, warnings, Status errors. Knows HTTP/1.1 and
// HTTP/2 alike, and no kind.

import { randomUUID } from 'node:crypto';
import type { EventEmitter } from 'node:events';
import { type Status, toStatus } from '../../kube/index.ts';
import type { WireRequest } from './body.ts';
import type { Accepted } from './negotiate.ts';

/** What the answers of HTTP/1.1 and HTTP/2 have in common, as far as we use it. */
export interface WireResponse extends EventEmitter {
  readonly statusCode: number;
  readonly headersSent: boolean;
  readonly destroyed: boolean;
  readonly writableLength: number;
  /** HTTP/2 only. */
  readonly stream?: { readonly writableLength: number };
  readonly socket?: { readonly writableLength: number } | null;
  setHeader(name: string, value: string | number | readonly string[]): unknown;
  writeHead(code: number): unknown;
  flushHeaders?(): void;
  /** False when the client reads slower than we write. */
  write(chunk: string | Uint8Array): boolean;
  end(chunk?: string | Uint8Array): unknown;
  destroy(error?: Error): unknown;
}

/** kube-apiserver compresses answers above this size, bytes. */
const GZIP_THRESHOLD = 128 * 1024;
/** Speed matters more than size on loopback. */
const GZIP_LEVEL = 1;

export class Reply {
  readonly response: WireResponse;
  readonly #request: WireRequest;
  readonly #pretty: boolean;
  readonly #warnings: string[] = [];
  accepted: Accepted = { type: 'json' };
  /** Of the body, before compression. */
  bytes = 0;

  constructor(request: WireRequest, response: WireResponse, query: URLSearchParams) {
    this.#request = request;
    this.response = response;
    this.#pretty = wantsPretty(query.get('pretty'), request.headers['user-agent']);
    const audit = request.headers['audit-id'];
    response.setHeader('Audit-Id', typeof audit === 'string' && audit.length <= 64 ? audit : randomUUID());
    response.setHeader('Cache-Control', 'no-cache, private');
  }

  /** Adds a `Warning` header, once a text; has no effect after the headers have gone. */
  readonly warn = (text: string): void => {
    if (!this.#warnings.includes(text)) this.#warnings.push(text);
  };

  get sent(): boolean {
    return this.response.headersSent;
  }

  /** Sends a value in the accepted form. */
  object(code: number, value: unknown): void {
    if (this.accepted.type === 'yaml')
      return void this.#yaml(code, value).catch(() => this.response.destroy());
    const text = this.#pretty ? JSON.stringify(value, null, 2) : `${JSON.stringify(value)}\n`;
    this.body(code, 'application/json', Buffer.from(text, 'utf8'));
  }

  text(code: number, text: string): void {
    this.response.setHeader('X-Content-Type-Options', 'nosniff');
    this.body(code, 'text/plain; charset=utf-8', Buffer.from(text, 'utf8'));
  }

  /** Any failure as a Status; a failure after the headers can only break the stream. */
  error(error: unknown): void {
    if (this.sent) return void this.response.destroy();
    const status: Status = toStatus(error);
    const retry = status.details?.retryAfterSeconds;
    if (retry) this.response.setHeader('Retry-After', String(retry));
    this.object(status.code, status);
  }

  body(code: number, contentType: string, bytes: Buffer): void {
    const { response } = this;
    if (response.destroyed || this.sent) return;
    this.bytes = bytes.length;
    response.setHeader('Content-Type', contentType);
    this.#writeWarnings();
    if (bytes.length <= GZIP_THRESHOLD || !acceptsGzip(this.#request.headers['accept-encoding'])) {
      response.setHeader('Content-Length', bytes.length);
      response.writeHead(code);
      response.end(this.#request.method === 'HEAD' ? undefined : bytes);
      return;
    }
    void this.#compressed(code, bytes);
  }

  async #compressed(code: number, bytes: Buffer): Promise<void> {
    const { response } = this;
    // Most clusters never say so much: loaded only when asked.
    const { gzip } = await import('node:zlib');
    gzip(bytes, { level: GZIP_LEVEL }, (error, compressed) => {
      if (response.destroyed) return;
      if (!error) {
        response.setHeader('Content-Encoding', 'gzip');
        response.setHeader('Vary', 'Accept-Encoding');
      }
      response.writeHead(code);
      response.end(error ? bytes : compressed);
    });
  }

  /** Headers of an answer without a known end; the caller writes to `response`. */
  stream(contentType: string): void {
    this.response.setHeader('Content-Type', contentType);
    this.#writeWarnings();
    this.response.writeHead(200);
    // The client must see the headers before the first event comes.
    this.response.flushHeaders?.();
  }

  #writeWarnings(): void {
    if (this.#warnings.length > 0) this.response.setHeader('Warning', this.#warnings.map(warningHeader));
  }

  async #yaml(code: number, value: unknown): Promise<void> {
    const { stringify } = await import('yaml');
    const plain = JSON.parse(JSON.stringify(value)) as unknown;
    this.body(
      code,
      'application/yaml',
      Buffer.from(stringify(plain, { version: '1.1', lineWidth: 0 }), 'utf8'),
    );
  }
}

/** RFC 7234 with Kubernetes' fixed code; header bytes are UTF-8, which Node takes as latin1 text. */
function warningHeader(text: string): string {
  const clean = text.replace(/[\u0000-\u001f\u007f]+/g, ' ').replace(/["\\]/g, '\\$&');
  return `299 - "${Buffer.from(clean, 'utf8').toString('latin1')}"`;
}

function wantsPretty(query: string | null, agent: string | undefined): boolean {
  if (query !== null && query !== '') return query !== '0' && query.toLowerCase() !== 'false';
  return /^(curl|Wget|Mozilla\/5\.0)/.test(agent ?? '');
}

function acceptsGzip(header: string | string[] | undefined): boolean {
  return /\bgzip\b/.test(Array.isArray(header) ? header.join(',') : (header ?? ''));
}
