// Shows forwarded ports to a browser, each behind a listener and an origin of its own, so that what a learner's program serves can
// never act as one of our pages. Knows sockets and headers, not where a forward comes from.

import { randomBytes } from 'node:crypto';
import {
  createServer,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type Server,
  type ServerResponse,
} from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { Forward } from '../session/index.ts';
import { cookieName, cookieRefused, type House, requestRefused, upgradeRefused } from './gate.ts';
import { createLinks } from './links.ts';

/** All cookies of ours, this run's and other runs', begin so. */
const OURS = cookieName(0).replace(/0$/, '');
/** Say something of this one connection, or reach beyond the page that carries them: never passed on. */
const NOT_UPWARDS = new Set([
  'connection',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'referer',
  'host',
  'origin',
  'cookie',
]);
const NOT_DOWNWARDS = new Set([
  'connection',
  'keep-alive',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'set-cookie',
  'location',
  'alt-svc',
  'clear-site-data',
  'strict-transport-security',
]);
/** Ports are tried until one is free on both loopbacks. */
const TRIES = 20;

export interface ForwardDoors {
  /** An address that opens the forward in one browser once. `host` is the one our page was asked by. */
  open(forward: Forward, host: string): Promise<string>;
  close(): void;
}

interface Door {
  port: number;
  link(): string;
  close(): void;
}

export function createForwardDoors(): ForwardDoors {
  const doors = new Map<Forward, Promise<Door>>();
  return {
    open: async (forward, host) => {
      let door = doors.get(forward);
      if (!door) {
        door = makeDoor(forward);
        doors.set(forward, door);
        const forget = () => doors.delete(forward);
        door
          .then(
            made => forward.ended.then(made.close),
            () => {},
          )
          .then(forget);
      }
      const { port, link } = await door;
      return `http://${otherName(host)}:${port}/?kubeflow-by-doing=${link()}`;
    },
    close: () => {
      for (const door of doors.values()) door.then(made => made.close()).catch(() => {});
      doors.clear();
    },
  };
}

/** Browsers keep cookies by host, whatever the port; by its other name this machine is another site. */
export function otherName(host: string): string {
  return host.toLowerCase().startsWith('localhost') ? '127.0.0.1' : 'localhost';
}

async function makeDoor(forward: Forward): Promise<Door> {
  const socketPath = await forward.reach();
  if (!socketPath) throw new Error('This port needs no door: it is on this machine’s own loopback.');
  const house: House = { port: 0, secret: randomBytes(32).toString('base64url') };
  const links = createLinks();
  const open = new Set<Socket>();

  const onRequest = (request: IncomingMessage, response: ServerResponse) => {
    const knock = { method: request.method ?? '', url: request.url ?? '', headers: request.headers };
    const refusal = requestRefused(knock, house);
    if (refusal) return plain(response, refusal.status, refusal.reason);
    const url = new URL(knock.url, 'http://here');
    const token = url.searchParams.get('kubeflow-by-doing');
    if (token !== null && knock.method === 'GET' && links.redeem(token)) {
      // Lax: one comes from our page, which by its other name is another site, and is sent on at once.
      response.setHeader(
        'set-cookie',
        `${cookieName(house.port)}=${house.secret}; Path=/; HttpOnly; SameSite=Lax`,
      );
      response.writeHead(303, {
        location: '/',
        'cache-control': 'no-store',
        'referrer-policy': 'no-referrer',
      });
      return response.end();
    }
    const unknown = cookieRefused(knock, house);
    if (unknown) return plain(response, unknown.status, NO_PASS);
    const onward = httpRequest(
      { socketPath, method: knock.method, path: knock.url, headers: upwards(request.headers, forward.port) },
      answer => {
        response.writeHead(answer.statusCode ?? 502, downwards(answer, forward.port));
        answer.pipe(response);
        answer.on('error', () => response.destroy());
      },
    );
    onward.on('error', () => (response.headersSent ? response.destroy() : plain(response, 502, NO_HTTP)));
    response.on('close', () => onward.destroy());
    request.pipe(onward);
  };

  const onUpgrade = (request: IncomingMessage, socket: Socket, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    const knock = { method: request.method ?? '', url: request.url ?? '', headers: request.headers };
    const refusal = upgradeRefused(knock, house);
    if (refusal) return void socket.end(`HTTP/1.1 ${refusal.status} Refused\r\nConnection: close\r\n\r\n`);
    const onward = connect(socketPath, () => {
      const headers = {
        ...upwards(request.headers, forward.port),
        connection: 'Upgrade',
        upgrade: request.headers.upgrade,
      };
      const lines = Object.entries(headers).flatMap(([name, value]) =>
        [value ?? []].flat().map(one => `${name}: ${one}`),
      );
      onward.write([`GET ${request.url} HTTP/1.1`, ...lines, '', ''].join('\r\n'));
      onward.write(head);
      onward.pipe(socket).pipe(onward);
    });
    onward.on('error', () => socket.destroy());
    socket.on('close', () => onward.destroy());
  };

  const servers = await listenOnBoth(() => {
    const server = createServer({ maxHeaderSize: 16 * 1024 }, onRequest);
    server.on('upgrade', onUpgrade);
    server.on('connection', socket => {
      open.add(socket);
      socket.on('close', () => open.delete(socket));
    });
    return server;
  });
  house.port = (servers[0]!.address() as AddressInfo).port;
  return {
    port: house.port,
    link: links.issue,
    close: () => {
      for (const server of servers) server.close();
      for (const socket of open) socket.destroy();
    },
  };
}

/** `localhost` may mean either loopback; a port that is someone else's on one of them is not taken. */
async function listenOnBoth(make: () => Server): Promise<Server[]> {
  const listen = (host: string, port: number) =>
    new Promise<Server>((resolve, reject) => {
      const server = make();
      server.once('error', reject);
      server.listen({ host, port, ipv6Only: true }, () => resolve(server));
    });
  for (let tried = 0; ; tried++) {
    const first = await listen('127.0.0.1', 0);
    try {
      return [first, await listen('::1', (first.address() as AddressInfo).port)];
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') return [first];
      first.close();
      if (tried >= TRIES) throw error;
    }
  }
}

/** The request as the program would see it from the learner's own curl. */
function upwards(headers: IncomingHttpHeaders, port: number): OutgoingHttpHeaders {
  const onward: OutgoingHttpHeaders = {};
  for (const [name, value] of Object.entries(headers)) {
    if (!NOT_UPWARDS.has(name) && !name.startsWith('proxy-')) onward[name] = value;
  }
  onward['host'] = `localhost:${port}`;
  if (headers.origin !== undefined) onward['origin'] = `http://localhost:${port}`;
  const cookies = (headers.cookie ?? '').split(/;\s*/).filter(one => one !== '' && !one.startsWith(OURS));
  if (cookies.length > 0) onward['cookie'] = cookies.join('; ');
  return onward;
}

function downwards(answer: IncomingMessage, port: number): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = {};
  for (const [name, value] of Object.entries(answer.headers)) {
    if (!NOT_DOWNWARDS.has(name)) headers[name] = value;
  }
  const cookies = (answer.headers['set-cookie'] ?? []).filter(
    one => !one.trim().toLowerCase().startsWith(OURS),
  );
  if (cookies.length > 0) headers['set-cookie'] = cookies;
  const { location } = answer.headers;
  // The program knows itself by the forwarded port.
  if (location !== undefined)
    headers['location'] =
      location.replace(new RegExp(`^http://(localhost|127\\.0\\.0\\.1):${port}(?=/|$)`), '') || '/';
  const policy = answer.headers['content-security-policy'];
  headers['content-security-policy'] = `${policy ? `${policy}, ` : ''}frame-ancestors 'none'`;
  headers['x-frame-options'] = 'DENY';
  return headers;
}

function plain(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
  });
  response.end(`${text}\n`);
}

const NO_PASS =
  '請從課程頁面的終端機上方打開這個連接埠。\nOpen this port from above the terminal of the lesson’s page.';
const NO_HTTP =
  '這個連接埠後面的程式沒有用 HTTP 回應：它也許還沒就緒，或說的是別的協定（例如資料庫）。\nWhat stands behind this port did not answer in HTTP: it may not be ready, or speaks another protocol (a database does).';
