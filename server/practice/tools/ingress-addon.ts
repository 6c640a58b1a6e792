// What enabling minikube's ingress add-on applies. Data only.

const NAME = 'ingress-nginx';
const CONTROLLER = `${NAME}-controller`;
const RBAC = 'rbac.authorization.k8s.io';
const LEADER = `${NAME}-leader`;
const common = { 'app.kubernetes.io/name': NAME, 'app.kubernetes.io/instance': NAME };
const labels = { ...common, 'app.kubernetes.io/component': 'controller' };

/** In the order in which minikube names them. */
export const INGRESS_IMAGES = ['registry.k8s.io/ingress-nginx/controller:v1.14.3'] as const;

const READ = ['get', 'list', 'watch'];
const rule = (apiGroups: string[], resources: string[], verbs: string[], more = {}) => ({
  apiGroups,
  resources,
  verbs,
  ...more,
});
/** What it needs both everywhere and in its own namespace. */
const SHARED = [
  rule([''], ['services'], READ),
  rule(['networking.k8s.io'], ['ingresses'], READ),
  rule(['networking.k8s.io'], ['ingresses/status'], ['update']),
  rule(['networking.k8s.io'], ['ingressclasses'], READ),
  rule([''], ['events'], ['create', 'patch']),
  rule(['discovery.k8s.io'], ['endpointslices'], READ),
];
const subjects = [{ kind: 'ServiceAccount', name: NAME, namespace: NAME }];
const own = { name: NAME, namespace: NAME, labels };
const probe = (failureThreshold: number) => ({
  httpGet: { path: '/healthz', port: 10_254, scheme: 'HTTP' },
  initialDelaySeconds: 10,
  periodSeconds: 10,
  timeoutSeconds: 1,
  successThreshold: 1,
  failureThreshold,
});
const fromField = (name: string, fieldPath: string) => ({ name, valueFrom: { fieldRef: { fieldPath } } });
const configMap = (name: string, data?: Record<string, string>) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: NAME, labels },
  ...(data && { data }),
});

/** Ports 80 and 443 of the node are the controller's; Ingresses without a class are its own as well. */
export const INGRESS: readonly object[] = [
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAME, labels: common } },
  { apiVersion: 'v1', kind: 'ServiceAccount', metadata: own, automountServiceAccountToken: true },
  configMap(CONTROLLER, { hsts: 'false' }),
  configMap('tcp-services'),
  configMap('udp-services'),
  {
    apiVersion: `${RBAC}/v1`,
    kind: 'ClusterRole',
    metadata: { name: NAME, labels: common },
    rules: [
      rule([''], ['configmaps', 'endpoints', 'nodes', 'pods', 'secrets', 'namespaces'], ['list', 'watch']),
      rule(['coordination.k8s.io'], ['leases'], ['list', 'watch']),
      rule([''], ['nodes'], ['get']),
      ...SHARED,
    ],
  },
  {
    apiVersion: `${RBAC}/v1`,
    kind: 'ClusterRoleBinding',
    metadata: { name: NAME, labels: common },
    roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: NAME },
    subjects,
  },
  {
    apiVersion: `${RBAC}/v1`,
    kind: 'Role',
    metadata: own,
    rules: [
      rule([''], ['namespaces'], ['get']),
      rule([''], ['configmaps', 'pods', 'secrets', 'endpoints'], READ),
      rule(['coordination.k8s.io'], ['leases'], ['get', 'update'], { resourceNames: [LEADER] }),
      rule(['coordination.k8s.io'], ['leases'], ['create']),
      ...SHARED,
    ],
  },
  {
    apiVersion: `${RBAC}/v1`,
    kind: 'RoleBinding',
    metadata: own,
    roleRef: { apiGroup: RBAC, kind: 'Role', name: NAME },
    subjects,
  },
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: CONTROLLER, namespace: NAME, labels },
    spec: {
      type: 'NodePort',
      selector: labels,
      ports: ['http', 'https'].map(name => ({
        name,
        port: name === 'http' ? 80 : 443,
        protocol: 'TCP',
        targetPort: name,
        appProtocol: name,
      })),
    },
  },
  {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: CONTROLLER, namespace: NAME, labels },
    spec: {
      selector: { matchLabels: labels },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1 } },
      template: {
        metadata: { labels: { ...labels, 'gcp-auth-skip-secret': 'true' } },
        spec: {
          serviceAccountName: NAME,
          // Two of them cannot hold the node's ports: the old one makes room at once.
          terminationGracePeriodSeconds: 0,
          nodeSelector: { 'kubernetes.io/os': 'linux', 'minikube.k8s.io/primary': 'true' },
          tolerations: [{ key: 'node-role.kubernetes.io/master', operator: 'Equal', effect: 'NoSchedule' }],
          containers: [
            {
              name: 'controller',
              image: INGRESS_IMAGES[0],
              imagePullPolicy: 'IfNotPresent',
              args: [
                '/nginx-ingress-controller',
                `--election-id=${LEADER}`,
                '--controller-class=k8s.io/ingress-nginx',
                '--watch-ingress-without-class=true',
                `--configmap=$(POD_NAMESPACE)/${CONTROLLER}`,
                '--tcp-services-configmap=$(POD_NAMESPACE)/tcp-services',
                '--udp-services-configmap=$(POD_NAMESPACE)/udp-services',
              ],
              env: [
                fromField('POD_NAME', 'metadata.name'),
                fromField('POD_NAMESPACE', 'metadata.namespace'),
                { name: 'LD_PRELOAD', value: '/usr/local/lib/libmimalloc.so' },
              ],
              ports: [
                { name: 'http', containerPort: 80, hostPort: 80, protocol: 'TCP' },
                { name: 'https', containerPort: 443, hostPort: 443, protocol: 'TCP' },
              ],
              livenessProbe: probe(5),
              readinessProbe: probe(3),
              lifecycle: { preStop: { exec: { command: ['/wait-shutdown'] } } },
              resources: { requests: { cpu: '100m', memory: '90Mi' } },
              securityContext: {
                runAsUser: 101,
                allowPrivilegeEscalation: true,
                capabilities: { drop: ['ALL'], add: ['NET_BIND_SERVICE'] },
              },
            },
          ],
        },
      },
    },
  },
  {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IngressClass',
    metadata: {
      name: 'nginx',
      labels,
      annotations: { 'ingressclass.kubernetes.io/is-default-class': 'true' },
    },
    spec: { controller: 'k8s.io/ingress-nginx' },
  },
];
