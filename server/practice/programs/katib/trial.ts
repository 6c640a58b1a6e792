// katib-controller's work on a Trial: runs its object once, waits for its end and for what the collector reported, and
// clears away after it.

import { type KubeObject, StatusError, timestamp } from '../../../kube/index.ts';
import { GrpcError } from '../../network/index.ts';
import {
  type Controller,
  controlledBy,
  type Operator,
  type Watched,
  wordsOf,
  type ZapLog,
} from '../operator/index.ts';
import { UNAVAILABLE } from './experiment.ts';
import {
  about,
  finished,
  isCompleted,
  isMarked,
  KatibError,
  keepFinalizer,
  marked,
  marksOf,
  saveStatus,
  TRIALS,
} from './kinds.ts';
import { call, deleteObservationLog, getObservationLog, type LoggedMetric } from './messages.ts';

const FINALIZER = 'clean-metrics-in-db';
const LOGGER = 'trial-controller';
/** How soon it looks again for metrics that are not reported yet. */
const METRICS_MS = 1_000;
/** `status.conditions.#(type=="Complete")#|#(status=="True")#` */
export const CONDITION = /^status\.conditions\.#\(type=="(\w+)"\)#\|#\(status=="(\w+)"\)#$/;

/** Where the db-manager listens: `katib-db-manager.kubeflow:6789`. */
export const databaseOf = ({ env }: Operator['container']) => {
  const host = env['KATIB_DB_MANAGER_SERVICE_IP'] ?? 'katib-db-manager';
  return `${host}.${env['KATIB_CORE_NAMESPACE'] ?? 'kubeflow'}:${env['KATIB_DB_MANAGER_SERVICE_PORT'] ?? '6789'}`;
};

interface Outcome {
  condition: 'Succeeded' | 'Failed' | 'Running';
  reason?: string;
  message?: string;
}

/** What the run object's status says by the trial's conditions; undefined when there is nothing new. */
function outcomeOf(trial: KubeObject, run: KubeObject): Outcome | undefined {
  const find = (expression: string) => {
    const [, type, status] = CONDITION.exec(expression) ?? [];
    return (run['status']?.conditions ?? []).find((c: any) => c.type === type && c.status === status);
  };
  const { failureCondition, successCondition } = trial['spec'];
  const failed = find(failureCondition);
  if (failed) return { condition: 'Failed', reason: failed.reason, message: failed.message };
  const succeeded = find(successCondition);
  if (succeeded) return { condition: 'Succeeded', reason: succeeded.reason, message: succeeded.message };
  return isMarked(trial, 'Running') ? undefined : { condition: 'Running' };
}

/** Smallest, largest and latest value of each metric asked for; undefined when nothing was reported. */
function observationOf(logs: readonly LoggedMetric[], names: readonly string[]) {
  if (logs.length === 0) return undefined;
  const metrics = names.map(name => {
    const values = logs.filter(({ metric }) => metric.name === name).map(({ metric }) => metric.value);
    const numbers = values.filter(value => !Number.isNaN(Number.parseFloat(value)));
    const sorted = [...numbers].sort((a, b) => Number.parseFloat(a) - Number.parseFloat(b));
    return {
      latest: values.at(-1) ?? UNAVAILABLE,
      max: sorted.at(-1) ?? UNAVAILABLE,
      min: sorted[0] ?? UNAVAILABLE,
      name,
    };
  });
  return { metrics };
}

/** `kinds` are those a trial may run. */
export function trialController(log: ZapLog, kinds: readonly Watched[]): Controller {
  return {
    name: LOGGER,
    for: TRIALS,
    owns: kinds,
    async reconcile(key, operator) {
      const trial = operator.get(TRIALS, key);
      if (!trial) return undefined;
      const { container } = operator;
      const now = container.clock.now();
      const values = { Trial: about(trial) };
      try {
        const forget = () =>
          call(container, databaseOf(container), deleteObservationLog, { trialName: trial.metadata.name });
        if (await keepFinalizer(operator, TRIALS, trial, FINALIZER, forget)) return 0;
        if (trial.metadata.deletionTimestamp) return undefined;
        if (!isMarked(trial, 'Created')) {
          const conditions = marked([], 'Created', 'True', 'TrialCreated', 'Trial is created', now);
          const status = { startTime: timestamp(now), completionTime: null, conditions };
          return await saveStatus(operator, log, TRIALS, trial, status);
        }
        const run = await runOf(operator, log, kinds, trial);
        if (!run || isCompleted(trial)) return undefined;
        const outcome = outcomeOf(trial, run);
        if (!outcome) return undefined;
        log.info('job-util', `Deployed Job status is ${outcome.condition.toLowerCase()}`, {
          ...values,
          Job: run.metadata.name,
        });
        const status = { ...trial['status'] };
        if (outcome.condition === 'Succeeded') {
          status.observation = await observed(operator, log, trial);
          if (!status.observation) {
            log.info(
              LOGGER,
              'Trial job is succeeded but metrics are not reported, reconcile requeued',
              values,
            );
            return METRICS_MS;
          }
        }
        return await saveStatus(
          operator,
          log,
          TRIALS,
          trial,
          conclude(operator, trial, run, outcome, status, now),
        );
      } catch (error) {
        log.error(LOGGER, 'Reconcile trial error', wordsOf(error), values);
        operator.events.record(trial, 'Warning', 'ReconcileError', `Failed to reconcile: ${wordsOf(error)}`);
        throw error;
      }
    },
  };
}

/** The object the trial runs: made when it is not there, deleted when the trial is over. */
async function runOf(
  operator: Operator,
  log: ZapLog,
  kinds: readonly Watched[],
  trial: KubeObject,
): Promise<KubeObject | undefined> {
  const wanted: KubeObject = trial['spec'].runSpec;
  const kind = kinds.find(({ kind: name }) => name === wanted.kind);
  if (!kind) throw new KatibError(`no matches for kind "${wanted.kind}" in version "${wanted.apiVersion}"`);
  const { name, namespace = '' } = wanted.metadata;
  const run = operator.get(kind, { name, namespace });
  if (!run) {
    if (isCompleted(trial)) return undefined;
    log.info(LOGGER, 'Creating Job', { Trial: about(trial), kind: wanted.kind, name });
    const metadata = { ...wanted.metadata, ownerReferences: [controlledBy(trial)] };
    const made = await operator.api.create(kind, { ...wanted, metadata });
    operator.events.record(trial, 'Normal', 'JobCreated', `Job ${name} has been created`);
    return made;
  }
  if (!isCompleted(trial) || trial['spec'].retainRun || run.metadata.deletionTimestamp) return run;
  try {
    await operator.api.delete(kind, { name, namespace }, { propagationPolicy: 'Foreground' });
    operator.events.record(trial, 'Normal', 'JobDeleted', `Job ${name} has been deleted`);
  } catch (error) {
    if (!(error instanceof StatusError) || error.code !== 404) throw error;
  }
  return undefined;
}

async function observed({ container }: Operator, log: ZapLog, trial: KubeObject) {
  const { objectiveMetricName, additionalMetricNames = [] } = trial['spec'].objective;
  try {
    const { observationLog } = await call(container, databaseOf(container), getObservationLog, {
      trialName: trial.metadata.name,
    });
    return observationOf(observationLog?.metricLogs ?? [], [objectiveMetricName, ...additionalMetricNames]);
  } catch (error) {
    if (error instanceof GrpcError)
      log.error(LOGGER, 'Get trial observation log error', error.message, { Trial: about(trial) });
    throw error;
  }
}

/** The status after the run's outcome, with the event that tells it. */
function conclude(
  operator: Operator,
  trial: KubeObject,
  run: KubeObject,
  { condition, reason, message }: Outcome,
  status: Record<string, any>,
  now: number,
) {
  const { name } = run.metadata;
  const say = (type: 'Normal' | 'Warning', why: string, text: string) =>
    operator.events.record(trial, type, why, text);
  const marks = marksOf(trial);
  if (condition === 'Running') {
    say('Normal', 'JobRunning', `Job ${name} is running`);
    return {
      ...status,
      conditions: marked(marks, 'Running', 'True', 'TrialRunning', 'Trial is running', now),
    };
  }
  const end = (type: string, why: string, text: string) => ({
    ...status,
    completionTime: timestamp(now),
    conditions: finished(
      marks,
      type,
      reason ? `${why}. Job reason: ${reason}` : why,
      message ? `${text}. Job message: ${message}` : text,
      now,
    ),
  });
  if (condition === 'Failed') {
    say('Normal', 'JobFailed', `Job ${name} has failed. ${message ?? ''} ${reason ?? ''}`.trim());
    return end('Failed', 'TrialFailed', 'Trial has failed');
  }
  const objective = trial['spec'].objective.objectiveMetricName;
  const metric = status['observation'].metrics.find((found: any) => found.name === objective);
  if (!metric || metric.latest === UNAVAILABLE) {
    say('Warning', 'MetricsUnavailable', `Metrics are not available for Job ${name}`);
    return end('MetricsUnavailable', 'MetricsUnavailable', 'Metrics are not available');
  }
  say('Normal', 'JobSucceeded', `Job ${name} has succeeded`);
  return end('Succeeded', 'TrialSucceeded', 'Trial has succeeded');
}
