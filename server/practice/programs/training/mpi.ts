// Kubeflow's MPI Operator: for each MPIJob a list of hosts, a key, workers and a launcher, and a status that follows the
// launcher. Decides by what the API tells its own account; what the launcher does with the hosts is the image's business.

import { generateKeyPairSync } from 'node:crypto';
import type { KubeObject } from '../../../kube/index.ts';
import {
  type Controller,
  createIfAbsent,
  klog,
  type Operator,
  runOperator,
  watched,
  wordsOf,
  writeStatus,
} from '../operator/index.ts';
import type { Container, Program } from '../types.ts';
import {
  hostsOf,
  isLauncherPod,
  keyOf,
  launcherJobOf,
  launcherName,
  type MpiSpec,
  mpiFaults,
  mpiServiceOf,
  mpiSpecOf,
  workerName,
  workerPodOf,
} from './mpi-job.ts';
import { Progress } from './progress.ts';

const MPI_JOB = watched('kubeflow.org/v2beta1', 'MPIJob');
const POD = watched('v1', 'Pod');
const SERVICE = watched('v1', 'Service');
const CONFIG_MAP = watched('v1', 'ConfigMap');
const SECRET = watched('v1', 'Secret');
const JOB = watched('batch/v1', 'Job');
const START_MS = 300;

/** A key as `ssh-keygen -t ecdsa -b 521` makes one. */
function sshKey(): { privateKey: string; publicKey: string } {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-521' });
  const { x = '', y = '' } = pair.publicKey.export({ format: 'jwk' });
  const field = (bytes: Buffer) =>
    Buffer.concat([Buffer.from([0, 0, bytes.length >> 8, bytes.length & 255]), bytes]);
  const point = Buffer.concat([Buffer.from([4]), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]);
  const wire = Buffer.concat([
    field(Buffer.from('ecdsa-sha2-nistp521')),
    field(Buffer.from('nistp521')),
    field(point),
  ]);
  return {
    privateKey: pair.privateKey.export({ type: 'sec1', format: 'pem' }).toString(),
    publicKey: `ecdsa-sha2-nistp521 ${wire.toString('base64')}\n`,
  };
}

function mpiJobs(c: Container): Controller {
  return {
    name: 'mpijob',
    for: MPI_JOB,
    owns: [POD, SERVICE, CONFIG_MAP, SECRET, JOB],
    watches: [
      {
        // The launcher's pod belongs to the Job between.
        kind: POD,
        keys({ metadata }) {
          const { 'training.kubeflow.org/job-name': name, 'training.kubeflow.org/operator-name': by } =
            metadata.labels ?? {};
          return name && by === 'mpi-operator'
            ? [{ name, ...(metadata.namespace && { namespace: metadata.namespace }) }]
            : [];
        },
      },
    ],
    async reconcile(key, operator) {
      const job = operator.get(MPI_JOB, key);
      if (!job || job.metadata.deletionTimestamp) return undefined;
      const spec = mpiSpecOf(job);
      const faults = mpiFaults(spec);
      if (faults.length > 0) {
        const text = faults.length === 1 ? faults[0] : `[${faults.join(', ')}]`;
        operator.events.record(job, 'Warning', 'ValidationError', `Found validation errors: ${text}`);
        return undefined;
      }
      const progress = new Progress(job, c.clock.now());
      const called = `MPIJob ${key.namespace}/${key.name}`;
      if (!progress.has('Created')) {
        progress.set('Created', `${called} is created.`);
        operator.events.record(job, 'Normal', 'MPIJobCreated', `${called} is created.`);
      }
      progress.started();
      if (progress.finished) await cleanUp(operator, job, spec);
      else if (!spec.policy.suspend) await build(operator, job, spec);
      judge(operator, job, spec, progress, called);
      await writeStatus(operator, MPI_JOB, job, { ...progress.status });
      return undefined;
    },
  };
}

async function build(operator: Operator, job: KubeObject, spec: MpiSpec): Promise<void> {
  const { namespace } = job.metadata;
  const at = (name: string) => ({ name, ...(namespace && { namespace }) });
  await createIfAbsent(operator, SERVICE, mpiServiceOf(job));
  const phaseOf = (name: string) => operator.get(POD, at(name))?.['status']?.phase;
  const names = Array.from({ length: spec.workers }, (_, index) => workerName(job, index));
  const wanted = hostsOf(
    job,
    spec,
    names.filter(name => phaseOf(name) === 'Running'),
  );
  const hosts = await createIfAbsent(operator, CONFIG_MAP, wanted);
  if (JSON.stringify(hosts.object['data']) !== JSON.stringify(wanted['data']))
    await operator.api.update(CONFIG_MAP, { ...hosts.object, data: wanted['data'] });
  if (!operator.get(SECRET, at(`${job.metadata.name}-ssh`)))
    await createIfAbsent(operator, SECRET, keyOf(job, sshKey()));
  for (const [index] of names.entries()) await createIfAbsent(operator, POD, workerPodOf(job, spec, index));
  const ready = names.every(name =>
    operator
      .get(POD, at(name))
      ?.['status']?.conditions?.some(
        (one: { type: string; status: string }) => one.type === 'Ready' && one.status === 'True',
      ),
  );
  if (ready || !spec.waits) await createIfAbsent(operator, JOB, launcherJobOf(job, spec));
}

/** At the end workers are of no use: they would wait for a launcher that does not call again. */
async function cleanUp(operator: Operator, job: KubeObject, { policy, workers }: MpiSpec): Promise<void> {
  if (policy.cleanPodPolicy === 'None') return;
  for (let index = 0; index < workers; index++) {
    const { namespace } = job.metadata;
    const pod = operator.get(POD, { name: workerName(job, index), ...(namespace && { namespace }) });
    const ended = ['Succeeded', 'Failed'].includes(pod?.['status']?.phase);
    if (!pod || pod.metadata.deletionTimestamp || (policy.cleanPodPolicy === 'Running' && ended)) continue;
    await operator.api.delete(POD, pod.metadata);
  }
}

function judge(operator: Operator, job: KubeObject, spec: MpiSpec, progress: Progress, called: string): void {
  const { namespace } = job.metadata;
  const launcher = operator.get(JOB, { name: launcherName(job), ...(namespace && { namespace }) });
  const condition = (type: string) =>
    launcher?.['status']?.conditions?.find(
      (one: { type: string; status: string }) => one.type === type && one.status === 'True',
    );
  const pods = operator.list(POD, namespace).filter(pod => !pod.metadata.deletionTimestamp);
  const launchers = pods.filter(pod => isLauncherPod(job, pod));
  const names = new Set(Array.from({ length: spec.workers }, (_, index) => workerName(job, index)));
  const { active } = progress.count(
    'Worker',
    pods.filter(pod => names.has(pod.metadata.name)),
  );
  progress.count('Launcher', launchers);
  if (progress.finished) return;
  if (spec.policy.suspend) {
    progress.set('Suspended', 'MPIJob suspended.');
    return;
  }
  const complete = condition('Complete');
  const failed = condition('Failed');
  const launching = launchers.some(pod => pod['status']?.phase === 'Running');
  if ((launching || complete) && active === spec.workers && !progress.has('Running')) {
    progress.set('Running', `${called} is running.`);
    operator.events.record(job, 'Normal', 'MPIJobRunning', `${called} is running`);
  }
  if (complete) {
    progress.status.completionTime ??= launcher?.['status'].completionTime;
    progress.set('Succeeded', `${called} successfully completed.`);
    operator.events.record(job, 'Normal', 'MPIJobSucceeded', `${called} successfully completed.`);
  } else if (failed) {
    progress.completed();
    const reason =
      failed.reason === 'BackoffLimitExceeded'
        ? `BackoffLimitExceeded/${launchers[0]?.['status']?.containerStatuses?.[0]?.state?.terminated?.reason ?? 'Error'}`
        : 'MPIJobFailed';
    progress.set('Failed', failed.message ?? `${called} has failed`, 'True', reason);
    operator.events.record(job, 'Warning', reason, failed.message ?? `${called} has failed`);
  }
}

export const mpiOperator: Program = {
  image: 'docker.io/mpioperator/mpi-operator',
  config: { entrypoint: ['/opt/mpi-operator'] },
  async run(c) {
    c.use({ cpuMillis: 3, memoryBytes: 30 * 1024 * 1024 });
    await c.clock.sleep(START_MS, c.signal);
    const say = (level: 'I' | 'E' | 'F', place: string, text: string) =>
      c.logError(klog(c, level, place, text));
    const kinds = await c.api?.discover?.(MPI_JOB.group, MPI_JOB.version);
    if (kinds && !kinds.some(({ kind }) => kind === MPI_JOB.kind)) {
      say('E', 'server.go:137', "CRD doesn't exist. Exiting");
      return 1;
    }
    say('I', 'mpi_job_controller.go:278', 'Setting up event handlers');
    return runOperator(c, {
      component: 'mpi-job-controller',
      controllers: [mpiJobs(c)],
      habits: {
        noAccount: () =>
          say(
            'F',
            'server.go:101',
            'Error building kubeConfig: open /var/run/secrets/kubernetes.io/serviceaccount/token: no such file or directory',
          ),
        starting: () => say('I', 'mpi_job_controller.go:425', 'Starting MPIJob controller'),
        started: () => say('I', 'mpi_job_controller.go:450', 'Started workers'),
        failed: (_controller, { namespace, name }, error) =>
          say('E', 'mpi_job_controller.go:512', `error syncing '${namespace}/${name}': ${wordsOf(error)}`),
      },
    });
  },
};
