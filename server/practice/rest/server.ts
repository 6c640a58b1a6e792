// The API server's door: one TLS service for HTTP/2 and HTTP/1.1, reachable on a loopback port, a unix socket and from
// inside the process. Knows connections and how to end them; what a request means is handler.ts's business.

import { chmod, rm } from 'node:fs/promises';
import { createSecureServer, type Http2SecureServer, type ServerHttp2Session } from 'node:http2';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import type { Clock } from '../../clock.ts';
import type { ByteStream, Network } from '../network/types.ts';
import type { TokenIssuer } from '../registry/index.ts';
import type { Registry } from '../registry/types.ts';
import type { TokenAuthenticator } from './authentication.ts';
import type { Authority } from './certificates.ts';
import { createDiscovery } from './discovery.ts';
import { handle } from './handler.ts';
import type { KubeletApi } from './kubelet-api.ts';
import { createRequestMetrics } from './metrics.ts';
import { createOpenApi } from './openapi/index.ts';
import type { ServerParts } from './parts.ts';
import type { WireResponse } from './reply.ts';

export interface RestServerOptions {
  registry: Registry;
  clock: Clock;
  authority: Authority;
  /** Who signs service account tokens: told to whoever asks how to check them. */
  issuer: TokenIssuer;
  /** Asked in order for each bearer token. */
  tokens?: readonly TokenAuthenticator[];
  /** Behind logs, exec, attach, port-forward and the proxies; without one they answer that there is no kubelet. */
  kubelet?: KubeletApi;
  /** Behind the proxy of services. */
  network?: Network;
  /** TCP is on 127.0.0.1 only; port 0 picks a free one. */
  listen: { socketPath?: string; port?: number };
}

export interface RestServer {
  /** The TCP port, when one was asked for. */
  readonly port: number | undefined;
  /** A connection from inside the process; TLS is spoken over it. */
  connect(): ByteStream;
  /** Ends watches and streams, then connections and listeners. Idempotent. */
  close(): Promise<void>;
}

/** As many streams on one connection as kube-apiserver allows. */
const MAX_CONCURRENT_STREAMS = 250;
/** Uploads need no round trip per 64 KiB. */
const WINDOW_BYTES = 1024 * 1024;
/** Node refuses new streams of a session that holds more than this, MB. */
const MAX_SESSION_MEMORY = 256;
/** Idle HTTP/1.1 connections, ms. */
const KEEP_ALIVE = 180_000;
/** A connection that says nothing for so long during its handshake is closed, ms. */
const HANDSHAKE_TIMEOUT = 30_000;

export async function startRestServer(options: RestServerOptions): Promise<RestServer> {
  const { registry, clock, authority } = options;
  const streams = new Set<() => void>();
  const connections = new Set<Duplex>();
  const sessions = new Set<ServerHttp2Session>();
  let closing: Promise<void> | undefined;

  const parts: ServerParts = {
    registry,
    clock,
    discovery: createDiscovery(registry),
    openApi: createOpenApi(registry),
    metrics: createRequestMetrics(),
    issuer: options.issuer,
    kubelet: options.kubelet,
    network: options.network,
    tokens: options.tokens ?? [],
    track(end) {
      streams.add(end);
      return () => streams.delete(end);
    },
  };

  const tls = createSecureServer({
    allowHTTP1: true,
    cert: authority.server.cert,
    key: authority.server.key,
    ca: authority.caCert,
    requestCert: true,
    rejectUnauthorized: false,
    minVersion: 'TLSv1.2',
    handshakeTimeout: HANDSHAKE_TIMEOUT,
    maxSessionMemory: MAX_SESSION_MEMORY,
    settings: { maxConcurrentStreams: MAX_CONCURRENT_STREAMS, initialWindowSize: WINDOW_BYTES },
  });
  // Clients keep their connections for longer than Node's 5 s, and would meet a reset.
  Object.assign(tls, { keepAliveTimeout: KEEP_ALIVE });
  tls.on('request', (request, response) => void handle(parts, request, response as unknown as WireResponse));
  tls.on('upgrade', async (request, socket, head) => {
    socket.on('error', () => socket.destroy());
    // Loads WebSockets and with them Node's HTTP client: only when asked.
    const { handleUpgrade } = await import('./streams/upgrade.ts');
    await handleUpgrade(parts, request, socket as Duplex, head);
  });
  tls.on('session', session => {
    sessions.add(session);
    session.once('close', () => sessions.delete(session));
  });
  // Broken clients are their own problem: their connection ends, ours goes on.
  const ignore = (_error: unknown, socket?: { destroy(): void }) => socket?.destroy();
  tls.on('sessionError', () => {});
  tls.on('tlsClientError', ignore);
  tls.on('clientError', ignore);
  tls.on('unknownProtocol', socket => socket.destroy());

  const accept = (socket: Duplex) => {
    connections.add(socket);
    socket.once('close', () => connections.delete(socket));
    socket.on('error', () => socket.destroy());
    tls.emit('connection', socket);
  };

  const listeners: Server[] = [];
  const { port, socketPath } = options.listen;
  if (port !== undefined) listeners.push(await listen(accept, { port, host: '127.0.0.1' }));
  if (socketPath !== undefined) {
    await rm(socketPath, { force: true });
    listeners.push(await listen(accept, { path: socketPath }));
    await chmod(socketPath, 0o600);
  }

  return {
    get port() {
      return port === undefined ? undefined : (listeners[0]?.address() as AddressInfo | null)?.port;
    },
    connect() {
      const [inside, outside] = duplexPair();
      accept(inside);
      return byteStream(outside);
    },
    close() {
      closing ??= shutDown(tls, listeners, streams, sessions, connections);
      return closing;
    },
  };
}

/** Turns of the event loop that clients get to read the end of their streams before connections are cut. */
const LINGER_TURNS = 200;

async function shutDown(
  tls: Http2SecureServer,
  listeners: readonly Server[],
  streams: Set<() => void>,
  sessions: Set<ServerHttp2Session>,
  connections: Set<Duplex>,
): Promise<void> {
  const closed = listeners.map(listener => new Promise<void>(resolve => listener.close(() => resolve())));
  for (const end of [...streams]) end();
  for (const session of sessions) session.close();
  // Turns, not time: the cluster's clock may stand still, and what must go out goes out as fast as the loop turns.
  for (let turn = 0; connections.size > 0 && turn < LINGER_TURNS; turn++) {
    await new Promise(resolve => setImmediate(resolve));
    if (turn === 2) for (const socket of connections) socket.end();
    if (turn > 2) {
      for (const socket of connections) if (socket.writableLength === 0) socket.destroy();
    }
  }
  for (const socket of connections) socket.destroy();
  tls.removeAllListeners('connection');
  await Promise.all(closed);
}

async function listen(
  accept: (socket: Socket) => void,
  where: { port: number; host: string } | { path: string },
): Promise<Server> {
  const server = createServer({ noDelay: true }, accept);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(where, () => {
      server.removeListener('error', reject);
      resolve();
    });
  });
  return server;
}

/** Two ends of an in-memory connection. */
function duplexPair(): [Duplex, Duplex] {
  const ends: Duplex[] = [];
  for (const other of [1, 0]) {
    let release: (() => void) | undefined;
    const end: Duplex & { wake?: () => void } = new Duplex({
      read() {
        release?.();
        release = undefined;
      },
      write(chunk, _encoding, done) {
        const peer = ends[other] as Duplex & { pausedBy?: (release: () => void) => void };
        if (peer.push(chunk)) done();
        else peer.pausedBy?.(done);
      },
      final(done) {
        ends[other]?.push(null);
        done();
      },
      destroy(error, done) {
        const peer = ends[other];
        if (peer && !peer.destroyed) setImmediate(() => peer.destroy());
        done(error);
      },
    });
    Object.assign(end, {
      pausedBy: (done: () => void) => {
        release = done;
      },
    });
    ends.push(end);
  }
  return ends as [Duplex, Duplex];
}

function byteStream(socket: Duplex): ByteStream {
  socket.on('error', () => {});
  return {
    write: chunk => void socket.write(chunk),
    end: () => void socket.end(),
    destroy: error => void socket.destroy(error),
    onData: listener => void socket.on('data', (chunk: Buffer) => listener(chunk)),
    onEnd: listener => void socket.once('end', listener),
    onClose: listener => void socket.once('close', () => listener()),
  };
}
