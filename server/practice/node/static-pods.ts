// The control plane of a minikube node as the API shows it: mirror pods of the kubelet's static pods. Knows their specs
// as data, and how to keep the mirrors in the API.

import { createHash } from 'node:crypto';
import type { Clock } from '../../clock.ts';
import { type ApiClient, type KubeObject, StatusError } from '../../kube/index.ts';
import { PODS } from './resources.ts';

const CERTS = '/var/lib/minikube/certs';
const hostPath = (name: string, path: string, type = 'DirectoryOrCreate') => ({
  name,
  hostPath: { path, type },
});

interface StaticPod {
  name: string;
  image: string;
  command: string[];
  requests: Record<string, string>;
  port: { name: string; number: number };
  probeHost: 'node' | 'local';
  scheme: 'HTTP' | 'HTTPS';
  volumes: { name: string; hostPath: { path: string; type: string } }[];
  mounts: { name: string; mountPath: string; readOnly?: boolean }[];
  annotations?: (hostIP: string) => Record<string, string>;
  livez: string;
  readyz: string;
}

const staticPods = (hostIP: string): StaticPod[] => [
  {
    name: 'etcd',
    image: 'registry.k8s.io/etcd:3.6.8-0',
    command: [
      'etcd',
      `--advertise-client-urls=https://${hostIP}:2379`,
      `--cert-file=${CERTS}/etcd/server.crt`,
      '--client-cert-auth=true',
      '--data-dir=/var/lib/minikube/etcd',
      `--listen-client-urls=https://127.0.0.1:2379,https://${hostIP}:2379`,
      '--listen-metrics-urls=http://127.0.0.1:2381',
      '--name=minikube',
    ],
    requests: { cpu: '100m', memory: '100Mi' },
    port: { name: 'probe-port', number: 2381 },
    probeHost: 'local',
    scheme: 'HTTP',
    volumes: [hostPath('etcd-certs', `${CERTS}/etcd`), hostPath('etcd-data', '/var/lib/minikube/etcd')],
    mounts: [
      { name: 'etcd-data', mountPath: '/var/lib/minikube/etcd' },
      { name: 'etcd-certs', mountPath: `${CERTS}/etcd` },
    ],
    annotations: ip => ({ 'kubeadm.kubernetes.io/etcd.advertise-client-urls': `https://${ip}:2379` }),
    livez: '/livez',
    readyz: '/readyz',
  },
  {
    name: 'kube-apiserver',
    image: 'registry.k8s.io/kube-apiserver:v1.36.2',
    command: [
      'kube-apiserver',
      `--advertise-address=${hostIP}`,
      '--allow-privileged=true',
      '--authorization-mode=Node,RBAC',
      `--client-ca-file=${CERTS}/ca.crt`,
      '--enable-admission-plugins=NamespaceLifecycle,LimitRanger,ServiceAccount,DefaultStorageClass,DefaultTolerationSeconds,NodeRestriction,MutatingAdmissionWebhook,ValidatingAdmissionWebhook,ResourceQuota',
      '--etcd-servers=https://127.0.0.1:2379',
      '--secure-port=8443',
      '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
      '--service-cluster-ip-range=10.96.0.0/12',
    ],
    requests: { cpu: '250m' },
    port: { name: 'probe-port', number: 8443 },
    probeHost: 'node',
    scheme: 'HTTPS',
    volumes: [hostPath('ca-certs', '/etc/ssl/certs'), hostPath('k8s-certs', CERTS)],
    mounts: [
      { name: 'ca-certs', mountPath: '/etc/ssl/certs', readOnly: true },
      { name: 'k8s-certs', mountPath: CERTS, readOnly: true },
    ],
    annotations: ip => ({ 'kubeadm.kubernetes.io/kube-apiserver.advertise-address.endpoint': `${ip}:8443` }),
    livez: '/livez',
    readyz: '/readyz',
  },
  {
    name: 'kube-controller-manager',
    image: 'registry.k8s.io/kube-controller-manager:v1.36.2',
    command: [
      'kube-controller-manager',
      '--allocate-node-cidrs=true',
      '--bind-address=127.0.0.1',
      '--cluster-cidr=10.244.0.0/16',
      '--cluster-name=mk',
      '--controllers=*,bootstrapsigner,tokencleaner',
      '--leader-elect=false',
      '--service-cluster-ip-range=10.96.0.0/12',
      '--use-service-account-credentials=true',
    ],
    requests: { cpu: '200m' },
    port: { name: 'probe-port', number: 10257 },
    probeHost: 'local',
    scheme: 'HTTPS',
    volumes: [hostPath('ca-certs', '/etc/ssl/certs'), hostPath('k8s-certs', CERTS)],
    mounts: [
      { name: 'ca-certs', mountPath: '/etc/ssl/certs', readOnly: true },
      { name: 'k8s-certs', mountPath: CERTS, readOnly: true },
    ],
    livez: '/healthz',
    readyz: '/healthz',
  },
  {
    name: 'kube-scheduler',
    image: 'registry.k8s.io/kube-scheduler:v1.36.2',
    command: [
      'kube-scheduler',
      '--bind-address=127.0.0.1',
      '--kubeconfig=/etc/kubernetes/scheduler.conf',
      '--leader-elect=false',
    ],
    requests: { cpu: '100m' },
    port: { name: 'probe-port', number: 10259 },
    probeHost: 'local',
    scheme: 'HTTPS',
    volumes: [hostPath('kubeconfig', '/etc/kubernetes/scheduler.conf', 'FileOrCreate')],
    mounts: [{ name: 'kubeconfig', mountPath: '/etc/kubernetes/scheduler.conf', readOnly: true }],
    livez: '/livez',
    readyz: '/readyz',
  },
];

function mirror(pod: StaticPod, node: KubeObject, hostIP: string, now: number): KubeObject {
  const hash = createHash('md5').update(JSON.stringify(pod)).digest('hex');
  const host = pod.probeHost === 'node' ? hostIP : '127.0.0.1';
  const probe = (path: string, numbers: Record<string, number>) => ({
    httpGet: { host, path, port: pod.port.name, scheme: pod.scheme },
    timeoutSeconds: 15,
    ...numbers,
  });
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `${pod.name}-${node.metadata.name}`,
      namespace: 'kube-system',
      labels: { component: pod.name, tier: 'control-plane' },
      annotations: {
        ...pod.annotations?.(hostIP),
        'kubernetes.io/config.hash': hash,
        'kubernetes.io/config.mirror': hash,
        'kubernetes.io/config.seen': `${new Date(now).toISOString().slice(0, 19)}.000000000Z`,
        'kubernetes.io/config.source': 'file',
      },
      ownerReferences: [
        {
          apiVersion: 'v1',
          kind: 'Node',
          name: node.metadata.name,
          uid: node.metadata.uid!,
          controller: true,
        },
      ],
    },
    spec: {
      containers: [
        {
          name: pod.name,
          image: pod.image,
          imagePullPolicy: 'IfNotPresent',
          command: pod.command,
          ports: [
            {
              name: pod.port.name,
              containerPort: pod.port.number,
              hostPort: pod.port.number,
              protocol: 'TCP',
            },
          ],
          resources: { requests: pod.requests },
          startupProbe: probe(pod.livez, { initialDelaySeconds: 1, periodSeconds: 10, failureThreshold: 24 }),
          livenessProbe: probe(pod.livez, {
            initialDelaySeconds: 10,
            periodSeconds: 10,
            failureThreshold: 8,
          }),
          readinessProbe: probe(pod.readyz, { periodSeconds: 10, failureThreshold: 3 }),
          volumeMounts: pod.mounts,
        },
      ],
      volumes: pod.volumes,
      hostNetwork: true,
      nodeName: node.metadata.name,
      priorityClassName: 'system-node-critical',
      enableServiceLinks: true,
      securityContext: { seccompProfile: { type: 'RuntimeDefault' } },
      tolerations: [{ effect: 'NoExecute', operator: 'Exists' }],
    },
  };
}

export class StaticPods {
  private readonly services: { client: ApiClient; clock: Clock; nodeName: string; hostIP: string };

  constructor(services: { client: ApiClient; clock: Clock; nodeName: string; hostIP: string }) {
    this.services = services;
  }

  /** Makes the mirror pods that are not in the API. */
  async ensure(node: KubeObject): Promise<void> {
    const { client, clock, hostIP } = this.services;
    for (const pod of staticPods(hostIP)) {
      try {
        await client.create(PODS, mirror(pod, node, hostIP, clock.now()));
      } catch (error) {
        if (!(error instanceof StatusError) || error.code !== 409) throw error;
      }
    }
  }
}
