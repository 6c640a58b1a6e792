// Turns the lines of kubeflow-seed.yaml into Kubernetes objects, sidecars included. Knows no cluster.

import type { KubeObject } from '../../kube/index.ts';
import { variable } from './env-variable.ts';
import { injected } from './injected-pod.ts';

interface PortLine {
  name?: string;
  port: number;
  protocol?: string;
}

interface ContainerLine {
  name: string;
  image: string;
  command?: string[];
  args?: string[];
  /** Plain text, or `field PATH`, `secret NAME KEY`, `config NAME KEY`. */
  env?: Record<string, string>;
  /** A ConfigMap. */
  envFrom?: string;
  envFromSecrets?: string[];
  ports?: PortLine[];
  requests?: Record<string, string>;
  limits?: Record<string, string>;
  /** Readiness over HTTP. */
  ready?: { path: string; port: number };
  /** A ConfigMap as files below a folder. */
  files?: { from: string; at: string };
  /** Where the workload's claim is mounted. */
  mount?: string;
}

export interface WorkloadLine {
  namespace: string;
  name: string;
  kind: string;
  replicas: number;
  account: string;
  labels: Record<string, string>;
  /** Of its pods. */
  annotations?: Record<string, string>;
  /** Whether Istio's injector had added its containers. */
  sidecar?: boolean;
  claim?: string;
  containers: ContainerLine[];
}

interface ServiceLine {
  namespace: string;
  name: string;
  headless?: boolean;
  ports: { name?: string; port: number; to?: number | string }[];
  selector: Record<string, string>;
}

interface TextsLine {
  namespace: string;
  name: string;
  data: Record<string, string>;
}

export interface Data {
  namespaces: Record<string, Record<string, string>>;
  serviceAccounts: Record<string, string[]>;
  volumeClaims: { namespace: string; name: string; storage: string }[];
  services: ServiceLine[];
  workloads: (Omit<WorkloadLine, 'kind' | 'replicas' | 'account'> & Partial<WorkloadLine>)[];
  configMaps: TextsLine[];
  secrets: TextsLine[];
}

const meta = (namespace: string, name: string, labels?: Record<string, string>) => ({
  namespace,
  name,
  ...(labels && { labels }),
});

export const namespace = (name: string, labels: Record<string, string>): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name, labels },
});

export const serviceAccount = (space: string, name: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ServiceAccount',
  metadata: meta(space, name),
});

export const storage = (line: Data['volumeClaims'][number]): KubeObject => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: meta(line.namespace, line.name),
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: line.storage } } },
});

export const service = (line: ServiceLine): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: meta(line.namespace, line.name),
  spec: {
    type: 'ClusterIP',
    ...(line.headless && { clusterIP: 'None' }),
    selector: line.selector,
    ports: line.ports.map(({ name, port, to }) => ({
      ...(name && { name }),
      port,
      ...(to !== undefined && { targetPort: to }),
      protocol: 'TCP',
    })),
  },
});

export function texts({ configMaps, secrets }: Pick<Data, 'configMaps' | 'secrets'>): KubeObject[] {
  return [
    ...configMaps.map(line => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: meta(line.namespace, line.name),
      data: line.data,
    })),
    ...secrets.map(line => ({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: meta(line.namespace, line.name),
      type: 'Opaque',
      stringData: line.data,
    })),
  ];
}

export function deployment(line: WorkloadLine, paused: boolean): KubeObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: meta(line.namespace, line.name, line.labels),
    spec: {
      ...(paused && { paused }),
      replicas: line.replicas,
      selector: { matchLabels: selectorOf(line) },
      template: { metadata: { labels: line.labels, ...annotationsOf(line) }, spec: podSpec(line) },
    },
  };
}

export function statefulSet(line: WorkloadLine): KubeObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: meta(line.namespace, line.name, line.labels),
    spec: {
      serviceName: '',
      replicas: line.replicas,
      selector: { matchLabels: selectorOf(line) },
      template: { metadata: { labels: line.labels, ...annotationsOf(line) }, spec: podSpec(line) },
    },
  };
}

/** The set that belongs to a deployment's template, as the deployment controller would have made it. */
export function replicaSet(line: WorkloadLine, owner: KubeObject): KubeObject {
  const hash = { 'pod-template-hash': hashOf(line) };
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      ...meta(line.namespace, `${line.name}-${hashOf(line)}`, { ...line.labels, ...hash }),
      annotations: {
        'deployment.kubernetes.io/desired-replicas': String(line.replicas),
        'deployment.kubernetes.io/max-replicas': String(line.replicas + 1),
        'deployment.kubernetes.io/revision': '1',
      },
      ownerReferences: [
        {
          apiVersion: 'apps/v1',
          kind: 'Deployment',
          name: line.name,
          uid: owner.metadata.uid as string,
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    },
    spec: {
      replicas: line.replicas,
      selector: { matchLabels: { ...selectorOf(line), ...hash } },
      template: {
        metadata: { labels: { ...line.labels, ...hash }, ...annotationsOf(line) },
        spec: podSpec(line),
      },
    },
  };
}

/** The pods as they came out of the injector, without an owner: the ReplicaSet that follows adopts them. */
export function pods(line: WorkloadLine): KubeObject[] {
  return Array.from({ length: line.replicas }, (_, index) => {
    const hash = hashOf(line);
    const pod: KubeObject = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        ...meta(line.namespace, `${line.name}-${hash}-${suffixOf(line, index)}`, {
          ...line.labels,
          'pod-template-hash': hash,
        }),
        generateName: `${line.name}-${hash}-`,
        ...annotationsOf(line),
      },
      spec: podSpec(line),
    };
    return line.sidecar ? injected(pod, line.name) : pod;
  });
}

const annotationsOf = ({ annotations }: WorkloadLine) => (annotations ? { annotations } : {});

/** What tells this workload's pods from others: its labels without those that only describe it. */
function selectorOf({ labels }: WorkloadLine): Record<string, string> {
  return Object.fromEntries(
    Object.entries(labels).filter(
      ([key]) => !/version|inject|chart|heritage|owning-resource|canonical|istio\.io/.test(key),
    ),
  );
}

function podSpec(line: WorkloadLine): Record<string, unknown> {
  const volumes = [
    ...(line.claim ? [{ name: line.claim, persistentVolumeClaim: { claimName: line.claim } }] : []),
    ...line.containers.flatMap(({ files }) =>
      files ? [{ name: 'files', configMap: { name: files.from } }] : [],
    ),
  ];
  return {
    ...(line.account !== 'default' && { serviceAccountName: line.account }),
    containers: line.containers.map(container),
    ...(volumes.length > 0 && { volumes }),
  };

  function container(of: ContainerLine): Record<string, unknown> {
    return {
      name: of.name,
      image: of.image,
      ...(of.command && { command: of.command }),
      ...(of.args && { args: of.args }),
      ...(of.ports && {
        ports: of.ports.map(({ name, port, protocol = 'TCP' }) => ({
          ...(name && { name }),
          containerPort: port,
          protocol,
        })),
      }),
      ...(of.env && { env: Object.entries(of.env).map(([name, value]) => variable(name, value)) }),
      ...((of.envFrom || of.envFromSecrets) && {
        envFrom: [
          ...(of.envFrom ? [{ configMapRef: { name: of.envFrom } }] : []),
          ...(of.envFromSecrets ?? []).map(name => ({ secretRef: { name } })),
        ],
      }),
      resources: { ...(of.requests && { requests: of.requests }), ...(of.limits && { limits: of.limits }) },
      ...(of.ready && { readinessProbe: { httpGet: { ...of.ready, scheme: 'HTTP' }, periodSeconds: 2 } }),
      ...(of.mount && { volumeMounts: [{ name: line.claim, mountPath: of.mount }] }),
      ...(of.files && { volumeMounts: [{ name: 'files', mountPath: of.files.at }] }),
    };
  }
}

/** The alphabet of generated names. */
const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';
/** The gateway's hash and first pod as the seed's author saw them. */
const KNOWN: Record<string, [string, string]> = { 'istio-ingressgateway': ['57c8b6474d', '8cqfx'] };

const hashOf = ({ namespace: space, name }: WorkloadLine) =>
  KNOWN[name]?.[0] ?? letters(`${space}/${name}`, 10);
const suffixOf = ({ namespace: space, name }: WorkloadLine, index: number) =>
  KNOWN[name]?.[1] ?? letters(`${space}/${name}#${index}`, 5);

/** Letters that follow from a text, so that a baseline looks the same each time (FNV-1a). */
function letters(text: string, length: number): string {
  let state = 0x811c9dc5;
  let found = '';
  for (let index = 0; index < length; index++) {
    for (const char of `${text}${index}`) state = Math.imul(state ^ char.charCodeAt(0), 0x01000193) >>> 0;
    found += ALPHABET[state % ALPHABET.length];
  }
  return found;
}
