// The pods a driver asks for, as Spark's Kubernetes backend writes them from the driver's settings. Knows no API.

import type { KubeObject, OwnerReference } from '../../../kube/index.ts';
import { BLOCK_PORT, podMemory, RPC_PORT } from './common.ts';

/** Spark's settings: `spark.executor.instances` and the like. */
export type Settings = Record<string, string>;

const CONF = '/opt/spark/conf';
/** What a Python process needs beside the JVM, as a share of the heap. */
const overheadFactor = (settings: Settings): number =>
  Number(settings['spark.kubernetes.memoryOverheadFactor'] ?? 0.1);

/** `spark.kubernetes.executor.label.x` and the like, without what stands before the name. */
export const named = (settings: Settings, prefix: string): Record<string, string> =>
  Object.fromEntries(
    Object.entries(settings)
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, value]) => [key.slice(prefix.length), value]),
  );

const suffixOf = (settings: Settings) => settings['spark.kubernetes.executor.podNameSuffix'] ?? '';
const configName = (settings: Settings) => `spark-exec-${suffixOf(settings)}-conf-map`;

export const executorConfig = (settings: Settings, namespace: string, owner: OwnerReference): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: {
    name: configName(settings),
    namespace,
    labels: { 'spark-app-selector': settings['spark.app.id'] ?? '' },
    ownerReferences: [owner],
  },
  data: { 'spark.kubernetes.namespace': namespace, 'spark.properties': '' },
});

export function executorPod(
  settings: Settings,
  of: { id: string; name: string; driver: KubeObject; owner: OwnerReference },
): KubeObject {
  const { id, name, driver, owner } = of;
  const cores = settings['spark.executor.cores'] ?? '1';
  const memory = settings['spark.executor.memory'] ?? '1g';
  const asked = podMemory(memory, overheadFactor(settings));
  const limit = settings['spark.kubernetes.executor.limit.cores'];
  const field = (key: string, fieldPath: string) => ({ name: key, valueFrom: { fieldRef: { fieldPath } } });
  const app = settings['spark.app.id'] ?? '';
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      // Spark makes a name for pods of the name the program gives itself.
      name: `${name.toLowerCase().replace(/[^a-z0-9]+/g, '-')}-${suffixOf(settings)}-exec-${id}`,
      namespace: driver.metadata.namespace ?? '',
      labels: {
        ...named(settings, 'spark.kubernetes.executor.label.'),
        'spark-app-name': name.toLowerCase().replace(/[^a-z0-9]+/g, '-'),
        'spark-app-selector': app,
        'spark-exec-id': id,
        'spark-exec-resourceprofile-id': '0',
        'spark-role': 'executor',
        'spark-version': settings['spark.app.version'] ?? '',
      },
      ownerReferences: [owner],
    },
    spec: {
      restartPolicy: 'Never',
      ...(settings['spark.kubernetes.authenticate.executor.serviceAccountName'] && {
        serviceAccountName: settings['spark.kubernetes.authenticate.executor.serviceAccountName'],
      }),
      containers: [
        {
          name: 'spark-kubernetes-executor',
          image:
            settings['spark.kubernetes.executor.container.image'] ??
            settings['spark.kubernetes.container.image'],
          imagePullPolicy: settings['spark.kubernetes.container.image.pullPolicy'] ?? 'IfNotPresent',
          args: ['executor'],
          env: [
            {
              name: 'SPARK_DRIVER_URL',
              value: `spark://CoarseGrainedScheduler@${settings['spark.driver.host']}:${settings['spark.driver.port'] ?? RPC_PORT}`,
            },
            { name: 'SPARK_EXECUTOR_CORES', value: cores },
            { name: 'SPARK_EXECUTOR_MEMORY', value: memory },
            { name: 'SPARK_APPLICATION_ID', value: app },
            { name: 'SPARK_CONF_DIR', value: CONF },
            { name: 'SPARK_EXECUTOR_ID', value: id },
            { name: 'SPARK_RESOURCE_PROFILE_ID', value: '0' },
            field('SPARK_EXECUTOR_POD_IP', 'status.podIP'),
            field('SPARK_EXECUTOR_POD_NAME', 'metadata.name'),
          ],
          ports: [{ name: 'blockmanager', containerPort: BLOCK_PORT, protocol: 'TCP' }],
          resources: {
            requests: { cpu: settings['spark.kubernetes.executor.request.cores'] ?? cores, memory: asked },
            limits: { ...(limit && { cpu: limit }), memory: asked },
          },
          volumeMounts: [{ name: 'spark-conf-volume-exec', mountPath: CONF }],
        },
      ],
      volumes: [{ name: 'spark-conf-volume-exec', configMap: { name: configName(settings) } }],
    },
  };
}
