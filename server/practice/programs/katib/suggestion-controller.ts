// katib-controller's work on a Suggestion: keeps the algorithm's service running, asks it for as many sets of values as the
// experiment wants, and takes it down when the search is over.

import { type KubeObject, timestamp } from '../../../kube/index.ts';
import { NAME_ALPHABET } from '../../../random.ts';
import { GRPC, GrpcError } from '../../network/index.ts';
import {
  type Controller,
  controlledBy,
  createIfAbsent,
  type Operator,
  unlessMissing,
  wordsOf,
  type ZapLog,
} from '../operator/index.ts';
import type { KatibConfig } from './config.ts';
import {
  about,
  DEPLOYMENTS,
  EXPERIMENTS,
  finished,
  isMarked,
  KatibError,
  LABEL,
  type Mark,
  marked,
  marksOf,
  SERVICES,
  SUGGESTIONS,
  saveStatus,
  TRIALS,
} from './kinds.ts';
import {
  call,
  DISTRIBUTIONS,
  getSuggestions,
  type NamedValue,
  OBJECTIVE_TYPES,
  PARAMETER_TYPES,
  validateAlgorithmSettings,
} from './messages.ts';

const LOGGER = 'suggestion-controller';
const PORT = { name: 'suggestion-api', port: 6789 };
const SERVICE = 'manager.v1beta1.Suggestion';

const serviceName = ({ metadata, spec }: KubeObject & { spec?: any }) =>
  `${metadata.name}-${spec.algorithm.algorithmName}`;

const labelsOf = (suggestion: KubeObject) => ({
  ...suggestion.metadata.labels,
  [LABEL.deployment]: serviceName(suggestion),
  [LABEL.experiment]: suggestion.metadata.name,
  [LABEL.suggestion]: suggestion.metadata.name,
  'sidecar.istio.io/inject': 'false',
});

const child = (suggestion: KubeObject) => ({
  name: serviceName(suggestion),
  namespace: suggestion.metadata.namespace ?? '',
  ownerReferences: [controlledBy(suggestion)],
});

const serviceOf = (suggestion: KubeObject): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: child(suggestion),
  spec: { type: 'ClusterIP', selector: labelsOf(suggestion), ports: [{ ...PORT, protocol: 'TCP' }] },
});

function deploymentOf(suggestion: KubeObject, { suggestions }: KatibConfig): KubeObject {
  const algorithm: string = suggestion['spec'].algorithm.algorithmName;
  const configured = suggestions[algorithm];
  if (!configured)
    throw new KatibError(
      `failed to find suggestion config for algorithm: ${algorithm} in ConfigMap: katib-config`,
    );
  const grpc = { port: PORT.port, service: SERVICE };
  const container = {
    name: 'suggestion',
    readinessProbe: { grpc, initialDelaySeconds: 10, periodSeconds: 10 },
    livenessProbe: { grpc, initialDelaySeconds: 10, periodSeconds: 120, failureThreshold: 12 },
    ...configured,
    ports: [...(configured.ports ?? []), { name: PORT.name, containerPort: PORT.port, protocol: 'TCP' }],
  };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      ...child(suggestion),
      ...(suggestion.metadata.labels && { labels: suggestion.metadata.labels }),
    },
    spec: {
      selector: { matchLabels: labelsOf(suggestion) },
      template: { metadata: { labels: labelsOf(suggestion) }, spec: { containers: [container] } },
    },
  };
}

const isAvailable = (deployment: KubeObject): boolean =>
  (deployment['status']?.conditions ?? []).some((c: any) => c.type === 'Available' && c.status === 'True');

export function suggestionController(log: ZapLog, config: KatibConfig): Controller {
  return {
    name: LOGGER,
    for: SUGGESTIONS,
    owns: [DEPLOYMENTS, SERVICES],
    async reconcile(key, operator) {
      const suggestion = operator.get(SUGGESTIONS, key);
      if (!suggestion || suggestion.metadata.deletionTimestamp) return undefined;
      const now = operator.container.clock.now();
      if (isMarked(suggestion, 'Succeeded')) return takeDown(operator, log, suggestion);
      if (isMarked(suggestion, 'Failed')) return undefined;
      const status = { ...suggestion['status'] };
      if (!isMarked(suggestion, 'Created')) {
        status.startTime ??= timestamp(now);
        status.conditions = marked([], 'Created', 'True', 'SuggestionCreated', 'Suggestion is created', now);
        return saveStatus(operator, log, SUGGESTIONS, suggestion, status);
      }
      try {
        await createIfAbsent(operator, SERVICES, serviceOf(suggestion));
        const { object } = await createIfAbsent(operator, DEPLOYMENTS, deploymentOf(suggestion, config));
        const deployment = operator.get(DEPLOYMENTS, object.metadata) ?? object;
        if (!isAvailable(deployment)) {
          const message = 'Deployment is not ready';
          status.conditions = marked(
            marksOf(suggestion),
            'DeploymentReady',
            'False',
            'DeploymentNotReady',
            message,
            now,
          );
          return saveStatus(operator, log, SUGGESTIONS, suggestion, status);
        }
        return saveStatus(
          operator,
          log,
          SUGGESTIONS,
          suggestion,
          await proposed(operator, log, suggestion, now),
        );
      } catch (error) {
        operator.events.record(suggestion, 'Warning', 'ReconcileError', wordsOf(error));
        throw error;
      }
    },
  };
}

/** The status after the service was asked for what is still wanted. */
async function proposed(operator: Operator, log: ZapLog, suggestion: KubeObject, now: number) {
  const { container } = operator;
  const { name, namespace = '' } = suggestion.metadata;
  const status = { ...suggestion['status'] };
  const experiment = await operator.api.get(EXPERIMENTS, { name, namespace });
  const trials = operator
    .list(TRIALS, namespace)
    .filter(trial => trial.metadata.labels?.[LABEL.experiment] === name);
  const address = `${serviceName(suggestion)}.${namespace}:${PORT.port}`;
  const values = { Suggestion: about(suggestion) };
  let marks: Mark[] = marked(
    marksOf(suggestion),
    'DeploymentReady',
    'True',
    'DeploymentReady',
    'Deployment is ready',
    now,
  );
  if (!isMarked(suggestion, 'Running')) {
    try {
      await call(container, address, validateAlgorithmSettings, { experiment: converted(experiment) });
      log.info('suggestion-client', 'Algorithm settings validated', values);
    } catch (error) {
      if (!(error instanceof GrpcError)) throw error;
      if (error.code !== GRPC.invalidArgument && error.code !== GRPC.unknown) throw error;
      const failed = `ValidateAlgorithmSettings Error: ${error.detail}`;
      log.error(LOGGER, 'Marking suggestion failed as algorithm settings validation failed', failed, values);
      return {
        ...status,
        conditions: finished(marks, 'Failed', 'SuggestionFailed', `Validation failed: ${failed}`, now),
      };
    }
    marks = marked(marks, 'Running', 'True', 'SuggestionRunning', 'Suggestion is running', now);
  }
  const known: { name: string; parameterAssignments: NamedValue[] }[] = status.suggestions ?? [];
  const requests: number = suggestion['spec'].requests;
  log.info(LOGGER, 'Sync assignments', {
    ...values,
    'Suggestion Requests': requests,
    'Suggestion Count': known.length,
  });
  const missing = requests - known.length;
  if (missing <= 0) return { ...status, conditions: marks };
  const reply = await call(container, address, getSuggestions, {
    experiment: converted(experiment),
    trials: trials.filter(trial => !isMarked(trial, 'MetricsUnavailable')).map(convertedTrial),
    currentRequestNumber: missing,
    totalRequestNumber: requests,
  });
  const found: { assignments: NamedValue[] }[] = reply.parameterAssignments;
  log.info('suggestion-client', 'Getting suggestions', {
    ...values,
    endpoint: address,
    'Number of current request parameters': missing,
    'Number of response parameters': found.length,
  });
  if (found.length !== missing) throw new KatibError('The response contains unexpected trials');
  const suggestions = [
    ...known,
    ...found.map(({ assignments }) => ({
      name: `${name}-${container.random.text(8, NAME_ALPHABET)}`,
      parameterAssignments: assignments,
    })),
  ];
  return { ...status, conditions: marks, suggestionCount: suggestions.length, suggestions };
}

/** Deletes the service of a search that is over. */
async function takeDown(operator: Operator, log: ZapLog, suggestion: KubeObject): Promise<undefined> {
  const key = { name: serviceName(suggestion), namespace: suggestion.metadata.namespace ?? '' };
  for (const kind of [DEPLOYMENTS, SERVICES]) {
    const found = operator.get(kind, key);
    if (!found || found.metadata.deletionTimestamp) continue;
    log.info(LOGGER, `Deleting Suggestion ${kind.kind}`, { Suggestion: about(suggestion), name: key.name });
    await operator.api.delete(kind, key).catch(unlessMissing);
  }
}

/** An Experiment as the algorithm services are told it. */
function converted({ metadata: { name }, spec }: KubeObject & { spec?: any }) {
  return {
    name,
    spec: {
      parameterSpecs: {
        parameters: (spec.parameters ?? []).map((parameter: any) => ({
          name: parameter.name,
          parameterType: PARAMETER_TYPES.indexOf(parameter.parameterType),
          feasibleSpace: {
            ...parameter.feasibleSpace,
            distribution: Math.max(0, DISTRIBUTIONS.indexOf(parameter.feasibleSpace.distribution ?? '')),
          },
        })),
      },
      objective: objectiveOf(spec.objective),
      algorithm: spec.algorithm,
      parallelTrialCount: spec.parallelTrialCount,
      maxTrialCount: spec.maxTrialCount,
    },
  };
}

const objectiveOf = (objective: any) => ({ ...objective, type: OBJECTIVE_TYPES.indexOf(objective.type) });

function convertedTrial({ metadata: { name }, spec, status }: KubeObject & { spec?: any; status?: any }) {
  const metrics: any[] = status?.observation?.metrics ?? [];
  return {
    name,
    spec: {
      objective: objectiveOf(spec.objective),
      parameterAssignments: { assignments: spec.parameterAssignments },
    },
    status: {
      observation: { metrics: metrics.map(metric => ({ name: metric.name, value: metric.latest })) },
    },
  };
}
