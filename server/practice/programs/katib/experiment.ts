// katib-controller's work on an Experiment: asks its Suggestion for values, makes a Trial of each, counts how they end, and
// says which was the best and when the search is over.

import { isDeepStrictEqual } from 'node:util';
import { type KubeObject, timestamp } from '../../../kube/index.ts';
import { type Controller, controlledBy, type Operator, wordsOf, type ZapLog } from '../operator/index.ts';
import {
  about,
  EXPERIMENTS,
  finished,
  isCompleted,
  isMarked,
  keepFinalizer,
  LABEL,
  type Mark,
  marked,
  marksOf,
  SUGGESTIONS,
  saveStatus,
  TRIALS,
} from './kinds.ts';
import { runSpecOf } from './template.ts';

const FINALIZER = 'update-prometheus-metrics';
const LOGGER = 'experiment-controller';
export const UNAVAILABLE = 'unavailable';

const LISTS = {
  Pending: 'pendingTrialList',
  Running: 'runningTrialList',
  Succeeded: 'succeededTrialList',
  Failed: 'failedTrialList',
  Killed: 'killedTrialList',
  EarlyStopped: 'earlyStoppedTrialList',
  MetricsUnavailable: 'metricsUnavailableTrialList',
} as const;
type Stage = keyof typeof LISTS;
const ENDS: Stage[] = ['Killed', 'Failed', 'Succeeded', 'EarlyStopped', 'MetricsUnavailable', 'Running'];

const stageOf = (trial: KubeObject): Stage => ENDS.find(stage => isMarked(trial, stage)) ?? 'Pending';

/** The value that counts of what a trial measured, by the strategy for its objective. */
function objectiveOf(trial: KubeObject): string {
  const { objectiveMetricName: name, metricStrategies = [] } = trial['spec'].objective;
  const metric = trial['status']?.observation?.metrics?.find((found: any) => found.name === name);
  if (!metric) return UNAVAILABLE;
  const strategy: string = metricStrategies.find((wanted: any) => wanted.name === name)?.value ?? 'latest';
  return metric[strategy] === UNAVAILABLE ? metric.latest : metric[strategy];
}

/** The best trial so far; equal ones: the first. */
function bestOf(
  trials: readonly KubeObject[],
  type: string,
): { trial: KubeObject; value: number } | undefined {
  let best: { trial: KubeObject; value: number } | undefined;
  for (const trial of trials) {
    const value = Number.parseFloat(objectiveOf(trial));
    if (Number.isNaN(value)) continue;
    if (!best || (type === 'minimize' ? value < best.value : value > best.value)) best = { trial, value };
  }
  return best;
}

function summary(experiment: KubeObject, trials: readonly KubeObject[]) {
  const names = (stage: Stage) => trials.filter(trial => stageOf(trial) === stage).map(t => t.metadata.name);
  const by = Object.fromEntries(Object.keys(LISTS).map(stage => [stage, names(stage as Stage)])) as Record<
    Stage,
    string[]
  >;
  const { goal, type } = experiment['spec'].objective;
  const best = bestOf(trials, type);
  const count = (stage: Stage, field: string) => (by[stage].length > 0 ? { [field]: by[stage].length } : {});
  return {
    by,
    reached:
      best !== undefined &&
      goal !== undefined &&
      (type === 'minimize' ? best.value <= goal : best.value >= goal),
    fields: {
      ...(best && {
        currentOptimalTrial: {
          bestTrialName: best.trial.metadata.name,
          observation: best.trial['status'].observation,
          parameterAssignments: best.trial['spec'].parameterAssignments,
        },
      }),
      ...Object.fromEntries(
        Object.entries(LISTS).flatMap(([stage, list]) =>
          by[stage as Stage].length > 0 ? [[list, by[stage as Stage]]] : [],
        ),
      ),
      trials: trials.length,
      ...count('Pending', 'trialsPending'),
      ...count('Running', 'trialsRunning'),
      ...count('Succeeded', 'trialsSucceeded'),
      ...count('Failed', 'trialsFailed'),
      ...count('Killed', 'trialsKilled'),
      ...count('EarlyStopped', 'trialsEarlyStopped'),
      ...count('MetricsUnavailable', 'trialMetricsUnavailable'),
    },
  };
}

export function experimentController(log: ZapLog): Controller {
  return {
    name: LOGGER,
    for: EXPERIMENTS,
    owns: [TRIALS, SUGGESTIONS],
    async reconcile(key, operator) {
      const experiment = operator.get(EXPERIMENTS, key);
      if (!experiment) return undefined;
      if (await keepFinalizer(operator, EXPERIMENTS, experiment, FINALIZER)) return 0;
      if (experiment.metadata.deletionTimestamp) return undefined;
      const now = operator.container.clock.now();
      const status = { ...experiment['status'] };
      if (!isMarked(experiment, 'Created')) {
        status.startTime ??= timestamp(now);
        status.completionTime ??= null;
        status.conditions = marked([], 'Created', 'True', 'ExperimentCreated', 'Experiment is created', now);
        return saveStatus(operator, log, EXPERIMENTS, experiment, status);
      }
      if (isCompleted(experiment) && experiment['spec'].resumePolicy !== 'LongRunning')
        await endSuggestion(operator, log, experiment, now);
      const trials = operator
        .owned(TRIALS, experiment)
        .sort((a, b) => a.metadata.name.localeCompare(b.metadata.name))
        .sort((a, b) =>
          (a.metadata.creationTimestamp ?? '').localeCompare(b.metadata.creationTimestamp ?? ''),
        );
      const { by, reached, fields } = summary(experiment, trials);
      const again = restarts(experiment, trials.length);
      if (again) log.info(LOGGER, 'Experiment is restarting', { Experiment: about(experiment) });
      const before = again
        ? marked(
            marksOf(experiment).filter(({ type }) => type !== 'Succeeded'),
            'Restarting',
            'True',
            'ExperimentRestarting',
            'Experiment is restarted',
            now,
          )
        : marksOf(experiment);
      const counted: Record<string, unknown> = {
        startTime: status.startTime,
        completionTime: again ? null : (status.completionTime ?? null),
        conditions: before,
        ...fields,
      };
      if (trials.length > 0 && (again || !isCompleted(experiment))) {
        const end = endOf(experiment, by, reached);
        const going = before.filter(({ type }) => type !== 'Restarting');
        counted['conditions'] = end
          ? finished(before, end.type, end.reason, end.message, now)
          : again
            ? before
            : marked(going, 'Running', 'True', 'ExperimentRunning', 'Experiment is running', now);
        if (end) {
          counted['completionTime'] = timestamp(now);
          log.info('experiment-status-util', end.message, { Experiment: about(experiment) });
        }
      }
      const over = (counted['conditions'] as Mark[]).some(
        ({ type }) => type === 'Succeeded' || type === 'Failed',
      );
      try {
        if (!over) counted['conditions'] = await askForTrials(operator, log, experiment, trials, by, counted);
      } catch (error) {
        operator.events.record(
          experiment,
          'Warning',
          'ReconcileError',
          `Failed to reconcile: ${wordsOf(error)}`,
        );
        throw error;
      }
      return saveStatus(operator, log, EXPERIMENTS, experiment, counted);
    },
  };
}

/** A search that ended by its number of trials goes on when that number is raised and its service still runs. */
function restarts(experiment: KubeObject, trials: number): boolean {
  const { resumePolicy, maxTrialCount } = experiment['spec'];
  const ended = marksOf(experiment).find(({ type }) => type === 'Succeeded');
  return (
    ended?.reason === 'ExperimentMaxTrialsReached' && resumePolicy === 'LongRunning' && maxTrialCount > trials
  );
}

/** Why the search is over, if it is. */
function endOf({ spec }: KubeObject, by: Record<Stage, string[]>, reached: boolean) {
  const count = (...stages: Stage[]) => stages.reduce((sum, stage) => sum + by[stage].length, 0);
  const { maxFailedTrialCount: maxFailed, maxTrialCount: max } = spec;
  const failed = count('Failed', 'MetricsUnavailable');
  const done = failed + count('Succeeded', 'Killed', 'EarlyStopped');
  const says = (type: string, reason: string, why: string) => ({
    type,
    reason,
    message: `Experiment has ${type.toLowerCase()} because ${why}`,
  });
  if (reached) return says('Succeeded', 'ExperimentGoalReached', 'Objective goal has reached');
  if (maxFailed !== undefined && failed > 0 && failed >= maxFailed)
    return says('Failed', 'ExperimentFailed', 'max failed count has reached');
  if (max !== undefined && done >= max)
    return says('Succeeded', 'ExperimentMaxTrialsReached', 'max trial count has reached');
  return undefined;
}

/** Has as many trials under way as may be; gives the experiment's conditions, which a failed Suggestion changes. */
async function askForTrials(
  operator: Operator,
  log: ZapLog,
  experiment: KubeObject,
  trials: readonly KubeObject[],
  by: Record<Stage, string[]>,
  counted: Record<string, unknown>,
): Promise<Mark[]> {
  const conditions = counted['conditions'] as Mark[];
  const { parallelTrialCount: parallel = 3, maxTrialCount: max } = experiment['spec'];
  const active = by.Pending.length + by.Running.length;
  const completed = trials.length - active;
  const wanted = Math.min(parallel, max === undefined ? parallel : max - completed);
  const add = wanted - active;
  log.info(LOGGER, 'Statistics', {
    Experiment: about(experiment),
    requiredActiveCount: wanted,
    parallelCount: parallel,
    activeCount: active,
    completedCount: completed,
  });
  if (add <= 0) return conditions;
  log.info(LOGGER, 'Reconcile Suggestion', { Experiment: about(experiment), addCount: add });
  const requests = trials.length + add;
  const suggestion = await suggestionOf(operator, log, experiment, requests);
  if (isMarked(suggestion, 'Failed')) {
    const now = operator.container.clock.now();
    return finished(conditions, 'Failed', 'ExperimentFailed', 'Suggestion has failed', now);
  }
  const known = new Set(trials.map(trial => trial.metadata.name));
  const fresh = ((suggestion['status']?.suggestions ?? []) as any[])
    .filter(({ name }) => !known.has(name))
    .slice(0, add);
  for (const assignment of fresh) await operator.api.create(TRIALS, trialOf(experiment, assignment));
  if (fresh.length > 0)
    log.info(LOGGER, 'Created Trials', {
      Experiment: about(experiment),
      trialNames: fresh.map(({ name }) => name),
    });
  return conditions;
}

async function suggestionOf(operator: Operator, log: ZapLog, experiment: KubeObject, requests: number) {
  const { name, namespace = '' } = experiment.metadata;
  const known = operator.get(SUGGESTIONS, { namespace, name });
  if (known?.['spec'].requests === requests) return known;
  if (known) {
    const spec = { ...known['spec'], requests };
    return operator.api.update(SUGGESTIONS, { ...known, spec });
  }
  log.info('suggestion-client', 'Creating suggestion', {
    Experiment: about(experiment),
    name,
    'Suggestion Requests': requests,
  });
  const { algorithm, resumePolicy } = experiment['spec'];
  return operator.api.create(SUGGESTIONS, {
    apiVersion: EXPERIMENTS_API,
    kind: 'Suggestion',
    metadata: { name, namespace, ...labelled(experiment), ownerReferences: [controlledBy(experiment)] },
    spec: { algorithm, requests, resumePolicy },
  });
}

const EXPERIMENTS_API = 'kubeflow.org/v1beta1';
const labelled = ({ metadata: { labels } }: KubeObject) => (labels ? { labels } : {});

function trialOf(experiment: KubeObject, { name, parameterAssignments }: any): KubeObject {
  const { objective, metricsCollectorSpec, trialTemplate } = experiment['spec'];
  const { namespace = '', labels } = experiment.metadata;
  return {
    apiVersion: EXPERIMENTS_API,
    kind: 'Trial',
    metadata: {
      name,
      namespace,
      labels: { ...labels, [LABEL.experiment]: experiment.metadata.name },
      ownerReferences: [controlledBy(experiment)],
    },
    spec: {
      failureCondition: trialTemplate.failureCondition,
      metricsCollector: metricsCollectorSpec,
      objective,
      parameterAssignments,
      primaryContainerName: trialTemplate.primaryContainerName,
      ...(trialTemplate.primaryPodLabels && { primaryPodLabels: trialTemplate.primaryPodLabels }),
      ...(trialTemplate.retain && { retainRun: true }),
      runSpec: runSpecOf(experiment, name, parameterAssignments),
      successCondition: trialTemplate.successCondition,
    },
  };
}

/** The search is over: its Suggestion is told so, and its controller then takes the service down. */
async function endSuggestion(
  operator: Operator,
  log: ZapLog,
  experiment: KubeObject,
  now: number,
): Promise<void> {
  const { name, namespace = '' } = experiment.metadata;
  const suggestion = operator.get(SUGGESTIONS, { namespace, name });
  if (!suggestion || isCompleted(suggestion)) return;
  const why = 'Suggestion is succeeded';
  let marks = marksOf(suggestion);
  if (marks.some(({ type }) => type === 'Running'))
    marks = marked(marks, 'Running', 'False', why, 'Suggestion is not running', now);
  if (marks.some(({ type }) => type === 'DeploymentReady'))
    marks = marked(marks, 'DeploymentReady', 'False', why, 'Deployment is not ready', now);
  const message = "Suggestion is succeeded, can't be restarted";
  marks = marked(marks, 'Succeeded', 'True', 'Experiment is succeeded', message, now);
  if (isDeepStrictEqual(marks, marksOf(suggestion))) return;
  log.info(LOGGER, "Mark suggestion succeeded, can't be restarted", { Suggestion: { name, namespace } });
  await saveStatus(operator, log, SUGGESTIONS, suggestion, { ...suggestion['status'], conditions: marks });
}
