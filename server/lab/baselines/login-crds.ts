// The kinds that signing in to Kubeflow needs: Istio's four and Kubeflow's Profile. Istio's fields are checked by istiod, not here.

import type { KubeObject } from '../../kube/index.ts';
import { AGE, anything, type Column, column, definition, list, map, record, text } from './definition.ts';

const istio = (
  group: 'networking' | 'security',
  kind: string,
  shortName: string,
  more: { plural?: string; columns?: Column[] } = {},
): KubeObject => {
  const { columns, ...names } = more;
  const versions = group === 'networking' ? ['v1', 'v1beta1', 'v1alpha3'] : ['v1', 'v1beta1'];
  return definition({
    group: `${group}.istio.io`,
    kind,
    shortNames: [shortName],
    categories: ['istio-io', `${group}-istio-io`],
    ...names,
    versions: versions.map(name => ({ name, ...(columns && { columns }), spec: anything, status: anything })),
  });
};

const profile = (): KubeObject => {
  const spec = record({
    owner: record({ apiGroup: text, kind: text, name: text, namespace: text }, ['kind', 'name']),
    plugins: list(record({ apiVersion: text, kind: text, spec: anything })),
    resourceQuotaSpec: record({
      hard: map({ anyOf: [{ type: 'integer' }, { type: 'string' }], 'x-kubernetes-int-or-string': true }),
      scopeSelector: anything,
      scopes: list(text),
    }),
  });
  const status = record({ conditions: list(record({ message: text, status: text, type: text })) });
  return definition({
    group: 'kubeflow.org',
    kind: 'Profile',
    labels: { 'kustomize.component': 'profiles' },
    scope: 'Cluster',
    versions: ['v1', 'v1beta1'].map(name => ({ name, spec, status })),
  });
};

export const loginCrds = async (): Promise<KubeObject[]> => [
  istio('networking', 'Gateway', 'gw'),
  istio('networking', 'VirtualService', 'vs', {
    columns: [column('Gateways', '.spec.gateways'), column('Hosts', '.spec.hosts'), AGE],
  }),
  istio('security', 'AuthorizationPolicy', 'ap', {
    plural: 'authorizationpolicies',
    columns: [column('Action', '.spec.action'), AGE],
  }),
  istio('security', 'RequestAuthentication', 'ra'),
  profile(),
];
