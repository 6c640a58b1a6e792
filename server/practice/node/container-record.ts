// One container of a pod through all its lives: image, configuration, start, probes, stop, back-off. Tells its pod when
// something changed and decides nothing about the pod.

import { randomBytes } from 'node:crypto';
import type { KubeObject } from '../../kube/index.ts';
import type { Attachment } from '../network/index.ts';
import { type DirNode, type FileNode, quantityNumber, startRefusal } from '../programs/index.ts';
import { ContainerInstance, type Exit } from './container.ts';
import { configure } from './container-config.ts';
import { adoptFacts, beginLife, endLife, neverStarted } from './container-facts.ts';
import { ContainerImage } from './container-image.ts';
import { runHook, type Surroundings, terminationMessage } from './container-inside.ts';
import { ContainerProbes } from './container-probes.ts';
import { goDuration, RUNTIME_FAILURE } from './container-setup.ts';
import { graceOf, stopInstance } from './container-stop.ts';
import { CrashBackoff } from './crash-backoff.ts';
import { ConfigError } from './env.ts';
import type { StoredImage } from './images.ts';
import type { LogBuffer } from './logs.ts';
import type { PodHost } from './pod-host.ts';
import type { ContainerFacts } from './pod-status.ts';
import type { PodWorld } from './pod-world.ts';
import type { Usage } from './types.ts';

/** A failed configuration is looked at again with the next round of the pod. */
const CONFIG_RETRY_MS = 10_000;
const CONFIG_RETRY_JITTER_MS = 2_000;
/** How long an exited container shows as such before it shows as waiting for its back-off. */
const SHOW_EXIT_MS = 1_500;
/** Creating and starting a container that is configured. */
const CREATE_MS = 60;

interface Links {
  pod(): KubeObject;
  wake(): void;
  after(ms: number): void;
  /** All of the pod's, this one among them. */
  containers(): readonly ContainerRecord[];
}

/** Container logs kept on a node, the newest. */
const KEPT_LOGS = 200;

export class ContainerRecord {
  readonly facts: ContainerFacts;
  instance: ContainerInstance | undefined;
  /** Logs of the life before this one. */
  previousLog: { id: string; log: LogBuffer } | undefined;
  private readonly host: PodHost;
  private readonly world: PodWorld;
  private readonly links: Links;
  private attachment: Attachment | undefined;
  private volumes: Map<string, DirNode | FileNode> | undefined;
  private busy = false;
  private stopped = false;
  private stopPromise: Promise<void> | undefined;
  private hurry: ((graceMs: number) => void) | undefined;
  private retryAt = 0;
  private readonly crash = new CrashBackoff();
  private readonly image: ContainerImage;
  private readonly probes: ContainerProbes;
  private adopted: { id: string; startedAt: number } | undefined;

  constructor(spec: any, kind: ContainerFacts['kind'], host: PodHost, world: PodWorld, links: Links) {
    this.facts = { spec, kind, restarts: 0, ready: false, started: false };
    this.host = host;
    this.world = world;
    this.links = links;
    this.probes = new ContainerProbes(this.facts, {
      surroundings: () => this.surroundings(),
      current: instance => instance === this.instance,
      event: (type, reason, message) => this.event(type, reason, message),
      changed: () => links.wake(),
      restart: graceMs => void this.endInstance(graceMs),
    });
    this.image = new ContainerImage(host, world, {
      event: (type, reason, message) => this.event(type, reason, message),
      wait: (reason, message) => this.wait(reason, message),
      retryIn: ms => this.retryIn(ms),
      retryLater: () => this.retryLater(),
    });
  }

  get name(): string {
    return this.facts.spec.name;
  }

  /** A program runs, is being started or is being stopped. */
  get alive(): boolean {
    return (this.instance?.running ?? false) || (this.busy && !this.stopped) || this.adopted !== undefined;
  }

  private processes(): { name: string; ended: boolean }[] {
    const shared = this.links.pod()['spec'].shareProcessNamespace === true;
    const seen = shared ? this.links.containers() : [this];
    return seen.map(({ name, facts, alive }) => ({ name, ended: !alive && facts.exited !== undefined }));
  }

  /** What its present life has on the disk: its own layer and its log. */
  get storageBytes(): number {
    return this.instance ? this.instance.files.layerBytes() + this.instance.log.diskBytes : 0;
  }

  get succeeded(): boolean {
    return this.facts.exited?.exitCode === 0 && !this.facts.waiting;
  }

  private get fieldPath(): string {
    const list = {
      init: 'initContainers',
      sidecar: 'initContainers',
      main: 'containers',
      ephemeral: 'ephemeralContainers',
    };
    return `spec.${list[this.facts.kind]}{${this.name}}`;
  }

  private event(type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.host.events.record(this.links.pod(), type, reason, message, { fieldPath: this.fieldPath });
  }

  /** The spec changed: a new image means a new container. */
  respec(spec: any): void {
    const before = this.facts.spec;
    if (before === spec) return;
    this.facts.spec = spec;
    if (before.image !== spec.image && this.instance?.running) {
      this.event('Normal', 'Killing', `Container ${this.name} definition changed, will be restarted`);
      this.crash.forget();
      void this.endInstance();
    } else if (before.image !== spec.image) {
      this.retryAt = 0;
      this.image.forget();
    }
  }

  /** A CPU limit lets a program wait, so it never uses more. */
  throttled(usage: Usage): Usage {
    const limit = this.facts.spec.resources?.limits?.cpu;
    if (limit === undefined) return usage;
    return { ...usage, cpuMillis: Math.min(usage.cpuMillis, quantityNumber(limit) * 1000) };
  }

  private memoryLimit(): number {
    return quantityNumber(this.facts.spec.resources?.limits?.memory ?? '0');
  }

  /** Its limits are others now; it is made again where its policy for what changed says so. */
  async resize(changed: string[]): Promise<void> {
    if (!this.instance?.running) return;
    const policies: { resourceName: string; restartPolicy: string }[] = this.facts.spec.resizePolicy ?? [];
    const restarts = policies.some(
      p => changed.includes(p.resourceName) && p.restartPolicy === 'RestartContainer',
    );
    if (!restarts) {
      this.instance.memoryLimit = this.memoryLimit();
      return;
    }
    this.event('Normal', 'Killing', `Container ${this.name} resize requires restart`);
    this.crash.forget();
    await this.endInstance();
  }

  /** What the API remembers of this container from before this kubelet ran. */
  adopt(status: any): void {
    this.adopted = adoptFacts(this.facts, status, this.host.clock.now());
  }

  /** The pod has its address and volumes. */
  connect(attachment: Attachment, volumes: Map<string, DirNode | FileNode>): void {
    this.attachment = attachment;
    this.volumes = volumes;
    if (!this.adopted) return;
    const { id, startedAt } = this.adopted;
    void this.launch({ id, startedAt });
  }

  /** Starts it unless it runs, is being started or has to wait. */
  ensureRunning(): void {
    if (this.stopped || this.busy || this.adopted || this.instance?.running || !this.attachment) return;
    const now = this.host.clock.now();
    if (now < this.retryAt) return;
    if (this.facts.exited && this.backsOff(now)) return;
    this.busy = true;
    void this.bringUp()
      .catch(error => this.host.fault(`container ${this.name}`, error))
      .finally(() => {
        this.busy = false;
        this.links.wake();
      });
  }

  /** True while a crashed container has to wait; sets the waiting state and the event of the back-off. */
  private backsOff(now: number): boolean {
    const exited = this.facts.exited!;
    const wait = this.crash.left(exited.finishedAt, now);
    if (wait <= 0) return false;
    if (now - exited.finishedAt < SHOW_EXIT_MS) {
      this.links.after(SHOW_EXIT_MS - (now - exited.finishedAt));
      return true;
    }
    if (this.facts.waiting?.reason !== 'CrashLoopBackOff') {
      const pod = this.links.pod();
      const where = `${pod.metadata.name}_${pod.metadata.namespace}(${pod.metadata.uid})`;
      this.event('Warning', 'BackOff', `Back-off restarting failed container ${this.name} in pod ${where}`);
      this.facts.waiting = {
        message: `back-off ${goDuration(this.crash.ms)} restarting failed container=${this.name} pod=${where}`,
        reason: 'CrashLoopBackOff',
      };
    }
    this.links.after(wait);
    return true;
  }

  private wait(reason: string, message: string): void {
    this.facts.waiting = { message, reason };
  }

  private retryIn(ms: number): void {
    this.retryAt = this.host.clock.now() + ms;
    this.links.after(ms);
  }

  private async bringUp(): Promise<void> {
    const { image: name, imagePullPolicy } = this.facts.spec;
    const image = await this.image.obtain(name, imagePullPolicy ?? 'IfNotPresent');
    if (!image || this.stopped) return;
    await this.launch({ image });
  }

  private retryLater(): void {
    this.retryIn(CONFIG_RETRY_MS + this.host.random.below(CONFIG_RETRY_JITTER_MS));
  }

  /** Configures and starts a life; with `id` it continues one that the API already knows. */
  private async launch(how: { image?: StoredImage; id?: string; startedAt?: number }): Promise<void> {
    const pod = this.links.pod();
    const spec = this.facts.spec;
    const resumed = how.id !== undefined;
    try {
      const place = {
        podIP: this.attachment!.address,
        volumes: this.volumes!,
        now: () => this.host.clock.now(),
      };
      const config = await configure(pod, spec, this.world, place, resumed);
      if (this.stopped) return;
      const { argv, files, image, program } = config;
      const id = how.id ?? `containerd://${randomBytes(32).toString('hex')}`;
      if (!resumed) {
        await this.host.clock.sleep(CREATE_MS);
        if (this.stopped) return;
        this.event('Normal', 'Created', 'Container created');
        if (this.instance) this.previousLog = { id: this.instance.id, log: this.instance.log };
        const made = how.image!;
        beginLife(this.facts, { id, image, imageID: made.repoDigest ?? made.id });
      }
      const refusal = startRefusal(argv[0] ?? '', files, name => program.has?.(name) ?? name !== '');
      if (refusal !== undefined) return this.failedStart(`${RUNTIME_FAILURE}${refusal}`);
      const api = this.world.apiClient();
      const instance = new ContainerInstance(
        {
          id,
          pod,
          name: this.name,
          ...config,
          attachment: this.attachment!,
          network: this.host.network,
          ...(pod['spec'].hostNetwork ? { host: this.host.network } : {}),
          namespace: pod.metadata.namespace!,
          ...(api ? { api } : {}),
          clock: this.host.clock,
          random: this.host.random,
          memoryLimit: this.memoryLimit(),
          stdin: spec.stdin === true,
          processes: () => this.processes(),
          resumed,
        },
        exit => this.onExit(instance, exit),
      );
      this.keepLog(id, instance.log);
      this.instance = instance;
      this.adopted = undefined;
      instance.start(how.startedAt);
      if (!resumed) this.event('Normal', 'Started', 'Container started');
      if (!resumed && !(await this.postStart(instance))) return;
      if (instance !== this.instance || !instance.running) return;
      this.facts.runningSince = instance.startedAt;
      this.facts.waiting = undefined;
      if (!resumed) this.facts.started = !spec.startupProbe;
      if (!resumed) this.facts.ready = this.facts.started && !spec.readinessProbe;
      this.probes.start(instance);
      this.links.wake();
    } catch (error) {
      this.adopted = undefined;
      if (!(error instanceof ConfigError)) throw error;
      this.event('Warning', 'Failed', `Error: ${error.message}`);
      this.wait('CreateContainerConfigError', error.message);
      if (!resumed) this.retryLater();
    }
  }

  private keepLog(id: string, log: LogBuffer): void {
    const { keptLogs } = this.host;
    keptLogs.set(id, log);
    const [oldest] = keptLogs.keys();
    if (keptLogs.size > KEPT_LOGS && oldest !== undefined) keptLogs.delete(oldest);
  }

  /** The log of a life that ended, also one from before this kubelet ran. */
  logOf(id: string): LogBuffer | undefined {
    return this.host.keptLogs.get(id);
  }

  /** The runtime refused to start what was made. */
  private failedStart(why: string): void {
    this.adopted = undefined;
    this.event('Warning', 'Failed', `Error: ${why}`);
    neverStarted(this.facts, why, this.host.clock.now());
    this.wait('RunContainerError', why);
  }

  private async postStart(instance: ContainerInstance): Promise<boolean> {
    const hook = this.facts.spec.lifecycle?.postStart;
    if (!hook) return true;
    const failure = await runHook(hook, instance, this.surroundings());
    if (failure === undefined || !instance.running) return true;
    this.event('Warning', 'FailedPostStartHook', 'PostStartHook failed');
    this.event('Normal', 'Killing', 'FailedPostStartHook');
    await this.endInstance();
    this.wait('PostStartHookError', failure);
    return false;
  }

  private surroundings(): Surroundings {
    const { clock, hostIP, network } = this.host;
    return {
      pod: this.links.pod(),
      spec: this.facts.spec,
      podIP: this.attachment?.address ?? '',
      hostIP,
      network,
      clock,
    };
  }

  private onExit(instance: ContainerInstance, exit: Exit): void {
    if (instance !== this.instance) return;
    this.probes.stop();
    const message = terminationMessage(instance, this.facts.spec, exit.code);
    endLife(this.facts, {
      containerID: instance.id,
      exitCode: exit.code,
      reason: exit.reason,
      ...(message ? { message } : {}),
      startedAt: instance.startedAt,
      finishedAt: exit.at,
    });
    this.links.wake();
  }

  /** Stops it for good: preStop hook, SIGTERM, and SIGKILL when the grace is over. A shorter grace may follow. */
  stop(graceMs: number): Promise<void> {
    this.stopped = true;
    if (this.stopPromise) {
      this.hurry?.(graceMs);
      return this.stopPromise;
    }
    if (this.instance?.running) this.event('Normal', 'Killing', `Stopping container ${this.name}`);
    this.adopted = undefined;
    this.stopPromise = this.endInstance(graceMs);
    return this.stopPromise;
  }

  private async endInstance(graceMs = graceOf(this.links.pod())): Promise<void> {
    const instance = this.instance;
    if (!instance?.running) return;
    const stop = stopInstance(instance, graceMs, this.surroundings(), () =>
      this.event('Warning', 'FailedPreStopHook', 'PreStopHook failed'),
    );
    this.hurry = stop.hurry;
    await stop.ended;
    this.hurry = undefined;
  }

  /** The pod is at its end: what waited never starts. */
  over(): void {
    this.stopped = true;
    this.probes.stop();
  }

  /** Gone without a word. */
  discard(): void {
    this.stopped = true;
    this.probes.stop();
    this.instance?.kill();
  }
}
