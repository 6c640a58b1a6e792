// Turns the lines of kubeflow-seed.yaml into Kubernetes objects, sidecars included. Knows no cluster.

import type { KubeObject } from '../../kube/index.ts';

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
  envFrom?: string;
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

export function texts({ configMaps, secrets }: Data): KubeObject[] {
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
      template: { metadata: { labels: line.labels }, spec: podSpec(line) },
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
      template: { metadata: { labels: line.labels }, spec: podSpec(line) },
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
      template: { metadata: { labels: { ...line.labels, ...hash } }, spec: podSpec(line) },
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
      },
      spec: podSpec(line),
    };
    return line.sidecar ? injected(pod, line) : pod;
  });
}

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
      ...(of.envFrom && { envFrom: [{ configMapRef: { name: of.envFrom } }] }),
      resources: { ...(of.requests && { requests: of.requests }), ...(of.limits && { limits: of.limits }) },
      ...(of.ready && { readinessProbe: { httpGet: { ...of.ready, scheme: 'HTTP' }, periodSeconds: 2 } }),
      ...(of.mount && { volumeMounts: [{ name: line.claim, mountPath: of.mount }] }),
      ...(of.files && { volumeMounts: [{ name: 'files', mountPath: of.files.at }] }),
    };
  }
}

function variable(name: string, text: string): Record<string, unknown> {
  const [kind, first = '', key = ''] = text.split(' ');
  if (kind === 'field') return { name, valueFrom: { fieldRef: { fieldPath: first } } };
  if (kind === 'secret') return { name, valueFrom: { secretKeyRef: { name: first, key } } };
  if (kind === 'config') return { name, valueFrom: { configMapKeyRef: { name: first, key } } };
  return { name, value: text };
}

const PROXY = 'docker.io/istio/proxyv2:1.23.2';
const PROXY_RESOURCES = { limits: { cpu: '2', memory: '1Gi' }, requests: { cpu: '100m', memory: '128Mi' } };

/** What Istio 1.23's injector adds with its default settings. */
function injected(pod: KubeObject, line: WorkloadLine): KubeObject {
  const [first] = line.containers;
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      labels: {
        ...pod.metadata.labels,
        'security.istio.io/tlsMode': 'istio',
        'service.istio.io/canonical-name': line.labels['app'] ?? line.name,
        'service.istio.io/canonical-revision': 'latest',
      },
      annotations: {
        'istio.io/rev': 'default',
        'kubectl.kubernetes.io/default-container': first?.name ?? '',
        'kubectl.kubernetes.io/default-logs-container': first?.name ?? '',
        'prometheus.io/path': '/stats/prometheus',
        'prometheus.io/port': '15020',
        'prometheus.io/scrape': 'true',
        'sidecar.istio.io/status': JSON.stringify({
          initContainers: ['istio-init'],
          containers: ['istio-proxy'],
          volumes: [
            'workload-socket',
            'credential-socket',
            'workload-certs',
            'istio-envoy',
            'istio-data',
            'istio-podinfo',
          ],
          imagePullSecrets: null,
          revision: 'default',
        }),
      },
    },
    spec: {
      ...pod.spec,
      initContainers: [
        {
          name: 'istio-init',
          image: PROXY,
          args: [
            'istio-iptables',
            '-p',
            '15001',
            '-z',
            '15006',
            '-u',
            '1337',
            '-m',
            'REDIRECT',
            '-i',
            '*',
            '-x',
            '',
            '-b',
            '*',
            '-d',
            '15090,15021,15020',
            '--log_output_level=default:info',
          ],
          resources: PROXY_RESOURCES,
          securityContext: {
            allowPrivilegeEscalation: false,
            capabilities: { add: ['NET_ADMIN', 'NET_RAW'], drop: ['ALL'] },
            privileged: false,
            readOnlyRootFilesystem: false,
            runAsGroup: 0,
            runAsNonRoot: false,
            runAsUser: 0,
          },
        },
      ],
      containers: [
        ...pod.spec.containers,
        {
          name: 'istio-proxy',
          image: PROXY,
          args: [
            'proxy',
            'sidecar',
            '--domain',
            '$(POD_NAMESPACE).svc.cluster.local',
            '--proxyLogLevel=warning',
            '--proxyComponentLogLevel=misc:error',
            '--log_output_level=default:info',
          ],
          ports: [{ name: 'http-envoy-prom', containerPort: 15090, protocol: 'TCP' }],
          env: [
            { name: 'PILOT_CERT_PROVIDER', value: 'istiod' },
            { name: 'CA_ADDR', value: 'istiod.istio-system.svc:15012' },
            variable('POD_NAME', 'field metadata.name'),
            variable('POD_NAMESPACE', 'field metadata.namespace'),
            variable('INSTANCE_IP', 'field status.podIP'),
            variable('SERVICE_ACCOUNT', 'field spec.serviceAccountName'),
            variable('HOST_IP', 'field status.hostIP'),
          ],
          resources: PROXY_RESOURCES,
          startupProbe: {
            httpGet: { path: '/healthz/ready', port: 15021, scheme: 'HTTP' },
            periodSeconds: 1,
            timeoutSeconds: 3,
            failureThreshold: 600,
          },
          readinessProbe: {
            httpGet: { path: '/healthz/ready', port: 15021, scheme: 'HTTP' },
            periodSeconds: 15,
            timeoutSeconds: 3,
            failureThreshold: 4,
          },
          volumeMounts: [
            { name: 'workload-socket', mountPath: '/var/run/secrets/workload-spiffe-uds' },
            { name: 'istio-data', mountPath: '/var/lib/istio/data' },
            { name: 'istio-envoy', mountPath: '/etc/istio/proxy' },
            { name: 'istio-podinfo', mountPath: '/etc/istio/pod' },
          ],
        },
      ],
      volumes: [
        { name: 'workload-socket', emptyDir: {} },
        { name: 'istio-envoy', emptyDir: { medium: 'Memory' } },
        { name: 'istio-data', emptyDir: {} },
        {
          name: 'istio-podinfo',
          downwardAPI: {
            items: [
              { path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } },
              { path: 'annotations', fieldRef: { fieldPath: 'metadata.annotations' } },
            ],
          },
        },
        ...(pod.spec.volumes ?? []),
      ],
    },
  };
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
