// What katib-controller's webhooks say of an Experiment: the defaults they add, and every fault they find, in Katib's words.
// Knows the object and the configuration, no cluster.

import { isDeepStrictEqual } from 'node:util';
import type { KubeObject } from '../../../kube/index.ts';
import type { KatibConfig } from './config.ts';
import { DISTRIBUTIONS, PARAMETER_TYPES } from './messages.ts';
import { PLACEHOLDERS, placeholder } from './template.ts';
import { CONDITION } from './trial.ts';

const DEFAULT_PARALLEL = 3;
const NAME = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;
const NAME_LENGTH = 40;
const CONDITIONS: Record<string, [success: string, failure: string]> = {
  Job: ['Complete', 'Failed'],
  TrainJob: ['Complete', 'Failed'],
  MPIJob: ['Succeeded', 'Failed'],
  PyTorchJob: ['Succeeded', 'Failed'],
  TFJob: ['Succeeded', 'Failed'],
  XGBoostJob: ['Succeeded', 'Failed'],
};
const MASTER = { 'training.kubeflow.org/job-role': 'master' };
const condition = (type: string) => `status.conditions.#(type=="${type}")#|#(status=="True")#`;

/** The spec with what its writer left out. */
export function defaulted({ spec }: KubeObject): any {
  const next = structuredClone(spec ?? {});
  next.parallelTrialCount ??= DEFAULT_PARALLEL;
  next.resumePolicy ??= 'Never';
  if (next.objective) {
    const { objectiveMetricName, additionalMetricNames = [], type } = next.objective;
    const known: any[] = next.objective.metricStrategies ?? [];
    const value = type === 'maximize' ? 'max' : 'min';
    next.objective.metricStrategies = [objectiveMetricName, ...additionalMetricNames].map(
      name => known.find(strategy => strategy.name === name) ?? { name, value },
    );
  }
  for (const parameter of next.parameters ?? [])
    if (parameter.feasibleSpace && !parameter.feasibleSpace.list)
      parameter.feasibleSpace.distribution ??= 'uniform';
  const template = next.trialTemplate;
  const kind: string | undefined = template?.trialSpec?.kind;
  const [success, failure] = (kind && CONDITIONS[kind]) || [];
  if (success && failure) {
    template.successCondition ??= condition(success);
    template.failureCondition ??= condition(failure);
  }
  if (kind && success === 'Succeeded') template.primaryPodLabels ??= MASTER;
  next.metricsCollectorSpec ??= {};
  next.metricsCollectorSpec.collector ??= { kind: 'StdOut' };
  return next;
}

/** `field: Invalid value: VALUE: why`, as Go's field errors print. */
const invalid = (field: string, value: unknown, why: string) =>
  `${field}: Invalid value: ${JSON.stringify(value)}: ${why}`;
const required = (field: string, why: string) => `${field}: Required value: ${why}`;
const quotedList = (items: any[]) => `[${items.map(item => `{${Object.values(item).join(' ')}}`).join(' ')}]`;

/** Every fault of a new or changed Experiment; `old` is how it was. */
export function faultsOf(experiment: KubeObject, old: KubeObject | undefined, config: KatibConfig): string[] {
  const { spec = {}, metadata } = experiment;
  const faults: string[] = [];
  if (!NAME.test(metadata.name) || metadata.name.length > NAME_LENGTH)
    faults.push(
      invalid(
        'metadata.name',
        metadata.name,
        "name must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name', or 'abc-123', regex used for validation is '^[a-z]([-a-z0-9]*[a-z0-9])?$)' and may not be longer than 40 characters. ",
      ),
    );
  faults.push(...countFaults(spec));
  if (old) faults.push(...editFaults(experiment, old));
  const { objective, algorithm } = spec;
  if (!objective) return [...faults, required('spec.objective', 'must be specified')];
  if (objective.type !== 'minimize' && objective.type !== 'maximize')
    faults.push(invalid('spec.objective.type', objective.type ?? '', 'must be minimize or maximize'));
  if (!objective.objectiveMetricName)
    faults.push(required('spec.objective.objectiveMetricName', 'must be specified'));
  if (!algorithm) faults.push(required('spec.algorithm', 'must be specified'));
  else if (!config.suggestions[algorithm.algorithmName]) {
    const name = algorithm.algorithmName ?? '';
    if (!name) faults.push(required('spec.algorithm.algorithmName', 'must be specified'));
    faults.push(
      invalid(
        'spec.algorithm.algorithmName',
        name,
        `unable to get Suggestion config data for algorithm ${name}: failed to find suggestion config for algorithm: ${name} in ConfigMap: katib-config`,
      ),
    );
  }
  if (!['Never', 'LongRunning', 'FromVolume'].includes(spec.resumePolicy))
    faults.push(invalid('spec.resumePolicy', spec.resumePolicy, 'invalid ResumePolicyType'));
  faults.push(...templateFaults(spec));
  if (!spec.parameters?.length && !spec.nasConfig)
    faults.push(required('spec', 'spec.parameters or spec.nasConfig must be specified'));
  faults.push(...parameterFaults(spec.parameters ?? []));
  const collector = spec.metricsCollectorSpec?.collector?.kind;
  if (collector !== 'None' && !config.metricsCollectors[collector])
    faults.push(
      invalid(
        'spec.metricsCollectorSpec.collector.kind',
        collector,
        `GetMetricsCollectorConfigData failed: failed to find metrics collector config for kind: ${collector} in ConfigMap: katib-config`,
      ),
    );
  return [...faults, ...beyond(spec)];
}

/** What Katib can do and this cluster cannot is refused, not passed over. */
function beyond(spec: any): string[] {
  const here = 'is not supported in this practice cluster';
  const conditions = [spec.trialTemplate?.successCondition, spec.trialTemplate?.failureCondition];
  return [
    ...(spec.resumePolicy === 'FromVolume' ? [invalid('spec.resumePolicy', 'FromVolume', here)] : []),
    ...(spec.earlyStopping ? [`spec.earlyStopping: Forbidden: ${here}`] : []),
    ...(spec.nasConfig ? [`spec.nasConfig: Forbidden: ${here}`] : []),
    ...(spec.trialTemplate?.configMap ? [`spec.trialTemplate.configMap: Forbidden: ${here}`] : []),
    ...conditions
      .filter(text => text && !CONDITION.test(text))
      .map(text => invalid('spec.trialTemplate', text, here)),
  ];
}

function countFaults({
  maxFailedTrialCount: failed,
  maxTrialCount: max,
  parallelTrialCount: parallel,
}: any): string[] {
  const faults: string[] = [];
  if (failed < 0) faults.push(invalid('spec.maxFailedTrialCount', failed, 'should not be less than 0'));
  if (max <= 0) faults.push(invalid('spec.maxTrialCount', max, 'must be greater than 0'));
  if (parallel <= 0) faults.push(invalid('spec.parallelTrialCount', parallel, 'must be greater than 0'));
  const atMost = 'should be less than or equal to spec.maxTrialCount';
  if (failed > max) faults.push(invalid('spec.maxFailedTrialCount', failed, atMost));
  if (parallel > max) faults.push(invalid('spec.parallelTrialCount', parallel, atMost));
  return faults;
}

function editFaults({ spec }: KubeObject, old: KubeObject): string[] {
  if (isDeepStrictEqual(spec, old['spec'])) return [];
  const faults: string[] = [];
  const ended = (old['status']?.conditions ?? []).find(
    ({ type, status }: any) => ['Succeeded', 'Failed'].includes(type) && status === 'True',
  );
  const restartable =
    ended?.reason === 'ExperimentMaxTrialsReached' &&
    ['LongRunning', 'FromVolume'].includes(old['spec'].resumePolicy);
  if (ended && !restartable)
    faults.push(
      invalid(
        'spec.resumePolicy',
        spec.resumePolicy,
        'Experiment can be restarted if it is in succeeded state by reaching max trials and spec.resumePolicy = LongRunning or spec.resumePolicy = FromVolume, when experiment is completed',
      ),
    );
  if (spec.maxTrialCount <= (old['status']?.trials ?? 0))
    faults.push(
      invalid('spec.maxTrialCount', spec.maxTrialCount, 'must be greater than status.trials count'),
    );
  const { maxFailedTrialCount, maxTrialCount, parallelTrialCount } = spec;
  const counts = { maxFailedTrialCount, maxTrialCount, parallelTrialCount };
  if (!isDeepStrictEqual({ ...spec, ...counts }, { ...old['spec'], ...counts }))
    faults.push(
      'spec: Forbidden: only spec.parallelTrialCount, spec.maxTrialCount and spec.maxFailedTrialCount are editable',
    );
  return faults;
}

function parameterFaults(parameters: any[]): string[] {
  return parameters.flatMap(({ parameterType: type, feasibleSpace: space = {} }, index) => {
    const at = `spec.parameters[${index}]`;
    const faults: string[] = [];
    if (!PARAMETER_TYPES.slice(1).includes(type))
      faults.push(invalid(`${at}.parameterType`, type, `parameterType: ${type} is not supported`));
    if (space.distribution && !DISTRIBUTIONS.includes(space.distribution))
      faults.push(
        invalid(
          `${at}.feasibleSpace.distribution`,
          space.distribution,
          `distribution: ${space.distribution} is not supported`,
        ),
      );
    const { max, min, step, list } = space;
    if (!max && !min && !step && !list)
      return [...faults, required(`${at}.feasibleSpace`, 'feasibleSpace must be specified')];
    if (type === 'double' || type === 'int') {
      if (list)
        faults.push(
          invalid(
            `${at}.feasibleSpace.list`,
            list,
            `feasibleSpace.list is not supported for parameterType: ${type}`,
          ),
        );
      if (!max || !min)
        faults.push(
          required(
            `${at}.feasibleSpace.max`,
            `feasibleSpace.max or feasibleSpace.min must be specified for parameterType: ${type}`,
          ),
        );
    } else if (max || min || step)
      faults.push(
        invalid(
          `${at}.feasibleSpace`,
          space,
          `feasibleSpace .max, .min and .step is not supported for parameterType: ${type}`,
        ),
      );
    return faults;
  });
}

function templateFaults({ trialTemplate: template, parameters = [] }: any): string[] {
  const at = 'spec.trialTemplate';
  if (!template) return [required(at, 'must be specified')];
  const faults: string[] = [];
  if (!template.primaryContainerName)
    faults.push(required(`${at}.primaryContainerName`, 'must be specified'));
  if (!template.successCondition || !template.failureCondition)
    faults.push(required(at, 'successCondition and failureCondition must be specified'));
  if (!template.trialParameters) return [...faults, required(`${at}.trialParameters`, 'must be specified')];
  if (!template.trialSpec && !template.configMap)
    return [
      ...faults,
      required(
        `${at}.TrialSource`,
        'spec.trialTemplate.trialSpec or spec.trialTemplate.configMap must be specified',
      ),
    ];
  if (!template.trialSpec) return faults;
  let text = JSON.stringify(template.trialSpec);
  const names = new Set(parameters.map(({ name }: any) => name));
  for (const [index, { name, reference }] of template.trialParameters.entries()) {
    const where = `${at}.trialParameters[${index}]`;
    if (!name || !reference || /[{}]/.test(name)) {
      faults.push(
        invalid(where, '', "name and reference must be specified and name must not contain '{' or '}'"),
      );
      continue;
    }
    if (names.size > 0 && !names.has(reference))
      faults.push(
        invalid(
          `${where}.reference`,
          reference,
          `parameter reference ${reference} does not exist in spec.parameters: ${quotedList(parameters.map((p: any) => ({ name: p.name, type: p.parameterType })))}`,
        ),
      );
    if (!text.includes(placeholder(name)))
      return [
        ...faults,
        invalid(
          `${where}.name`,
          name,
          `parameter name: ${name} in spec.trialParameters not found in spec.trialTemplate: ${text}`,
        ),
      ];
    text = text.replaceAll(placeholder(name), 'test-value');
  }
  const left = text.match(PLACEHOLDERS);
  if (left)
    faults.push(
      invalid(
        at,
        '',
        `parameters: [${left.join(' ')}] in spec.trialTemplate not found in spec.trialParameters: ${quotedList(template.trialParameters)}`,
      ),
    );
  const { metadata, apiVersion, kind } = template.trialSpec;
  if (metadata?.name || metadata?.namespace)
    faults.push(
      invalid(at, '', 'metadata.name and metadata.namespace in spec.trialTemplate must be omitted'),
    );
  if (!apiVersion || !kind)
    faults.push(required(at, 'APIVersion and Kind in spec.trialTemplate must be specified'));
  return faults;
}
