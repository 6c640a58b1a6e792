// The Spark operator's controller: submits each SparkApplication, follows its driver and executors through their states, and
// runs it again where that is wanted. Knows pods, not what Spark does in them.

import { type KubeObject, StatusError, timestamp } from '../../../kube/index.ts';
import {
  type Controller,
  controlledBy,
  controllerRuntime,
  createIfAbsent,
  type Operator,
  runOperator,
  type Watched,
  watched,
  writeStatus,
  type ZapLog,
  zapConsole,
} from '../operator/index.ts';
import type { Container, Program } from '../types.ts';
import { UI_PORT } from './common.ts';
import { driverName, LABEL, submit } from './submit.ts';

const APPLICATIONS = watched('sparkoperator.k8s.io/v1beta2', 'SparkApplication');
const SCHEDULED = watched('sparkoperator.k8s.io/v1beta2', 'ScheduledSparkApplication');
const CONNECTS = watched('sparkoperator.k8s.io/v1alpha1', 'SparkConnect');
const PODS = watched('v1', 'Pod');
const SERVICES = watched('v1', 'Service');
/** spark-submit is a JVM that starts and ends. */
const SUBMIT_MS = 2_000;
/** How long a driver may take to be seen after it was submitted. */
const GRACE_MS = 10_000;
const LOOK_AGAIN_MS = 1_000;
const RETRY_SECONDS = 5;
const ENDED = ['COMPLETED', 'FAILED'];

interface Status {
  applicationState: { state: string; errorMessage?: string };
  driverInfo: Record<string, unknown>;
  executorState?: Record<string, string>;
  executionAttempts?: number;
  submissionAttempts?: number;
  lastSubmissionAttemptTime?: string | null;
  terminationTime?: string | null;
  submissionID?: string;
  sparkApplicationId?: string;
}

const ours = ({ metadata }: KubeObject) => metadata.labels?.[LABEL.launched] === 'true';

function sparkApplications(log: ZapLog): Controller {
  /** The specs seen last, by uid: a change of one means another run. */
  const specs = new Map<string, string>();
  const hasChanged = ({ metadata, spec }: KubeObject & { spec?: any }): boolean => {
    // Suspending and resuming is no change of what is run.
    const { suspend: _, ...runs } = spec;
    const text = JSON.stringify(runs);
    const before = specs.get(metadata.uid ?? '');
    specs.set(metadata.uid ?? '', text);
    return before !== undefined && before !== text;
  };
  return {
    name: 'spark-application-controller',
    for: APPLICATIONS,
    watches: [
      {
        kind: PODS,
        keys: pod =>
          ours(pod) && pod.metadata.labels?.[LABEL.app]
            ? [{ name: pod.metadata.labels[LABEL.app]!, namespace: pod.metadata.namespace ?? '' }]
            : [],
      },
      { kind: SERVICES, keys: () => [] },
    ],
    async reconcile(key, operator) {
      const application = operator.get(APPLICATIONS, key);
      if (!application || application.metadata.deletionTimestamp) return undefined;
      const status: Status = structuredClone({
        applicationState: { state: '' },
        driverInfo: {},
        ...application['status'],
      });
      if (hasChanged(application) && status.applicationState.state !== '') {
        const { name } = application.metadata;
        const message = `Successfully processed spec update for SparkApplication ${name}`;
        operator.events.record(application, 'Normal', 'SparkApplicationSpecUpdateProcessed', message);
        status.applicationState = { state: 'INVALIDATING' };
      }
      const { state } = status.applicationState;
      log.info('', 'Reconciling SparkApplication', {
        name: application.metadata.name,
        namespace: application.metadata.namespace,
        state,
      });
      const again = await new Step(operator, application, status, log).take();
      await writeStatus(operator, APPLICATIONS, application, status as unknown as Record<string, unknown>);
      return again;
    },
  };
}

/** One look at an application: changes its status, and says when to look again. */
class Step {
  private readonly operator: Operator;
  private readonly application: KubeObject & { spec?: any };
  private readonly status: Status;
  private readonly log: ZapLog;
  private readonly name: string;
  private readonly namespace: string;

  constructor(operator: Operator, application: KubeObject, status: Status, log: ZapLog) {
    this.operator = operator;
    this.application = application;
    this.status = status;
    this.log = log;
    this.name = application.metadata.name;
    this.namespace = application.metadata.namespace ?? '';
  }

  private get now(): number {
    return this.operator.container.clock.now();
  }

  private go(state: string, errorMessage?: string): 0 {
    this.status.applicationState = { state, ...(errorMessage && { errorMessage }) };
    return 0;
  }

  private say(type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.operator.events.record(this.application, type, reason, message);
  }

  async take(): Promise<number | undefined> {
    const { state, errorMessage } = this.status.applicationState;
    if (this.application.spec.suspend && !['SUSPENDING', 'SUSPENDED', ...ENDED].includes(state)) {
      this.say('Warning', 'SparkApplicationSuspending', `SparkApplication ${this.name} is suspending`);
      return this.go('SUSPENDING');
    }
    switch (state) {
      case '':
      case 'RESUMING':
        return this.submit();
      case 'SUBMITTED':
      case 'RUNNING':
        return this.follow();
      case 'SUCCEEDING':
        this.executors();
        if (this.application.spec.restartPolicy?.type === 'Always') return this.again();
        this.say('Normal', 'SparkApplicationCompleted', `SparkApplication ${this.name} completed`);
        return this.go('COMPLETED');
      case 'FAILING':
      case 'SUBMISSION_FAILED': {
        this.executors();
        if (this.mayRetry(state === 'FAILING')) return this.again();
        this.status.terminationTime ??= timestamp(this.now);
        this.say(
          'Warning',
          'SparkApplicationFailed',
          `SparkApplication ${this.name} failed: ${errorMessage ?? ''}`,
        );
        return this.go('FAILED', errorMessage);
      }
      case 'INVALIDATING':
        if (!(await this.clear())) return LOOK_AGAIN_MS;
        Object.assign(this.status, {
          executionAttempts: 0,
          submissionAttempts: 0,
          executorState: undefined,
          lastSubmissionAttemptTime: null,
          terminationTime: null,
        });
        return this.go('PENDING_RERUN');
      case 'PENDING_RERUN':
        return (await this.clear()) ? this.submit() : LOOK_AGAIN_MS;
      case 'SUSPENDING':
        if (!(await this.clear())) return LOOK_AGAIN_MS;
        this.say('Warning', 'SparkApplicationSuspended', `SparkApplication ${this.name} is suspended`);
        return this.go('SUSPENDED');
      case 'SUSPENDED':
        if (this.application.spec.suspend) return undefined;
        this.say('Warning', 'SparkApplicationResuming', `SparkApplication ${this.name} is resuming`);
        return this.go('RESUMING');
      default:
        this.executors();
        return undefined;
    }
  }

  private async submit(): Promise<number | undefined> {
    const { container, api } = this.operator;
    const submission = container.random.uuid();
    this.log.info('', 'Running spark-submit', {
      arguments: ['--master', 'k8s://https://10.96.0.1:443', '--deploy-mode', 'cluster', '--name', this.name],
    });
    await container.clock.sleep(SUBMIT_MS, container.signal);
    Object.assign(this.status, {
      submissionID: submission,
      submissionAttempts: (this.status.submissionAttempts ?? 0) + 1,
      lastSubmissionAttemptTime: timestamp(this.now),
      terminationTime: null,
      executorState: undefined,
    });
    try {
      await submit(api, this.application, submission, container.random);
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      const why = `failed to submit spark application: failed to run spark-submit: ${error.message}`;
      this.say(
        'Warning',
        'SparkApplicationSubmissionFailed',
        `failed to submit SparkApplication ${this.name}: ${why}`,
      );
      this.log.error('', 'Failed to submit SparkApplication', why, {
        name: this.name,
        namespace: this.namespace,
      });
      return this.go('SUBMISSION_FAILED', why);
    }
    const ui = await this.webUi();
    this.status.driverInfo = {
      podName: driverName(this.application),
      webUIAddress: `${ui['spec'].clusterIP}:${UI_PORT}`,
      webUIPort: UI_PORT,
      webUIServiceName: ui.metadata.name,
    };
    this.status.executionAttempts = (this.status.executionAttempts ?? 0) + 1;
    this.say(
      'Normal',
      'SparkApplicationSubmitted',
      `SparkApplication ${this.name} was submitted successfully`,
    );
    this.go('SUBMITTED');
    return GRACE_MS;
  }

  private async webUi(): Promise<KubeObject> {
    const { object } = await createIfAbsent(this.operator, SERVICES, {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: {
        name: `${this.name}-ui-svc`,
        namespace: this.namespace,
        labels: { [LABEL.app]: this.name },
        ownerReferences: [controlledBy(this.application)],
      },
      spec: {
        type: 'ClusterIP',
        selector: { [LABEL.app]: this.name, [LABEL.role]: 'driver' },
        ports: [{ name: 'spark-driver-ui-port', port: UI_PORT, targetPort: UI_PORT, protocol: 'TCP' }],
      },
    });
    return object;
  }

  private get driver(): KubeObject | undefined {
    return this.operator.get(PODS, { name: driverName(this.application), namespace: this.namespace });
  }

  /** Takes over what driver and executors have become. */
  private follow(): number | undefined {
    const { state } = this.status.applicationState;
    const driver = this.driver;
    if (!driver) {
      const since = this.now - Date.parse(this.status.lastSubmissionAttemptTime ?? '');
      if (state === 'SUBMITTED' && since < GRACE_MS) return GRACE_MS - since;
      this.status.terminationTime = timestamp(this.now);
      return this.go('FAILING', 'driver pod not found');
    }
    const name = driver.metadata.name;
    this.status.sparkApplicationId = driver.metadata.labels?.['spark-app-selector'] ?? '';
    this.executors();
    const phase: string = driver['status']?.phase ?? 'Pending';
    if (phase === 'Running' && state !== 'RUNNING') {
      this.say('Normal', 'SparkDriverRunning', `Driver ${name} is running`);
      this.go('RUNNING');
    } else if (phase === 'Succeeded') {
      this.say('Normal', 'SparkDriverCompleted', `Driver ${name} completed`);
      this.status.terminationTime = timestamp(this.now);
      return this.go('SUCCEEDING');
    } else if (phase === 'Failed') {
      this.say('Warning', 'SparkDriverFailed', `Driver ${name} failed`);
      this.status.terminationTime = timestamp(this.now);
      return this.go('FAILING', this.whyFailed(driver));
    }
    return undefined;
  }

  private whyFailed({ status }: KubeObject & { status?: any }): string {
    const ended = status.containerStatuses?.[0]?.state?.terminated;
    if (!ended) return status.message ?? 'driver pod failed';
    return `driver container failed with ExitCode: ${ended.exitCode}, Reason: ${ended.reason}`;
  }

  /** The states of the executors seen, and of those that are gone. */
  private executors(): void {
    const known = this.status.executorState ?? {};
    const pods = this.operator
      .list(PODS, this.namespace)
      .filter(pod => ours(pod) && pod.metadata.labels?.[LABEL.role] === 'executor')
      .filter(pod => pod.metadata.labels?.[LABEL.submission] === this.status.submissionID);
    const next: Record<string, string> = {};
    for (const { metadata, status } of pods) {
      const phase =
        { Running: 'RUNNING', Succeeded: 'COMPLETED', Failed: 'FAILED' }[String(status?.phase)] ?? 'PENDING';
      next[metadata.name] = phase;
      if (known[metadata.name] !== phase) this.sayExecutor(metadata.name, phase, status);
    }
    const phaseOfDriver = this.driver?.['status']?.phase;
    const over =
      phaseOfDriver === 'Succeeded' ||
      ['SUCCEEDING', 'COMPLETED'].includes(this.status.applicationState.state);
    const isDriverGone = phaseOfDriver !== 'Running';
    for (const [name, state] of Object.entries(known))
      next[name] ??= ['COMPLETED', 'FAILED'].includes(state)
        ? state
        : over
          ? 'COMPLETED'
          : isDriverGone
            ? 'FAILED'
            : 'UNKNOWN';
    if (Object.keys(next).length > 0) this.status.executorState = next;
  }

  private sayExecutor(name: string, state: string, status: any): void {
    if (state === 'FAILED') {
      const ended = status?.containerStatuses?.[0]?.state?.terminated;
      const why = ended ? ` with ExitCode: ${ended.exitCode}, Reason: ${ended.reason}` : '';
      this.say('Warning', 'SparkExecutorFailed', `Executor ${name} failed${why}`);
      return;
    }
    const word = `${state.charAt(0)}${state.slice(1).toLowerCase()}`;
    const verb = state === 'COMPLETED' ? 'completed' : `is ${state.toLowerCase()}`;
    this.say('Normal', `SparkExecutor${word}`, `Executor ${name} ${verb}`);
  }

  private mayRetry(hasRun: boolean): boolean {
    const {
      type = 'Never',
      onFailureRetries,
      onSubmissionFailureRetries,
    } = this.application.spec.restartPolicy ?? {};
    if (type === 'Always') return true;
    if (type !== 'OnFailure') return false;
    const [allowed, done] = hasRun
      ? [onFailureRetries, this.status.executionAttempts]
      : [onSubmissionFailureRetries, this.status.submissionAttempts];
    return allowed === undefined || (done ?? 0) <= allowed;
  }

  /** Lines up for another run once the pause after the last is over. */
  private again(): number {
    const { onFailureRetryInterval = RETRY_SECONDS } = this.application.spec.restartPolicy ?? {};
    const ended = this.status.terminationTime ?? this.status.lastSubmissionAttemptTime ?? '';
    const left = onFailureRetryInterval * 1000 - (this.now - Date.parse(ended));
    if (left > 0) return left;
    this.say('Warning', 'SparkApplicationPendingRerun', `SparkApplication ${this.name} is pending rerun`);
    return this.go('PENDING_RERUN');
  }

  /** Deletes the last run's driver; true when it is gone. */
  private async clear(): Promise<boolean> {
    const driver = this.driver;
    if (!driver) return true;
    if (!driver.metadata.deletionTimestamp)
      await this.operator.api.delete(PODS, { name: driver.metadata.name, namespace: this.namespace });
    return false;
  }
}

/** A kind that is watched here and not acted upon, which its objects are told. */
const beyond = (kind: Watched): Controller => ({
  name: `${kind.kind.toLowerCase()}-controller`,
  for: kind,
  async reconcile(key, operator) {
    const object = operator.get(kind, key);
    if (object && !object['status']?.state)
      operator.events.record(
        object,
        'Warning',
        'NotSupported',
        `this practice cluster runs no ${kind.kind}; write a SparkApplication`,
      );
    return undefined;
  },
});

export const sparkOperator: Program = {
  image: 'ghcr.io/kubeflow/spark-operator/controller',
  config: { entrypoint: ['/usr/bin/entrypoint.sh'] },
  run(container: Container) {
    const log = zapConsole(container);
    container.use({ cpuMillis: 9, memoryBytes: 41 * 1024 * 1024 });
    // The same image is the webhook, when it is told so.
    const isController = !container.argv.includes('webhook');
    return runOperator(container, {
      component: 'spark-application-controller',
      habits: controllerRuntime(container, log),
      controllers: isController ? [sparkApplications(log), beyond(SCHEDULED), beyond(CONNECTS)] : [],
    });
  },
};
