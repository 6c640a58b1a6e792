// The resource metrics API (metrics.k8s.io), which is there while an APIService points at a metrics server that answers.
// Numbers come from the nodes; whether they are served is decided by objects, as with the real aggregator.

import type { Clock } from '../../clock.ts';
import { type KubeObject, methodNotAllowed, notFound, StatusError, timestamp } from '../../kube/index.ts';
import type { UsageReport } from '../node/types.ts';
import { noSuchResource } from '../registry/index.ts';
import type {
  ListResult,
  Registry,
  RequestContext,
  ResourcePath,
  ServedResource,
} from '../registry/types.ts';
import type { ResourceDefinition } from '../resources/types.ts';

const GROUP = 'metrics.k8s.io';
const VERSION = 'v1beta1';
const API_VERSION = `${GROUP}/${VERSION}`;
const API_SERVICE = `${VERSION}.${GROUP}`;
/** Over which a metrics server averages. */
const WINDOW = '10.0s';

/** Acts for the aggregator itself; the asking user has been authorized before. */
const AGGREGATOR: RequestContext = {
  user: { name: 'system:kube-aggregator', groups: ['system:masters', 'system:authenticated'] },
  warn() {},
};

type Usage = UsageReport['nodes'][number]['usage'];

const usageOf = ({ cpuMillis, memoryBytes }: Usage) => ({
  cpu: `${Math.max(0, Math.round(cpuMillis * 1_000_000))}n`,
  memory: `${Math.max(0, Math.round(memoryBytes / 1024))}Ki`,
});

const definition = (kind: string, resource: string, namespaced: boolean): ResourceDefinition => ({
  group: GROUP,
  versions: [VERSION],
  kind,
  resource,
  singular: '',
  namespaced,
  verbs: ['get', 'list'],
  columns: [
    { name: 'Name', type: 'string', format: 'name' },
    { name: 'Created At', type: 'date' },
  ],
  row: object => [object.metadata.name, object.metadata.creationTimestamp ?? null],
});

const served = (own: ResourceDefinition): ServedResource => ({
  definition: own,
  version: VERSION,
  kind: { group: GROUP, version: VERSION, kind: own.kind },
  listKind: `${own.kind}List`,
  schema: undefined,
  custom: false,
});

const RESOURCES = [
  served(definition('NodeMetrics', 'nodes', false)),
  served(definition('PodMetrics', 'pods', true)),
];

/**
 * The same registry with the metrics API added to what it serves. Everything else passes through.
 */
export async function withMetrics(
  registry: Registry,
  usage: () => UsageReport,
  clock: Clock,
): Promise<Registry> {
  let service: KubeObject | undefined;
  const listeners = new Set<(groups: readonly string[]) => void>();
  const path: ResourcePath = { group: 'apiregistration.k8s.io', version: 'v1', resource: 'apiservices' };
  const tell = () => {
    for (const listener of listeners) listener([GROUP]);
  };
  // Without APIServices in this registry there is nothing to wait for.
  if (registry.find(path.group, path.version, path.resource)) {
    await registry.watch(
      AGGREGATOR,
      path,
      { fieldSelector: `metadata.name=${API_SERVICE}` },
      {
        event({ type, object }) {
          if (type === 'BOOKMARK' || type === 'ERROR') return;
          const known = service !== undefined;
          service = type === 'DELETED' || !object.spec?.service ? undefined : object;
          if (known !== (service !== undefined)) tell();
        },
        end() {},
      },
    );
  }

  const find = (resource: string) =>
    service ? RESOURCES.find(item => item.definition.resource === resource) : undefined;

  /** 404 without the APIService; 503, as the aggregator says it, unless the service behind it has a ready endpoint. */
  async function available(): Promise<void> {
    if (!service) throw noSuchResource();
    const { namespace, name } = (service.spec?.service ?? {}) as { namespace?: string; name?: string };
    try {
      const target: ResourcePath = {
        group: '',
        version: 'v1',
        resource: 'endpoints',
        namespace: namespace ?? '',
        name: name ?? '',
      };
      const endpoints = await registry.get(AGGREGATOR, target);
      const subsets = (endpoints.subsets ?? []) as { addresses?: unknown[] }[];
      if (subsets.some(subset => (subset.addresses ?? []).length > 0)) return;
    } catch {
      // No such service is as good as no endpoint.
    }
    throw new StatusError({
      message: 'the server is currently unable to handle the request',
      reason: 'ServiceUnavailable',
      code: 503,
    });
  }

  async function list(path: ResourcePath, request: Parameters<Registry['list']>[2]): Promise<ListResult> {
    await available();
    const { labelSelector, fieldSelector } = request;
    const objects = await registry.list(
      AGGREGATOR,
      {
        group: '',
        version: 'v1',
        resource: path.resource,
        ...(path.namespace ? { namespace: path.namespace } : {}),
      },
      { ...(labelSelector ? { labelSelector } : {}), ...(fieldSelector ? { fieldSelector } : {}) },
    );
    const report = usage();
    const items = objects.items.flatMap(object => metricsOf(object, path.resource, report, clock) ?? []);
    return {
      apiVersion: API_VERSION,
      kind: `${kindOf(path.resource)}List`,
      metadata: { resourceVersion: '' },
      items,
    };
  }

  return {
    ...registry,
    authorizer: registry.authorizer,
    get resourceVersion() {
      return registry.resourceVersion;
    },
    served: () => (service ? [...registry.served(), ...RESOURCES] : registry.served()),
    find: (group, version, resource) =>
      group === GROUP && version === VERSION ? find(resource) : registry.find(group, version, resource),
    onServedChange(listener) {
      listeners.add(listener);
      const stop = registry.onServedChange(listener);
      return () => {
        listeners.delete(listener);
        stop();
      };
    },
    async get(context, path, options) {
      if (path.group !== GROUP) return registry.get(context, path, options);
      const { items } = await list(path, { fieldSelector: `metadata.name=${path.name}` });
      const [item] = items;
      if (!item) throw notFound({ group: GROUP, resource: path.resource }, path.name ?? '');
      return item;
    },
    async list(context, path, request) {
      return path.group === GROUP ? list(path, request) : registry.list(context, path, request);
    },
    async watch(context, path, request, sink) {
      if (path.group === GROUP) throw methodNotAllowed();
      return registry.watch(context, path, request, sink);
    },
  };
}

const kindOf = (resource: string) => (resource === 'nodes' ? 'NodeMetrics' : 'PodMetrics');

/** Undefined for a node or pod that uses nothing yet. */
function metricsOf(
  object: KubeObject,
  resource: string,
  report: UsageReport,
  clock: Clock,
): KubeObject | undefined {
  const { name, namespace, labels } = object.metadata;
  const base = {
    apiVersion: API_VERSION,
    kind: kindOf(resource),
    metadata: {
      name,
      ...(namespace ? { namespace } : {}),
      creationTimestamp: timestamp(clock.now()),
      ...(labels ? { labels } : {}),
    },
    timestamp: timestamp(clock.now()),
    window: WINDOW,
  };
  if (resource === 'nodes') {
    const node = report.nodes.find(item => item.name === name);
    return node && { ...base, usage: usageOf(node.usage) };
  }
  const pod = report.pods.find(item => item.name === name && item.namespace === namespace);
  if (!pod || pod.containers.length === 0) return undefined;
  return {
    ...base,
    containers: pod.containers.map(container => ({ name: container.name, usage: usageOf(container.usage) })),
  };
}
