// The nginx of the ingress controller: answers requests by the configuration it was last given, from the endpoints it was
// last told. Knows no Ingress.

import { DialError, type HttpAnswer, requestHttp, STATUS_TEXT } from '../../network/index.ts';
import { accessStamp, errorStamp } from '../nginx-stamps.ts';
import type { Container, HttpRequest, HttpResponse } from '../types.ts';
import type { Endpoint } from './endpoints.ts';
import {
  type Configuration,
  DEFAULT_UPSTREAM,
  type Location,
  locate,
  plainPath,
  rewritten,
  type Server,
} from './routes.ts';

/** Where the controller's own answer for unknown paths comes from. */
const DEFAULT_BACKEND = '127.0.0.1:8181';
/** Endpoints that are tried before it gives up. */
const TRIES = 3;
/** nginx' own words where they are not HTTP's. */
const TITLES: Record<number, string> = { 503: 'Service Temporarily Unavailable' };
const BODYLESS = new Set([204, 304]);
const HOP_HEADERS = /^(connection|content-length|date|keep-alive|server|transfer-encoding)$/i;

interface Outcome {
  response: HttpResponse;
  upstream?: string;
  /** Where it was asked, how long the answer was and took, and its status. */
  asked?: { at: string; bytes: number; seconds: number; status: number };
}

/** The page nginx makes for a status; `server_tokens off`. */
function page(status: number, headers: Record<string, string> = {}): HttpResponse {
  const title = `${status} ${TITLES[status] ?? STATUS_TEXT[status]}`;
  return {
    status,
    headers: { 'Content-Type': 'text/html', ...headers },
    body: `<html>\r\n<head><title>${title}</title></head>\r\n<body>\r\n<center><h1>${title}</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n`,
  };
}

export class Nginx {
  private readonly container: Container;
  private config: Configuration = { servers: [], upstreams: [] };
  private endpoints = new Map<string, readonly Endpoint[]>();
  private turn = 0;
  running = false;

  constructor(container: Container) {
    this.container = container;
  }

  /** Takes a new configuration; the first one starts it. */
  reload(config: Configuration): void {
    this.config = config;
    if (this.running) return;
    this.running = true;
    this.container.serveHttp(80, (request, peer) => this.handle(request, peer));
  }

  /** Endpoints change without a reload. */
  balance(endpoints: Map<string, readonly Endpoint[]>): void {
    this.endpoints = endpoints;
  }

  private async handle(request: HttpRequest, peer: string): Promise<HttpResponse> {
    const began = this.container.clock.now();
    const id = this.container.random.uuid().replaceAll('-', '');
    const outcome = await this.answer(request, peer, id);
    const { body = '', headers, status } = outcome.response;
    this.logAccess(request, peer, id, began, outcome);
    return {
      status,
      headers: {
        Date: new Date(this.container.clock.now()).toUTCString(),
        ...headers,
        ...(BODYLESS.has(status) ? {} : { 'Content-Length': String(Buffer.byteLength(body)) }),
        Connection: 'keep-alive',
      },
      body,
    };
  }

  private async answer(request: HttpRequest, peer: string, id: string): Promise<Outcome> {
    const host = request.headers['host'] ?? '';
    const found = locate(this.config, host, plainPath(request.path));
    if (!found) return this.notFound();
    const [server, location] = found;
    if (location.redirect === 'always' || (location.redirect === 'with tls' && server.tls))
      return {
        response: page(308, { Location: `https://${host.replace(/:\d+$/, '')}${request.path}` }),
        upstream: location.upstream,
      };
    if (location.upstream === DEFAULT_UPSTREAM) return this.notFound();
    const endpoints = this.endpoints.get(location.upstream) ?? [];
    if (endpoints.length === 0) return { response: page(503), upstream: location.upstream };
    return this.forward(request, { peer, id, server, location, endpoints });
  }

  private notFound(): Outcome {
    const response = page(404);
    return {
      response,
      upstream: DEFAULT_UPSTREAM,
      asked: { at: DEFAULT_BACKEND, bytes: String(response.body).length, seconds: 0, status: 404 },
    };
  }

  private async forward(
    request: HttpRequest,
    to: { peer: string; id: string; server: Server; location: Location; endpoints: readonly Endpoint[] },
  ): Promise<Outcome> {
    const { clock, network } = this.container;
    const { location, endpoints } = to;
    const path = rewritten(location, request.path);
    let asked: Outcome['asked'];
    for (let left = Math.min(TRIES, endpoints.length); left > 0; left--) {
      const { address, port } = endpoints[this.turn++ % endpoints.length]!;
      const at = `${address}:${port}`;
      const began = clock.now();
      try {
        const stream = await network.dial(address, port);
        const answer = await requestHttp(stream, {
          method: request.method,
          path,
          headers: forwarded(request, to),
          body: request.body,
        });
        const seconds = (clock.now() - began) / 1000;
        return {
          response: { status: answer.status, headers: passedOn(answer), body: answer.body },
          upstream: location.upstream,
          asked: { at, bytes: answer.body.length, seconds, status: answer.status },
        };
      } catch (error) {
        asked = { at, bytes: 0, seconds: (clock.now() - began) / 1000, status: 502 };
        this.logError(request, to, `http://${at}${path}`, error);
      }
    }
    return { response: page(502), upstream: location.upstream, ...(asked && { asked }) };
  }

  private logError(request: HttpRequest, to: { peer: string; server: Server }, url: string, error: unknown) {
    const why = !(error instanceof DialError)
      ? 'upstream prematurely closed connection while reading response header from upstream'
      : error.reason === 'connection refused'
        ? 'connect() failed (111: Connection refused) while connecting to upstream'
        : error.reason === 'no route to host'
          ? 'connect() failed (113: Host is unreachable) while connecting to upstream'
          : 'upstream timed out (110: Operation timed out) while connecting to upstream';
    this.container.logError(
      `${errorStamp(this.container)} [error] 29#29: *${this.turn} ${why}, client: ${to.peer}, server: ${to.server.host}, request: "${request.method} ${request.path} HTTP/1.1", upstream: "${url}", host: "${request.headers['host'] ?? ''}"`,
    );
  }

  private logAccess(
    request: HttpRequest,
    peer: string,
    id: string,
    began: number,
    { asked, response, upstream }: Outcome,
  ) {
    const seconds = ((this.container.clock.now() - began) / 1000).toFixed(3);
    const head = Object.entries(request.headers).reduce((sum, [k, v]) => sum + k.length + v.length + 4, 0);
    const length = request.method.length + request.path.length + 14 + head + request.body.length;
    const { referer = '-', 'user-agent': agent = '-' } = request.headers;
    const there = asked
      ? `${asked.at} ${asked.bytes} ${asked.seconds.toFixed(3)} ${asked.status}`
      : '- - - -';
    this.container.log(
      `${peer} - - [${accessStamp(began)}] "${request.method} ${request.path} HTTP/1.1" ${response.status} ${Buffer.byteLength(response.body ?? '')} "${referer}" "${agent}" ${length} ${seconds} [${upstream ?? ''}] [] ${there} ${id}`,
    );
  }
}

function forwarded(request: HttpRequest, { peer, id }: { peer: string; id: string }): Record<string, string> {
  const host = request.headers['host'] ?? '';
  const headers: Record<string, string> = { host };
  for (const [name, value] of Object.entries(request.headers))
    if (!HOP_HEADERS.test(name)) headers[name] = value;
  return {
    ...headers,
    'x-request-id': request.headers['x-request-id'] ?? id,
    'x-real-ip': peer,
    'x-forwarded-for': peer,
    'x-forwarded-host': host,
    'x-forwarded-port': '80',
    'x-forwarded-proto': 'http',
    'x-forwarded-scheme': 'http',
    'x-scheme': 'http',
    connection: 'close',
  };
}

/** As the upstream wrote them, without what belongs to its own connection. */
const passedOn = ({ lines }: HttpAnswer): Record<string, string> =>
  Object.fromEntries(
    lines.flatMap(line => {
      const at = line.indexOf(':');
      const name = line.slice(0, at);
      return at <= 0 || HOP_HEADERS.test(name) ? [] : [[name, line.slice(at + 1).trim()]];
    }),
  );
