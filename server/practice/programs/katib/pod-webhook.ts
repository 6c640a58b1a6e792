// What katib-controller's pod webhook adds to the pod of a trial: the metrics collector beside it, and a shell around the
// training so that what it prints goes into a file both see. Knows the pod and its trial, no cluster.

import type { KubeObject } from '../../../kube/index.ts';
import { LABEL } from './kinds.ts';

const DEFAULT_FILE = '/var/log/katib/metrics.log';
const VOLUME = 'metrics-volume';
const COLLECTOR = 'metrics-logger-and-collector';

export interface CollectorSettings {
  /** Its image, and resources if any. */
  config: any;
  /** `katib-db-manager.kubeflow:6789` */
  database: string;
}

const hasLabels = ({ metadata }: KubeObject, labels: Record<string, string>) =>
  Object.entries(labels).every(([key, value]) => metadata.labels?.[key] === value);

/** Whether this pod is the one of its trial that measures. */
export const isMeasured = (pod: KubeObject, trial: KubeObject): boolean =>
  trial['spec'].metricsCollector.collector.kind !== 'None' &&
  hasLabels(pod, trial['spec'].primaryPodLabels ?? {});

/** The pod as it should be; throws in Katib's words when it cannot be measured. */
export function measuredPod(pod: KubeObject, trial: KubeObject, settings: CollectorSettings): KubeObject {
  const { metricsCollector, objective, primaryContainerName } = trial['spec'];
  const printed = metricsCollector.collector.kind === 'StdOut';
  const file: string = printed ? DEFAULT_FILE : metricsCollector.source.fileSystemPath.path;
  const folder = file.slice(0, file.lastIndexOf('/'));
  const containers: any[] = pod['spec'].containers;
  if (!containers.some(({ name }) => name === primaryContainerName))
    throw new Error(
      `unable to find primary container in mutated pod containers: primary container: ${primaryContainerName}, mutated pod containers: ${JSON.stringify(containers)}`,
    );
  const mount = { name: VOLUME, mountPath: folder };
  const collector = {
    name: COLLECTOR,
    image: settings.config.image,
    args: [
      ...['-t', trial.metadata.name],
      ...['-m', [objective.objectiveMetricName, ...(objective.additionalMetricNames ?? [])].join(';')],
      ...['-o-type', objective.type],
      ...['-s-db', settings.database],
      ...['-path', file],
      ...['-format', metricsCollector.source?.fileSystemPath?.format ?? 'TEXT'],
    ],
    resources: settings.config.resources ?? {},
    volumeMounts: [mount],
  };
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      labels: { ...pod.metadata.labels, ...trial.metadata.labels, [LABEL.trial]: trial.metadata.name },
    },
    spec: {
      ...pod['spec'],
      shareProcessNamespace: true,
      containers: [
        ...containers.map(container =>
          container.name === primaryContainerName
            ? {
                ...container,
                ...wrapped(container, printed ? ` 1>${file} 2>&1` : '', folder),
                env: [
                  ...(container.env ?? []),
                  {
                    name: 'KATIB_TRIAL_NAME',
                    valueFrom: { fieldRef: { fieldPath: `metadata.labels['${LABEL.trial}']` } },
                  },
                ],
                volumeMounts: [...(container.volumeMounts ?? []), mount],
              }
            : container,
        ),
        collector,
      ],
      volumes: [...(pod['spec'].volumes ?? []), { name: VOLUME, emptyDir: {} }],
    },
  };
}

/** The command in a shell that writes what it prints into a file, and a mark when it has ended well. */
function wrapped({ command, args = [], image }: any, redirect: string, folder: string) {
  if (!command)
    throw new Error(
      `Failed to get container image "${image}" info from registry: this practice cluster reads no image configurations; give the container a command`,
    );
  const words: string[] = [...command, ...args];
  const isShell = (words[0] === 'sh' || words[0] === 'bash') && words[1] === '-c';
  const line = isShell ? words.slice(2) : words;
  // The kubelet makes $$ of $$$$, and the shell its own number of that.
  return {
    command: isShell ? words.slice(0, 2) : ['sh', '-c'],
    args: [`${line.join(' ')}${redirect} && echo completed > ${folder}/$$$$.pid`],
  };
}
