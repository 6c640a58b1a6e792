// The endpoint slice mirroring controller: endpoints that people write for services without a selector get slices too.

import { type KubeObject, StatusError } from '../../../kube/index.ts';
import { ENDPOINT_SLICES, ENDPOINTS, SERVICES } from '../resources.ts';
import { parseKey } from '../runtime/keys.ts';
import type { Controller, ControllerContext } from '../types.ts';
import { same } from '../workloads/compare.ts';
import { controllerReference } from '../workloads/pods.ts';

const SERVICE_NAME = 'kubernetes.io/service-name';
const MANAGED_BY = 'endpointslice.kubernetes.io/managed-by';
const MANAGER = 'endpointslicemirroring-controller.k8s.io';
const SKIP = 'endpointslice.kubernetes.io/skip-mirror';
const LEADER = 'control-plane.alpha.kubernetes.io/leader';

interface Address {
  ip: string;
  hostname?: string;
  nodeName?: string;
  targetRef?: object;
}

export const endpointSliceMirroring: Controller = {
  name: 'endpointslicemirroring-controller',
  component: 'endpoint-slice-mirroring-controller',
  watches: [
    { resource: ENDPOINTS },
    { resource: SERVICES },
    {
      resource: ENDPOINT_SLICES,
      keys: slice =>
        slice.metadata.labels?.[MANAGED_BY] === MANAGER
          ? [`${slice.metadata.namespace}/${slice.metadata.labels[SERVICE_NAME]}`]
          : [],
    },
  ],
  async reconcile(key, context) {
    const { namespace, name } = parseKey(key);
    const endpoints = context.cache(ENDPOINTS).get(namespace, name);
    const service = context.cache(SERVICES).get(namespace, name);
    const slices = context
      .cache(ENDPOINT_SLICES)
      .list(namespace)
      .filter(s => s.metadata.labels?.[MANAGED_BY] === MANAGER && s.metadata.labels[SERVICE_NAME] === name);
    const wanted = endpoints && service && isMirrored(endpoints, service) ? toSlices(endpoints) : [];
    for (const slice of slices) {
      const i = wanted.findIndex(
        w => same(w.ports, slice['ports'] ?? []) && w.addressType === slice['addressType'],
      );
      const match = i >= 0 ? wanted.splice(i, 1)[0] : undefined;
      if (!match) await context.client.delete(ENDPOINT_SLICES, slice.metadata).catch(ignoreGone);
      else if (!same(slice['endpoints'] ?? [], match.endpoints))
        await context.client.update(ENDPOINT_SLICES, { ...slice, endpoints: match.endpoints });
    }
    for (const body of wanted) await create(endpoints as KubeObject, body, context);
  },
};

function isMirrored(endpoints: KubeObject, service: KubeObject): boolean {
  const { labels = {}, annotations = {} } = endpoints.metadata;
  const selects = Object.keys(service['spec'].selector ?? {}).length > 0;
  return !selects && labels[SKIP] !== 'true' && annotations[LEADER] === undefined;
}

const isIPv6 = (ip: string) => ip.includes(':');

function toSlices(endpoints: KubeObject) {
  const slices: { addressType: string; ports: object[]; endpoints: object[] }[] = [];
  for (const subset of endpoints['subsets'] ?? [])
    for (const addressType of ['IPv4', 'IPv6']) {
      const list = (addresses: Address[] | undefined, ready: boolean) =>
        (addresses ?? [])
          .filter(a => isIPv6(a.ip) === (addressType === 'IPv6'))
          .map(({ ip, hostname, nodeName, targetRef }) => ({
            addresses: [ip],
            conditions: { ready },
            ...(hostname ? { hostname } : {}),
            ...(nodeName ? { nodeName } : {}),
            ...(targetRef ? { targetRef } : {}),
          }));
      const all = [...list(subset.addresses, true), ...list(subset.notReadyAddresses, false)];
      const ports = (subset.ports ?? []).map((p: object) => ({ name: '', protocol: 'TCP', ...p }));
      if (all.length > 0) slices.push({ addressType, ports, endpoints: all });
    }
  return slices;
}

async function create(
  endpoints: KubeObject,
  body: { addressType: string; ports: object[]; endpoints: object[] },
  context: ControllerContext,
): Promise<void> {
  const { name, namespace, labels } = endpoints.metadata;
  await context.client
    .create(ENDPOINT_SLICES, {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: {
        name: '',
        generateName: `${name}-`,
        namespace,
        labels: { ...labels, [MANAGED_BY]: MANAGER, [SERVICE_NAME]: name },
        ownerReferences: [controllerReference(endpoints)],
      },
      ...body,
    })
    .catch((error: unknown) => {
      if (!(error instanceof StatusError) || error.reason !== 'Forbidden') throw error;
    });
}

function ignoreGone(error: unknown): void {
  if (!(error instanceof StatusError) || error.code !== 404) throw error;
}
