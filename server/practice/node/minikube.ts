// What `minikube start` leaves in a cluster besides the node: CoreDNS, kube-proxy, the storage provisioner, the standard
// storage class and their rights. Data of our own in upstream's shape; knows no kubelet.

import { type ApiClient, type GroupVersionResource, type KubeObject, StatusError } from '../../kube/index.ts';

const core = (resource: string): GroupVersionResource => ({ group: '', version: 'v1', resource });
const apps = (resource: string): GroupVersionResource => ({ group: 'apps', version: 'v1', resource });
const rbac = (resource: string): GroupVersionResource => ({
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  resource,
});
const KUBE_SYSTEM = 'kube-system';
const RBAC_GROUP = 'rbac.authorization.k8s.io';
/** The control plane's own name in the cluster. */
const ENDPOINT = 'control-plane.minikube.internal:8443';

const COREFILE = `.:53 {
    log
    errors
    health {
       lameduck 5s
    }
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
       pods insecure
       fallthrough in-addr.arpa ip6.arpa
       ttl 30
    }
    prometheus :9153
    hosts {
       192.168.49.1 host.minikube.internal
       fallthrough
    }
    forward . /etc/resolv.conf {
       max_concurrent 1000
    }
    cache 30 {
       disable success cluster.local
       disable denial cluster.local
    }
    loop
    reload
    loadbalance
}
`;

type Entry = [GroupVersionResource, KubeObject];

const serviceAccount = (name: string): Entry => [
  core('serviceaccounts'),
  { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace: KUBE_SYSTEM } },
];

const bind = (name: string, role: string, subjects: any[]): Entry => [
  rbac('clusterrolebindings'),
  {
    apiVersion: `${RBAC_GROUP}/v1`,
    kind: 'ClusterRoleBinding',
    metadata: { name },
    roleRef: { apiGroup: RBAC_GROUP, kind: 'ClusterRole', name: role },
    subjects,
  },
];

const account = (name: string) => ({ kind: 'ServiceAccount', name, namespace: KUBE_SYSTEM });
const group = (name: string) => ({ apiGroup: RBAC_GROUP, kind: 'Group', name });

function coreDns(): Entry[] {
  const labels = { 'k8s-app': 'kube-dns' };
  const http = (path: string, port: string, more: object) => ({
    httpGet: { path, port, scheme: 'HTTP' },
    ...more,
  });
  return [
    serviceAccount('coredns'),
    [
      rbac('clusterroles'),
      {
        apiVersion: `${RBAC_GROUP}/v1`,
        kind: 'ClusterRole',
        metadata: { name: 'system:coredns' },
        rules: [
          {
            apiGroups: [''],
            resources: ['endpoints', 'services', 'pods', 'namespaces'],
            verbs: ['list', 'watch'],
          },
          { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list', 'watch'] },
        ],
      },
    ],
    bind('system:coredns', 'system:coredns', [account('coredns')]),
    [
      core('configmaps'),
      {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'coredns', namespace: KUBE_SYSTEM },
        data: { Corefile: COREFILE },
      },
    ],
    [
      core('services'),
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: {
          name: 'kube-dns',
          namespace: KUBE_SYSTEM,
          labels: { ...labels, 'kubernetes.io/cluster-service': 'true', 'kubernetes.io/name': 'CoreDNS' },
          annotations: { 'prometheus.io/port': '9153', 'prometheus.io/scrape': 'true' },
        },
        spec: {
          clusterIP: '10.96.0.10',
          selector: labels,
          ports: [
            { name: 'dns', port: 53, protocol: 'UDP', targetPort: 53 },
            { name: 'dns-tcp', port: 53, protocol: 'TCP', targetPort: 53 },
            { name: 'metrics', port: 9153, protocol: 'TCP', targetPort: 9153 },
          ],
        },
      },
    ],
    [
      apps('deployments'),
      {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'coredns', namespace: KUBE_SYSTEM, labels },
        spec: {
          replicas: 1,
          selector: { matchLabels: labels },
          strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1 } },
          template: {
            metadata: { labels },
            spec: {
              priorityClassName: 'system-cluster-critical',
              serviceAccountName: 'coredns',
              affinity: {
                podAntiAffinity: {
                  preferredDuringSchedulingIgnoredDuringExecution: [
                    {
                      weight: 100,
                      podAffinityTerm: {
                        labelSelector: {
                          matchExpressions: [{ key: 'k8s-app', operator: 'In', values: ['kube-dns'] }],
                        },
                        topologyKey: 'kubernetes.io/hostname',
                      },
                    },
                  ],
                },
              },
              tolerations: [
                { key: 'CriticalAddonsOnly', operator: 'Exists' },
                { key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule' },
              ],
              nodeSelector: { 'kubernetes.io/os': 'linux' },
              dnsPolicy: 'Default',
              containers: [
                {
                  name: 'coredns',
                  image: 'registry.k8s.io/coredns/coredns:v1.14.2',
                  imagePullPolicy: 'IfNotPresent',
                  args: ['-conf', '/etc/coredns/Corefile'],
                  resources: { limits: { memory: '170Mi' }, requests: { cpu: '100m', memory: '70Mi' } },
                  volumeMounts: [{ name: 'config-volume', mountPath: '/etc/coredns', readOnly: true }],
                  ports: [
                    { containerPort: 53, name: 'dns', protocol: 'UDP' },
                    { containerPort: 53, name: 'dns-tcp', protocol: 'TCP' },
                    { containerPort: 9153, name: 'metrics', protocol: 'TCP' },
                    { containerPort: 8080, name: 'liveness-probe', protocol: 'TCP' },
                    { containerPort: 8181, name: 'readiness-probe', protocol: 'TCP' },
                  ],
                  livenessProbe: http('/health', 'liveness-probe', {
                    initialDelaySeconds: 60,
                    timeoutSeconds: 5,
                    failureThreshold: 5,
                  }),
                  readinessProbe: http('/ready', 'readiness-probe', {}),
                  securityContext: {
                    allowPrivilegeEscalation: false,
                    capabilities: { add: ['NET_BIND_SERVICE'], drop: ['ALL'] },
                    readOnlyRootFilesystem: true,
                  },
                },
              ],
              volumes: [
                {
                  name: 'config-volume',
                  configMap: { name: 'coredns', items: [{ key: 'Corefile', path: 'Corefile' }] },
                },
              ],
            },
          },
        },
      },
    ],
  ];
}

function kubeProxy(): Entry[] {
  const labels = { 'k8s-app': 'kube-proxy' };
  return [
    serviceAccount('kube-proxy'),
    bind('kubeadm:node-proxier', 'system:node-proxier', [account('kube-proxy')]),
    [
      core('configmaps'),
      {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'kube-proxy', namespace: KUBE_SYSTEM, labels: { app: 'kube-proxy' } },
        data: {
          'config.conf':
            'apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\nclusterCIDR: 10.244.0.0/16\nmode: ""\n',
          'kubeconfig.conf': `apiVersion: v1\nkind: Config\nclusters:\n- cluster:\n    certificate-authority: /var/run/secrets/kubernetes.io/serviceaccount/ca.crt\n    server: https://${ENDPOINT}\n  name: default\n`,
        },
      },
    ],
    [
      apps('daemonsets'),
      {
        apiVersion: 'apps/v1',
        kind: 'DaemonSet',
        metadata: { name: 'kube-proxy', namespace: KUBE_SYSTEM, labels },
        spec: {
          selector: { matchLabels: labels },
          updateStrategy: { type: 'RollingUpdate' },
          template: {
            metadata: { labels },
            spec: {
              priorityClassName: 'system-node-critical',
              hostNetwork: true,
              nodeSelector: { 'kubernetes.io/os': 'linux' },
              serviceAccountName: 'kube-proxy',
              tolerations: [{ operator: 'Exists' }],
              containers: [
                {
                  name: 'kube-proxy',
                  image: 'registry.k8s.io/kube-proxy:v1.36.2',
                  imagePullPolicy: 'IfNotPresent',
                  command: [
                    '/usr/local/bin/kube-proxy',
                    '--config=/var/lib/kube-proxy/config.conf',
                    '--hostname-override=$(NODE_NAME)',
                  ],
                  env: [
                    {
                      name: 'NODE_NAME',
                      valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'spec.nodeName' } },
                    },
                  ],
                  securityContext: { privileged: true },
                  volumeMounts: [
                    { name: 'kube-proxy', mountPath: '/var/lib/kube-proxy' },
                    { name: 'xtables-lock', mountPath: '/run/xtables.lock' },
                    { name: 'lib-modules', mountPath: '/lib/modules', readOnly: true },
                  ],
                },
              ],
              volumes: [
                { name: 'kube-proxy', configMap: { name: 'kube-proxy' } },
                { name: 'xtables-lock', hostPath: { path: '/run/xtables.lock', type: 'FileOrCreate' } },
                { name: 'lib-modules', hostPath: { path: '/lib/modules' } },
              ],
            },
          },
        },
      },
    ],
  ];
}

function storage(): Entry[] {
  const addon = { 'addonmanager.kubernetes.io/mode': 'Reconcile' };
  return [
    [
      core('serviceaccounts'),
      {
        apiVersion: 'v1',
        kind: 'ServiceAccount',
        metadata: { name: 'storage-provisioner', namespace: KUBE_SYSTEM, labels: addon },
      },
    ],
    bind('storage-provisioner', 'system:persistent-volume-provisioner', [account('storage-provisioner')]),
    [
      { group: 'storage.k8s.io', version: 'v1', resource: 'storageclasses' },
      {
        apiVersion: 'storage.k8s.io/v1',
        kind: 'StorageClass',
        metadata: {
          name: 'standard',
          labels: { 'addonmanager.kubernetes.io/mode': 'EnsureExists' },
          annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' },
        },
        provisioner: 'k8s.io/minikube-hostpath',
      },
    ],
    [
      core('pods'),
      {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: {
          name: 'storage-provisioner',
          namespace: KUBE_SYSTEM,
          labels: { 'integration-test': 'storage-provisioner', ...addon },
        },
        spec: {
          serviceAccountName: 'storage-provisioner',
          hostNetwork: true,
          containers: [
            {
              name: 'storage-provisioner',
              image: 'gcr.io/k8s-minikube/storage-provisioner:v5',
              imagePullPolicy: 'IfNotPresent',
              command: ['/storage-provisioner'],
              volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }],
            },
          ],
          volumes: [{ name: 'tmp', hostPath: { path: '/tmp', type: 'Directory' } }],
        },
      },
    ],
  ];
}

function rights(): Entry[] {
  return [
    bind('minikube-rbac', 'cluster-admin', [account('default')]),
    bind('kubeadm:cluster-admins', 'cluster-admin', [group('kubeadm:cluster-admins')]),
    [
      rbac('clusterroles'),
      {
        apiVersion: `${RBAC_GROUP}/v1`,
        kind: 'ClusterRole',
        metadata: { name: 'kubeadm:get-nodes' },
        rules: [{ apiGroups: [''], resources: ['nodes'], verbs: ['get'] }],
      },
    ],
    bind('kubeadm:get-nodes', 'kubeadm:get-nodes', [
      group('system:bootstrappers:kubeadm:default-node-token'),
    ]),
  ];
}

function kubeadm(caCert: string): Entry[] {
  const map = (name: string, data: Record<string, string>, namespace = KUBE_SYSTEM): Entry => [
    core('configmaps'),
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data },
  ];
  return [
    map('kubeadm-config', {
      ClusterConfiguration: `apiVersion: kubeadm.k8s.io/v1beta4\nclusterName: mk\ncontrolPlaneEndpoint: ${ENDPOINT}\nkind: ClusterConfiguration\nkubernetesVersion: v1.36.2\nnetworking:\n  dnsDomain: cluster.local\n  podSubnet: 10.244.0.0/16\n  serviceSubnet: 10.96.0.0/12\n`,
    }),
    map('kubelet-config', {
      kubelet:
        'apiVersion: kubelet.config.k8s.io/v1beta1\nclusterDNS:\n- 10.96.0.10\nclusterDomain: cluster.local\nkind: KubeletConfiguration\nstaticPodPath: /etc/kubernetes/manifests\n',
    }),
    map('cluster-info', { kubeconfig: clusterInfo(caCert) }, 'kube-public'),
  ];
}

/** What whoever wants to join may know of the cluster: where it is, and by which authority it is to be recognised. */
const clusterInfo = (caCert: string): string => `apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: ${Buffer.from(caCert).toString('base64')}
    server: https://${ENDPOINT}
  name: ""
contexts: null
current-context: ""
kind: Config
users: null
`;

/** Installs what is not there yet; the node itself registers on its own. Goes on after a failure and rejects with the first. */
export async function installMinikube(client: ApiClient, caCert: string): Promise<void> {
  let failure: unknown;
  for (const [resource, object] of [
    ...kubeadm(caCert),
    ...kubeProxy(),
    ...storage(),
    ...coreDns(),
    ...rights(),
  ]) {
    try {
      await client.create(resource, object);
    } catch (error) {
      if (!(error instanceof StatusError) || error.code !== 409) failure ??= error;
    }
  }
  if (failure) throw failure;
}
