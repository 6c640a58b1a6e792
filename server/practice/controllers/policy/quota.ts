// The resource quota controller: counts what a namespace uses against its quotas. Refuses nothing: that is admission.

import { addQuantity, formatQuantity, parseQuantity, type Quantity } from '#common/quantity/index.ts';
import { type KubeObject, StatusError } from '../../../kube/index.ts';
import { PERSISTENT_VOLUME_CLAIMS, PODS, RESOURCE_QUOTAS, SERVICES } from '../resources.ts';
import { parseKey } from '../runtime/keys.ts';
import type { Controller, ControllerContext } from '../types.ts';
import { same } from '../workloads/compare.ts';
import { isTerminal } from '../workloads/pods.ts';
import { podTotals } from './totals.ts';

type Usage = Map<string, Quantity>;

const ONE = parseQuantity('1') as Quantity;
/** Kinds that have a short name in quotas besides `count/<resource>.<group>`. */
const SHORT = new Set([
  'pods',
  'services',
  'secrets',
  'configmaps',
  'persistentvolumeclaims',
  'replicationcontrollers',
  'resourcequotas',
]);

export const resourceQuotaController: Controller = {
  name: 'resourcequota-controller',
  watches: [{ resource: RESOURCE_QUOTAS }],
  everything: ({ object }, context) =>
    object.metadata.namespace
      ? context
          .cache(RESOURCE_QUOTAS)
          .list(object.metadata.namespace)
          .map(q => `${q.metadata.namespace}/${q.metadata.name}`)
      : [],
  async reconcile(key, context) {
    const { namespace = '', name } = parseKey(key);
    const quota = context.cache(RESOURCE_QUOTAS).get(namespace, name);
    if (!quota) return;
    const hard = quota['spec'].hard ?? {};
    const used: Record<string, string> = {};
    const usage = count(quota, namespace, context);
    for (const resource of Object.keys(hard)) {
      const amount = usage.get(resource);
      used[resource] = amount ? formatQuantity(amount) : '0';
    }
    const status = { hard, used };
    if (same(quota['status'] ?? {}, status)) return;
    await context.client.update(RESOURCE_QUOTAS, { ...quota, status }, 'status').catch((error: unknown) => {
      if (!(error instanceof StatusError) || error.code !== 404) throw error;
    });
  },
};

function bump(usage: Usage, resource: string, amount: Quantity): void {
  const known = usage.get(resource);
  usage.set(resource, known ? addQuantity(known, amount) : amount);
}

function count(quota: KubeObject, namespace: string, context: ControllerContext): Usage {
  const usage: Usage = new Map();
  const scopes = [
    ...((quota['spec'].scopes ?? []) as string[]).map(scopeName => ({
      scopeName,
      operator: 'Exists',
      values: [],
    })),
    ...(quota['spec'].scopeSelector?.matchExpressions ?? []),
  ] as { scopeName: string; operator: string; values?: string[] }[];
  for (const pod of context.cache(PODS).list(namespace)) {
    if (isTerminal(pod) || !scopes.every(s => inScope(pod, s))) continue;
    bump(usage, 'pods', ONE);
    for (const [resource, amount] of podTotals(pod, 'requests')) {
      bump(usage, `requests.${resource}`, amount);
      if (resource === 'cpu' || resource === 'memory' || resource === 'ephemeral-storage')
        bump(usage, resource, amount);
    }
    for (const [resource, amount] of podTotals(pod, 'limits')) bump(usage, `limits.${resource}`, amount);
  }
  // Scopes are about pods: a quota with one counts nothing else.
  if (scopes.length > 0) return usage;
  for (const { resource, namespaced } of context.known()) {
    if (!namespaced) continue;
    const n = parseQuantity(String(context.cache(resource).list(namespace).length)) as Quantity;
    bump(usage, `count/${resource.resource}${resource.group ? `.${resource.group}` : ''}`, n);
    if (resource.group === '' && resource.resource !== 'pods' && SHORT.has(resource.resource))
      bump(usage, resource.resource, n);
  }
  for (const service of context.cache(SERVICES).list(namespace)) {
    const { type, ports = [] } = service['spec'];
    if (type === 'LoadBalancer') bump(usage, 'services.loadbalancers', ONE);
    if (type === 'LoadBalancer' || type === 'NodePort')
      for (const port of ports) if (port.nodePort) bump(usage, 'services.nodeports', ONE);
  }
  for (const claim of context.cache(PERSISTENT_VOLUME_CLAIMS).list(namespace)) {
    const { storageClassName, resources } = claim['spec'];
    const amount = parseQuantity(resources?.requests?.storage ?? '0') as Quantity;
    bump(usage, 'requests.storage', amount);
    if (!storageClassName) continue;
    bump(usage, `${storageClassName}.storageclass.storage.k8s.io/requests.storage`, amount);
    bump(usage, `${storageClassName}.storageclass.storage.k8s.io/persistentvolumeclaims`, ONE);
  }
  return usage;
}

function inScope(
  pod: KubeObject,
  scope: { scopeName: string; operator: string; values?: string[] },
): boolean {
  const { spec, status } = pod;
  switch (scope.scopeName) {
    case 'Terminating':
      return spec.activeDeadlineSeconds !== undefined;
    case 'NotTerminating':
      return spec.activeDeadlineSeconds === undefined;
    case 'BestEffort':
      return status?.qosClass === 'BestEffort';
    case 'NotBestEffort':
      return status?.qosClass !== 'BestEffort';
    case 'PriorityClass': {
      const held = (scope.values ?? []).includes(spec.priorityClassName ?? '');
      if (scope.operator === 'In') return held;
      if (scope.operator === 'NotIn') return !held;
      return (scope.operator === 'Exists') === Boolean(spec.priorityClassName);
    }
    case 'CrossNamespacePodAffinity':
      return ['podAffinity', 'podAntiAffinity'].some(kind =>
        (spec.affinity?.[kind]?.requiredDuringSchedulingIgnoredDuringExecution ?? []).some(
          (t: { namespaces?: string[]; namespaceSelector?: object }) =>
            t.namespaces?.length || t.namespaceSelector,
        ),
      );
    default:
      return false;
  }
}
