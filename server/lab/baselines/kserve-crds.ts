// The definitions of KServe's kinds, written from their field lists. InferenceService is as large as upstream's for the same
// reason: it holds a whole pod specification several times over. Knows no cluster.

import type { KubeObject } from '../../kube/index.ts';
import {
  AGE,
  type Column,
  column,
  date,
  definition,
  flag,
  int32,
  int64,
  list,
  map,
  record,
  text,
} from './definition.ts';
import { type JsonSchema, QUANTITY, schemaWriter } from './structural-schema.ts';

const GROUP = 'serving.kserve.io';
const integer: JsonSchema = { type: 'integer' };

/** The runtimes of the old style, each a container with a place to load the model from. */
const RUNTIMES = [
  'huggingface',
  'lightgbm',
  'onnx',
  'paddle',
  'pmml',
  'pytorch',
  'sklearn',
  'tensorflow',
  'triton',
  'xgboost',
];

const READY = `.status.conditions[?(@.type=='Ready')].status`;
const traffic = (which: string, field: string) =>
  `.status.components.predictor.traffic[?(@.${which})].${field}`;

/** InferenceService, v1beta1. */
export async function inferenceServiceCrd(): Promise<KubeObject> {
  const schemaOf = await schemaWriter();
  const pod = schemaOf('V1PodSpec')['properties'] as Record<string, JsonSchema>;
  const container = schemaOf('V1Container')['properties'] as Record<string, JsonSchema>;

  const storage = record({ key: text, parameters: map(text), path: text, schemaPath: text });
  const model = { ...container, storage, storageUri: text, runtimeVersion: text };
  const served = record({ ...model, protocolVersion: text });
  const metric = record({ averageUtilization: integer, averageValue: QUANTITY, type: text, value: QUANTITY });
  /** What predictor, explainer and transformer have besides a pod. */
  const component: Record<string, JsonSchema> = {
    annotations: map(text),
    autoScaling: record({
      metrics: list(
        record(
          {
            external: record({
              authenticationRef: record({ authModes: text, name: text }),
              metric: record({ backend: text, namespace: text, query: text, serverAddress: text }),
              target: metric,
            }),
            resource: record({ name: text, target: metric }),
            type: text,
          },
          ['type'],
        ),
      ),
    }),
    batcher: record({ maxBatchSize: integer, maxLatency: integer, timeout: integer }),
    canaryTrafficPercent: int64,
    containerConcurrency: int64,
    deploymentStrategy: schemaOf('V1DeploymentStrategy'),
    labels: map(text),
    logger: record({
      metadataAnnotations: list(text),
      metadataHeaders: list(text),
      mode: { enum: ['all', 'request', 'response'], type: 'string' },
      url: text,
    }),
    maxReplicas: int32,
    minReplicas: int32,
    scaleMetric: { enum: ['cpu', 'memory', 'concurrency', 'rps'], type: 'string' },
    scaleTarget: int32,
    timeout: int64,
  };
  const modelFormat = record({ name: text, version: text }, ['name']);
  const predictor = record({
    ...pod,
    ...component,
    ...Object.fromEntries(RUNTIMES.map(name => [name, served])),
    model: record({ ...model, modelFormat, protocolVersion: text, runtime: text }, ['modelFormat']),
    workerSpec: record({ ...pod, pipelineParallelSize: integer, tensorParallelSize: integer }),
  });
  const art = record({ ...model, config: map(text), type: { enum: ['SquareAttack'], type: 'string' } });

  return kserveKind('InferenceService', 'Namespaced', ['isvc'], {
    name: 'v1beta1',
    columns: [
      column('URL', '.status.url'),
      column('Ready', READY),
      column('Prev', traffic("tag=='prev'", 'percent'), 'integer'),
      column('Latest', traffic('latestRevision==true', 'percent'), 'integer'),
      column('PrevRolledoutRevision', traffic("tag=='prev'", 'revisionName')),
      column('LatestReadyRevision', traffic('latestRevision==true', 'revisionName')),
      AGE,
    ],
    spec: record(
      {
        explainer: record({ ...pod, ...component, art }),
        predictor,
        transformer: record({ ...pod, ...component }),
      },
      ['predictor'],
    ),
    status: inferenceServiceStatus(),
  });
}

function inferenceServiceStatus(): JsonSchema {
  const address = record({ CACerts: text, audience: text, name: text, url: text });
  const condition = record(
    { lastTransitionTime: text, message: text, reason: text, severity: text, status: text, type: text },
    ['status', 'type'],
  );
  const route = record({
    configurationName: text,
    latestRevision: flag,
    percent: int64,
    revisionName: text,
    tag: text,
    url: text,
  });
  const part = record({
    address,
    grpcUrl: text,
    latestCreatedRevision: text,
    latestReadyRevision: text,
    latestRolledoutRevision: text,
    previousRolledoutRevision: text,
    restUrl: text,
    traffic: list(route),
    url: text,
  });
  return record({
    address,
    annotations: map(text),
    components: map(part),
    conditions: list(condition),
    modelStatus: record({
      copies: record({ failedCopies: { default: 0, type: 'integer' }, totalCopies: integer }, [
        'failedCopies',
      ]),
      lastFailureInfo: record({
        exitCode: integer,
        location: text,
        message: text,
        modelRevisionName: text,
        reason: text,
        time: date,
      }),
      states: record({ activeModelState: text, targetModelState: text }),
      transitionStatus: { default: 'UpToDate', type: 'string' },
    }),
    observedGeneration: int64,
    url: text,
  });
}

/** KServe's other kinds. Their inside matters to no lesson, so it is left open. */
export function otherKserveCrds(): KubeObject[] {
  const open = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  const runtime = [
    column('Disabled', '.spec.disabled', 'boolean'),
    column('ModelType', '.spec.supportedModelFormats[*].name'),
    column('Containers', '.spec.containers[*].name'),
    AGE,
  ];
  const withUrl = [column('URL', '.status.url'), column('Ready', READY), AGE];
  const simple = (kind: string, scope: 'Namespaced' | 'Cluster', shortNames: string[], columns?: Column[]) =>
    kserveKind(kind, scope, shortNames, {
      name: 'v1alpha1',
      ...(columns && { columns }),
      spec: open,
      status: open,
    });
  return [
    simple('ClusterLocalModel', 'Cluster', []),
    simple('ClusterServingRuntime', 'Cluster', [], runtime),
    simple('ClusterStorageContainer', 'Cluster', []),
    simple('InferenceGraph', 'Namespaced', ['ig'], withUrl),
    simple('LocalModelNodeGroup', 'Cluster', []),
    simple('ServingRuntime', 'Namespaced', [], runtime),
    simple('TrainedModel', 'Namespaced', ['tm'], withUrl),
  ];
}

/** A kind of KServe's, in its one version. */
function kserveKind(
  kind: string,
  scope: 'Namespaced' | 'Cluster',
  shortNames: string[],
  version: { name: string; columns?: Column[]; spec: JsonSchema; status: JsonSchema },
): KubeObject {
  return definition({
    group: GROUP,
    kind,
    labels: { app: 'kserve', 'app.kubernetes.io/name': 'kserve' },
    ...(shortNames.length > 0 && { shortNames }),
    scope,
    versions: [version],
  });
}
