// istio's proxyv2: a gateway or a sidecar that is ready once istiod has told it what to do, and an init container that
// sets up redirection. Routes HTTP as it was told; knows Istio's objects only through istiod.

import { type ByteStream, DialError, requestHttp } from '../../network/index.ts';
import { untilAborted } from '../signals.ts';
import type { Container, HttpRequest, HttpResponse, Program } from '../types.ts';
import { type ProxyConfig, type Route, rewritten, routeFor } from './config.ts';
import { admit, type Outcome } from './filters.ts';
import { stamp } from './log.ts';

const DISCOVERY = { host: 'istiod.istio-system.svc', port: 15012 };
/** Between attempts to reach istiod: as the agent's back-off, doubling. */
const RETRY_MS = { first: 500, last: 15_000 };
const START_MS = 400;
const READY_PORT = 15021;

export const proxy: Program = {
  image: 'docker.io/istio/proxyv2',
  config: { entrypoint: ['/usr/local/bin/pilot-agent'], cmd: [], user: '1337' },
  async run(container) {
    const [, command] = container.argv;
    if (container.argv.includes('istio-iptables')) return initIptables(container);
    if (command === 'istio-clean-iptables' || command === 'version') return 0;
    return new ProxyAgent(container).run();
  },
};

async function initIptables(container: Container): Promise<number> {
  container.log(`${stamp(container.clock.now())}\tinfo\tIstio iptables environment:`);
  container.log('ENVOY_PORT=');
  container.log('INBOUND_CAPTURE_PORT=');
  container.log(`${stamp(container.clock.now())}\tinfo\tIstio iptables variables:`);
  container.log('PROXY_PORT=15001\nPROXY_INBOUND_CAPTURE_PORT=15006\nPROXY_UID=1337\nPROXY_GID=1337');
  await container.clock.sleep(150, container.signal);
  container.log(
    `${stamp(container.clock.now())}\tinfo\tRunning iptables restore with: iptables-restore --noflush`,
  );
  return 0;
}

class ProxyAgent {
  private readonly container: Container;
  private readonly role: 'router' | 'sidecar';
  private config: ProxyConfig | undefined;
  private readonly open = new Set<number>();
  private readonly began: number;
  private stream: ByteStream | undefined;

  constructor(container: Container) {
    this.container = container;
    this.role = container.argv.includes('router') ? 'router' : 'sidecar';
    this.began = container.clock.now();
  }

  private log(level: string, text: string): void {
    this.container.log(`${stamp(this.container.clock.now())}\t${level}\t${text}`);
  }

  async run(): Promise<number> {
    const { container } = this;
    const version = container.image.slice(container.image.lastIndexOf(':') + 1);
    const { name, namespace } = container.pod.metadata;
    container.use({ cpuMillis: 3, memoryBytes: 34 * 1024 * 1024 });
    this.log('info', `FLAG: --log_output_level="default:info"`);
    this.log('info', `Version ${version}-Clean`);
    this.log(
      'info',
      `Proxy role\ttype=${this.role} id=${name}.${namespace} domain=${namespace}.svc.cluster.local`,
    );
    this.log(
      'info',
      `Initializing with upstream address "${DISCOVERY.host}:${DISCOVERY.port}" and cluster "Kubernetes"`,
    );
    await container.clock.sleep(START_MS, container.signal);
    if (container.signal.aborted) return this.exitCode();
    this.log('info', 'Starting proxy agent');
    this.log(
      'info',
      'Envoy command: [-c etc/istio/proxy/envoy-rev.json --drain-strategy immediate --concurrency 2]',
    );
    container.serveHttp(READY_PORT, request => this.ready(request));
    container.serveHttp(15020, request =>
      request.path.startsWith('/healthz') ? this.ready(request) : { status: 200, body: '' },
    );
    container.serveHttp(15090, () => ({ status: 200, headers: { 'Content-Type': 'text/plain' }, body: '' }));
    void this.follow();
    await untilAborted(container.signal);
    this.stream?.destroy();
    if (container.signal.reason === 'SIGTERM') {
      this.log('info', 'Status server has successfully terminated');
      this.log('info', 'Agent draining Proxy for termination');
      this.log('info', `Graceful termination period is 5s, starting...`);
      await container.clock.sleep(5_000, container.killed);
      this.log('info', 'Graceful termination period complete, terminating remaining proxies.');
      this.log('warn', 'Aborting proxy');
    }
    return this.exitCode();
  }

  private exitCode(): number {
    return this.container.signal.reason === 'SIGTERM' ? 0 : 137;
  }

  private ready(request: HttpRequest): HttpResponse {
    if (!request.path.startsWith('/healthz/ready')) return { status: 404 };
    if (this.config) return { status: 200 };
    this.log(
      'warn',
      'Envoy proxy is NOT ready: config received from XDS server, but was rejected or never came (is Istiod running?): cds updates: 0 successful, 0 rejected; lds updates: 0 successful, 0 rejected',
    );
    return { status: 503 };
  }

  /** Stays connected to istiod; what was once received keeps working when istiod goes away. */
  private async follow(): Promise<void> {
    const { container } = this;
    let delay = RETRY_MS.first;
    while (!container.signal.aborted) {
      try {
        const stream = await container.network.dial(DISCOVERY.host, DISCOVERY.port);
        this.log(
          'info',
          `xdsproxy\tconnected to delta upstream XDS server: ${DISCOVERY.host}:${DISCOVERY.port}`,
        );
        delay = RETRY_MS.first;
        await this.listenTo(stream);
      } catch (error) {
        if (!(error instanceof DialError)) throw error;
        this.log('warn', `ca\tca request failed, starting attempt 1 in ${delay}ms`);
        this.log(
          'warning',
          `envoy config external/envoy/source/extensions/config_subscription/grpc/grpc_stream.h:152\tDeltaAggregatedResources gRPC config stream to xds-grpc closed: 14, connection error: desc = "transport: Error while dialing: ${error.message}"`,
        );
      }
      await container.clock.sleep(delay, container.signal);
      delay = Math.min(delay * 2, RETRY_MS.last);
    }
  }

  private listenTo(stream: ByteStream): Promise<void> {
    const { container } = this;
    this.stream = stream;
    const { name, namespace, labels } = container.pod.metadata;
    const hello = { role: this.role, namespace, labels: labels ?? {}, id: `${name}.${namespace}` };
    return new Promise(resolve => {
      let text = '';
      stream.onData(chunk => {
        text += Buffer.from(chunk).toString('utf8');
        for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
          const line = text.slice(0, end);
          text = text.slice(end + 1);
          this.apply(JSON.parse(line) as ProxyConfig);
        }
      });
      stream.onClose(() => {
        if (!container.signal.aborted)
          this.log('warn', 'xdsproxy\tupstream terminated with unexpected error EOF');
        resolve();
      });
      stream.onEnd(() => stream.end());
      stream.write(Buffer.from(`${JSON.stringify(hello)}\n`));
    });
  }

  private apply(config: ProxyConfig): void {
    const first = !this.config;
    this.config = config;
    for (const { port } of config.listeners) {
      if (this.open.has(port)) continue;
      this.open.add(port);
      this.container.serveHttp(port, request => this.handle(port, request));
    }
    if (!first) return;
    const seconds = ((this.container.clock.now() - this.began) / 1000).toFixed(9).replace(/0+$/, '');
    this.log('info', `Readiness succeeded in ${seconds}s`);
    this.log('info', 'Envoy proxy is ready');
  }

  private async handle(port: number, request: HttpRequest): Promise<HttpResponse> {
    const began = this.container.clock.now();
    const outcome = await this.answer(port, request);
    const headers = {
      ...outcome.response.headers,
      server: 'istio-envoy',
      'x-envoy-upstream-service-time': String(Math.max(0, Math.round(this.container.clock.now() - began))),
    };
    if (!outcome.upstream) delete (headers as Record<string, string>)['x-envoy-upstream-service-time'];
    this.accessLog(request, outcome, began);
    return { ...outcome.response, headers };
  }

  private async answer(port: number, request: HttpRequest): Promise<Outcome> {
    const routes = this.config?.listeners.find(l => l.port === port)?.routes ?? [];
    const passed = await admit(this.container, this.config ?? {}, request);
    if ('response' in passed) return passed;
    const { headers } = passed;
    const route = routeFor(routes, request);
    if (!route) return { response: { status: 404 }, flags: 'NR', detail: 'route_not_found' };
    if (route.redirect)
      return {
        response: {
          status: route.redirect.status,
          headers: { location: route.redirect.path ?? request.path },
        },
        flags: '-',
        detail: '-',
      };
    return this.forward(route, request, headers);
  }

  private async forward(route: Route, request: HttpRequest, known: Record<string, string>): Promise<Outcome> {
    const { host, port } = route.destination ?? { host: '', port: 0 };
    const cluster = `outbound|${port}||${host}`;
    const plain = { 'content-type': 'text/plain' };
    const headers: Record<string, string> = {
      ...known,
      ...route.addHeaders,
      'x-forwarded-proto': 'http',
      'x-request-id': this.container.random.uuid(),
      connection: 'close',
    };
    delete headers['content-length'];
    delete headers['transfer-encoding'];
    try {
      const stream = await this.container.network.dial(host, port);
      const answer = await requestHttp(stream, {
        method: request.method,
        path: rewritten(route, request.path),
        headers,
        body: request.body,
      });
      const response = { status: answer.status, headers: answer.headers, body: answer.body };
      delete response.headers['content-length'];
      delete response.headers['transfer-encoding'];
      delete response.headers['connection'];
      return { response, upstream: cluster, flags: '-', detail: 'via_upstream' };
    } catch (error) {
      if (error instanceof DialError && error.reason === 'no such host')
        return { response: { status: 503 }, flags: 'NC', detail: 'cluster_not_found' };
      const hasEndpoints = this.container.network.lookup(host).length > 0 && !(error instanceof DialError);
      return hasEndpoints
        ? {
            response: {
              status: 503,
              headers: plain,
              body: 'upstream connect error or disconnect/reset before headers. reset reason: connection termination',
            },
            upstream: cluster,
            flags: 'UC',
            detail: 'upstream_reset_before_response_started{connection_termination}',
          }
        : {
            response: { status: 503, headers: plain, body: 'no healthy upstream' },
            upstream: cluster,
            flags: 'UH',
            detail: 'no_healthy_upstream',
          };
    }
  }

  private accessLog(request: HttpRequest, outcome: Outcome, began: number): void {
    const took = Math.round(this.container.clock.now() - began);
    const size = outcome.response.body?.length ?? 0;
    const at = new Date(began).toISOString();
    this.container.log(
      `[${at}] "${request.method} ${request.path} HTTP/1.1" ${outcome.response.status} ${outcome.flags} ${outcome.detail} - "-" ${request.body.length} ${size} ${took} - "-" "${request.headers['user-agent'] ?? '-'}" "${this.container.random.uuid()}" "${request.headers['host'] ?? ''}" "-" ${outcome.upstream ?? '-'} - - - - -`,
    );
  }
}
