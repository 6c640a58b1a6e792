// A pod as it came out of Istio's injector in the seed's cluster. Knows no cluster and no injector.

import type { KubeObject } from '../../kube/index.ts';
import { variable } from './env-variable.ts';

const PROXY = 'docker.io/istio/proxyv2:1.23.2';
const PROXY_RESOURCES = { limits: { cpu: '2', memory: '1Gi' }, requests: { cpu: '100m', memory: '128Mi' } };

/** What Istio 1.23's injector adds with its default settings to a pod of this workload. */
export function injected(pod: KubeObject, workload: string): KubeObject {
  const first = pod.spec.containers[0].name;
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      labels: {
        ...pod.metadata.labels,
        'security.istio.io/tlsMode': 'istio',
        'service.istio.io/canonical-name': pod.metadata.labels?.['app'] ?? workload,
        'service.istio.io/canonical-revision': 'latest',
      },
      annotations: {
        'istio.io/rev': 'default',
        'kubectl.kubernetes.io/default-container': first,
        'kubectl.kubernetes.io/default-logs-container': first,
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
            ...['-p', '15001', '-z', '15006', '-u', '1337', '-m', 'REDIRECT'],
            ...['-i', '*', '-x', '', '-b', '*', '-d', '15090,15021,15020'],
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
          startupProbe: probe(1, 600),
          readinessProbe: probe(15, 4),
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

const probe = (periodSeconds: number, failureThreshold: number) => ({
  httpGet: { path: '/healthz/ready', port: 15021, scheme: 'HTTP' },
  periodSeconds,
  timeoutSeconds: 3,
  failureThreshold,
});
