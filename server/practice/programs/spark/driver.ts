// A Spark driver in its pod: asks the API for executors under the pod's own account, keeps as many as it wants, deals its tasks
// out to them and puts their results together. Of all programs it knows the two that compute pi.

import { type KubeObject, StatusError } from '../../../kube/index.ts';
import type { ByteStream } from '../../network/index.ts';
import { controlledBy } from '../operator/index.ts';
import type { Container } from '../types.ts';
import {
  entrypointTrace,
  type Message,
  messages,
  RPC_PORT,
  type SparkLog,
  sparkLog,
  UI_PORT,
} from './common.ts';
import { executorConfig, executorPod, type Settings } from './executor-pod.ts';

const PODS = { group: '', version: 'v1', resource: 'pods' };
const CONFIG_MAPS = { group: '', version: 'v1', resource: 'configmaps' };
const START_MS = 1_500;
/** spark.kubernetes.allocation.batch.delay */
const ALLOCATE_MS = 1_000;
/** How often it complains that nobody works. */
const STARVATION_MS = 15_000;
/** How long executors get to end by themselves before their pods are deleted, and how often they are looked at. */
const STOP_MS = 3_000;
const LOOK_MS = 200;
const POINTS = 100_000;
const API = 'https://kubernetes.default.svc/api/v1';

interface Application {
  name: string;
  /** Where in its source the work is collected. */
  place: string;
  pi(inside: number, points: number): string;
}

const python: Application = {
  name: 'PythonPi',
  place: 'reduce at /opt/spark/examples/src/main/python/pi.py:42',
  pi: (inside, points) => ((4 * inside) / points).toFixed(6),
};
const scala: Application = {
  name: 'Spark Pi',
  place: 'reduce at SparkPi.scala:38',
  pi: (inside, points) => String((4 * inside) / (points - 1)),
};

/** The lines of a properties file; its writer escapes colons. */
const propertiesOf = (text: string): Settings =>
  Object.fromEntries(
    text
      .split('\n')
      .filter(line => line.includes('=') && !line.startsWith('#'))
      .map(line => {
        const at = line.indexOf('=');
        return [line.slice(0, at), line.slice(at + 1).replaceAll('\\', '')];
      }),
  );

export async function runDriver(container: Container): Promise<number> {
  const { argv, clock, signal, api } = container;
  const log = sparkLog(container);
  const at = argv.indexOf('--class');
  const [, mainClass = '', file = '', ...args] = at < 0 ? [] : argv.slice(at);
  const settings = propertiesOf(
    container.files.readText(argv[argv.indexOf('--properties-file') + 1] ?? '') ?? '',
  );
  container.use({ cpuMillis: 350, memoryBytes: 320 * 1024 * 1024 });
  entrypointTrace(
    container,
    `/usr/bin/tini -s -- /opt/spark/bin/spark-submit --conf spark.driver.bindAddress=${container.env['SPARK_DRIVER_BIND_ADDRESS']} --deploy-mode client --properties-file /opt/spark/conf/spark.properties --class ${mainClass} ${[file, ...args].join(' ')}`,
  );
  const application = file.endsWith('/pi.py') ? python : mainClass.endsWith('.SparkPi') ? scala : undefined;
  if (!application) {
    container.logError(
      `spark: this practice cluster runs only the examples pi.py and org.apache.spark.examples.SparkPi, not ${file || mainClass}`,
    );
    return 1;
  }
  await clock.sleep(START_MS, signal);
  if (signal.aborted) return exitOf(container);
  log.info('SparkContext', `Running Spark version ${settings['spark.app.version'] ?? ''}`);
  log.info('SparkContext', `Submitted application: ${application.name}`);
  log.info(
    'SparkKubernetesClientFactory',
    'Auto-configuring K8S client using current context from users K8S config file',
  );
  const partitions = Math.max(1, Number.parseInt(args[0] ?? '2', 10) || 2);
  const driver = new Driver(container, log, settings, application, partitions);
  try {
    if (!api) throw new Error('there is no token of a service account in this pod');
    await driver.start();
  } catch (error) {
    if (!(error instanceof StatusError) && api) throw error;
    log.error('SparkContext', 'Error initializing SparkContext.');
    container.logError('org.apache.spark.SparkException: External scheduler cannot be instantiated');
    container.logError(
      `Caused by: io.fabric8.kubernetes.client.KubernetesClientException: Failure executing: GET at: ${API}/namespaces/${driver.namespace}/pods/${driver.podName}. Message: ${(error as Error).message}.`,
    );
    log.info('SparkContext', 'Successfully stopped SparkContext');
    return 1;
  }
  return driver.run();
}

interface Worker {
  id: string;
  host: string;
  free: number;
  tasks: Set<number>;
  send(message: Message): void;
}

class Driver {
  readonly namespace: string;
  readonly podName: string;
  private readonly container: Container;
  private readonly log: SparkLog;
  private readonly settings: Settings;
  private readonly application: Application;
  private readonly workers = new Map<string, Worker>();
  private readonly open: number[];
  private readonly begun = new Map<number, number>();
  private readonly total: number;
  private inside = 0;
  private finished = 0;
  private executors = 0;
  private own!: KubeObject;
  private done!: () => void;

  constructor(
    container: Container,
    log: SparkLog,
    settings: Settings,
    application: Application,
    total: number,
  ) {
    this.container = container;
    this.log = log;
    this.settings = settings;
    this.application = application;
    this.total = total;
    this.open = Array.from({ length: total }, (_, index) => index);
    this.namespace = settings['spark.kubernetes.namespace'] ?? container.pod.metadata.namespace ?? '';
    this.podName = settings['spark.kubernetes.driver.pod.name'] ?? container.pod.metadata.name;
  }

  /** Finds its own pod, which is to own the executors; rejects when it may not. */
  async start(): Promise<void> {
    const { api } = this.container;
    this.own = await api!.get(PODS, { namespace: this.namespace, name: this.podName });
    try {
      await api!.create(
        CONFIG_MAPS,
        executorConfig(this.settings, this.namespace, controlledBy(this.typed())),
      );
    } catch (error) {
      // One that the cluster has taken back in time finds its own.
      if (!(error instanceof StatusError) || error.reason !== 'AlreadyExists') throw error;
    }
    this.container.listen(RPC_PORT, (stream, peer) => this.connected(stream, peer));
    this.container.serveHttp(UI_PORT, ({ path }) =>
      path.startsWith('/api/v1/applications')
        ? {
            status: 200,
            headers: { 'Content-Type': 'application/json' },
            body: JSON.stringify([{ id: this.settings['spark.app.id'], name: this.application.name }]),
          }
        : { status: 404, body: 'this practice cluster serves /api/v1/applications of the Spark UI\n' },
    );
  }

  private typed(): KubeObject {
    return { ...this.own, apiVersion: 'v1', kind: 'Pod' };
  }

  async run(): Promise<number> {
    const { clock, signal } = this.container;
    const { place, pi } = this.application;
    const began = clock.now();
    const ended = new Promise<void>(resolve => {
      this.done = resolve;
    });
    signal.addEventListener('abort', () => this.done(), { once: true });
    const host = this.settings['spark.driver.host'] ?? '';
    this.log.info('SparkUI', `Bound SparkUI to 0.0.0.0, and started at http://${host}:${UI_PORT}`);
    this.log.info('SparkContext', `Starting job: ${place}`);
    this.log.info('DAGScheduler', `Got job 0 (${place}) with ${this.total} output partitions`);
    this.log.info('TaskSchedulerImpl', `Adding task set 0.0 with ${this.total} tasks resource profile 0`);
    void this.allocate();
    void this.complain();
    await ended;
    if (signal.aborted) return signal.reason === 'SIGTERM' ? 143 : 137;
    const seconds = (clock.now() - began) / 1000;
    this.log.info('DAGScheduler', `Job 0 finished: ${place}, took ${seconds.toFixed(6)} s`);
    this.container.log(`Pi is roughly ${pi(this.inside, this.total * POINTS)}`);
    this.log.info('SparkUI', `Stopped Spark web UI at http://${host}:${UI_PORT}`);
    this.log.info('KubernetesClusterSchedulerBackend', 'Shutting down all executors');
    for (const worker of this.workers.values()) worker.send({ type: 'stop' });
    await this.clearAway();
    this.log.info('SparkContext', 'Successfully stopped SparkContext');
    this.log.info('ShutdownHookManager', 'Shutdown hook called');
    return 0;
  }

  private get isOver(): boolean {
    return this.finished === this.total || this.container.signal.aborted;
  }

  /** Looks once a second whether there are as many executors as wanted, and asks for those that are missing. */
  private async allocate(): Promise<void> {
    const { api, clock, signal } = this.container;
    const target = Number(this.settings['spark.executor.instances'] ?? 1);
    while (!this.isOver) {
      try {
        const { items } = await api!.list(PODS, {
          namespace: this.namespace,
          labelSelector: this.selector(),
        });
        for (const { metadata } of items)
          this.executors = Math.max(this.executors, Number(metadata.labels?.['spark-exec-id'] ?? 0));
        const there = items.filter(
          ({ metadata, status }) =>
            !metadata.deletionTimestamp && !['Failed', 'Succeeded'].includes(status?.phase),
        ).length;
        if (there < target && !this.isOver) {
          const missing = target - there;
          this.log.info(
            'ExecutorPodsAllocator',
            `Going to request ${missing} executors from Kubernetes for ResourceProfile Id: 0, target: ${target}, known: ${there}, sharedSlotFromPendingPods: 2147483647.`,
          );
          for (let count = 0; count < missing; count++) await this.ask(String(++this.executors));
        }
      } catch (error) {
        if (!(error instanceof StatusError)) throw error;
        this.log.warn('ExecutorPodsSnapshotsStoreImpl', 'Exception when notifying snapshot subscriber.');
        this.container.logError(
          `io.fabric8.kubernetes.client.KubernetesClientException: Failure executing: POST at: ${API}/namespaces/${this.namespace}/pods. Message: ${error.message}.`,
        );
      }
      await clock.sleep(ALLOCATE_MS, signal);
    }
  }

  private ask(id: string): Promise<KubeObject> {
    const pod = executorPod(this.settings, {
      id,
      name: this.application.name,
      driver: this.own,
      owner: controlledBy(this.typed()),
    });
    return this.container.api!.create(PODS, pod);
  }

  private selector(): string {
    return `spark-app-selector=${this.settings['spark.app.id']},spark-role=executor`;
  }

  private async complain(): Promise<void> {
    const { clock, signal } = this.container;
    for (;;) {
      await clock.sleep(STARVATION_MS, signal);
      if (this.isOver) return;
      if (this.workers.size === 0)
        this.log.warn(
          'TaskSchedulerImpl',
          'Initial job has not accepted any resources; check your cluster UI to ensure that workers are registered and have sufficient resources',
        );
    }
  }

  /** An executor speaks: it registers, and later hands in results. */
  private connected(stream: ByteStream, peer: string): void {
    let worker: Worker | undefined;
    const send = messages(stream, message => {
      if (message.type === 'register') {
        worker = { id: message.executor, host: message.host, free: message.cores, tasks: new Set(), send };
        this.workers.set(worker.id, worker);
        this.log.info(
          'KubernetesClusterSchedulerBackend$KubernetesDriverEndpoint',
          `Registered executor NettyRpcEndpointRef(spark-client://Executor) (${peer}:51234) with ID ${worker.id},  ResourceProfileId 0`,
        );
        send({ type: 'registered' });
        this.deal();
      } else if (message.type === 'result' && worker) this.take(worker, message.id, message.inside);
    });
    const gone = () => {
      if (!worker || !this.workers.delete(worker.id) || this.isOver) return;
      this.log.error(
        'TaskSchedulerImpl',
        `Lost executor ${worker.id} on ${worker.host}: Remote RPC client disassociated.`,
      );
      // Its tasks are open again.
      this.open.unshift(...worker.tasks);
      this.deal();
    };
    stream.onEnd(gone);
    stream.onClose(gone);
  }

  private deal(): void {
    for (const worker of this.workers.values())
      while (worker.free > 0 && this.open.length > 0) {
        const id = this.open.shift()!;
        worker.free--;
        worker.tasks.add(id);
        this.begun.set(id, this.container.clock.now());
        this.log.info(
          'TaskSetManager',
          `Starting task ${id}.0 in stage 0.0 (TID ${id}) (${worker.host}, executor ${worker.id}, partition ${id}, PROCESS_LOCAL, 7661 bytes)`,
        );
        worker.send({ type: 'task', id, points: POINTS });
      }
  }

  private take(worker: Worker, id: number, inside: number): void {
    worker.tasks.delete(id);
    worker.free++;
    this.inside += inside;
    this.finished++;
    const took = this.container.clock.now() - (this.begun.get(id) ?? 0);
    this.log.info(
      'TaskSetManager',
      `Finished task ${id}.0 in stage 0.0 (TID ${id}) in ${Math.round(took)} ms on ${worker.host} (executor ${worker.id}) (${this.finished}/${this.total})`,
    );
    if (this.finished === this.total) this.done();
    else this.deal();
  }

  /** Waits for the executors to end, and deletes their pods. */
  private async clearAway(): Promise<void> {
    const { api, clock, signal } = this.container;
    const list = async () =>
      (await api!.list(PODS, { namespace: this.namespace, labelSelector: this.selector() })).items;
    try {
      const end = clock.now() + STOP_MS;
      const isAtWork = async () => (await list()).some(({ status }) => status?.phase === 'Running');
      while (clock.now() < end && (await isAtWork())) await clock.sleep(LOOK_MS, signal);
      for (const { metadata } of await list())
        await api!.delete(
          PODS,
          { namespace: this.namespace, name: metadata.name },
          { gracePeriodSeconds: 0 },
        );
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      this.log.warn(
        'KubernetesClusterSchedulerBackend',
        `Exception when deleting executors: ${error.message}`,
      );
    }
  }
}

const exitOf = ({ signal }: Container) => (signal.reason === 'SIGTERM' ? 143 : 137);
