// What kube-proxy and CoreDNS know: services and their endpoints, followed through the API. Knows no streams.

import type { ApiClient, KubeObject, WatchHandle } from '../../kube/index.ts';
import { isAddress } from './addresses.ts';
import { follow } from './follow.ts';

const SERVICES = { group: '', version: 'v1', resource: 'services' };
const SLICES = { group: 'discovery.k8s.io', version: 'v1', resource: 'endpointslices' };
const CLUSTER_DOMAIN = 'cluster.local';
/** A name with at least this many dots is tried as it is first (resolv.conf `options ndots:5`). */
const NDOTS = 5;

interface Backend {
  address: string;
  hostname?: string;
  ready: boolean;
  ports: { name: string; port: number | undefined; protocol: string }[];
}

export interface ServicePort {
  service: KubeObject;
  port: { name?: string; port: number; protocol?: string; nodePort?: number };
}

/** Services by name, address and node port; endpoints by service. */
export class ServiceDirectory {
  private services = new Map<string, KubeObject>();
  private byAddress = new Map<string, KubeObject>();
  private slices = new Map<string, Map<string, KubeObject>>();
  private hosts = new Map<string, string>();
  private watches: WatchHandle[] = [];
  /** Told after every change of a service or its endpoints. */
  onChange: () => void = () => {};

  /** Follows the API until `stop`; a stream that ends is opened again. */
  start(client: ApiClient): void {
    this.watches.push(
      follow(
        client,
        SERVICES,
        (o, gone) => {
          this.applyService(o, gone);
          this.onChange();
        },
        () => {
          this.services.clear();
          this.byAddress.clear();
          this.onChange();
        },
      ),
      follow(
        client,
        SLICES,
        (o, gone) => {
          this.applySlice(o, gone);
          this.onChange();
        },
        () => {
          this.slices.clear();
          this.onChange();
        },
      ),
    );
  }

  stop(): void {
    for (const watch of this.watches.splice(0)) watch.stop();
  }

  /** A fixed name, such as host.minikube.internal or a node. */
  addHost(name: string, address: string): void {
    this.hosts.set(name, address);
  }

  applyService(service: KubeObject, gone: boolean): void {
    const key = `${service.metadata.namespace}/${service.metadata.name}`;
    const before = this.services.get(key);
    for (const address of before ? addressesOf(before) : []) this.byAddress.delete(address);
    if (gone) {
      this.services.delete(key);
      return;
    }
    this.services.set(key, service);
    for (const address of addressesOf(service)) this.byAddress.set(address, service);
  }

  applySlice(slice: KubeObject, gone: boolean): void {
    const name = slice.metadata.labels?.['kubernetes.io/service-name'];
    if (!name) return;
    const key = `${slice.metadata.namespace}/${name}`;
    const known = this.slices.get(key) ?? new Map<string, KubeObject>();
    if (gone) known.delete(slice.metadata.name);
    else known.set(slice.metadata.name, slice);
    if (known.size > 0) this.slices.set(key, known);
    else this.slices.delete(key);
  }

  service(namespace: string, name: string): KubeObject | undefined {
    return this.services.get(`${namespace}/${name}`);
  }

  list(): KubeObject[] {
    return [...this.services.values()];
  }

  serviceAt(address: string): KubeObject | undefined {
    return this.byAddress.get(address);
  }

  nodePort(port: number): ServicePort | undefined {
    for (const service of this.services.values())
      for (const p of service['spec']?.ports ?? [])
        if (p.nodePort === port && (p.protocol ?? 'TCP') === 'TCP') return { service, port: p };
    return undefined;
  }

  /** Addresses and ports that serve one port of a service, the ready ones only. */
  targets(service: KubeObject, port: ServicePort['port']): { address: string; port: number }[] {
    const found: { address: string; port: number }[] = [];
    for (const backend of this.backends(service)) {
      if (!backend.ready) continue;
      for (const p of backend.ports)
        if (p.name === (port.name ?? '') && p.protocol === (port.protocol ?? 'TCP') && p.port !== undefined)
          found.push({ address: backend.address, port: p.port });
    }
    return found;
  }

  /** What the cluster's DNS answers; [] for NXDOMAIN. Names are tried as a pod of `namespace` would (search domains). */
  lookup(name: string, namespace?: string): string[] {
    if (name === 'localhost') return ['127.0.0.1'];
    if (isAddress(name)) return [name];
    if (name.endsWith('.')) return this.resolve(name.slice(0, -1), 0);
    const searches = namespace
      ? [`${namespace}.svc.${CLUSTER_DOMAIN}`, `svc.${CLUSTER_DOMAIN}`, CLUSTER_DOMAIN].map(
          d => `${name}.${d}`,
        )
      : [];
    const candidates = name.split('.').length - 1 >= NDOTS ? [name, ...searches] : [...searches, name];
    for (const candidate of candidates) {
      const found = this.resolve(candidate, 0);
      if (found.length > 0) return found;
    }
    return [];
  }

  private resolve(name: string, depth: number): string[] {
    const host = this.hosts.get(name);
    if (host) return [host];
    const suffix = `.${CLUSTER_DOMAIN}`;
    if (!name.endsWith(suffix) || depth > 8) return [];
    const labels = name.slice(0, -suffix.length).split('.');
    if (labels.at(-1) === 'pod' && labels.length === 3) {
      const address = labels[0]!.replaceAll('-', '.');
      return isAddress(address) ? [address] : [];
    }
    if (labels.at(-1) !== 'svc' || labels.length < 3 || labels.length > 4) return [];
    const [namespace, serviceName, hostname] = [labels.at(-2)!, labels.at(-3)!, labels.at(-4)];
    const service = this.service(namespace, serviceName);
    if (!service) return [];
    const spec = service['spec'] ?? {};
    if (spec.type === 'ExternalName') return hostname ? [] : this.follow(spec.externalName, depth);
    if (hostname === undefined && spec.clusterIP && spec.clusterIP !== 'None') return [spec.clusterIP];
    return this.backends(service)
      .filter(
        b =>
          (b.ready || spec.publishNotReadyAddresses) && (hostname === undefined || b.hostname === hostname),
      )
      .map(b => b.address);
  }

  private follow(target: string | undefined, depth: number): string[] {
    if (!target) return [];
    return isAddress(target) ? [target] : this.resolve(target, depth + 1);
  }

  private backends(service: KubeObject): Backend[] {
    const slices = this.slices.get(`${service.metadata.namespace}/${service.metadata.name}`);
    const found: Backend[] = [];
    for (const slice of slices?.values() ?? []) {
      const ports = (slice['ports'] ?? []).map((p: { name?: string; port?: number; protocol?: string }) => ({
        name: p.name ?? '',
        port: p.port,
        protocol: p.protocol ?? 'TCP',
      }));
      for (const endpoint of slice['endpoints'] ?? [])
        for (const address of endpoint.addresses ?? [])
          found.push({
            address,
            hostname: endpoint.hostname,
            ready: endpoint.conditions?.ready !== false,
            ports,
          });
    }
    return found;
  }
}

function addressesOf(service: KubeObject): string[] {
  const spec = service['spec'] ?? {};
  const cluster: string[] = spec.clusterIPs ?? (spec.clusterIP ? [spec.clusterIP] : []);
  const balancer = (service['status']?.loadBalancer?.ingress ?? []).map((i: { ip?: string }) => i.ip);
  return [...cluster, ...(spec.externalIPs ?? []), ...balancer].filter(a => a && a !== 'None');
}
