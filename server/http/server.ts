// One HTTP server for pages, requests and sockets, behind the gate. Holds no state of its own beyond open sockets.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import sirv from 'sirv';
import { type WebSocket, WebSocketServer } from 'ws';
import { MAX_FRAME, type ServerStatus } from '#common/protocol/index.ts';
import type { Clock } from '../clock.ts';
import type { Sessions } from '../session/index.ts';
import { answerApi } from './api.ts';
import type { DevSite } from './dev-site.ts';
import { DOOR_PAGE } from './door.ts';
import { createForwardDoors } from './forward-door.ts';
import {
  cookieHeader,
  cookieRefused,
  type House,
  type Refusal,
  requestRefused,
  upgradeRefused,
} from './gate.ts';
import { inlineScriptHashes, securityHeaders } from './headers.ts';
import { MAX_SOCKETS } from './limits.ts';
import type { Links } from './links.ts';
import type { ProgressPart } from './progress-api.ts';
import { carrySession } from './session-socket.ts';
import { carryTerminal } from './terminal-socket.ts';

/** A dead connection is noticed within two of these, in milliseconds. */
const PING_EVERY = 20_000;
/** How long a page may take to answer that the server goes, in milliseconds. */
const GOODBYE = 200;

export interface HttpOptions {
  port: number;
  secret: string;
  links: Links;
  /** The built site. */
  site: string;
  sessions: Sessions;
  status: () => Promise<ServerStatus>;
  fetchKubectl: () => void;
  progress: ProgressPart;
  clock: Clock;
  /** Shows the pages of an Astro dev server instead of `site`. */
  devSite?: DevSite;
}

export interface HttpServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Listens on the loopback addresses only. Rejects with the system's error when the port is taken. */
export async function startHttpServer(options: HttpOptions): Promise<HttpServer> {
  const headers = securityHeaders(await inlineScriptHashes(options.site));
  const serveFile = sirv(options.site, { etag: true, gzip: true, brotli: true, setHeaders: cacheFor });
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: 1 + MAX_FRAME,
    perMessageDeflate: false,
    clientTracking: true,
  });
  const house: House = { port: options.port, secret: options.secret };
  const servers: Server[] = [];
  const doors = createForwardDoors();

  const onRequest = (request: IncomingMessage, response: ServerResponse) => {
    const knock = { method: request.method ?? '', url: request.url ?? '', headers: request.headers };
    for (const [name, value] of Object.entries(options.devSite ? {} : headers))
      response.setHeader(name, value);
    const refusal = requestRefused(knock, house);
    if (refusal) return refuse(response, refusal);
    const url = new URL(knock.url, 'http://here');
    const token = url.searchParams.get('token');
    if (token !== null && knock.method === 'GET') {
      // Whoever has the cookie already may open an old link again.
      if (options.links.redeem(token)) response.setHeader('set-cookie', cookieHeader(house));
      else if (cookieRefused(knock, house)) return door(response);
      url.searchParams.delete('token');
      // Two slashes, which /.// becomes, would be another host.
      const path = url.pathname.replace(/^\/+/, '/');
      response.writeHead(303, { location: path + url.search, 'cache-control': 'no-store' });
      return response.end();
    }
    if (cookieRefused(knock, house)) {
      if (url.pathname.startsWith('/api/')) return refuse(response, cookieRefused(knock, house)!);
      return door(response);
    }
    if (url.pathname.startsWith('/api/')) return void answerApi(url.pathname, request, response, options);
    if (knock.method !== 'GET' && knock.method !== 'HEAD') {
      return refuse(response, { status: 405, reason: 'Pages are read with GET.' });
    }
    const [, session, forward] = /^\/open\/([a-z0-9-]{1,80})\/([0-9-]{1,20})$/.exec(url.pathname) ?? [];
    if (session !== undefined && forward !== undefined) {
      const wanted = options.sessions.get(session)?.forward(forward);
      if (!wanted) return refuse(response, NO_FORWARD);
      return void doors.open(wanted, request.headers.host ?? '').then(
        location => response.writeHead(303, { location, 'cache-control': 'no-store' }).end(),
        error => {
          console.error(error);
          refuse(response, NO_FORWARD);
        },
      );
    }
    if (options.devSite) return options.devSite.request(request, response);
    serveFile(request, response, () => notFound(request, response, serveFile));
  };

  const onUpgrade = (request: IncomingMessage, socket: Socket, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    const knock = { method: request.method ?? '', url: request.url ?? '', headers: request.headers };
    const refusal = upgradeRefused(knock, house);
    if (refusal) return hangUp(socket, refusal.status, refusal.reason);
    const url = new URL(knock.url, 'http://here');
    const [, kind, id] = /^\/ws\/(session|terminal)\/([a-z0-9.-]{1,80})$/.exec(url.pathname) ?? [];
    if (kind === undefined || id === undefined) {
      if (options.devSite) return options.devSite.upgrade(request, socket, head);
      return hangUp(socket, 404, 'There is nothing here.');
    }
    if (sockets.clients.size >= MAX_SOCKETS) return hangUp(socket, 503, 'Too many pages are open.');
    sockets.handleUpgrade(request, socket, head, ws => {
      ws.on('error', () => ws.terminate());
      const language = url.searchParams.get('lang') === 'en' ? 'en' : 'zh-TW';
      if (kind === 'session') carrySession(ws, options.sessions.get(id), options.clock);
      else carryTerminal(ws, options.sessions.terminal(id), language, options.clock);
    });
  };

  const listen = (host: string, port: number) =>
    new Promise<Server>((resolve, reject) => {
      const server = createServer({ maxHeaderSize: 16 * 1024, requestTimeout: 30_000 }, onRequest);
      server.on('upgrade', onUpgrade);
      server.once('error', reject);
      server.listen({ host, port, ipv6Only: true }, () => resolve(server));
    });

  const first = await listen('127.0.0.1', options.port);
  servers.push(first);
  house.port = (first.address() as AddressInfo).port;
  // `localhost` may mean ::1. Where there is no IPv6, or the port is someone else's there, 127.0.0.1 is enough.
  const second = await listen('::1', house.port).catch(() => undefined);
  if (second) servers.push(second);
  const stopPings = keepAlive(sockets, options.clock);

  return {
    port: house.port,
    close: async () => {
      stopPings();
      doors.close();
      const gone = [...sockets.clients].map(
        ws => new Promise<void>(resolve => ws.once('close', () => resolve())),
      );
      for (const ws of sockets.clients) ws.close(1001, 'The server is going away.');
      const ended = servers.map(server => new Promise<void>(resolve => server.close(() => resolve())));
      // Pages get a moment to answer; then nobody waits for them.
      await Promise.race([Promise.all(gone), sleep(GOODBYE)]);
      for (const ws of sockets.clients) ws.terminate();
      for (const server of servers) server.closeAllConnections();
      await Promise.all(ended);
    },
  };
}

const NO_FORWARD: Refusal = {
  status: 404,
  reason: '這個連接埠已經沒有在轉送了。\nThis port is not being forwarded any more.',
};

/** Astro names its files by their content; pages are asked for again each time (an unchanged one costs a 304). */
function cacheFor(response: ServerResponse, path: string): void {
  const forever = path.startsWith('/_astro/');
  response.setHeader('cache-control', forever ? 'private, max-age=31536000, immutable' : 'private, no-cache');
}

function notFound(
  request: IncomingMessage,
  response: ServerResponse,
  serveFile: ReturnType<typeof sirv>,
): void {
  const page = request.url?.startsWith('/en/') ? '/en/404.html' : '/404.html';
  response.statusCode = 404;
  if (!(request.headers.accept ?? '').includes('text/html')) {
    plain(response, 'There is nothing here.');
    return;
  }
  request.url = page;
  // Sirv sets 200 for what it finds; the page is right, the status is not.
  const writeHead = response.writeHead.bind(response);
  response.writeHead = ((code: number, ...rest: never[]) =>
    writeHead(code === 200 ? 404 : code, ...rest)) as typeof response.writeHead;
  serveFile(request, response, () => plain(response, 'There is nothing here.'));
}

function plain(response: ServerResponse, text: string): void {
  response.setHeader('content-type', 'text/plain; charset=utf-8');
  response.end(`${text}\n`);
}

function refuse(response: ServerResponse, refusal: Refusal): void {
  response.statusCode = refusal.status;
  response.setHeader('cache-control', 'no-store');
  plain(response, refusal.reason);
}

function door(response: ServerResponse): void {
  response.writeHead(401, {
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    // Its one style element; no script at all.
    'content-security-policy':
      "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
  });
  response.end(DOOR_PAGE);
}

function hangUp(socket: Socket, status: number, reason: string): void {
  const body = `${reason}\n`;
  socket.end(
    `HTTP/1.1 ${status} Refused\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
}

/** A laptop that sleeps leaves half-open connections; whoever misses a ping is gone. */
function keepAlive(sockets: WebSocketServer, clock: Clock): () => void {
  const alive = new WeakSet<WebSocket>();
  let timer = clock.after(PING_EVERY, ping);
  const known = new WeakSet<WebSocket>();
  function ping() {
    for (const ws of sockets.clients) {
      if (!known.has(ws)) {
        known.add(ws);
        ws.on('pong', () => alive.add(ws));
      } else if (!alive.has(ws)) {
        ws.terminate();
        continue;
      }
      alive.delete(ws);
      ws.ping();
    }
    timer = clock.after(PING_EVERY, ping);
  }
  return () => timer.cancel();
}
