// The cluster's network: who listens where, and how a dial finds its way (loopback, pod, node port, service). Knows no
// pods beyond their addresses, and no protocol above a byte stream.

import type { Clock } from '../../clock.ts';
import type { ApiClient } from '../../kube/index.ts';
import type { Random } from '../../random.ts';
import { type AddressPool, addressPool, isAddress } from './addresses.ts';
import { NetworkPolicies } from './policies.ts';
import { ServiceDirectory } from './services.ts';
import { streamPair } from './streams.ts';
import { type ByteStream, DialError, type Network } from './types.ts';

/** How long a dial waits where nobody answers at all: what curl and Go clients commonly allow. */
const DIAL_TIMEOUT_MS = 10_000;
/** An address of the pod network that no pod holds: ARP gives up after three seconds. */
const NO_ROUTE_MS = 3_000;
const DNS_SERVICE = { namespace: 'kube-system', name: 'kube-dns', address: '10.96.0.10' };

export interface Source {
  namespace: string;
  podIP?: string;
}

type Accept = (stream: ByteStream, peer: string) => void;

/** A pod's own place in the network; `close` ends its listeners and frees its address. */
export interface Attachment {
  readonly address: string;
  /** False when the port is taken. */
  listen(port: number, accept: Accept): boolean;
  unlisten(port: number): void;
  listening(): number[];
  /** Connections to a port of a node arrive at port `own` here, as a container's hostPort says. */
  publish(nodeAddress: string, port: number, own: number): void;
  close(): void;
}

export class ClusterNetwork implements Network {
  readonly directory = new ServiceDirectory();
  private listeners = new Map<string, Accept>();
  private attached = new Map<string, number>();
  /** What pods listen on in a node's own network, by `address:port`. */
  private exposed = new Set<string>();
  /** Ports of nodes that lead to pods, by `address:port`. */
  private published = new Map<string, { address: string; port: number }>();
  private nodeAddresses = new Set<string>();
  private readonly clock: Clock;
  private readonly random: Random;
  private policies: NetworkPolicies | undefined;
  private client: ApiClient | undefined;
  private onlookers = new Set<() => void>();
  private telling = false;
  /** How many want policies enforced. */
  private enforcing = 0;

  /** With `networkPolicy` policies are enforced; most small clusters, minikube's default among them, only store them. */
  constructor(services: { clock: Clock; random: Random; networkPolicy?: boolean }) {
    this.clock = services.clock;
    this.random = services.random;
    if (services.networkPolicy) this.enforcePolicies();
    this.directory.onChange = () => this.changed();
  }

  /** Follows services and endpoints with `client`. */
  start(client: ApiClient): void {
    this.client = client;
    this.directory.start(client);
    this.policies?.start(client);
  }

  /** Policies take effect from now on, until every one that asked for it has called what this gives. */
  enforcePolicies(): () => void {
    if (this.enforcing++ === 0) {
      this.policies = new NetworkPolicies();
      if (this.client) this.policies.start(this.client);
    }
    let released = false;
    return () => {
      if (released) return;
      released = true;
      if (--this.enforcing > 0) return;
      this.policies?.stop();
      this.policies = undefined;
    };
  }

  stop(): void {
    this.directory.stop();
    this.policies?.stop();
  }

  addNode(name: string, address: string, podPrefix: string): AddressPool {
    this.nodeAddresses.add(address);
    this.attached.set(address, (this.attached.get(address) ?? 0) + 1);
    this.directory.addHost(name, address);
    return addressPool(podPrefix);
  }

  /**
   * Joins the network under `address` (a pod's own, or the node's with hostNetwork). With `exposed`, `openPorts` tells of
   * what listens here.
   */
  attach(address: string, onClose: () => void = () => {}, exposed = false): Attachment {
    this.attached.set(address, (this.attached.get(address) ?? 0) + 1);
    const own = new Set<number>();
    const ways = new Set<object>();
    let closed = false;
    return {
      address,
      listen: (port, accept) => {
        const key = `${address}:${port}`;
        if (closed || this.listeners.has(key)) return false;
        this.listeners.set(key, accept);
        if (exposed) this.exposed.add(key);
        own.add(port);
        this.changed();
        return true;
      },
      unlisten: port => {
        if (!own.delete(port)) return;
        this.hush(`${address}:${port}`);
        this.changed();
      },
      listening: () => [...own].sort((a, b) => a - b),
      publish: (nodeAddress, port, ownPort) => {
        const to = { address, port: ownPort };
        this.published.set(`${nodeAddress}:${port}`, to);
        ways.add(to);
        this.changed();
      },
      close: () => {
        if (closed) return;
        closed = true;
        for (const port of own) this.hush(`${address}:${port}`);
        own.clear();
        // Another pod may have taken the port over meanwhile.
        for (const [at, to] of this.published) if (ways.has(to)) this.published.delete(at);
        const left = (this.attached.get(address) ?? 1) - 1;
        if (left > 0) this.attached.set(address, left);
        else this.attached.delete(address);
        this.changed();
        onClose();
      },
    };
  }

  private hush(key: string): void {
    this.listeners.delete(key);
    this.exposed.delete(key);
  }

  /** Ports of a node at which a pod answers whoever is outside: node ports, host ports, and those of its own network. */
  openPorts(nodeAddress: string): number[] {
    const found = new Set<number>();
    const at = (key: string) => {
      const [address, port] = key.split(':');
      if (address === nodeAddress) found.add(Number(port));
    };
    const answers = (to: { address: string; port: number }) => this.listeners.has(`${to.address}:${to.port}`);
    for (const key of this.exposed) at(key);
    for (const [key, to] of this.published) if (answers(to)) at(key);
    for (const service of this.directory.list())
      for (const port of service['spec']?.ports ?? [])
        if (
          port.nodePort &&
          (port.protocol ?? 'TCP') === 'TCP' &&
          this.directory.targets(service, port).some(answers)
        )
          found.add(port.nodePort);
    return [...found].sort((a, b) => a - b);
  }

  /** `listener` gets the open ports of a node now and whenever they have changed, until what this gives is called. */
  watchPorts(nodeAddress: string, listener: (ports: number[]) => void): () => void {
    let known: string | undefined;
    const look = () => {
      const ports = this.openPorts(nodeAddress);
      if (`${ports}` === known) return;
      known = `${ports}`;
      listener(ports);
    };
    this.onlookers.add(look);
    look();
    return () => this.onlookers.delete(look);
  }

  private changed(): void {
    if (this.telling || this.onlookers.size === 0) return;
    this.telling = true;
    // Once for all that happens in one go.
    queueMicrotask(() => {
      this.telling = false;
      for (const look of [...this.onlookers]) look();
    });
  }

  lookup(name: string, namespace?: string): string[] {
    return this.directory.lookup(name, namespace);
  }

  /** True while the cluster's DNS service has an endpoint that answers, and `from` may reach it. */
  dnsAnswers(from?: string): boolean {
    const service = this.directory.service(DNS_SERVICE.namespace, DNS_SERVICE.name);
    if (!service) return false;
    const port = { name: 'dns-tcp', port: 53, protocol: 'TCP' };
    return this.directory
      .targets(service, port)
      .some(
        t =>
          this.listeners.has(`${t.address}:${t.port}`) &&
          (this.policies?.allows(from, t.address, t.port, 'UDP') ?? true),
      );
  }

  async dial(host: string, port: number, from?: Source): Promise<ByteStream> {
    let address = host;
    if (!isAddress(host)) {
      const found = this.directory.lookup(host, from?.namespace);
      if (from && host !== 'localhost' && !this.dnsAnswers(from.podIP)) {
        await this.clock.sleep(DIAL_TIMEOUT_MS);
        throw lookupError(host, 'i/o timeout');
      }
      if (found.length === 0) throw lookupError(host, 'no such host');
      address = this.pick(found);
    }
    const target = `${address}:${port}`;
    if (address.startsWith('127.')) {
      if (!from?.podIP) throw new DialError('connection refused', target);
      return this.connect(from.podIP, port, from, target);
    }
    const service = this.directory.serviceAt(address);
    if (service) {
      const spec = (service['spec']?.ports ?? []).find(
        (p: { port: number; protocol?: string }) => p.port === port && (p.protocol ?? 'TCP') === 'TCP',
      );
      if (!spec) return this.unanswered(DIAL_TIMEOUT_MS, 'i/o timeout', target);
      return this.balance(this.directory.targets(service, spec), from, target);
    }
    const published = this.published.get(target);
    if (published) return this.connect(published.address, published.port, from, target);
    if (this.nodeAddresses.has(address) && !this.listeners.has(target)) {
      const nodePort = this.directory.nodePort(port);
      if (nodePort)
        return this.balance(this.directory.targets(nodePort.service, nodePort.port), from, target);
    }
    return this.connect(address, port, from, target);
  }

  private balance(
    targets: { address: string; port: number }[],
    from: Source | undefined,
    shown: string,
  ): Promise<ByteStream> {
    // kube-proxy rejects a connection to a service without endpoints, which a client sees as refused.
    if (targets.length === 0) return Promise.reject(new DialError('connection refused', shown));
    const target = this.pick(targets);
    return this.connect(target.address, target.port, from, shown);
  }

  private async connect(
    address: string,
    port: number,
    from: Source | undefined,
    shown: string,
  ): Promise<ByteStream> {
    if (!this.attached.has(address)) {
      const inside = address.startsWith('10.244.');
      return this.unanswered(
        inside ? NO_ROUTE_MS : DIAL_TIMEOUT_MS,
        inside ? 'no route to host' : 'i/o timeout',
        shown,
      );
    }
    // Packets that a policy forbids are dropped: whoever dials waits, as for a host that is not there.
    if (this.policies && address !== from?.podIP && !this.policies.allows(from?.podIP, address, port))
      return this.unanswered(DIAL_TIMEOUT_MS, 'i/o timeout', shown);
    const accept = this.listeners.get(`${address}:${port}`);
    if (!accept) throw new DialError('connection refused', shown);
    const [near, far] = streamPair();
    accept(far, from?.podIP ?? '10.244.0.1');
    return near;
  }

  private async unanswered(ms: number, reason: DialError['reason'], target: string): Promise<never> {
    await this.clock.sleep(ms);
    if (reason === 'i/o timeout')
      throw withMessage(new DialError(reason, target), `dial tcp ${target}: i/o timeout`);
    throw new DialError(reason, target);
  }

  private pick<T>(list: readonly T[]): T {
    return list[this.random.below(list.length)]!;
  }
}

function withMessage(error: DialError, message: string): DialError {
  error.message = message;
  return error;
}

/** As Go's resolver words it inside a pod. */
function lookupError(host: string, reason: 'no such host' | 'i/o timeout'): DialError {
  return withMessage(
    new DialError(reason, host),
    `dial tcp: lookup ${host} on ${DNS_SERVICE.address}:53: ${reason}`,
  );
}
