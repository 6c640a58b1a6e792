// The endpoint slice controller: a service's addresses in slices of at most a hundred, each with the ports they share.

import { type KubeObject, StatusError, timestamp } from '../../../kube/index.ts';
import { ENDPOINT_SLICES, NODES, PODS, SERVICES } from '../resources.ts';
import { parseKey } from '../runtime/keys.ts';
import type { Controller, ControllerContext } from '../types.ts';
import { canonicalJson, same } from '../workloads/compare.ts';
import { controllerReference } from '../workloads/pods.ts';
import { type Backend, backends, hasSelector, isHeadless, serviceKeys, targetReference } from './backends.ts';
import { TRIGGER_TIME } from './endpoints.ts';

const SERVICE_NAME = 'kubernetes.io/service-name';
const MANAGED_BY = 'endpointslice.kubernetes.io/managed-by';
const MANAGER = 'endpointslice-controller.k8s.io';
const HEADLESS = 'service.kubernetes.io/headless';
/** Endpoints in one slice; upstream's default. */
const SLICE_SIZE = 100;

export const endpointSliceController: Controller = {
  name: 'endpointslice-controller',
  component: 'endpoint-slice-controller',
  watches: [
    { resource: SERVICES },
    { resource: PODS, keys: serviceKeys },
    {
      resource: ENDPOINT_SLICES,
      keys: slice =>
        slice.metadata.labels?.[MANAGED_BY] === MANAGER
          ? [`${slice.metadata.namespace}/${slice.metadata.labels[SERVICE_NAME]}`]
          : [],
    },
  ],
  reads: [NODES],
  async reconcile(key, context) {
    const { namespace, name } = parseKey(key);
    const service = context.cache(SERVICES).get(namespace, name);
    // Slices of a service that is gone go with it: they are owned by it.
    if (!service || service.metadata.deletionTimestamp || !hasSelector(service)) return;
    const slices = context
      .cache(ENDPOINT_SLICES)
      .owned(service.metadata.uid ?? '')
      .filter(s => s.metadata.labels?.[MANAGED_BY] === MANAGER && !s.metadata.deletionTimestamp)
      .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
    await writeSlices(service, slices, wanted(service, slices, context), context);
  },
};

interface Wanted {
  slice?: KubeObject;
  ports: readonly object[] | null;
  endpoints: object[] | null;
}

function endpointOf(backend: Backend) {
  return {
    addresses: [backend.ip],
    conditions: { ready: backend.ready, serving: backend.serving, terminating: backend.terminating },
    ...(backend.hostname ? { hostname: backend.hostname } : {}),
    ...(backend.pod['spec'].nodeName ? { nodeName: backend.pod['spec'].nodeName } : {}),
    targetRef: targetReference(backend.pod),
    ...(backend.zone ? { zone: backend.zone } : {}),
  };
}

const uidOf = (endpoint: any): string => endpoint.targetRef?.uid ?? '';

/** What each slice should hold: endpoints stay where they are, new ones fill what room there is, the rest opens new slices. */
function wanted(service: KubeObject, slices: readonly KubeObject[], context: ControllerContext): Wanted[] {
  const groups = new Map<string, { ports: readonly object[]; endpoints: Map<string, object> }>();
  for (const backend of backends(service, context)) {
    const id = canonicalJson(backend.ports);
    const group = groups.get(id) ?? { ports: backend.ports, endpoints: new Map() };
    groups.set(id, group);
    group.endpoints.set(backend.pod.metadata.uid ?? '', endpointOf(backend));
  }
  const result: Wanted[] = [];
  for (const { ports, endpoints } of groups.values()) {
    const mine: Wanted[] = slices
      .filter(s => same(s['ports'] ?? [], ports))
      .map(slice => {
        const kept = (slice['endpoints'] ?? []).flatMap((e: object) => endpoints.get(uidOf(e)) ?? []);
        for (const endpoint of kept) endpoints.delete(uidOf(endpoint));
        return { slice, ports, endpoints: kept };
      });
    const left = [...endpoints.values()];
    for (const entry of mine)
      entry.endpoints?.push(...left.splice(0, SLICE_SIZE - (entry.endpoints?.length ?? 0)));
    while (left.length > 0) mine.push({ ports, endpoints: left.splice(0, SLICE_SIZE) });
    result.push(...mine.filter(entry => (entry.endpoints?.length ?? 0) > 0));
  }
  // Without endpoints one empty slice stands for the service; an old one is emptied rather than replaced.
  if (result.length === 0) result.push({ slice: slices[0], ports: null, endpoints: null });
  const reused = new Set(result.map(r => r.slice));
  const spare = slices.filter(s => !reused.has(s));
  for (const entry of result) if (!entry.slice) entry.slice = spare.shift();
  return result;
}

async function writeSlices(
  service: KubeObject,
  slices: readonly KubeObject[],
  entries: readonly Wanted[],
  context: ControllerContext,
): Promise<void> {
  const { [HEADLESS]: _headless, ...own } = service.metadata.labels ?? {};
  const labels: Record<string, string> = {
    ...own,
    [MANAGED_BY]: MANAGER,
    [SERVICE_NAME]: service.metadata.name,
    ...(isHeadless(service) ? { [HEADLESS]: '' } : {}),
  };
  const addressType = service['spec'].ipFamilies?.[0] ?? 'IPv4';
  const at = timestamp(context.clock.now());
  for (const { slice, ports, endpoints } of entries) {
    if (slice) {
      if (
        same(slice['endpoints'] ?? [], endpoints ?? []) &&
        same(slice['ports'] ?? [], ports ?? []) &&
        same(slice.metadata.labels, labels)
      )
        continue;
      const annotations = { ...slice.metadata.annotations, [TRIGGER_TIME]: at };
      await context.client.update(ENDPOINT_SLICES, {
        ...slice,
        metadata: { ...slice.metadata, labels, annotations },
        endpoints,
        ports,
      });
      continue;
    }
    const { name, namespace } = service.metadata;
    try {
      await context.client.create(ENDPOINT_SLICES, {
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata: {
          name: '',
          generateName: `${name}-`,
          namespace,
          labels,
          annotations: { [TRIGGER_TIME]: at },
          ownerReferences: [controllerReference(service)],
        },
        addressType,
        endpoints,
        ports,
      });
    } catch (error) {
      if (!(error instanceof StatusError) || error.reason !== 'Forbidden') throw error;
      return;
    }
  }
  const kept = new Set(entries.map(e => e.slice));
  for (const slice of slices)
    if (!kept.has(slice))
      await context.client.delete(ENDPOINT_SLICES, slice.metadata).catch((error: unknown) => {
        if (!(error instanceof StatusError) || error.code !== 404) throw error;
      });
}
