// istiod's sidecar injector: reads an admission review of a pod and answers with the patch that adds Istio's proxy to it.
// Knows the pod it is shown and istiod's own image, no cluster.

import type { KubeObject } from '../../../kube/index.ts';

const RESOURCES = { limits: { cpu: '2', memory: '1Gi' }, requests: { cpu: '100m', memory: '128Mi' } };
const STATUS = 'sidecar.istio.io/status';
/** Namespaces that the injector never looks at. */
const IGNORED = new Set(['kube-system', 'kube-public', 'kube-node-lease', 'local-path-storage']);
const PORTS = { status: 15021, stats: 15020, prometheus: 15090 };

export interface InjectorSettings {
  /** The proxy's image: istiod's own registry and version. */
  proxyImage: string;
  /** Sidecars as init containers that go on running (ENABLE_NATIVE_SIDECARS). */
  native: boolean;
}

export interface InjectorReview {
  apiVersion: string;
  kind: 'AdmissionReview';
  response: { uid: string; allowed: true; patchType?: 'JSONPatch'; patch?: string };
}

/** The answer to a review; throws when the body is none. */
export function inject(body: Uint8Array, settings: InjectorSettings): InjectorReview {
  const review = JSON.parse(Buffer.from(body).toString('utf8'));
  const { uid = '', object, namespace = 'default' } = review.request ?? {};
  const answer: InjectorReview = {
    apiVersion: review.apiVersion ?? 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    response: { uid, allowed: true },
  };
  if (!object?.spec || !wanted(object, namespace)) return answer;
  const patch = Buffer.from(JSON.stringify(patchOf(object, settings))).toString('base64');
  return { ...answer, response: { ...answer.response, patchType: 'JSONPatch', patch } };
}

function wanted({ metadata, spec }: KubeObject & { spec?: any }, namespace: string): boolean {
  if (spec.hostNetwork === true || IGNORED.has(namespace)) return false;
  if (metadata.annotations?.[STATUS] !== undefined) return false;
  const said =
    metadata.labels?.['sidecar.istio.io/inject'] ?? metadata.annotations?.['sidecar.istio.io/inject'];
  return said !== 'false';
}

function patchOf(pod: KubeObject & { spec?: any }, { proxyImage, native }: InjectorSettings): object[] {
  const { metadata, spec } = pod;
  const init = initContainer(proxyImage);
  const sidecar = proxyContainer(
    proxyImage,
    spec.containers.map((c: any) => c.name),
  );
  const initContainers = [
    ...(spec.initContainers ?? []),
    init,
    ...(native ? [{ ...sidecar, restartPolicy: 'Always' }] : []),
  ];
  const volumes = [...proxyVolumes(), ...(spec.volumes ?? [])];
  const first = spec.containers[0]?.name ?? '';
  const labels = metadata.labels ?? {};
  const status = {
    initContainers: native ? [init.name, sidecar.name] : [init.name],
    containers: native ? null : [sidecar.name],
    volumes: proxyVolumes().map(({ name }) => name),
    imagePullSecrets: null,
    revision: 'default',
  };
  const set = (path: string, value: unknown) => ({ op: 'add', path, value });
  return [
    set('/metadata/labels', {
      ...labels,
      'security.istio.io/tlsMode': 'istio',
      'service.istio.io/canonical-name':
        labels['service.istio.io/canonical-name'] ??
        labels['app.kubernetes.io/name'] ??
        labels['app'] ??
        metadata.name ??
        metadata.generateName?.replace(/-([a-z0-9]+-)?$/, '') ??
        '',
      'service.istio.io/canonical-revision':
        labels['app.kubernetes.io/version'] ?? labels['version'] ?? 'latest',
    }),
    set('/metadata/annotations', {
      'istio.io/rev': 'default',
      'kubectl.kubernetes.io/default-container': first,
      'kubectl.kubernetes.io/default-logs-container': first,
      'prometheus.io/path': '/stats/prometheus',
      'prometheus.io/port': String(PORTS.stats),
      'prometheus.io/scrape': 'true',
      ...metadata.annotations,
      [STATUS]: JSON.stringify(status),
    }),
    set('/spec/initContainers', initContainers),
    ...(native ? [] : [set('/spec/containers/-', sidecar)]),
    set('/spec/volumes', volumes),
  ];
}

function initContainer(image: string) {
  const ports = [PORTS.prometheus, PORTS.status, PORTS.stats].join(',');
  return {
    name: 'istio-init',
    image,
    args: [
      'istio-iptables',
      ...['-p', '15001', '-z', '15006', '-u', '1337', '-m', 'REDIRECT'],
      ...['-i', '*', '-x', '', '-b', '*', '-d', ports, '--log_output_level=default:info'],
    ],
    resources: RESOURCES,
    securityContext: {
      allowPrivilegeEscalation: false,
      capabilities: { add: ['NET_ADMIN', 'NET_RAW'], drop: ['ALL'] },
      privileged: false,
      readOnlyRootFilesystem: false,
      runAsGroup: 0,
      runAsNonRoot: false,
      runAsUser: 0,
    },
  };
}

function proxyContainer(image: string, applications: string[]) {
  const field = (name: string, fieldPath: string) => ({ name, valueFrom: { fieldRef: { fieldPath } } });
  const probe = (periodSeconds: number, failureThreshold: number) => ({
    httpGet: { path: '/healthz/ready', port: PORTS.status, scheme: 'HTTP' },
    periodSeconds,
    timeoutSeconds: 3,
    failureThreshold,
  });
  return {
    name: 'istio-proxy',
    image,
    args: [
      'proxy',
      'sidecar',
      '--domain',
      '$(POD_NAMESPACE).svc.cluster.local',
      '--proxyLogLevel=warning',
      '--proxyComponentLogLevel=misc:error',
      '--log_output_level=default:info',
    ],
    ports: [{ name: 'http-envoy-prom', containerPort: PORTS.prometheus, protocol: 'TCP' }],
    env: [
      { name: 'PILOT_CERT_PROVIDER', value: 'istiod' },
      { name: 'CA_ADDR', value: 'istiod.istio-system.svc:15012' },
      field('POD_NAME', 'metadata.name'),
      field('POD_NAMESPACE', 'metadata.namespace'),
      field('INSTANCE_IP', 'status.podIP'),
      field('SERVICE_ACCOUNT', 'spec.serviceAccountName'),
      field('HOST_IP', 'status.hostIP'),
      { name: 'ISTIO_META_APP_CONTAINERS', value: applications.join(',') },
    ],
    resources: RESOURCES,
    startupProbe: probe(1, 600),
    readinessProbe: probe(15, 4),
    securityContext: {
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      privileged: false,
      readOnlyRootFilesystem: true,
      runAsGroup: 1337,
      runAsNonRoot: true,
      runAsUser: 1337,
    },
    volumeMounts: [
      { name: 'workload-socket', mountPath: '/var/run/secrets/workload-spiffe-uds' },
      { name: 'credential-socket', mountPath: '/var/run/secrets/credential-uds' },
      { name: 'workload-certs', mountPath: '/var/run/secrets/workload-spiffe-credentials' },
      { name: 'istio-data', mountPath: '/var/lib/istio/data' },
      { name: 'istio-envoy', mountPath: '/etc/istio/proxy' },
      { name: 'istio-podinfo', mountPath: '/etc/istio/pod' },
    ],
  };
}

function proxyVolumes(): { name: string; [source: string]: unknown }[] {
  const file = (path: string) => ({ path, fieldRef: { fieldPath: `metadata.${path}` } });
  return [
    { name: 'workload-socket', emptyDir: {} },
    { name: 'credential-socket', emptyDir: {} },
    { name: 'workload-certs', emptyDir: {} },
    { name: 'istio-envoy', emptyDir: { medium: 'Memory' } },
    { name: 'istio-data', emptyDir: {} },
    { name: 'istio-podinfo', downwardAPI: { items: [file('labels'), file('annotations')] } },
  ];
}
