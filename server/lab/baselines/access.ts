// Cluster roles and who has them, from the short form of a baseline's data. Knows no component.

import type { KubeObject } from '../../kube/index.ts';

const RBAC = 'rbac.authorization.k8s.io';
const ALL_VERBS = ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'];

interface Role {
  labels?: Record<string, string>;
  rules: { groups: string[]; resources: string[]; verbs: string[] | 'all' | '*' }[];
}

interface Binding {
  labels?: Record<string, string>;
  role: string;
  namespace: string;
  account: string;
}

export interface Access {
  clusterRoles: Record<string, Role>;
  /** Cluster role bindings: which account of which namespace. */
  bindings: Record<string, Binding>;
}

export function accessOf({ clusterRoles, bindings }: Access): KubeObject[] {
  return [
    ...Object.entries(clusterRoles).map(([name, { labels, rules }]) => ({
      apiVersion: `${RBAC}/v1`,
      kind: 'ClusterRole',
      metadata: { name, ...(labels && { labels }) },
      rules: rules.map(({ groups, resources, verbs }) => ({
        apiGroups: groups,
        resources,
        verbs: verbs === 'all' ? ALL_VERBS : verbs === '*' ? ['*'] : verbs,
      })),
    })),
    ...Object.entries(bindings).map(([name, { labels, role, namespace, account }]) => ({
      apiVersion: `${RBAC}/v1`,
      kind: 'ClusterRoleBinding',
      metadata: { name, ...(labels && { labels }) },
      roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: role },
      subjects: [{ kind: 'ServiceAccount', name: account, namespace }],
    })),
  ];
}
