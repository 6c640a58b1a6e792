// spark-submit in cluster mode, as the operator runs it in its own pod: writes a driver's pod with its settings and its address.
// Everything is asked of the API under the operator's account.

import type { ApiClient, KubeObject, OwnerReference } from '../../../kube/index.ts';
import type { Random } from '../../../random.ts';
import { controlledBy } from '../operator/index.ts';
import { BLOCK_PORT, hex, podMemory, RPC_PORT, UI_PORT } from './common.ts';
import type { Settings } from './executor-pod.ts';

const PODS = { group: '', version: 'v1', resource: 'pods' };
const SERVICES = { group: '', version: 'v1', resource: 'services' };
const CONFIG_MAPS = { group: '', version: 'v1', resource: 'configmaps' };
const CONF = '/opt/spark/conf';
const OWN = 'sparkoperator.k8s.io';
const PYTHON_OVERHEAD = 0.4;
const JVM_OVERHEAD = 0.1;

export const LABEL = {
  app: `${OWN}/app-name`,
  submission: `${OWN}/submission-id`,
  launched: `${OWN}/launched-by-spark-operator`,
  role: 'spark-role',
};

export const driverName = ({ metadata, spec }: KubeObject & { spec?: any }): string =>
  spec.driver.podName ?? `${metadata.name}-driver`;

/** Creates what a driver needs; rejects with the API's refusal. */
export async function submit(
  api: ApiClient,
  application: KubeObject,
  submission: string,
  random: Random,
): Promise<void> {
  const id = hex(random, 16);
  const { namespace = '', name } = application.metadata;
  const settings = settingsOf(application, submission, id, random);
  const pod = await api.create(PODS, driverPod(application, settings, id));
  const owner = controlledBy({ ...pod, apiVersion: 'v1', kind: 'Pod' });
  const meta = (of: string): KubeObject['metadata'] => ({
    name: of,
    namespace,
    labels: { 'spark-app-selector': settings['spark.app.id'] ?? '' },
    ownerReferences: [owner],
  });
  await api.create(CONFIG_MAPS, configMap(meta(configName(id)), settings));
  await api.create(SERVICES, driverService(meta(`${name}-${id}-driver-svc`), settings));
}

const configName = (id: string) => `spark-drv-${id}-conf-map`;

/** What spark-submit is told and what it adds. */
function settingsOf(
  { metadata, spec }: KubeObject & { spec?: any },
  submission: string,
  id: string,
  random: Random,
): Settings {
  const { name, namespace = '' } = metadata;
  const { driver, executor } = spec;
  const labels = (role: 'driver' | 'executor', more: Record<string, string> = {}): Settings =>
    Object.fromEntries(
      Object.entries({
        ...more,
        [LABEL.app]: name,
        [LABEL.launched]: 'true',
        [`${OWN}/mutated-by-spark-operator`]: 'true',
        [LABEL.submission]: submission,
      }).map(([key, value]) => [`spark.kubernetes.${role}.label.${key}`, value]),
    );
  const factor = spec.memoryOverheadFactor ?? (spec.type === 'Python' ? PYTHON_OVERHEAD : JVM_OVERHEAD);
  return {
    ...spec.sparkConf,
    ...labels('driver', driver.labels),
    ...labels('executor', executor.labels),
    'spark.app.id': `spark-${hex(random, 32)}`,
    'spark.app.name': name,
    'spark.app.version': spec.sparkVersion,
    'spark.driver.cores': String(driver.cores ?? 1),
    'spark.driver.host': `${name}-${id}-driver-svc.${namespace}.svc`,
    'spark.driver.memory': driver.memory ?? '1g',
    'spark.driver.port': String(RPC_PORT),
    'spark.executor.cores': String(executor.cores ?? 1),
    'spark.executor.instances': String(executor.instances ?? 1),
    'spark.executor.memory': executor.memory ?? '1g',
    'spark.kubernetes.container.image': spec.image ?? '',
    'spark.kubernetes.container.image.pullPolicy': spec.imagePullPolicy ?? 'IfNotPresent',
    'spark.kubernetes.driver.pod.name': driver.podName ?? `${name}-driver`,
    'spark.kubernetes.executor.podNameSuffix': hex(random, 16),
    'spark.kubernetes.memoryOverheadFactor': String(factor),
    'spark.kubernetes.namespace': namespace,
    ...(driver.image && { 'spark.kubernetes.driver.container.image': driver.image }),
    ...(executor.image && { 'spark.kubernetes.executor.container.image': executor.image }),
    ...(executor.coreRequest && { 'spark.kubernetes.executor.request.cores': executor.coreRequest }),
    ...(executor.coreLimit && { 'spark.kubernetes.executor.limit.cores': executor.coreLimit }),
    ...(executor.serviceAccount && {
      'spark.kubernetes.authenticate.executor.serviceAccountName': executor.serviceAccount,
    }),
    ...(driver.serviceAccount && {
      'spark.kubernetes.authenticate.driver.serviceAccountName': driver.serviceAccount,
    }),
  };
}

function driverPod(application: KubeObject & { spec?: any }, settings: Settings, id: string): KubeObject {
  const { metadata, spec } = application;
  const { driver } = spec;
  const memory = podMemory(
    settings['spark.driver.memory'] ?? '1g',
    Number(settings['spark.kubernetes.memoryOverheadFactor']),
  );
  const isPython = spec.type === 'Python';
  const local = `/var/data/spark-${id}`;
  const owner: OwnerReference = controlledBy(application);
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: driverName(application),
      namespace: metadata.namespace ?? '',
      labels: {
        ...driver.labels,
        [LABEL.app]: metadata.name,
        [LABEL.launched]: 'true',
        [`${OWN}/mutated-by-spark-operator`]: 'true',
        [LABEL.submission]: settings[`spark.kubernetes.driver.label.${LABEL.submission}`] ?? '',
        'spark-app-name': metadata.name,
        'spark-app-selector': settings['spark.app.id'] ?? '',
        [LABEL.role]: 'driver',
        'spark-version': spec.sparkVersion,
      },
      ...(driver.annotations && { annotations: driver.annotations }),
      ownerReferences: [owner],
    },
    spec: {
      restartPolicy: 'Never',
      serviceAccountName: driver.serviceAccount ?? 'default',
      ...(spec.nodeSelector && { nodeSelector: spec.nodeSelector }),
      ...(driver.tolerations && { tolerations: driver.tolerations }),
      containers: [
        {
          name: 'spark-kubernetes-driver',
          image: driver.image ?? spec.image,
          imagePullPolicy: spec.imagePullPolicy ?? 'IfNotPresent',
          args: [
            'driver',
            '--properties-file',
            `${CONF}/spark.properties`,
            '--class',
            isPython ? 'org.apache.spark.deploy.PythonRunner' : (spec.mainClass ?? ''),
            spec.mainApplicationFile ?? '',
            ...(spec.arguments ?? []),
          ],
          env: [
            { name: 'SPARK_USER', value: 'spark' },
            { name: 'SPARK_APPLICATION_ID', value: settings['spark.app.id'] },
            { name: 'SPARK_DRIVER_BIND_ADDRESS', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
            { name: 'SPARK_LOCAL_DIRS', value: local },
            { name: 'SPARK_CONF_DIR', value: CONF },
            ...(driver.env ?? []),
          ],
          ports: [
            { name: 'driver-rpc-port', containerPort: RPC_PORT, protocol: 'TCP' },
            { name: 'blockmanager', containerPort: BLOCK_PORT, protocol: 'TCP' },
            { name: 'spark-ui', containerPort: UI_PORT, protocol: 'TCP' },
          ],
          resources: {
            requests: { cpu: driver.coreRequest ?? settings['spark.driver.cores'], memory },
            limits: { ...(driver.coreLimit && { cpu: driver.coreLimit }), memory },
          },
          ...(driver.securityContext && { securityContext: driver.securityContext }),
          volumeMounts: [
            { name: 'spark-local-dir-1', mountPath: local },
            { name: 'spark-conf-volume-driver', mountPath: CONF },
          ],
        },
      ],
      volumes: [
        { name: 'spark-local-dir-1', emptyDir: {} },
        { name: 'spark-conf-volume-driver', configMap: { name: configName(id) } },
      ],
    },
  };
}

const configMap = (metadata: KubeObject['metadata'], settings: Settings): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata,
  data: {
    'spark.kubernetes.namespace': settings['spark.kubernetes.namespace'] ?? '',
    'spark.properties': [
      `#Java properties built from Kubernetes config map with name: ${metadata.name}`,
      ...Object.entries(settings)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, value]) => `${key}=${value.replaceAll(':', '\\:')}`),
      '',
    ].join('\n'),
  },
});

function driverService(metadata: KubeObject['metadata'], settings: Settings): KubeObject {
  const port = (name: string, number: number) => ({
    name,
    port: number,
    targetPort: number,
    protocol: 'TCP',
  });
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata,
    spec: {
      clusterIP: 'None',
      selector: {
        'spark-app-selector': settings['spark.app.id'] ?? '',
        [LABEL.role]: 'driver',
        [LABEL.launched]: 'true',
      },
      ports: [port('driver-rpc-port', RPC_PORT), port('blockmanager', BLOCK_PORT), port('spark-ui', UI_PORT)],
    },
  };
}
