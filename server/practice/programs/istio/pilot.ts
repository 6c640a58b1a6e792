// istiod: reads Istio's objects under its own service account and pushes configuration to every proxy that connects.
// Knows no requests; those are the proxies'.

import {
  type GroupVersionResource,
  type KubeObject,
  StatusError,
  type WatchHandle,
} from '../../../kube/index.ts';
import type { ByteStream } from '../../network/index.ts';
import { exitOf, untilAborted } from '../signals.ts';
import type { Container, HttpRequest, HttpResponse, Program } from '../types.ts';
import { configFor, type MeshObjects, type ProxyNode } from './config.ts';
import { type InjectorSettings, inject } from './injector.ts';
import { KeyResolver } from './jwks.ts';
import { stamp } from './log.ts';

const START_MS = 900;
/** A kind that is not served, or not allowed, is looked for again after this. */
const RETRY_MS = 5_000;
/** Changes within this time are pushed together. */
const DEBOUNCE_MS = 100;

const istio = (group: string, version: string, resource: string): GroupVersionResource => ({
  group,
  version,
  resource,
});
const WATCHED = {
  gateways: istio('networking.istio.io', 'v1beta1', 'gateways'),
  virtualServices: istio('networking.istio.io', 'v1beta1', 'virtualservices'),
  authorizationPolicies: istio('security.istio.io', 'v1beta1', 'authorizationpolicies'),
  requestAuthentications: istio('security.istio.io', 'v1beta1', 'requestauthentications'),
  services: istio('', 'v1', 'services'),
} as const;
type Kind = keyof typeof WATCHED;

export const pilot: Program = {
  image: 'docker.io/istio/pilot',
  config: { entrypoint: ['/usr/local/bin/pilot-discovery'], cmd: [], user: '1337' },
  async run(container) {
    const version = container.image.slice(container.image.lastIndexOf(':') + 1);
    const log = (level: string, text: string) =>
      container.log(`${stamp(container.clock.now())}\t${level}\t${text}`);
    container.use({ cpuMillis: 6, memoryBytes: 96 * 1024 * 1024 });
    log('info', `FLAG: --monitoringAddr=":15014"`);
    log('info', `FLAG: --httpsAddr=":15017"`);
    log('info', `initializing mesh configuration ./etc/istio/config/mesh`);
    await container.clock.sleep(START_MS, container.signal);
    if (container.signal.aborted) return exitOf(container);
    const server = new Discovery(container, log);
    container.serveHttp(8080, request => ({
      status: request.path === '/ready' && server.synced ? 200 : 503,
    }));
    container.serveHttp(15014, () => ({
      status: 200,
      headers: { 'Content-Type': 'text/plain' },
      body: `# pilot ${version}\n`,
    }));
    container.listen(15010, stream => server.connected(stream));
    container.listen(15012, stream => server.connected(stream));
    container.serveHttp(15017, request => admit(container, request));
    log('info', `starting secure gRPC discovery service at [::]:15012`);
    log('info', `starting gRPC discovery service at [::]:15010`);
    log('info', `starting webhook service at [::]:15017`);
    server.start();
    await untilAborted(container.signal);
    server.stop();
    return exitOf(container);
  },
};

/** `/inject` adds sidecars; other reviews (validation of Istio's objects) are let through as they are. */
function admit(container: Container, { path, body }: HttpRequest): HttpResponse {
  try {
    const review = path.startsWith('/inject') ? inject(body, injectorSettings(container)) : allowed(body);
    return {
      status: 200,
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(review),
    };
  } catch {
    return { status: 400, body: 'could not decode body' };
  }
}

function injectorSettings({ image, env }: Container): InjectorSettings {
  return {
    proxyImage: image.replace(/\/pilot(?=[:@])/, '/proxyv2'),
    native: env['ENABLE_NATIVE_SIDECARS'] === 'true',
  };
}

function allowed(body: Uint8Array) {
  const review = JSON.parse(Buffer.from(body).toString('utf8'));
  const { apiVersion = 'admission.k8s.io/v1', request } = review;
  return { kind: 'AdmissionReview', apiVersion, response: { uid: request?.uid ?? '', allowed: true } };
}

class Discovery {
  private readonly container: Container;
  private readonly log: (level: string, text: string) => void;
  private readonly objects = new Map<Kind, Map<string, KubeObject>>();
  private readonly served = new Set<Kind>();
  private readonly watches: WatchHandle[] = [];
  private readonly proxies = new Map<ByteStream, ProxyNode>();
  private meshConfig: string | undefined;
  private version = 0;
  private pushing = false;
  private looked = new Set<Kind>();
  private readonly keys: KeyResolver;

  constructor(container: Container, log: (level: string, text: string) => void) {
    this.container = container;
    this.log = log;
    this.keys = new KeyResolver(container, log, () => this.push());
  }

  /** Every kind was looked for once. */
  get synced(): boolean {
    return this.looked.size === Object.keys(WATCHED).length;
  }

  start(): void {
    this.meshConfig = this.container.files.readText('/etc/istio/config/mesh');
    for (const kind of Object.keys(WATCHED) as Kind[]) void this.follow(kind);
  }

  stop(): void {
    for (const watch of this.watches.splice(0)) watch.stop();
    for (const stream of this.proxies.keys()) stream.destroy();
  }

  private async follow(kind: Kind): Promise<void> {
    const { api, clock, signal } = this.container;
    while (!signal.aborted) {
      if (!api) {
        this.looked.add(kind);
        return;
      }
      try {
        const { resourceVersion, items } = await api.list(WATCHED[kind]);
        const known = new Map(items.map(o => [keyOf(o), o]));
        this.objects.set(kind, known);
        this.served.add(kind);
        this.looked.add(kind);
        this.push();
        await new Promise<void>(resolve => {
          const handle = api.watch(
            WATCHED[kind],
            { resourceVersion },
            event => {
              if (event.type === 'DELETED') known.delete(keyOf(event.object));
              else known.set(keyOf(event.object), event.object);
              this.push();
            },
            () => resolve(),
          );
          this.watches.push(handle);
          signal.addEventListener('abort', () => resolve(), { once: true });
        });
      } catch (error) {
        if (!(error instanceof StatusError)) throw error;
        if (error.code === 403) {
          const { group, version, resource } = WATCHED[kind];
          this.log(
            'error',
            `k8s.io/client-go: failed to list ${group}/${version}, Resource=${resource}: ${error.message}`,
          );
        }
        this.served.delete(kind);
        this.looked.add(kind);
      }
      await clock.sleep(RETRY_MS, signal);
    }
  }

  /** A proxy said hello: it is told what it needs, now and after every change. */
  connected(stream: ByteStream): void {
    let text = '';
    stream.onData(chunk => {
      text += Buffer.from(chunk).toString('utf8');
      const end = text.indexOf('\n');
      if (end < 0 || this.proxies.has(stream)) {
        if (text.length > 65_536) stream.destroy();
        return;
      }
      let hello: ProxyNode & { id: string };
      try {
        hello = JSON.parse(text.slice(0, end));
      } catch {
        stream.destroy();
        return;
      }
      this.proxies.set(stream, hello);
      this.log('info', `ads\tADS: new delta connection for node:${hello.id}-${this.proxies.size}`);
      this.send(stream, hello);
    });
    stream.onClose(() => this.proxies.delete(stream));
    stream.onEnd(() => {
      this.proxies.delete(stream);
      stream.end();
    });
  }

  private push(): void {
    if (this.pushing) return;
    this.pushing = true;
    this.container.clock.after(DEBOUNCE_MS, () => {
      this.pushing = false;
      this.version++;
      for (const [stream, node] of this.proxies) this.send(stream, node);
    });
  }

  private send(stream: ByteStream, node: ProxyNode): void {
    const list = (kind: Kind) => [...(this.objects.get(kind)?.values() ?? [])];
    const mesh: MeshObjects = {
      gateways: this.served.has('gateways') ? list('gateways') : undefined,
      virtualServices: list('virtualServices'),
      authorizationPolicies: list('authorizationPolicies'),
      requestAuthentications: list('requestAuthentications'),
      keysOf: issuer => this.keys.keysOf(issuer),
      services: list('services'),
      ...(this.meshConfig === undefined ? {} : { meshConfig: this.meshConfig }),
    };
    stream.write(Buffer.from(`${JSON.stringify(configFor(node, mesh, this.version))}\n`));
  }
}

const keyOf = (object: KubeObject) => `${object.metadata.namespace}/${object.metadata.name}`;
