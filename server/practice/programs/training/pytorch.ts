// The PyTorchJob controller of Kubeflow's Training Operator: makes a pod and a headless Service for each replica, restarts
// what failed where it may, and says how far the job is. Decides by what the API tells its own account.

import type { KubeObject } from '../../../kube/index.ts';
import {
  type Controller,
  createIfAbsent,
  logrus,
  type Operator,
  watched,
  writeStatus,
} from '../operator/index.ts';
import type { Container } from '../types.ts';
import {
  indexOf,
  podOf,
  type ReplicaSpec,
  type RunPolicy,
  replicasOf,
  roleLabels,
  runPolicyOf,
  serviceOf,
} from './job.ts';
import { Progress } from './progress.ts';

const PYTORCH_JOB = watched('kubeflow.org/v1', 'PyTorchJob');
const POD = watched('v1', 'Pod');
const SERVICE = watched('v1', 'Service');
/** From here on an exit code means that a signal ended the process, which may go better next time. */
const FIRST_RETRYABLE = 128;
const CONTAINER = 'pytorch';

export function pytorchJobs(c: Container): Controller {
  return {
    name: 'pytorchjob-controller',
    for: PYTORCH_JOB,
    owns: [POD, SERVICE],
    async reconcile(key, operator) {
      const job = operator.get(PYTORCH_JOB, key);
      if (!job || job.metadata.deletionTimestamp) return undefined;
      const round = new Round(c, operator, job);
      const again = await round.run();
      await writeStatus(
        operator,
        PYTORCH_JOB,
        job,
        round.progress.status as object as Record<string, unknown>,
      );
      return again;
    },
  };
}

/** One look at one job. */
class Round {
  readonly progress: Progress;
  private readonly c: Container;
  private readonly operator: Operator;
  private readonly job: KubeObject;
  private readonly policy: RunPolicy;
  private readonly name: string;

  constructor(c: Container, operator: Operator, job: KubeObject) {
    this.c = c;
    this.operator = operator;
    this.job = job;
    this.policy = runPolicyOf(job);
    this.name = job.metadata.name;
    this.progress = new Progress(job, c.clock.now());
  }

  /** Milliseconds after which the job wants to be looked at again. */
  async run(): Promise<number | undefined> {
    const { progress, policy, name } = this;
    if (!progress.has('Created')) {
      progress.set('Created', `PyTorchJob ${name} is created.`);
      this.log('info', `PyTorchJob ${name} is created.`);
    }
    this.log('info', `Reconciling for job ${name}`);
    const pods = this.operator.owned(POD, this.job);
    if (progress.finished) return this.tidy(pods);
    if (policy.suspend) return this.suspend(pods);
    if (progress.has('Suspended')) {
      const message = `PyTorchJob ${name} is resumed.`;
      progress.set('Suspended', message, 'False', 'PyTorchJobResumed');
      progress.startedAgain();
      this.event('Normal', 'PyTorchJobResumed', message);
    }
    const limit = this.limitReached(pods);
    if (limit) {
      progress.completed();
      await this.remove(pods);
      this.event('Normal', 'PyTorchJobFailed', limit);
      progress.set('Failed', limit);
      return undefined;
    }
    for (const spec of replicasOf(this.job)) {
      await this.makePods(spec, pods);
      await this.makeServices(spec);
    }
    progress.started();
    for (const spec of replicasOf(this.job)) this.judge(spec, pods);
    if (policy.activeDeadlineSeconds === undefined) return undefined;
    return Math.max(0, this.deadline() - this.c.clock.now());
  }

  private deadline(): number {
    return Date.parse(this.progress.status.startTime ?? '') + (this.policy.activeDeadlineSeconds ?? 0) * 1000;
  }

  private limitReached(pods: KubeObject[]): string | undefined {
    const { backoffLimit, activeDeadlineSeconds } = this.policy;
    if (backoffLimit !== undefined) {
      const specs = replicasOf(this.job);
      const total = specs.reduce((sum, { replicas }) => sum + replicas, 0);
      const phase = (pod: KubeObject) => pod['status']?.phase;
      const active = pods.filter(
        pod => !['Succeeded', 'Failed'].includes(phase(pod)) && !pod.metadata.deletionTimestamp,
      );
      const failed = pods.filter(pod => phase(pod) === 'Failed').length;
      const newFailure = failed > this.progress.failedBefore && active.length !== total && backoffLimit < 1;
      const restarts = active
        .filter(pod => pod['spec'].restartPolicy !== 'Never')
        .flatMap(pod => [
          ...(pod['status']?.initContainerStatuses ?? []),
          ...(pod['status']?.containerStatuses ?? []),
        ])
        .reduce((sum, { restartCount }) => sum + restartCount, 0);
      if (newFailure || (backoffLimit === 0 ? restarts > 0 : restarts >= backoffLimit))
        return `Job ${this.name} has failed because it has reached the specified backoff limit`;
    }
    const late = this.progress.status.startTime !== undefined && this.c.clock.now() >= this.deadline();
    if (activeDeadlineSeconds !== undefined && late)
      return `Job ${this.name} has failed because it was active longer than specified deadline`;
    return undefined;
  }

  private async makePods(spec: ReplicaSpec, pods: KubeObject[]): Promise<void> {
    const { role, replicas } = spec;
    const own = pods.filter(pod => indexOf(pod, role) !== undefined);
    for (let index = 0; index < replicas; index++) {
      const pod = own.find(candidate => indexOf(candidate, role) === index);
      if (pod) await this.lookAt(pod, spec);
      else await this.makePod(spec, index);
    }
    for (const pod of own) if ((indexOf(pod, role) ?? 0) >= replicas) await this.deletePod(pod);
  }

  private async makePod(spec: ReplicaSpec, index: number): Promise<void> {
    const type = spec.role.toLowerCase();
    this.log('info', `Need to create new pod: ${type}-${index}`, spec);
    if (spec.template?.spec?.restartPolicy) {
      const warning = 'Restart policy in pod template will be overwritten by restart policy in replica spec';
      this.log('warning', warning, spec);
      this.event('Warning', 'SetPodTemplateRestartPolicy', warning);
    }
    const pod = podOf(this.job, spec, index);
    const { name } = pod.metadata;
    const created = await this.make(POD, pod, 'FailedCreatePod');
    if (!created) return;
    this.log('info', `Controller ${this.name} created pod ${name}`);
    this.event('Normal', 'SuccessfulCreatePod', `Created pod: ${name}`);
  }

  private async makeServices({ role, replicas }: ReplicaSpec): Promise<void> {
    for (let index = 0; index < replicas; index++) {
      const service = serviceOf(this.job, role, index);
      const { name } = service.metadata;
      if (this.operator.get(SERVICE, service.metadata)) continue;
      this.log('info', `need to create new service: ${role.toLowerCase()}-${index}`);
      if (!(await this.make(SERVICE, service, 'FailedCreateService'))) continue;
      this.log('info', `Controller ${this.name} created service ${name}`);
      this.event('Normal', 'SuccessfulCreateService', `Created service: ${name}`);
    }
  }

  private async make(kind: typeof POD, object: KubeObject, failure: string): Promise<boolean> {
    try {
      return (await createIfAbsent(this.operator, kind, object)).created;
    } catch (error) {
      this.event('Warning', failure, `Error creating: ${(error as Error).message}`);
      throw error;
    }
  }

  /** A pod that is there: has it ended, and may it be tried again? */
  private async lookAt(pod: KubeObject, { role, restartPolicy }: ReplicaSpec): Promise<void> {
    const { namespace, name } = pod.metadata;
    const own = pod['status']?.containerStatuses?.find(
      (status: { name: string }) => status.name === CONTAINER,
    );
    const exitCode: number | undefined = own?.state?.terminated?.exitCode;
    if (exitCode !== undefined) {
      this.log('info', `Pod: ${namespace}.${name} exited with code ${exitCode}`);
      this.event('Normal', 'ExitedWithCode', `Pod: ${namespace}.${name} exited with code ${exitCode}`);
    }
    if (pod['status']?.phase !== 'Failed' || pod.metadata.deletionTimestamp) return;
    const byCode = restartPolicy === 'ExitCode';
    if (byCode && (exitCode ?? FIRST_RETRYABLE) < FIRST_RETRYABLE) {
      this.log('info', `Pod "${namespace}/${name}" has a non-retryable exit code. Failing job.`);
      const message = `job "${this.name}" is failing because "${role}" replica(s) failed.`;
      this.event('Warning', 'PyTorchJobFailed', message);
      this.progress.set('Failed', message);
    } else if (restartPolicy !== 'Never') {
      this.log('info', `Need to restart the pod: ${namespace}.${name}`);
      await this.deletePod(pod);
      const message = `job ${this.name} is restarting because ${role} replica(s) failed.`;
      this.event('Warning', 'PyTorchJobRestarting', message);
      this.progress.set('Restarting', message);
    }
  }

  /** What the pods of one role mean for the job. `pods` are those seen at the beginning: what was just deleted still counts. */
  private judge({ role, replicas, restartPolicy }: ReplicaSpec, pods: KubeObject[]): void {
    const { progress, name } = this;
    const own = pods.filter(pod => (indexOf(pod, role) ?? replicas) < replicas);
    const { active, succeeded, failed } = progress.count(role, own, roleLabels(this.job, role));
    const expected = replicas - succeeded;
    this.log(
      'info',
      `PyTorchJob=${name}, ReplicaType=${role} expected=${expected}, running=${active}, succeeded=${succeeded}, failed=${failed}, Replicas=${replicas}`,
    );
    if (progress.finished) return;
    const hasMaster = replicasOf(this.job).some(spec => spec.role === 'Master');
    // With a master the job is as far as its master; without one all workers count.
    if (role === 'Master' || !hasMaster) {
      if (active > 0) progress.set('Running', `PyTorchJob ${name} is running.`);
      if (expected === 0) {
        const message = `PyTorchJob ${name} is successfully completed.`;
        this.log('info', message);
        this.event('Normal', 'PyTorchJobSucceeded', message);
        progress.completed();
        progress.set('Succeeded', message);
        return;
      }
    }
    if (failed === 0 || replicas <= succeeded + active) return;
    if (restartPolicy !== 'Never') {
      const message = `PyTorchJob ${name} is restarting because ${failed} ${role} replica(s) failed.`;
      this.event('Warning', 'PyTorchJobRestarting', message);
      progress.set('Restarting', message);
      return;
    }
    const message = `PyTorchJob ${name} is failed because ${failed} ${role} replica(s) failed.`;
    this.event('Normal', 'PyTorchJobFailed', message);
    progress.completed();
    progress.set('Failed', message);
  }

  private async suspend(pods: KubeObject[]): Promise<undefined> {
    const message = `PyTorchJob ${this.name} is suspended.`;
    await this.remove(pods);
    this.progress.settle();
    if (this.progress.has('Running')) this.progress.set('Running', message, 'False', 'PyTorchJobSuspended');
    if (this.progress.has('Suspended')) return;
    this.progress.set('Suspended', message);
    this.event('Normal', 'PyTorchJobSuspended', message);
  }

  /** After the end: what the policy says about pods, and the job's own time to live. */
  private async tidy(pods: KubeObject[]): Promise<number | undefined> {
    const { cleanPodPolicy, ttlSecondsAfterFinished } = this.policy;
    if (cleanPodPolicy !== 'None') await this.remove(pods);
    if (this.progress.has('Succeeded')) this.progress.settle('succeeded');
    if (ttlSecondsAfterFinished === undefined) return undefined;
    const end = Date.parse(this.progress.status.completionTime ?? '') + ttlSecondsAfterFinished * 1000;
    const left = end - this.c.clock.now();
    if (left > 0) return left;
    await this.operator.api.delete(PYTORCH_JOB, this.job.metadata);
    this.event('Normal', 'SuccessfulDeletePod', `Deleted job: ${this.name}`);
    return undefined;
  }

  /** Deletes pods and their Services; with `cleanPodPolicy: Running` those that have ended stay. */
  private async remove(pods: KubeObject[]): Promise<void> {
    for (const pod of pods) {
      const phase = pod['status']?.phase;
      const ended = phase === 'Succeeded' || phase === 'Failed';
      if (pod.metadata.deletionTimestamp || (this.policy.cleanPodPolicy === 'Running' && ended)) continue;
      await this.deletePod(pod);
      if (this.operator.get(SERVICE, pod.metadata)) await this.operator.api.delete(SERVICE, pod.metadata);
    }
  }

  private async deletePod(pod: KubeObject): Promise<void> {
    if (pod.metadata.deletionTimestamp) return;
    await this.operator.api.delete(POD, pod.metadata);
    this.event('Normal', 'SuccessfulDeletePod', `Deleted pod: ${pod.metadata.name}`);
  }

  private event(type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.operator.events.record(this.job, type, reason, message);
  }

  private log(level: 'info' | 'warning', message: string, spec?: ReplicaSpec): void {
    const { namespace, name, uid } = this.job.metadata;
    const fields = spec ? ` job=${namespace}.${name} replica-type=${spec.role.toLowerCase()} uid=${uid}` : '';
    this.c.logError(`${logrus(this.c, level, message)}${fields}`);
  }
}
