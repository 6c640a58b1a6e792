// The definition of SparkApplication, written from its field list: driver and executor each hold most of a pod specification.
// Knows no cluster.

import type { KubeObject } from '../../kube/index.ts';
import {
  AGE,
  column,
  date,
  definition,
  flag,
  int32,
  int64,
  list,
  map,
  oneOf,
  record,
  text,
} from './definition.ts';
import { type JsonSchema, QUANTITY, schemaWriter } from './structural-schema.ts';

const atLeast = (minimum: number): JsonSchema => ({ ...int32, minimum });

export async function sparkApplicationCrd(): Promise<KubeObject> {
  const schemaOf = await schemaWriter();
  const named = record({ name: text, path: text }, ['name', 'path']);
  const container = { ...schemaOf('V1Container'), required: ['name'] };
  /** What driver and executor have in common. */
  const pod: Record<string, JsonSchema> = {
    affinity: schemaOf('V1Affinity'),
    annotations: map(text),
    configMaps: list(named),
    coreLimit: text,
    coreRequest: text,
    cores: atLeast(1),
    dnsConfig: schemaOf('V1PodDNSConfig'),
    env: list(schemaOf('V1EnvVar')),
    envFrom: list(schemaOf('V1EnvFromSource')),
    envSecretKeyRefs: map(record({ key: text, name: text }, ['key', 'name'])),
    envVars: map(text),
    gpu: record({ name: text, quantity: int64 }, ['name', 'quantity']),
    hostAliases: list(schemaOf('V1HostAlias')),
    hostNetwork: flag,
    image: text,
    initContainers: list(container),
    javaOptions: text,
    labels: map(text),
    lifecycle: schemaOf('V1Lifecycle'),
    memory: text,
    memoryLimit: text,
    memoryOverhead: text,
    nodeSelector: map(text),
    podSecurityContext: schemaOf('V1PodSecurityContext'),
    ports: list(
      record({ containerPort: int32, name: text, protocol: text }, ['containerPort', 'name', 'protocol']),
    ),
    priorityClassName: text,
    schedulerName: text,
    secrets: list(record({ name: text, path: text, secretType: text }, ['name', 'path', 'secretType'])),
    securityContext: schemaOf('V1SecurityContext'),
    serviceAccount: text,
    shareProcessNamespace: flag,
    sidecars: list(container),
    template: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    terminationGracePeriodSeconds: int64,
    tolerations: list(schemaOf('V1Toleration')),
    volumeMounts: list(schemaOf('V1VolumeMount')),
  };
  const service = {
    ingressAnnotations: map(text),
    ingressTLS: list(record({ hosts: list(text), secretName: text })),
    ingressURLFormat: text,
    serviceAnnotations: map(text),
    serviceLabels: map(text),
    servicePort: int32,
    servicePortName: text,
    serviceType: text,
  };
  const spec = record(
    {
      arguments: list(text),
      batchScheduler: text,
      batchSchedulerOptions: record({ priorityClassName: text, queue: text, resources: map(QUANTITY) }),
      deps: record(
        Object.fromEntries(
          ['archives', 'excludePackages', 'files', 'jars', 'packages', 'pyFiles', 'repositories'].map(
            name => [name, list(text)],
          ),
        ),
      ),
      driver: record({
        ...pod,
        kubernetesMaster: text,
        podName: { ...text, pattern: '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*' },
        serviceAnnotations: map(text),
        serviceLabels: map(text),
      }),
      driverIngressOptions: list(record(service, ['servicePort', 'servicePortName'])),
      dynamicAllocation: record({
        enabled: flag,
        initialExecutors: int32,
        maxExecutors: int32,
        minExecutors: int32,
        shuffleTrackingEnabled: flag,
        shuffleTrackingTimeout: int64,
      }),
      executor: record({ ...pod, deleteOnTermination: flag, instances: atLeast(1) }),
      failureRetries: int32,
      hadoopConf: map(text),
      hadoopConfigMap: text,
      image: text,
      imagePullPolicy: text,
      imagePullSecrets: list(text),
      mainApplicationFile: text,
      mainClass: text,
      memoryOverheadFactor: text,
      mode: oneOf('cluster', 'client'),
      monitoring: record(
        {
          exposeDriverMetrics: flag,
          exposeExecutorMetrics: flag,
          metricsProperties: text,
          metricsPropertiesFile: text,
          prometheus: record(
            {
              configFile: text,
              configuration: text,
              jmxExporterJar: text,
              port: { ...int32, minimum: 1024, maximum: 49151 },
              portName: text,
            },
            ['jmxExporterJar'],
          ),
        },
        ['exposeDriverMetrics', 'exposeExecutorMetrics'],
      ),
      nodeSelector: map(text),
      proxyUser: text,
      pythonVersion: oneOf('2', '3'),
      restartPolicy: record({
        onFailureRetries: atLeast(0),
        onFailureRetryInterval: { ...int64, minimum: 1 },
        onSubmissionFailureRetries: atLeast(0),
        onSubmissionFailureRetryInterval: { ...int64, minimum: 1 },
        type: oneOf('Never', 'Always', 'OnFailure'),
      }),
      retryInterval: int64,
      sparkConf: map(text),
      sparkConfigMap: text,
      sparkUIOptions: record(service),
      sparkVersion: text,
      suspend: flag,
      timeToLiveSeconds: int64,
      type: oneOf('Java', 'Python', 'Scala', 'R'),
      volumes: list(schemaOf('V1Volume')),
    },
    ['driver', 'executor', 'mainApplicationFile', 'sparkVersion', 'type'],
  );
  const status = record(
    {
      applicationState: record({ errorMessage: text, state: text }, ['state']),
      driverInfo: record({
        podName: text,
        webUIAddress: text,
        webUIIngressAddress: text,
        webUIIngressName: text,
        webUIPort: int32,
        webUIServiceName: text,
      }),
      executionAttempts: int32,
      executorState: map(text),
      lastSubmissionAttemptTime: { ...date, nullable: true },
      sparkApplicationId: text,
      submissionAttempts: int32,
      submissionID: text,
      terminationTime: { ...date, nullable: true },
    },
    ['driverInfo'],
  );
  return definition({
    group: 'sparkoperator.k8s.io',
    kind: 'SparkApplication',
    shortNames: ['sparkapp'],
    versions: [
      {
        name: 'v1beta2',
        columns: [
          column('Suspend', '.spec.suspend', 'boolean'),
          column('Status', '.status.applicationState.state'),
          column('Attempts', '.status.executionAttempts'),
          column('Start', '.status.lastSubmissionAttemptTime'),
          column('Finish', '.status.terminationTime'),
          AGE,
        ],
        spec,
        status,
        needsSpec: true,
      },
    ],
  });
}
