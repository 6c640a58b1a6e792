// Where the controller can be reached, written into the status of each Ingress of its own, and taken out again when it
// ends. Knows no routes.

import { isDeepStrictEqual } from 'node:util';
import { type ApiClient, type KubeObject, StatusError } from '../../../kube/index.ts';
import { watched } from '../operator/index.ts';
import type { Container } from '../types.ts';
import { logLine, structured } from './log.ts';

export const INGRESS = watched('networking.k8s.io/v1', 'Ingress', 'ingresses');
const PODS = watched('v1', 'Pod');
const NODES = watched('v1', 'Node');
const SERVICES = watched('v1', 'Service');
/** Pods of one controller may differ in these. */
const OWN_LABELS = /^(pod-template-hash|controller-revision-hash|pod-template-generation)$/;

export type Address = { ip: string } | { hostname: string };

export interface StatusOptions {
  /** `--publish-service`: its addresses are shown. */
  service?: string;
  /** `--publish-status-address`: these, whatever is true. */
  addresses?: string;
  internalOnly: boolean;
}

const addressFor = (text: string): Address => (/^[\d.]+$/.test(text) ? { ip: text } : { hostname: text });
const orderOf = (address: Address) => JSON.stringify(address);

async function ownPods({ pod }: Container, api: ApiClient): Promise<KubeObject[]> {
  const labels = Object.entries(pod.metadata.labels ?? {}).filter(([name]) => !OWN_LABELS.test(name));
  const { items } = await api.list(PODS, {
    namespace: pod.metadata.namespace ?? '',
    labelSelector: labels.map(([name, value]) => `${name}=${value}`).join(','),
  });
  return items;
}

/** Rejects when it may not look. */
export async function addressesOf(
  container: Container,
  api: ApiClient,
  options: StatusOptions,
): Promise<Address[]> {
  if (options.addresses) return options.addresses.split(/,\s*/).map(addressFor);
  if (options.service) return addressesOfService(api, options.service);
  const found = new Map<string, Address>();
  for (const pod of await ownPods(container, api)) {
    const { phase, conditions = [] } = pod['status'] ?? {};
    if (phase !== 'Running') continue;
    const node: string = pod['spec'].nodeName;
    if (
      !conditions.some((c: { type: string; status: string }) => c.type === 'Ready' && c.status === 'True')
    ) {
      const about = { pod: `${pod.metadata.namespace}/${pod.metadata.name}`, node };
      logLine(container, 'I', 'status.go:224', structured('POD is not ready', about));
      continue;
    }
    const address = addressFor(await nodeAddress(container, api, node, options.internalOnly));
    found.set(orderOf(address), address);
  }
  return sorted([...found.values()]);
}

const sorted = (list: readonly Address[]) => [...list].sort((a, b) => (orderOf(a) < orderOf(b) ? -1 : 1));

async function nodeAddress(
  container: Container,
  api: ApiClient,
  name: string,
  internalOnly: boolean,
): Promise<string> {
  try {
    const { status } = (await api.get(NODES, { name })) as any;
    const of = (type: string): string | undefined =>
      (status?.addresses ?? []).find((address: { type: string }) => address.type === type)?.address;
    return (internalOnly ? undefined : of('ExternalIP')) ?? of('InternalIP') ?? '';
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    const about = { err: error.message, name };
    logLine(container, 'E', 'main.go:48', structured('Error getting node', about));
    return '';
  }
}

async function addressesOfService(api: ApiClient, key: string): Promise<Address[]> {
  const [namespace = '', name = ''] = key.split('/');
  const { spec, status } = (await api.get(SERVICES, { namespace, name })) as any;
  const external: Address[] = (spec.externalIPs ?? []).map(addressFor);
  if (spec.type === 'ExternalName') return [{ hostname: spec.externalName }];
  if (spec.type === 'LoadBalancer') {
    const given = (status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }: Record<string, string>) =>
      addressFor(ip ?? hostname ?? ''),
    );
    return sorted([...given, ...external]);
  }
  return spec.type === 'NodePort' && external.length > 0 ? external : [addressFor(spec.clusterIP)];
}

/** Writes `addresses` where something else stands. What may not be read is passed over, a refused write is told. */
export async function publish(
  container: Container,
  api: ApiClient,
  ingresses: readonly KubeObject[],
  addresses: readonly Address[],
): Promise<void> {
  for (const { metadata, ...copy } of ingresses) {
    const current: Address[] = (copy as any).status?.loadBalancer?.ingress ?? [];
    if (isDeepStrictEqual(sorted(current.map(withoutPorts)), addresses)) continue;
    let fresh: KubeObject;
    try {
      fresh = await api.get(INGRESS, metadata);
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      continue;
    }
    const about = {
      namespace: metadata.namespace,
      ingress: metadata.name,
      currentValue: fresh['status']?.loadBalancer?.ingress ?? null,
      newValue: addresses,
    };
    logLine(container, 'I', 'status.go:311', structured('updating Ingress status', about));
    const loadBalancer = addresses.length > 0 ? { ingress: [...addresses] } : {};
    try {
      await api.update(INGRESS, { ...fresh, status: { loadBalancer } }, 'status');
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      logLine(container, 'W', 'status.go:315', `error updating ingress rule: ${error.message}`);
    }
  }
}

const withoutPorts = ({ ip, hostname }: { ip?: string; hostname?: string }): Address =>
  ip ? { ip } : { hostname: hostname ?? '' };

/** The last one of its kind leaves no address behind. */
export async function withdraw(
  container: Container,
  api: ApiClient,
  ingresses: readonly KubeObject[],
  options: StatusOptions,
): Promise<void> {
  try {
    const addresses = await addressesOf(container, api, options);
    if (addresses.length > 1) {
      logLine(container, 'I', 'status.go:130', structured('leaving status update for next leader'));
      return;
    }
    if ((await ownPods(container, api)).length > 1) return;
    const about = { address: addresses };
    logLine(container, 'I', 'status.go:139', structured('removing value from ingress status', about));
    await publish(container, api, ingresses, []);
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    const about = { err: error.message };
    logLine(container, 'E', 'status.go:124', structured('error obtaining running IP address', about));
  }
}
