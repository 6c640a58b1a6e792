// Which connections between pods the NetworkPolicies allow, as a CNI that enforces them decides. Knows addresses, labels
// and policies, no streams.

import type { ApiClient, KubeObject, WatchHandle } from '../../kube/index.ts';
import { labelSelectorMatches } from '../../kube/selectors/index.ts';
import { follow } from './follow.ts';

const POLICIES = { group: 'networking.k8s.io', version: 'v1', resource: 'networkpolicies' };
const PODS = { group: '', version: 'v1', resource: 'pods' };
const NAMESPACES = { group: '', version: 'v1', resource: 'namespaces' };

interface Peer {
  podSelector?: object;
  namespaceSelector?: object;
  ipBlock?: { cidr: string; except?: string[] };
}

interface PolicyPort {
  protocol?: string;
  port?: number | string;
  endPort?: number;
}

interface Rule {
  ports?: PolicyPort[];
  from?: Peer[];
  to?: Peer[];
}

type Direction = 'Ingress' | 'Egress';

export class NetworkPolicies {
  private readonly policies = new Map<string, KubeObject>();
  private readonly namespaces = new Map<string, KubeObject>();
  private readonly pods = new Map<string, KubeObject>();
  private readonly byAddress = new Map<string, KubeObject>();
  private readonly watches: WatchHandle[] = [];

  /** Follows the API until `stop`; a stream that ends is opened again. */
  start(client: ApiClient): void {
    const into = (map: Map<string, KubeObject>) => (object: KubeObject, gone: boolean) => {
      if (gone) map.delete(keyOf(object));
      else map.set(keyOf(object), object);
    };
    this.watches.push(
      follow(client, POLICIES, into(this.policies), () => this.policies.clear()),
      follow(client, NAMESPACES, into(this.namespaces), () => this.namespaces.clear()),
      follow(
        client,
        PODS,
        (pod, gone) => this.applyPod(pod, gone),
        () => {
          this.pods.clear();
          this.byAddress.clear();
        },
      ),
    );
  }

  stop(): void {
    for (const watch of this.watches.splice(0)) watch.stop();
  }

  private applyPod(pod: KubeObject, gone: boolean): void {
    const before = this.pods.get(keyOf(pod));
    const old = before?.['status']?.podIP;
    if (old && this.byAddress.get(old) === before) this.byAddress.delete(old);
    if (gone) {
      this.pods.delete(keyOf(pod));
      return;
    }
    this.pods.set(keyOf(pod), pod);
    const { podIP, phase } = pod['status'] ?? {};
    // Pods in the node's own network are the node to a policy, and a finished pod has given its address back.
    if (podIP && !pod['spec'].hostNetwork && phase !== 'Succeeded' && phase !== 'Failed')
      this.byAddress.set(podIP, pod);
  }

  /** `from` is undefined for the node itself, whose kubelet must reach every pod. */
  allows(from: string | undefined, to: string, port: number, protocol = 'TCP'): boolean {
    const source = from === undefined ? undefined : this.byAddress.get(from);
    const target = this.byAddress.get(to);
    if (source && !this.passes('Egress', source, to, target, port, protocol, target)) return false;
    // Who is no pod is the node: its own pods always hear it.
    if (!target || !source) return true;
    return this.passes('Ingress', target, from as string, source, port, protocol, target);
  }

  /** Whether `pod` may talk with the other side in this direction; `server` is the pod whose port it is. */
  private passes(
    direction: Direction,
    pod: KubeObject,
    address: string,
    peer: KubeObject | undefined,
    port: number,
    protocol: string,
    server: KubeObject | undefined,
  ): boolean {
    let isolated = false;
    for (const policy of this.policies.values()) {
      if (policy.metadata.namespace !== pod.metadata.namespace) continue;
      const { spec } = policy as { spec?: any };
      if (!typesOf(spec).includes(direction)) continue;
      if (!labelSelectorMatches(spec.podSelector ?? {}, pod.metadata.labels ?? {})) continue;
      isolated = true;
      const rules: Rule[] = (direction === 'Ingress' ? spec.ingress : spec.egress) ?? [];
      const namespace = policy.metadata.namespace!;
      for (const rule of rules)
        if (
          portFits(rule.ports, port, protocol, server) &&
          this.peerFits(direction === 'Ingress' ? rule.from : rule.to, namespace, address, peer)
        )
          return true;
    }
    return !isolated;
  }

  private peerFits(
    peers: Peer[] | undefined,
    namespace: string,
    address: string,
    pod: KubeObject | undefined,
  ): boolean {
    if (!peers || peers.length === 0) return true;
    return peers.some(peer => {
      if (peer.ipBlock)
        return (
          inRange(address, peer.ipBlock.cidr) &&
          !(peer.ipBlock.except ?? []).some(range => inRange(address, range))
        );
      if (!pod) return false;
      const home = pod.metadata.namespace!;
      if (peer.namespaceSelector) {
        const labels = this.namespaces.get(`/${home}`)?.metadata.labels ?? {};
        if (!labelSelectorMatches(peer.namespaceSelector, labels)) return false;
      } else if (home !== namespace) return false;
      return !peer.podSelector || labelSelectorMatches(peer.podSelector, pod.metadata.labels ?? {});
    });
  }
}

const keyOf = ({ metadata }: KubeObject) => `${metadata.namespace ?? ''}/${metadata.name}`;

/** The API server fills these in; a policy that names none is for Ingress, and for Egress when it has such rules. */
function typesOf(spec: any): Direction[] {
  return spec.policyTypes ?? (spec.egress ? ['Ingress', 'Egress'] : ['Ingress']);
}

function portFits(
  ports: PolicyPort[] | undefined,
  port: number,
  protocol: string,
  server: KubeObject | undefined,
): boolean {
  if (!ports || ports.length === 0) return true;
  return ports.some(wanted => {
    if ((wanted.protocol ?? 'TCP') !== protocol) return false;
    if (wanted.port === undefined) return true;
    if (typeof wanted.port === 'number')
      return port >= wanted.port && port <= (wanted.endPort ?? wanted.port);
    const containers: any[] = server?.['spec'].containers ?? [];
    return containers
      .flatMap(container => container.ports ?? [])
      .some(p => p.name === wanted.port && p.containerPort === port && (p.protocol ?? 'TCP') === protocol);
  });
}

/** Whether an IPv4 address lies in a range such as 10.0.0.0/8. */
function inRange(address: string, cidr: string): boolean {
  const [base, bits] = cidr.split('/');
  const mask = bits === undefined ? -1 : Number(bits) === 0 ? 0 : -1 << (32 - Number(bits));
  return (numberOf(address) & mask) === (numberOf(base!) & mask);
}

function numberOf(address: string): number {
  return address.split('.').reduce((number, part) => (number << 8) | Number(part), 0);
}
