// ResourceQuota: refuses what a namespace's quota has no room for. Counts what is there now, so nothing can be forgotten.

import {
  addQuantity,
  compareQuantity,
  formatQuantity,
  parseQuantity,
  type Quantity,
  ZERO,
} from '#common/quantity/index.ts';
import type { KubeObject } from '../../kube/index.ts';
import type { ResourceDefinition } from '../resources/types.ts';
import { refuse } from './requests.ts';
import type { AdmissionContext, AdmissionPlugin, AdmissionRequest } from './types.ts';

const QUOTAS = { group: '', resource: 'resourcequotas' };

type Usage = Map<string, Quantity>;

const ONE = parseQuantity('1') as Quantity;

const COMPUTE = ['cpu', 'memory', 'ephemeral-storage'];

function add(usage: Usage, name: string, quantity: Quantity): void {
  usage.set(name, addQuantity(usage.get(name) ?? ZERO, quantity));
}

function podRequirements(pod: KubeObject, part: 'requests' | 'limits'): Map<string, Quantity> {
  const total: Usage = new Map();
  for (const container of pod.spec?.containers ?? [])
    for (const [name, amount] of Object.entries(container.resources?.[part] ?? {}))
      add(total, name, parseQuantity(amount) ?? ZERO);
  for (const container of pod.spec?.initContainers ?? [])
    for (const [name, amount] of Object.entries(container.resources?.[part] ?? {})) {
      const quantity = parseQuantity(amount) ?? ZERO;
      const known = total.get(name);
      if (container.restartPolicy === 'Always') add(total, name, quantity);
      else if (!known || compareQuantity(quantity, known) > 0) total.set(name, quantity);
    }
  return total;
}

function podUsage(pod: KubeObject): Usage {
  const usage: Usage = new Map([['count/pods', ONE]]);
  if (['Failed', 'Succeeded'].includes(pod.status?.phase)) return usage;
  usage.set('pods', ONE);
  for (const [name, quantity] of podRequirements(pod, 'requests')) {
    usage.set(`requests.${name}`, quantity);
    if (COMPUTE.includes(name)) usage.set(name, quantity);
  }
  for (const [name, quantity] of podRequirements(pod, 'limits')) usage.set(`limits.${name}`, quantity);
  return usage;
}

function claimUsage(claim: KubeObject): Usage {
  const usage: Usage = new Map([
    ['count/persistentvolumeclaims', ONE],
    ['persistentvolumeclaims', ONE],
  ]);
  const storage = parseQuantity(claim.spec?.resources?.requests?.storage) ?? ZERO;
  usage.set('requests.storage', storage);
  const className = claim.spec?.storageClassName;
  if (className) {
    usage.set(`${className}.storageclass.storage.k8s.io/persistentvolumeclaims`, ONE);
    usage.set(`${className}.storageclass.storage.k8s.io/requests.storage`, storage);
  }
  return usage;
}

function serviceUsage(service: KubeObject): Usage {
  const usage: Usage = new Map([
    ['count/services', ONE],
    ['services', ONE],
  ]);
  const { type, ports = [] } = service.spec ?? {};
  const count = parseQuantity(String(ports.length)) as Quantity;
  if (type === 'LoadBalancer') usage.set('services.loadbalancers', ONE);
  if (
    type === 'NodePort' ||
    (type === 'LoadBalancer' && service.spec.allocateLoadBalancerNodePorts !== false)
  )
    usage.set('services.nodeports', count);
  return usage;
}

/** Kinds that are counted under their bare name as well. */
const PLAIN = new Set(['configmaps', 'secrets', 'replicationcontrollers', 'resourcequotas']);

/** What one object costs, by quota name. */
function usageOf(definition: Pick<ResourceDefinition, 'group' | 'resource'>, object: KubeObject): Usage {
  const { group, resource } = definition;
  if (group === '') {
    if (resource === 'pods') return podUsage(object);
    if (resource === 'persistentvolumeclaims') return claimUsage(object);
    if (resource === 'services') return serviceUsage(object);
    const usage: Usage = new Map([[`count/${resource}`, ONE]]);
    if (PLAIN.has(resource)) usage.set(resource, ONE);
    return usage;
  }
  return new Map([[`count/${resource}.${group}`, ONE]]);
}

function isBestEffort(pod: KubeObject): boolean {
  return pod.status?.qosClass
    ? pod.status.qosClass === 'BestEffort'
    : podRequirements(pod, 'requests').size === 0 && podRequirements(pod, 'limits').size === 0;
}

function inScope(pod: KubeObject, name: string, operator: string, values: readonly string[]): boolean {
  const terminating = pod.spec?.activeDeadlineSeconds !== undefined;
  switch (name) {
    case 'Terminating':
      return terminating;
    case 'NotTerminating':
      return !terminating;
    case 'BestEffort':
      return isBestEffort(pod);
    case 'NotBestEffort':
      return !isBestEffort(pod);
    case 'PriorityClass': {
      const className = pod.spec?.priorityClassName ?? '';
      if (operator === 'Exists') return className !== '';
      if (operator === 'DoesNotExist') return className === '';
      return values.includes(className) === (operator === 'In');
    }
    default:
      return false;
  }
}

/** Quotas with scopes count pods only, and only those in all scopes. */
function quotaMatches(
  quota: KubeObject,
  definition: Pick<ResourceDefinition, 'group' | 'resource'>,
  object: KubeObject,
): boolean {
  const scopes: string[] = quota.spec?.scopes ?? [];
  const selector: { scopeName: string; operator: string; values?: string[] }[] =
    quota.spec?.scopeSelector?.matchExpressions ?? [];
  if (scopes.length === 0 && selector.length === 0) return true;
  if (definition.group !== '' || definition.resource !== 'pods') return false;
  return (
    scopes.every(scope => inScope(object, scope, 'Exists', [])) &&
    selector.every(term => inScope(object, term.scopeName, term.operator, term.values ?? []))
  );
}

/** A quota on cpu or memory demands that every container says what it needs. */
function unsaid(pod: KubeObject, hard: Record<string, string>): Map<string, string[]> {
  const missing = new Map<string, string[]>();
  for (const name of Object.keys(hard).sort()) {
    const bare = COMPUTE.includes(name) ? name : undefined;
    const match = /^(requests|limits)\.(cpu|memory|ephemeral-storage)$/.exec(name);
    const part = (match?.[1] ?? (bare ? 'requests' : undefined)) as 'requests' | 'limits' | undefined;
    const resource = match?.[2] ?? bare;
    if (!part || !resource || resource === 'ephemeral-storage') continue;
    const names: string[] = [];
    for (const container of [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])])
      if (container.resources?.[part]?.[resource] === undefined) names.push(container.name);
    if (names.length > 0) missing.set(name, names.sort());
  }
  return missing;
}

function used(
  context: AdmissionContext,
  request: AdmissionRequest,
  quota: KubeObject,
  names: readonly string[],
): Usage {
  const { definition, namespace } = request;
  const total: Usage = new Map(names.map(name => [name, ZERO]));
  for (const object of context.listAll(definition, namespace)) {
    if (!quotaMatches(quota, definition, object)) continue;
    for (const [name, quantity] of usageOf(definition, object))
      if (total.has(name)) add(total, name, quantity);
  }
  return total;
}

function check(request: AdmissionRequest, context: AdmissionContext, quota: KubeObject): void {
  const { definition, object, old } = request;
  if (!object || !quotaMatches(quota, definition, object)) return;
  const hard: Record<string, string> = quota.spec?.hard ?? {};
  const { name } = quota.metadata;
  if (definition.resource === 'pods' && definition.group === '' && !old) {
    const missing = unsaid(object, hard);
    if (missing.size > 0) {
      const list = [...missing]
        .map(([resource, containers]) => `${resource} for: ${containers.join(',')}`)
        .join('; ');
      throw refuse(request, `failed quota: ${name}: must specify ${list}`);
    }
  }
  const before = old ? usageOf(definition, old) : new Map<string, Quantity>();
  const delta: [string, Quantity][] = [];
  for (const [resource, quantity] of usageOf(definition, object)) {
    if (hard[resource] === undefined) continue;
    const grown = { ...quantity, nano: quantity.nano - (before.get(resource)?.nano ?? 0n) };
    if (grown.nano > 0n) delta.push([resource, grown]);
  }
  if (delta.length === 0) return;
  delta.sort(([a], [b]) => (a < b ? -1 : 1));
  const current = used(
    context,
    request,
    quota,
    delta.map(([resource]) => resource),
  );
  const over = delta.filter(([resource, quantity]) => {
    const limit = parseQuantity(hard[resource]) ?? ZERO;
    return compareQuantity(addQuantity(current.get(resource) ?? ZERO, quantity), limit) > 0;
  });
  if (over.length === 0) return;
  const say = (read: (resource: string, quantity: Quantity) => string) =>
    over.map(([resource, quantity]) => `${resource}=${read(resource, quantity)}`).join(',');
  throw refuse(
    request,
    `exceeded quota: ${name}, requested: ${say((_, quantity) => formatQuantity(quantity))}, used: ${say(
      resource => formatQuantity(current.get(resource) ?? ZERO),
    )}, limited: ${say(resource => formatQuantity(parseQuantity(hard[resource]) ?? ZERO))}`,
  );
}

export const resourceQuota: AdmissionPlugin = {
  name: 'ResourceQuota',
  validate(request, context) {
    const { definition, operation, subresource, namespace } = request;
    if (subresource !== undefined || !namespace || !definition.namespaced) return;
    if (operation !== 'CREATE' && operation !== 'UPDATE') return;
    for (const quota of context.listAll(QUOTAS, namespace)) check(request, context, quota);
  },
};
