// The endpoints controller: the older list of a service's addresses, ready and not ready. Knows nothing of slices.

import { type KubeObject, StatusError, timestamp } from '../../../kube/index.ts';
import { ENDPOINTS, NODES, PODS, SERVICES } from '../resources.ts';
import { parseKey } from '../runtime/keys.ts';
import type { Controller, ControllerContext } from '../types.ts';
import { canonicalJson, same } from '../workloads/compare.ts';
import {
  type Backend,
  type BackendPort,
  backends,
  hasSelector,
  isHeadless,
  serviceKeys,
  targetReference,
} from './backends.ts';

const MANAGED_BY = 'endpoints.kubernetes.io/managed-by';
const HEADLESS = 'service.kubernetes.io/headless';
export const TRIGGER_TIME = 'endpoints.kubernetes.io/last-change-trigger-time';
const OVER_CAPACITY = 'endpoints.kubernetes.io/over-capacity';
/** Addresses an Endpoints object holds at most. */
const CAPACITY = 1000;

export const endpointsController: Controller = {
  name: 'endpoint-controller',
  watches: [
    { resource: SERVICES },
    { resource: PODS, keys: serviceKeys },
    {
      resource: ENDPOINTS,
      keys: (endpoints, _previous, context) =>
        context.cache(SERVICES).get(endpoints.metadata.namespace, endpoints.metadata.name)
          ? [`${endpoints.metadata.namespace}/${endpoints.metadata.name}`]
          : [],
    },
  ],
  reads: [NODES],
  async reconcile(key, context) {
    const { namespace, name } = parseKey(key);
    const service = context.cache(SERVICES).get(namespace, name);
    const existing = context.cache(ENDPOINTS).get(namespace, name);
    if (!service) {
      if (existing?.metadata.labels?.[MANAGED_BY] === 'endpoint-controller')
        await context.client.delete(ENDPOINTS, { namespace, name }).catch(ignoreGone);
      return;
    }
    if (!hasSelector(service)) return;
    await write(service, existing, context);
  },
};

async function write(
  service: KubeObject,
  existing: KubeObject | undefined,
  context: ControllerContext,
): Promise<void> {
  const found = backends(service, context).filter(
    b => !b.terminating || service['spec'].publishNotReadyAddresses,
  );
  const kept = found.slice(0, CAPACITY);
  const subsets = toSubsets(kept, isHeadless(service));
  const labels: Record<string, string> = {
    ...service.metadata.labels,
    [MANAGED_BY]: 'endpoint-controller',
    ...(isHeadless(service) ? { [HEADLESS]: '' } : {}),
  };
  const { [TRIGGER_TIME]: _time, [OVER_CAPACITY]: _over, ...others } = existing?.metadata.annotations ?? {};
  const capacity: Record<string, string> = found.length > CAPACITY ? { [OVER_CAPACITY]: 'truncated' } : {};
  if (
    existing &&
    same(existing['subsets'] ?? [], subsets) &&
    same(existing.metadata.labels ?? {}, labels) &&
    existing.metadata.annotations?.[OVER_CAPACITY] === capacity[OVER_CAPACITY]
  )
    return;
  const { name, namespace } = service.metadata;
  const annotations = { ...others, ...capacity, [TRIGGER_TIME]: timestamp(context.clock.now()) };
  const body = subsets.length > 0 ? { subsets } : {};
  if (existing) {
    const { subsets: _old, ...rest } = existing;
    const metadata = { ...existing.metadata, labels, annotations };
    await context.client.update(ENDPOINTS, {
      ...rest,
      apiVersion: 'v1',
      kind: 'Endpoints',
      metadata,
      ...body,
    });
  } else {
    const metadata = { name, namespace, labels, annotations };
    await context.client
      .create(ENDPOINTS, { apiVersion: 'v1', kind: 'Endpoints', metadata, ...body })
      .catch((error: unknown) => {
        if (!(error instanceof StatusError) || error.reason !== 'Forbidden') throw error;
        context.events.event(
          service,
          'Warning',
          'FailedToCreateEndpoint',
          `Failed to create endpoint for service ${namespace}/${name}: ${error.message}`,
        );
      });
  }
}

/** Addresses with the same ports stand together, sorted by address. */
function toSubsets(found: readonly Backend[], headless: boolean) {
  const groups = new Map<string, { ports: BackendPort[]; ready: Backend[]; notReady: Backend[] }>();
  for (const backend of found) {
    if (backend.ports.length === 0 && !headless) continue;
    const id = canonicalJson(backend.ports);
    const group = groups.get(id) ?? { ports: backend.ports, ready: [], notReady: [] };
    groups.set(id, group);
    (backend.ready ? group.ready : group.notReady).push(backend);
  }
  const addresses = (list: readonly Backend[]) =>
    list
      .map(b => ({
        ip: b.ip,
        ...(b.hostname ? { hostname: b.hostname } : {}),
        ...(b.pod['spec'].nodeName ? { nodeName: b.pod['spec'].nodeName } : {}),
        targetRef: targetReference(b.pod),
      }))
      .sort((a, b) => (a.ip < b.ip ? -1 : 1));
  return [...groups.values()].map(({ ports, ready, notReady }) => ({
    ...(ready.length > 0 ? { addresses: addresses(ready) } : {}),
    ...(notReady.length > 0 ? { notReadyAddresses: addresses(notReady) } : {}),
    ...(ports.length > 0
      ? {
          ports: [...ports]
            .sort((a, b) => (a.name < b.name ? -1 : 1))
            .map(({ name, ...p }) => (name ? { name, ...p } : p)),
        }
      : {}),
  }));
}

function ignoreGone(error: unknown): void {
  if (!(error instanceof StatusError) || error.code !== 404) throw error;
}
