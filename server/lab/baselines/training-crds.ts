// The definitions of the Training Operator's PyTorchJob and of the MPI Operator's MPIJob.

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
  podSpec,
  record,
  text,
} from './definition.ts';
import { type JsonSchema, QUANTITY, schemaWriter } from './structural-schema.ts';

/** What the kinds of this family have in common: a map of roles, each with a pod template. */
function replicaSpecs(pod: JsonSchema): JsonSchema {
  const template = record({
    metadata: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    spec: pod,
  });
  return map(record({ replicas: int32, restartPolicy: text, template }));
}

const runPolicy: JsonSchema = record({
  activeDeadlineSeconds: int64,
  backoffLimit: int32,
  cleanPodPolicy: text,
  managedBy: text,
  schedulingPolicy: record({
    minAvailable: int32,
    minResources: map(QUANTITY),
    priorityClass: text,
    queue: text,
    scheduleTimeoutSeconds: int32,
  }),
  suspend: { default: false, ...flag },
  ttlSecondsAfterFinished: int32,
});

const jobStatus: JsonSchema = record({
  completionTime: date,
  conditions: list(
    record(
      {
        lastTransitionTime: date,
        lastUpdateTime: date,
        message: text,
        reason: text,
        status: text,
        type: text,
      },
      ['status', 'type'],
    ),
  ),
  lastReconcileTime: date,
  replicaStatuses: map(
    record({
      active: int32,
      failed: int32,
      labelSelector: record({
        matchExpressions: list({ type: 'object', 'x-kubernetes-preserve-unknown-fields': true }),
        matchLabels: map(text),
      }),
      selector: text,
      succeeded: int32,
    }),
  ),
  startTime: date,
});

export async function trainingCrds(): Promise<KubeObject[]> {
  const schemaOf = await schemaWriter();
  const open: JsonSchema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  const elasticPolicy = record({
    maxReplicas: int32,
    maxRestarts: int32,
    metrics: list(open),
    minReplicas: int32,
    nProcPerNode: int32,
    rdzvBackend: text,
    rdzvConf: list(record({ key: text, value: text })),
    rdzvHost: text,
    rdzvId: text,
    rdzvPort: int32,
    standalone: flag,
  });
  const pytorchReplicaSpecs = replicaSpecs(podSpec(schemaOf));
  return [
    definition({
      group: 'kubeflow.org',
      kind: 'PyTorchJob',
      versions: [
        {
          name: 'v1',
          columns: [column('State', '.status.conditions[-1:].type'), AGE],
          spec: record({ elasticPolicy, nprocPerNode: text, pytorchReplicaSpecs, runPolicy }, [
            'pytorchReplicaSpecs',
          ]),
          status: jobStatus,
          scale: {
            labelSelectorPath: '.status.replicaStatuses.Worker.selector',
            specReplicasPath: '.spec.pytorchReplicaSpecs.Worker.replicas',
            statusReplicasPath: '.status.replicaStatuses.Worker.active',
          },
        },
      ],
    }),
  ];
}

export async function mpiCrds(): Promise<KubeObject[]> {
  const schemaOf = await schemaWriter();
  const spec = record(
    {
      launcherCreationPolicy: { default: 'AtStartup', ...text },
      mpiImplementation: { default: 'OpenMPI', ...oneOf('OpenMPI', 'Intel', 'MPICH') },
      mpiReplicaSpecs: replicaSpecs(podSpec(schemaOf)),
      runLauncherAsWorker: { default: false, ...flag },
      runPolicy,
      slotsPerWorker: { default: 1, ...int32 },
      sshAuthMountPath: { default: '/root/.ssh', ...text },
    },
    ['mpiReplicaSpecs'],
  );
  return [
    definition({
      group: 'kubeflow.org',
      kind: 'MPIJob',
      versions: [{ name: 'v2beta1', spec, status: jobStatus }],
    }),
  ];
}
