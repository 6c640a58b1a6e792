// The definitions of KServe's kinds, written from their field lists. InferenceService is as large as upstream's for the same
// reason: it holds a whole pod specification several times over. Knows no cluster.

import type { KubeObject } from '../../kube/index.ts';
import { type JsonSchema, QUANTITY, schemaWriter } from './structural-schema.ts';

const GROUP = 'serving.kserve.io';
const text: JsonSchema = { type: 'string' };
const integer: JsonSchema = { type: 'integer' };
const count: JsonSchema = { format: 'int64', type: 'integer' };
const flag: JsonSchema = { type: 'boolean' };
const map = (value: JsonSchema): JsonSchema => ({ additionalProperties: value, type: 'object' });
const list = (items: JsonSchema): JsonSchema => ({ items, type: 'array' });
const record = (properties: Record<string, JsonSchema>, required: string[] = []): JsonSchema => ({
  properties,
  ...(required.length > 0 && { required }),
  type: 'object',
});

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

const column = (name: string, jsonPath: string, type = 'string') => ({ jsonPath, name, type });
const AGE = column('Age', '.metadata.creationTimestamp', 'date');
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
    canaryTrafficPercent: count,
    containerConcurrency: count,
    deploymentStrategy: schemaOf('V1DeploymentStrategy'),
    labels: map(text),
    logger: record({
      metadataAnnotations: list(text),
      metadataHeaders: list(text),
      mode: { enum: ['all', 'request', 'response'], type: 'string' },
      url: text,
    }),
    maxReplicas: { format: 'int32', type: 'integer' },
    minReplicas: { format: 'int32', type: 'integer' },
    scaleMetric: { enum: ['cpu', 'memory', 'concurrency', 'rps'], type: 'string' },
    scaleTarget: { format: 'int32', type: 'integer' },
    timeout: count,
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

  return definition('InferenceService', 'Namespaced', ['isvc'], {
    name: 'v1beta1',
    additionalPrinterColumns: [
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
    percent: count,
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
        time: { format: 'date-time', type: 'string' },
      }),
      states: record({ activeModelState: text, targetModelState: text }),
      transitionStatus: { default: 'UpToDate', type: 'string' },
    }),
    observedGeneration: count,
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
  const simple = (kind: string, scope: string, shortNames: string[], columns?: object[]) =>
    definition(kind, scope, shortNames, {
      name: 'v1alpha1',
      ...(columns && { additionalPrinterColumns: columns }),
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

interface Version {
  name: string;
  additionalPrinterColumns?: object[];
  spec: JsonSchema;
  status: JsonSchema;
}

function definition(kind: string, scope: string, shortNames: string[], version: Version): KubeObject {
  const singular = kind.toLowerCase();
  const plural = `${singular}s`;
  const { name, additionalPrinterColumns, spec, status } = version;
  const openAPIV3Schema = record({
    apiVersion: text,
    kind: text,
    metadata: { type: 'object' },
    spec,
    status,
  });
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: `${plural}.${GROUP}`,
      labels: { app: 'kserve', 'app.kubernetes.io/name': 'kserve' },
    },
    spec: {
      group: GROUP,
      names: {
        kind,
        listKind: `${kind}List`,
        plural,
        ...(shortNames.length > 0 && { shortNames }),
        singular,
      },
      scope,
      versions: [
        {
          ...(additionalPrinterColumns && { additionalPrinterColumns }),
          name,
          schema: { openAPIV3Schema },
          served: true,
          storage: true,
          subresources: { status: {} },
        },
      ],
    },
  };
}
