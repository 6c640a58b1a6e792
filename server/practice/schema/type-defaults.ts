// Upstream's defaulting functions (pkg/apis/*/v1/defaults.go) as rows: one a type, run wherever that type occurs.
// Knows only the object in hand.

type Row = (object: any) => void;

const CORE = 'io.k8s.api.core.v1';
const APPS = 'io.k8s.api.apps.v1';
const BATCH = 'io.k8s.api.batch.v1';
const NETWORKING = 'io.k8s.api.networking.v1';
const RBAC = 'io.k8s.api.rbac.v1';
const STORAGE = 'io.k8s.api.storage.v1';
const ADMISSION = 'io.k8s.api.admissionregistration.v1';
const APIEXTENSIONS = 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1';
const FLOWCONTROL = 'io.k8s.api.flowcontrol.v1';
const RBAC_GROUP = 'rbac.authorization.k8s.io';

/** Sets fields that are absent; objects are given as functions of nothing so that no two share one. */
const fill =
  (fields: Record<string, unknown>): Row =>
  object => {
    for (const key of Object.keys(fields)) {
      if (object[key] !== undefined && object[key] !== null) continue;
      const value = fields[key];
      object[key] = typeof value === 'object' ? structuredClone(value) : value;
    }
  };

/** `Always` for the tag `latest` or none, else `IfNotPresent`; a digest is a fixed image. */
function defaultPullPolicy(image: string): string {
  if (image.includes('@')) return 'IfNotPresent';
  const name = image.slice(image.lastIndexOf('/') + 1);
  const colon = name.indexOf(':');
  const tag = colon < 0 ? 'latest' : name.slice(colon + 1);
  return tag === 'latest' ? 'Always' : 'IfNotPresent';
}

const container: Row = c => {
  if (!c.imagePullPolicy) c.imagePullPolicy = defaultPullPolicy(c.image ?? '');
  if (!c.terminationMessagePath) c.terminationMessagePath = '/dev/termination-log';
  if (!c.terminationMessagePolicy) c.terminationMessagePolicy = 'File';
};

const defaultMode = fill({ defaultMode: 420 });

const VOLUME_SOURCES_IGNORED = new Set(['name']);

const webhook = (mutating: boolean): Row =>
  fill({
    failurePolicy: 'Fail',
    matchPolicy: 'Equivalent',
    namespaceSelector: {},
    objectSelector: {},
    timeoutSeconds: 10,
    ...(mutating ? { reinvocationPolicy: 'Never' } : {}),
  });

const scalingRules = (rules: any, defaults: Record<string, unknown>) => {
  fill(defaults)(rules);
  return rules;
};

export const TYPE_DEFAULTS: Record<string, Row> = {
  [`${CORE}.PodSpec`]: spec => {
    fill({
      dnsPolicy: 'ClusterFirst',
      restartPolicy: 'Always',
      securityContext: {},
      terminationGracePeriodSeconds: 30,
      schedulerName: 'default-scheduler',
    })(spec);
    // The old name of the field lives on as a copy, both ways.
    if (spec.serviceAccountName) spec.serviceAccount = spec.serviceAccountName;
    else if (spec.serviceAccount) spec.serviceAccountName = spec.serviceAccount;
  },
  [`${CORE}.Container`]: container,
  [`${CORE}.EphemeralContainer`]: container,
  [`${CORE}.Probe`]: probe => {
    for (const [key, value] of Object.entries({
      timeoutSeconds: 1,
      periodSeconds: 10,
      successThreshold: 1,
      failureThreshold: 3,
    }))
      if (!probe[key]) probe[key] = value;
    if (probe.grpc && probe.grpc.service === undefined) probe.grpc.service = '';
  },
  [`${CORE}.HTTPGetAction`]: action => {
    if (!action.path) action.path = '/';
    if (!action.scheme) action.scheme = 'HTTP';
  },
  [`${CORE}.Volume`]: volume => {
    if (!Object.keys(volume).some(key => !VOLUME_SOURCES_IGNORED.has(key))) volume.emptyDir = {};
  },
  [`${CORE}.SecretVolumeSource`]: defaultMode,
  [`${CORE}.ConfigMapVolumeSource`]: defaultMode,
  [`${CORE}.DownwardAPIVolumeSource`]: defaultMode,
  [`${CORE}.ProjectedVolumeSource`]: defaultMode,
  [`${CORE}.ServiceAccountTokenProjection`]: fill({ expirationSeconds: 3600 }),
  [`${CORE}.ObjectFieldSelector`]: fill({ apiVersion: 'v1' }),
  [`${CORE}.HostPathVolumeSource`]: fill({ type: '' }),
  [`${CORE}.ServiceSpec`]: spec => {
    fill({ sessionAffinity: 'None', type: 'ClusterIP' })(spec);
    if (spec.sessionAffinity === 'None') delete spec.sessionAffinityConfig;
    if (spec.sessionAffinity === 'ClientIP') {
      spec.sessionAffinityConfig ??= {};
      spec.sessionAffinityConfig.clientIP ??= {};
      spec.sessionAffinityConfig.clientIP.timeoutSeconds ??= 10800;
    }
    for (const port of spec.ports ?? []) {
      port.protocol ||= 'TCP';
      if (port.targetPort === undefined || port.targetPort === 0 || port.targetPort === '')
        port.targetPort = port.port;
    }
    const loadBalancer = spec.type === 'LoadBalancer';
    const external =
      loadBalancer || spec.type === 'NodePort' || (spec.type === 'ClusterIP' && spec.externalIPs?.length > 0);
    if (external) spec.externalTrafficPolicy ||= 'Cluster';
    if (spec.type !== 'ExternalName') spec.internalTrafficPolicy ??= 'Cluster';
    if (loadBalancer) spec.allocateLoadBalancerNodePorts ??= true;
  },
  [`${CORE}.EndpointPort`]: fill({ protocol: 'TCP' }),
  [`${CORE}.Secret`]: secret => {
    if (!secret.type) secret.type = 'Opaque';
  },
  [`${CORE}.PersistentVolumeSpec`]: fill({
    persistentVolumeReclaimPolicy: 'Retain',
    volumeMode: 'Filesystem',
  }),
  [`${CORE}.PersistentVolumeClaimSpec`]: fill({ volumeMode: 'Filesystem' }),
  [`${CORE}.PersistentVolume`]: volume => {
    volume.status ??= {};
    volume.status.phase ||= 'Pending';
  },
  [`${CORE}.PersistentVolumeClaim`]: claim => {
    claim.status ??= {};
    claim.status.phase ||= 'Pending';
  },
  [`${CORE}.NamespaceStatus`]: status => {
    status.phase ||= 'Active';
  },
  [`${CORE}.NodeStatus`]: status => {
    if (!status.allocatable && status.capacity) status.allocatable = { ...status.capacity };
  },
  [`${CORE}.LimitRangeItem`]: item => {
    if (item.type !== 'Container') return;
    if (item.max) item.default = { ...item.max, ...item.default };
    if (item.default) item.defaultRequest = { ...item.default, ...item.defaultRequest };
    if (item.min) item.defaultRequest = { ...item.min, ...item.defaultRequest };
  },
  [`${CORE}.ReplicationController`]: controller => {
    const labels = controller.spec?.template?.metadata?.labels;
    if (labels && Object.keys(labels).length > 0) {
      if (!controller.spec.selector) controller.spec.selector = { ...labels };
      controller.metadata ??= {};
      if (!controller.metadata.labels) controller.metadata.labels = { ...labels };
    }
    controller.spec ??= {};
    controller.spec.replicas ??= 1;
  },

  [`${APPS}.DeploymentSpec`]: spec => {
    fill({ replicas: 1, revisionHistoryLimit: 10, progressDeadlineSeconds: 600, strategy: {} })(spec);
    spec.strategy.type ||= 'RollingUpdate';
    if (spec.strategy.type === 'RollingUpdate') {
      spec.strategy.rollingUpdate ??= {};
      fill({ maxUnavailable: '25%', maxSurge: '25%' })(spec.strategy.rollingUpdate);
    }
  },
  [`${APPS}.ReplicaSetSpec`]: fill({ replicas: 1 }),
  [`${APPS}.StatefulSetSpec`]: spec => {
    fill({
      replicas: 1,
      revisionHistoryLimit: 10,
      updateStrategy: {},
      persistentVolumeClaimRetentionPolicy: {},
    })(spec);
    spec.podManagementPolicy ||= 'OrderedReady';
    spec.updateStrategy.type ||= 'RollingUpdate';
    if (spec.updateStrategy.type === 'RollingUpdate') {
      spec.updateStrategy.rollingUpdate ??= {};
      spec.updateStrategy.rollingUpdate.partition ??= 0;
    }
    fill({ whenDeleted: 'Retain', whenScaled: 'Retain' })(spec.persistentVolumeClaimRetentionPolicy);
    for (const template of spec.volumeClaimTemplates ?? []) {
      template.apiVersion ||= 'v1';
      template.kind ||= 'PersistentVolumeClaim';
    }
  },
  [`${APPS}.DaemonSetSpec`]: spec => {
    fill({ revisionHistoryLimit: 10, updateStrategy: {} })(spec);
    spec.updateStrategy.type ||= 'RollingUpdate';
    if (spec.updateStrategy.type === 'RollingUpdate') {
      spec.updateStrategy.rollingUpdate ??= {};
      fill({ maxUnavailable: 1, maxSurge: 0 })(spec.updateStrategy.rollingUpdate);
    }
  },

  [`${BATCH}.JobSpec`]: spec => {
    if (spec.completions === undefined && spec.parallelism === undefined) spec.completions = 1;
    spec.parallelism ??= 1;
    spec.backoffLimit ??= spec.backoffLimitPerIndex === undefined ? 6 : 2147483647;
    fill({ completionMode: 'NonIndexed', suspend: false, manualSelector: false })(spec);
    spec.podReplacementPolicy ??= spec.podFailurePolicy ? 'Failed' : 'TerminatingOrFailed';
    for (const rule of spec.podFailurePolicy?.rules ?? [])
      for (const pattern of rule.onPodConditions ?? []) pattern.status ||= 'True';
  },
  [`${BATCH}.Job`]: job => {
    const labels = job.spec?.template?.metadata?.labels;
    if (labels && !job.metadata?.labels) job.metadata = { ...job.metadata, labels: { ...labels } };
  },
  [`${BATCH}.CronJobSpec`]: spec => {
    spec.concurrencyPolicy ||= 'Allow';
    fill({ suspend: false, successfulJobsHistoryLimit: 3, failedJobsHistoryLimit: 1 })(spec);
  },

  'io.k8s.api.autoscaling.v1.HorizontalPodAutoscalerSpec': fill({ minReplicas: 1 }),
  'io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerSpec': spec => {
    fill({ minReplicas: 1 })(spec);
    if (!spec.metrics?.length)
      spec.metrics = [
        {
          type: 'Resource',
          resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } },
        },
      ];
    if (spec.behavior) {
      spec.behavior.scaleUp = scalingRules(spec.behavior.scaleUp ?? {}, {
        stabilizationWindowSeconds: 0,
        selectPolicy: 'Max',
        policies: [
          { type: 'Pods', value: 4, periodSeconds: 15 },
          { type: 'Percent', value: 100, periodSeconds: 15 },
        ],
      });
      spec.behavior.scaleDown = scalingRules(spec.behavior.scaleDown ?? {}, {
        selectPolicy: 'Max',
        policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }],
      });
    }
  },

  [`${NETWORKING}.NetworkPolicySpec`]: spec => {
    if (!spec.policyTypes?.length)
      spec.policyTypes = spec.egress?.length > 0 ? ['Ingress', 'Egress'] : ['Ingress'];
  },
  [`${NETWORKING}.NetworkPolicyPort`]: fill({ protocol: 'TCP' }),
  [`${NETWORKING}.IngressClassParametersReference`]: fill({ scope: 'Cluster' }),
  'io.k8s.api.discovery.v1.EndpointPort': fill({ name: '', protocol: 'TCP' }),

  [`${RBAC}.RoleRef`]: ref => {
    ref.apiGroup ||= RBAC_GROUP;
  },
  [`${RBAC}.Subject`]: subject => {
    if (!subject.apiGroup && (subject.kind === 'User' || subject.kind === 'Group'))
      subject.apiGroup = RBAC_GROUP;
  },

  [`${STORAGE}.StorageClass`]: fill({ reclaimPolicy: 'Delete', volumeBindingMode: 'Immediate' }),
  [`${STORAGE}.CSIDriverSpec`]: spec => {
    fill({
      attachRequired: true,
      podInfoOnMount: false,
      storageCapacity: false,
      fsGroupPolicy: 'ReadWriteOnceWithFSType',
      requiresRepublish: false,
      seLinuxMount: false,
    })(spec);
    if (!spec.volumeLifecycleModes?.length) spec.volumeLifecycleModes = ['Persistent'];
  },
  'io.k8s.api.scheduling.v1.PriorityClass': fill({ preemptionPolicy: 'PreemptLowerPriority' }),

  [`${ADMISSION}.MutatingWebhook`]: webhook(true),
  [`${ADMISSION}.ValidatingWebhook`]: webhook(false),
  [`${ADMISSION}.RuleWithOperations`]: fill({ scope: '*' }),
  [`${ADMISSION}.NamedRuleWithOperations`]: fill({ scope: '*' }),
  [`${ADMISSION}.ServiceReference`]: fill({ port: 443 }),
  [`${ADMISSION}.ValidatingAdmissionPolicySpec`]: fill({ failurePolicy: 'Fail' }),
  [`${ADMISSION}.MutatingAdmissionPolicySpec`]: fill({ failurePolicy: 'Fail' }),
  [`${ADMISSION}.MatchResources`]: fill({
    matchPolicy: 'Equivalent',
    namespaceSelector: {},
    objectSelector: {},
  }),

  [`${APIEXTENSIONS}.ServiceReference`]: fill({ port: 443 }),
  [`${APIEXTENSIONS}.CustomResourceDefinitionSpec`]: spec => {
    spec.names ??= {};
    if (spec.names.kind) {
      spec.names.singular ||= spec.names.kind.toLowerCase();
      spec.names.listKind ||= `${spec.names.kind}List`;
    }
    spec.conversion ??= { strategy: 'None' };
  },
  'io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.ServiceReference': fill({ port: 443 }),

  [`${FLOWCONTROL}.FlowSchemaSpec`]: spec => {
    if (!spec.matchingPrecedence) spec.matchingPrecedence = 1000;
  },
  [`${FLOWCONTROL}.LimitedPriorityLevelConfiguration`]: limited => {
    fill({ nominalConcurrencyShares: 30, lendablePercent: 0 })(limited);
    limited.limitResponse ??= {};
    limited.limitResponse.type ||= 'Reject';
  },
  [`${FLOWCONTROL}.ExemptPriorityLevelConfiguration`]: fill({
    nominalConcurrencyShares: 0,
    lendablePercent: 0,
  }),
  [`${FLOWCONTROL}.QueuingConfiguration`]: queuing => {
    for (const [key, value] of Object.entries({ handSize: 8, queues: 64, queueLengthLimit: 50 }))
      if (!queuing[key]) queuing[key] = value;
  },

  'io.k8s.api.resource.v1.ExactDeviceRequest': request => {
    request.allocationMode ||= 'ExactCount';
    if (request.allocationMode === 'ExactCount' && !request.count) request.count = 1;
  },
  'io.k8s.api.resource.v1.DeviceSubRequest': request => {
    request.allocationMode ||= 'ExactCount';
    if (request.allocationMode === 'ExactCount' && !request.count) request.count = 1;
  },
};
