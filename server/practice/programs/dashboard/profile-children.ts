// What Kubeflow's profile controller makes for one Profile. Pure; knows no API.

import type { KubeObject } from '../../../kube/index.ts';
import { controlledBy } from '../operator/index.ts';

const GATEWAY = 'cluster.local/ns/istio-system/sa/istio-ingressgateway-service-account';
const RBAC = 'rbac.authorization.k8s.io';

const child = (
  profile: KubeObject,
  apiVersion: string,
  kind: string,
  name: string,
  annotations?: Record<string, string>,
) => ({
  apiVersion,
  kind,
  metadata: {
    namespace: profile.metadata.name,
    name,
    ...(annotations && { annotations }),
    ownerReferences: [controlledBy(profile)],
  },
});

const ownerOf = (profile: KubeObject): string => profile['spec']?.owner?.name ?? '';

/** Labels with an empty value are taken away, those that are there stay as they are. */
export function namespaceLabels(
  there: Record<string, string>,
  wanted: Record<string, string>,
): Record<string, string> {
  const next: Record<string, string> = { 'istio-injection': 'enabled', ...there };
  for (const [key, value] of Object.entries(wanted)) {
    if (value === '') delete next[key];
    else next[key] ??= value;
  }
  return next;
}

export const namespaceOf = (profile: KubeObject, labels: Record<string, string>): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: {
    name: profile.metadata.name,
    annotations: { owner: ownerOf(profile) },
    labels: namespaceLabels({}, labels),
    ownerReferences: [controlledBy(profile)],
  },
});

export function authorizationPolicyOf(profile: KubeObject, header: string, prefix: string): KubeObject {
  const owner = ownerOf(profile);
  return {
    ...child(profile, 'security.istio.io/v1beta1', 'AuthorizationPolicy', 'ns-owner-access-istio', {
      role: 'admin',
      user: owner,
    }),
    spec: {
      rules: [
        {
          from: [{ source: { principals: [GATEWAY, 'cluster.local/ns/kubeflow/sa/ml-pipeline-ui'] } }],
          when: [{ key: `request.headers[${header}]`, values: [`${prefix}${owner}`] }],
        },
        { when: [{ key: 'source.namespace', values: [profile.metadata.name] }] },
        { to: [{ operation: { paths: ['/healthz', '/metrics', '/wait-for-drain'] } }] },
        {
          from: [
            { source: { principals: ['cluster.local/ns/kubeflow/sa/notebook-controller-service-account'] } },
          ],
          to: [{ operation: { methods: ['GET'], paths: ['*/api/kernels'] } }],
        },
      ],
    },
  };
}

/** Two accounts for what runs in the namespace, and who may do what in it. */
export function accessOf(profile: KubeObject): { accounts: KubeObject[]; bindings: KubeObject[] } {
  const space = profile.metadata.name;
  const binding = (name: string, role: string, subject: object, annotations?: Record<string, string>) => ({
    ...child(profile, `${RBAC}/v1`, 'RoleBinding', name, annotations),
    roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: role },
    subjects: [subject],
  });
  const account = (name: string) => ({ kind: 'ServiceAccount', name, namespace: space });
  return {
    accounts: ['default-editor', 'default-viewer'].map(name => child(profile, 'v1', 'ServiceAccount', name)),
    bindings: [
      binding('default-editor', 'kubeflow-edit', account('default-editor')),
      binding('default-viewer', 'kubeflow-view', account('default-viewer')),
      binding(
        'namespaceAdmin',
        'kubeflow-admin',
        { apiGroup: RBAC, ...profile['spec'].owner },
        { role: 'admin', user: ownerOf(profile) },
      ),
    ],
  };
}

export const quotaOf = (profile: KubeObject): KubeObject => ({
  ...child(profile, 'v1', 'ResourceQuota', 'kf-resource-quota'),
  spec: profile['spec'].resourceQuotaSpec,
});
