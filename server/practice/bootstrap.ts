// The objects an empty cluster holds before anyone asks for anything, as kube-apiserver itself puts them there.
// Knows no controllers, nodes or workloads: those add their own.

import type { KubeObject } from '../kube/index.ts';
import { microTimestamp } from '../kube/index.ts';
import type { Random } from '../random.ts';
import { bootstrapFlowControl } from './bootstrap-flow-control.ts';
import { bootstrapRbac } from './bootstrap-rbac.ts';

export interface BootstrapFacts {
  /** Milliseconds since the epoch. */
  now: number;
  random: Random;
  /** `10.96.0.0/12`. */
  serviceRange: string;
  /** Where the API server is for pods. */
  apiServer: { ip: string; port: number };
  caCert: string;
}

/** The first address of the range belongs to the API server. */
function apiServiceAddress(range: string): string {
  const parts = (range.split('/')[0] ?? '').split('.').map(Number);
  const last = (parts[3] ?? 0) + 1;
  return [...parts.slice(0, 3), last].join('.');
}

const NAMESPACES = ['default', 'kube-node-lease', 'kube-public', 'kube-system'];

function namespace(name: string): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name, labels: { 'kubernetes.io/metadata.name': name } },
    spec: { finalizers: ['kubernetes'] },
    status: { phase: 'Active' },
  };
}

function priorityClasses(): KubeObject[] {
  const one = (name: string, value: number, description: string): KubeObject => ({
    apiVersion: 'scheduling.k8s.io/v1',
    kind: 'PriorityClass',
    metadata: { name, generation: 1 },
    value,
    description,
    preemptionPolicy: 'PreemptLowerPriority',
  });
  return [
    one(
      'system-node-critical',
      2_000_001_000,
      'Used for system critical pods that must not be moved from their current node.',
    ),
    one(
      'system-cluster-critical',
      2_000_000_000,
      'Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.',
    ),
  ];
}

function apiService({ serviceRange, apiServer }: BootstrapFacts): KubeObject[] {
  const clusterIP = apiServiceAddress(serviceRange);
  const metadata = { name: 'kubernetes', namespace: 'default' };
  const port = { name: 'https', port: apiServer.port, protocol: 'TCP' };
  return [
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { ...metadata, labels: { component: 'apiserver', provider: 'kubernetes' } },
      spec: {
        clusterIP,
        clusterIPs: [clusterIP],
        internalTrafficPolicy: 'Cluster',
        ipFamilies: ['IPv4'],
        ipFamilyPolicy: 'SingleStack',
        ports: [{ name: 'https', port: 443, protocol: 'TCP', targetPort: apiServer.port }],
        sessionAffinity: 'None',
        type: 'ClusterIP',
      },
      status: { loadBalancer: {} },
    },
    {
      apiVersion: 'v1',
      kind: 'Endpoints',
      metadata: { ...metadata, labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } },
      subsets: [{ addresses: [{ ip: apiServer.ip }], ports: [port] }],
    },
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { ...metadata, generation: 1, labels: { 'kubernetes.io/service-name': 'kubernetes' } },
      addressType: 'IPv4',
      endpoints: [{ addresses: [apiServer.ip], conditions: { ready: true } }],
      ports: [port],
    },
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'ServiceCIDR',
      metadata: {
        name: 'kubernetes',
        generation: 1,
        finalizers: ['networking.k8s.io/service-cidr-finalizer'],
      },
      spec: { cidrs: [serviceRange] },
      status: {
        conditions: [
          { type: 'Ready', status: 'True', reason: '', message: 'Kubernetes Service CIDR is ready' },
        ],
      },
    },
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'IPAddress',
      metadata: {
        name: clusterIP,
        generation: 1,
        labels: {
          'ipaddress.kubernetes.io/ip-family': 'IPv4',
          'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io',
        },
      },
      spec: { parentRef: { group: '', name: 'kubernetes', namespace: 'default', resource: 'services' } },
    },
  ];
}

function kubeSystem({ now, random, caCert }: BootstrapFacts): KubeObject[] {
  const metadata = { namespace: 'kube-system' };
  const identity = `apiserver-${random.text(26, 'abcdefghijklmnopqrstuvwxyz234567')}`;
  return [
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { ...metadata, name: 'extension-apiserver-authentication' },
      data: {
        'client-ca-file': caCert,
        'requestheader-allowed-names': '["front-proxy-client"]',
        'requestheader-client-ca-file': caCert,
        'requestheader-extra-headers-prefix': '["X-Remote-Extra-"]',
        'requestheader-group-headers': '["X-Remote-Group"]',
        'requestheader-username-headers': '["X-Remote-User"]',
      },
    },
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { ...metadata, name: 'kube-apiserver-legacy-service-account-token-tracking' },
      data: { since: new Date(now).toISOString().slice(0, 10) },
    },
    {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: {
        ...metadata,
        name: identity,
        labels: {
          'apiserver.kubernetes.io/identity': 'kube-apiserver',
          'kubernetes.io/hostname': 'minikube',
        },
      },
      spec: {
        acquireTime: microTimestamp(now),
        holderIdentity: `${identity}_${random.uuid()}`,
        leaseDurationSeconds: 3600,
        renewTime: microTimestamp(now),
      },
    },
  ];
}

/** Everything, in an order in which what is referred to comes first. */
export function bootstrapObjects(facts: BootstrapFacts): KubeObject[] {
  return [
    ...NAMESPACES.map(namespace),
    ...bootstrapRbac(),
    ...priorityClasses(),
    ...bootstrapFlowControl(),
    ...apiService(facts),
    ...kubeSystem(facts),
  ];
}
