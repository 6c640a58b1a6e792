// The resources that controllers watch and write, by name. Knows what exists in an ordinary cluster, not what it means.

import type { GroupVersionResource } from '../../kube/index.ts';
import type { KnownResource } from './types.ts';

const core = (resource: string): GroupVersionResource => ({ group: '', version: 'v1', resource });
const v1 = (group: string, resource: string): GroupVersionResource => ({ group, version: 'v1', resource });

export const CONFIG_MAPS = core('configmaps');
export const ENDPOINTS = core('endpoints');
export const EVENTS = core('events');
const LIMIT_RANGES = core('limitranges');
export const NAMESPACES = core('namespaces');
export const NODES = core('nodes');
export const PERSISTENT_VOLUMES = core('persistentvolumes');
export const PERSISTENT_VOLUME_CLAIMS = core('persistentvolumeclaims');
const POD_TEMPLATES = core('podtemplates');
export const PODS = core('pods');
export const REPLICATION_CONTROLLERS = core('replicationcontrollers');
export const RESOURCE_QUOTAS = core('resourcequotas');
export const SECRETS = core('secrets');
export const SERVICE_ACCOUNTS = core('serviceaccounts');
export const SERVICES = core('services');

export const CONTROLLER_REVISIONS = v1('apps', 'controllerrevisions');
export const DAEMON_SETS = v1('apps', 'daemonsets');
export const DEPLOYMENTS = v1('apps', 'deployments');
export const REPLICA_SETS = v1('apps', 'replicasets');
export const STATEFUL_SETS = v1('apps', 'statefulsets');

export const CRON_JOBS = v1('batch', 'cronjobs');
export const JOBS = v1('batch', 'jobs');

export const HORIZONTAL_POD_AUTOSCALERS: GroupVersionResource = {
  group: 'autoscaling',
  version: 'v2',
  resource: 'horizontalpodautoscalers',
};
export const VALIDATING_ADMISSION_POLICIES = v1(
  'admissionregistration.k8s.io',
  'validatingadmissionpolicies',
);
export const CERTIFICATE_SIGNING_REQUESTS = v1('certificates.k8s.io', 'certificatesigningrequests');
const CLUSTER_ROLE_BINDINGS = v1('rbac.authorization.k8s.io', 'clusterrolebindings');
export const CLUSTER_ROLES = v1('rbac.authorization.k8s.io', 'clusterroles');
export const CUSTOM_RESOURCE_DEFINITIONS = v1('apiextensions.k8s.io', 'customresourcedefinitions');
export const API_SERVICES = v1('apiregistration.k8s.io', 'apiservices');
export const ENDPOINT_SLICES = v1('discovery.k8s.io', 'endpointslices');
export const INGRESSES = v1('networking.k8s.io', 'ingresses');
export const LEASES = v1('coordination.k8s.io', 'leases');
const NETWORK_POLICIES = v1('networking.k8s.io', 'networkpolicies');
export const POD_DISRUPTION_BUDGETS = v1('policy', 'poddisruptionbudgets');
const PRIORITY_CLASSES = v1('scheduling.k8s.io', 'priorityclasses');
const ROLE_BINDINGS = v1('rbac.authorization.k8s.io', 'rolebindings');
export const ROLES = v1('rbac.authorization.k8s.io', 'roles');
export const STORAGE_CLASSES = v1('storage.k8s.io', 'storageclasses');

const namespaced = (resource: GroupVersionResource, kind: string): KnownResource => ({
  resource,
  kind,
  namespaced: true,
});
const global = (resource: GroupVersionResource, kind: string): KnownResource => ({
  resource,
  kind,
  namespaced: false,
});

/** Everything that can be owned, own or be swept away with its namespace, except events (see the namespace controller). */
export const BUILT_IN_RESOURCES: readonly KnownResource[] = [
  namespaced(CONFIG_MAPS, 'ConfigMap'),
  namespaced(ENDPOINTS, 'Endpoints'),
  namespaced(LIMIT_RANGES, 'LimitRange'),
  namespaced(PERSISTENT_VOLUME_CLAIMS, 'PersistentVolumeClaim'),
  namespaced(POD_TEMPLATES, 'PodTemplate'),
  namespaced(PODS, 'Pod'),
  namespaced(REPLICATION_CONTROLLERS, 'ReplicationController'),
  namespaced(RESOURCE_QUOTAS, 'ResourceQuota'),
  namespaced(SECRETS, 'Secret'),
  namespaced(SERVICE_ACCOUNTS, 'ServiceAccount'),
  namespaced(SERVICES, 'Service'),
  namespaced(CONTROLLER_REVISIONS, 'ControllerRevision'),
  namespaced(DAEMON_SETS, 'DaemonSet'),
  namespaced(DEPLOYMENTS, 'Deployment'),
  namespaced(REPLICA_SETS, 'ReplicaSet'),
  namespaced(STATEFUL_SETS, 'StatefulSet'),
  namespaced(CRON_JOBS, 'CronJob'),
  namespaced(JOBS, 'Job'),
  namespaced(HORIZONTAL_POD_AUTOSCALERS, 'HorizontalPodAutoscaler'),
  namespaced(ENDPOINT_SLICES, 'EndpointSlice'),
  namespaced(INGRESSES, 'Ingress'),
  namespaced(NETWORK_POLICIES, 'NetworkPolicy'),
  namespaced(LEASES, 'Lease'),
  namespaced(POD_DISRUPTION_BUDGETS, 'PodDisruptionBudget'),
  namespaced(ROLE_BINDINGS, 'RoleBinding'),
  namespaced(ROLES, 'Role'),
  global(NAMESPACES, 'Namespace'),
  global(NODES, 'Node'),
  global(PERSISTENT_VOLUMES, 'PersistentVolume'),
  global(CLUSTER_ROLE_BINDINGS, 'ClusterRoleBinding'),
  global(CLUSTER_ROLES, 'ClusterRole'),
  global(CUSTOM_RESOURCE_DEFINITIONS, 'CustomResourceDefinition'),
  global(API_SERVICES, 'APIService'),
  global(PRIORITY_CLASSES, 'PriorityClass'),
  global(STORAGE_CLASSES, 'StorageClass'),
  global(CERTIFICATE_SIGNING_REQUESTS, 'CertificateSigningRequest'),
  global(v1('admissionregistration.k8s.io', 'mutatingwebhookconfigurations'), 'MutatingWebhookConfiguration'),
  global(
    v1('admissionregistration.k8s.io', 'validatingwebhookconfigurations'),
    'ValidatingWebhookConfiguration',
  ),
];
