// The roles and bindings that every cluster starts with, unfolded from bootstrap-rbac.json. Knows the shape of RBAC objects only.

import { readFileSync } from 'node:fs';
import type { KubeObject } from '../kube/index.ts';

const API_VERSION = 'rbac.authorization.k8s.io/v1';
const GROUP = 'rbac.authorization.k8s.io';
const AGGREGATE = `${GROUP}/aggregate-to-`;

/**
 * `roles`: name (or namespace/name) to rules `verbs groups resources [names]` or `url verbs paths`, each a comma list;
 * `core` is the group without a name. `bindings`: who gets the role of the same name, or `role` when it is another.
 */
interface Table {
  roles: Record<string, string[]>;
  bindings: Record<string, { to: string[]; role?: string }>;
}

interface PolicyRule {
  verbs: string[];
  apiGroups?: string[];
  resources?: string[];
  resourceNames?: string[];
  nonResourceURLs?: string[];
}

const words = (text: string | undefined) => (text ?? '').split(',');

function ruleOf(text: string): PolicyRule {
  const [first, ...rest] = text.split(' ');
  if (first === 'url') return { nonResourceURLs: words(rest[1]), verbs: words(rest[0]) };
  const [groups, resources, names] = rest;
  return {
    apiGroups: words(groups).map(group => (group === 'core' ? '' : group)),
    ...(names === undefined ? {} : { resourceNames: words(names) }),
    resources: words(resources),
    verbs: words(first),
  };
}

function metadataOf(key: string, labels: Record<string, string> = {}): KubeObject['metadata'] {
  const slash = key.indexOf('/');
  return {
    annotations: { 'rbac.authorization.kubernetes.io/autoupdate': 'true' },
    labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults', ...labels },
    name: key.slice(slash + 1),
    ...(slash < 0 ? {} : { namespace: key.slice(0, slash) }),
  };
}

function subjectOf(text: string): Record<string, string> {
  const [kind = '', who = ''] = text.split(' ');
  if (kind !== 'ServiceAccount') return { apiGroup: GROUP, kind, name: who };
  const [namespace = '', name = ''] = who.split('/');
  return { kind, name, namespace };
}

function role(key: string, rules: PolicyRule[], labels?: Record<string, string>): KubeObject {
  const kind = key.includes('/') ? 'Role' : 'ClusterRole';
  return { apiVersion: API_VERSION, kind, metadata: metadataOf(key, labels), rules };
}

function binding(key: string, to: string[], roleRef: string): KubeObject {
  const [kind = '', name = ''] = roleRef.split(' ');
  return {
    apiVersion: API_VERSION,
    kind: key.includes('/') ? 'RoleBinding' : 'ClusterRoleBinding',
    metadata: metadataOf(key),
    roleRef: { apiGroup: GROUP, kind, name },
    ...(to.length > 0 ? { subjects: to.map(subjectOf) } : {}),
  };
}

/** admin, edit and view hold what the roles labelled for them hold; here already summed up. */
function aggregated(name: string, parts: KubeObject[], labels: Record<string, string>): KubeObject {
  return {
    apiVersion: API_VERSION,
    kind: 'ClusterRole',
    aggregationRule: { clusterRoleSelectors: [{ matchLabels: { [`${AGGREGATE}${name}`]: 'true' } }] },
    metadata: metadataOf(name, labels),
    rules: parts.flatMap(part => part.rules),
  };
}

/** What the installer adds: no default of kube-apiserver, so without its labels. */
function added(object: KubeObject): KubeObject {
  const { name } = object.metadata;
  return { ...object, metadata: { name } };
}

export function bootstrapRbac(): KubeObject[] {
  const table = JSON.parse(readFileSync(new URL('./bootstrap-rbac.json', import.meta.url), 'utf8')) as Table;
  const toAggregate = ['admin', 'edit', 'view'];
  const objects = Object.entries(table.roles).map(([key, rules]) => {
    const target = toAggregate.find(name => key === `system:aggregate-to-${name}`);
    return role(key, rules.map(ruleOf), target ? { [`${AGGREGATE}${target}`]: 'true' } : {});
  });
  const part = (name: string) =>
    objects.find(object => object.metadata.name === `system:aggregate-to-${name}`) as KubeObject;
  const everything = ['* * *', 'url * *'].map(ruleOf);
  const [admin, edit, view] = [part('admin'), part('edit'), part('view')];
  objects.push(
    role('cluster-admin', everything),
    aggregated('admin', [admin, edit, view], {}),
    aggregated('edit', [edit, view], { [`${AGGREGATE}admin`]: 'true' }),
    aggregated('view', [view], { [`${AGGREGATE}edit`]: 'true' }),
    role('kube-system/extension-apiserver-authentication-reader', [
      ruleOf('get,list,watch core configmaps extension-apiserver-authentication'),
    ]),
    binding('cluster-admin', ['Group system:masters'], 'ClusterRole cluster-admin'),
    added(binding('kubeadm:cluster-admins', ['Group kubeadm:cluster-admins'], 'ClusterRole cluster-admin')),
    added(role('kubeadm:get-nodes', [ruleOf('get core nodes')])),
    added(
      binding(
        'kubeadm:get-nodes',
        ['Group system:bootstrappers:kubeadm:default-node-token'],
        'ClusterRole kubeadm:get-nodes',
      ),
    ),
    added(binding('minikube-rbac', ['ServiceAccount kube-system/default'], 'ClusterRole cluster-admin')),
  );
  for (const [key, { to, role: other }] of Object.entries(table.bindings)) {
    if (key === 'kubeadm:cluster-admins') continue;
    const kind = key.includes('/') ? 'Role' : 'ClusterRole';
    objects.push(binding(key, to, other ?? `${kind} ${key.slice(key.indexOf('/') + 1)}`));
  }
  return objects;
}
