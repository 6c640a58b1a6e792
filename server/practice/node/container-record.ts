// One container of a pod through all its lives: image, configuration, start, probes, stop, back-off. Tells its pod when
// something changed and decides nothing about the pod.

import { randomBytes } from 'node:crypto';
import type { KubeObject } from '../../kube/index.ts';
import type { Attachment } from '../network/index.ts';
import {
  type DirNode,
  ExecStartError,
  type FileNode,
  parseReference,
  programFor,
  quantityNumber,
  runExec,
  startRefusal,
} from '../programs/index.ts';
import { ContainerInstance, type Exit } from './container.ts';
import { containerFiles, terminationMessagePath } from './container-files.ts';
import { ContainerImage } from './container-image.ts';
import { commandOf, goDuration, RUNTIME_FAILURE } from './container-setup.ts';
import { ConfigError, environmentOf } from './env.ts';
import type { StoredImage } from './images.ts';
import type { LogBuffer } from './logs.ts';
import type { PodHost } from './pod-host.ts';
import type { ContainerFacts } from './pod-status.ts';
import type { PodWorld } from './pod-world.ts';
import { type ProbeKind, Prober } from './probes.ts';
import type { Usage } from './types.ts';

/** Restarts wait this long, doubling; forgotten after twice the maximum. */
const BACKOFF_MS = { first: 10_000, last: 300_000 };
/** A failed configuration is looked at again with the next round of the pod. */
const CONFIG_RETRY_MS = 10_000;
const CONFIG_RETRY_JITTER_MS = 2_000;
/** How long an exited container shows as such before it shows as waiting for its back-off. */
const SHOW_EXIT_MS = 1_500;
/** Creating and starting a container that is configured. */
const CREATE_MS = 60;
const START_ERROR_EXIT = 128;
/** A stop leaves at least this much for the program after its preStop hook. */
const MIN_TERM_MS = 2_000;
const TERMINATION_MESSAGE_BYTES = 4096;
const TERMINATION_LOG_LINES = 80;
const TERMINATION_LOG_BYTES = 2048;

interface Backoff {
  ms: number;
  at: number;
}

interface Links {
  pod(): KubeObject;
  wake(): void;
  after(ms: number): void;
  /** All of the pod's, this one among them. */
  containers(): readonly ContainerRecord[];
}

/** What a container may not start with; shown as the waiting reason. */
class StartFailure extends Error {
  readonly reason: string;
  constructor(reason: string, message: string) {
    super(message);
    this.reason = reason;
  }
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
  private crash: Backoff | undefined;
  private readonly image: ContainerImage;
  private probers: Prober[] = [];
  private adopted: { id: string; startedAt: number } | undefined;

  constructor(spec: any, kind: ContainerFacts['kind'], host: PodHost, world: PodWorld, links: Links) {
    this.facts = { spec, kind, restarts: 0, ready: false, started: false };
    this.host = host;
    this.world = world;
    this.links = links;
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
      this.crash = undefined;
      void this.endInstance(this.graceMs());
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
    this.crash = undefined;
    await this.endInstance(this.graceMs());
  }

  /** What the API remembers of this container from before this kubelet ran. */
  adopt(status: any): void {
    const terminated = (t: any) => ({
      containerID: t.containerID ?? '',
      exitCode: t.exitCode,
      reason: t.reason ?? 'Error',
      message: t.message,
      startedAt: Date.parse(t.startedAt ?? '') || 0,
      finishedAt: Date.parse(t.finishedAt ?? '') || 0,
    });
    const facts = this.facts;
    facts.restarts = status.restartCount ?? 0;
    if (status.containerID) facts.containerID = status.containerID;
    if (status.imageID) {
      facts.imageID = status.imageID;
      facts.image = status.image;
    }
    if (status.lastState?.terminated) facts.previous = terminated(status.lastState.terminated);
    if (status.state?.terminated) facts.exited = terminated(status.state.terminated);
    else if (status.state?.running) {
      const startedAt = Date.parse(status.state.running.startedAt) || this.host.clock.now();
      this.adopted = { id: String(status.containerID ?? ''), startedAt };
      facts.runningSince = startedAt;
      facts.started = status.started ?? true;
      facts.ready = status.ready ?? false;
    } else if (status.lastState?.terminated) {
      facts.exited = facts.previous;
      facts.previous = undefined;
    }
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
    const backoff = this.crash;
    if (backoff && exited.finishedAt - backoff.at > 2 * BACKOFF_MS.last) this.crash = undefined;
    const wait = this.crash ? exited.finishedAt + this.crash.ms - now : 0;
    if (wait <= 0) {
      this.crash = { ms: Math.min((this.crash?.ms ?? BACKOFF_MS.first / 2) * 2, BACKOFF_MS.last), at: now };
      return false;
    }
    if (now - exited.finishedAt < SHOW_EXIT_MS) {
      this.links.after(SHOW_EXIT_MS - (now - exited.finishedAt));
      return true;
    }
    if (this.facts.waiting?.reason !== 'CrashLoopBackOff') {
      const pod = this.links.pod();
      const where = `${pod.metadata.name}_${pod.metadata.namespace}(${pod.metadata.uid})`;
      this.event('Warning', 'BackOff', `Back-off restarting failed container ${this.name} in pod ${where}`);
      this.facts.waiting = {
        message: `back-off ${goDuration(this.crash!.ms)} restarting failed container=${this.name} pod=${where}`,
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

  private graceMs(): number {
    return (this.links.pod()['spec'].terminationGracePeriodSeconds ?? 30) * 1000;
  }

  /** Configures and starts a life; with `id` it continues one that the API already knows. */
  private async launch(how: { image?: StoredImage; id?: string; startedAt?: number }): Promise<void> {
    const pod = this.links.pod();
    const spec = this.facts.spec;
    const resumed = how.id !== undefined;
    try {
      const reference = parseReference(spec.image);
      const program = programFor(reference.repository);
      if (!resumed) this.refuseRoot(program.config?.user);
      const env = await environmentOf(pod, spec, program.config?.env ?? {}, this.world.envSources());
      if (this.stopped) return;
      const files = containerFiles({
        pod,
        spec,
        imageFiles: program.config?.files ?? {},
        env,
        podIP: this.attachment!.address,
        volumes: this.volumes!,
        now: () => this.host.clock.now(),
      });
      const argv = commandOf(spec, program.config, env);
      const id = how.id ?? `containerd://${randomBytes(32).toString('hex')}`;
      if (!resumed) {
        await this.host.clock.sleep(CREATE_MS);
        if (this.stopped) return;
        this.event('Normal', 'Created', 'Container created');
        this.newLife(id, how.image!, reference.canonical);
      }
      const refusal = startRefusal(argv[0] ?? '', files, name => program.has?.(name) ?? name !== '');
      if (refusal !== undefined) throw new StartFailure('RunContainerError', `${RUNTIME_FAILURE}${refusal}`);
      const api = this.world.apiClient();
      const instance = new ContainerInstance(
        {
          id,
          pod,
          name: this.name,
          image: reference.canonical,
          program,
          argv,
          env,
          files,
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
      this.startProbes(instance);
      this.links.wake();
    } catch (error) {
      this.adopted = undefined;
      if (error instanceof ConfigError) {
        this.event('Warning', 'Failed', `Error: ${error.message}`);
        this.wait('CreateContainerConfigError', error.message);
        if (!resumed) this.retryLater();
      } else if (error instanceof StartFailure) this.failedStart(error);
      else throw error;
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

  private newLife(id: string, image: StoredImage, canonical: string): void {
    const facts = this.facts;
    if (facts.exited) {
      facts.previous = facts.exited;
      facts.exited = undefined;
      facts.restarts++;
    }
    if (this.instance) this.previousLog = { id: this.instance.id, log: this.instance.log };
    facts.containerID = id;
    facts.image = canonical;
    facts.imageID = image.repoDigest ?? image.id;
    facts.runningSince = undefined;
    facts.ready = false;
    facts.started = false;
  }

  private failedStart(failure: StartFailure): void {
    this.event('Warning', 'Failed', `Error: ${failure.message}`);
    this.facts.exited = {
      containerID: this.facts.containerID ?? '',
      exitCode: START_ERROR_EXIT,
      reason: 'StartError',
      message: failure.message,
      startedAt: 0,
      finishedAt: this.host.clock.now(),
    };
    this.wait(failure.reason, failure.message);
  }

  private refuseRoot(imageUser: string | undefined): void {
    const pod = this.links.pod();
    const context = { ...pod['spec'].securityContext, ...this.facts.spec.securityContext };
    if (!context.runAsNonRoot) return;
    const where = `(pod: "${pod.metadata.name}_${pod.metadata.namespace}(${pod.metadata.uid})", container: ${this.name})`;
    if (context.runAsUser === 0)
      throw new ConfigError(`container's runAsUser breaks non-root policy ${where}`);
    if (context.runAsUser !== undefined) return;
    const user = imageUser ?? '0';
    if (user === '0' || user === 'root')
      throw new ConfigError(`container has runAsNonRoot and image will run as root ${where}`);
    if (!/^\d+(:\d+)?$/.test(user))
      throw new ConfigError(
        `container has runAsNonRoot and image has non-numeric user (${user}), cannot verify user is non-root ${where}`,
      );
  }

  private async postStart(instance: ContainerInstance): Promise<boolean> {
    const hook = this.facts.spec.lifecycle?.postStart;
    if (!hook) return true;
    const failure = await this.hook(hook, instance);
    if (failure === undefined || !instance.running) return true;
    this.event('Warning', 'FailedPostStartHook', 'PostStartHook failed');
    this.event('Normal', 'Killing', 'FailedPostStartHook');
    await this.endInstance(this.graceMs());
    this.wait('PostStartHookError', failure);
    return false;
  }

  /** Runs a hook; undefined when it went well, else what is said about it. */
  private async hook(hook: any, instance: ContainerInstance): Promise<string | undefined> {
    const pod = this.links.pod();
    if (hook.sleep) {
      await this.host.clock.sleep((hook.sleep.seconds ?? 0) * 1000, instance.gone);
      return undefined;
    }
    if (hook.exec) {
      const command: string[] = hook.exec.command;
      const { code, output } = await this.exec(command, instance.gone);
      if (code === 0) return undefined;
      const shown = command.join(' ');
      return `Exec lifecycle hook ([${shown}]) for Container "${this.name}" in Pod "${pod.metadata.name}_${pod.metadata.namespace}(${pod.metadata.uid})" failed - error: command '${shown}' exited with ${code}: ${output}, message: ${JSON.stringify(output)}`;
    }
    const get = hook.httpGet ?? hook.tcpSocket;
    if (get) {
      const probe = hook.httpGet
        ? { httpGet: get, timeoutSeconds: 30 }
        : { tcpSocket: get, timeoutSeconds: 30 };
      const { ask } = await import('./probes.ts');
      const outcome = await ask(probe, this.probeTarget(), this.host.network, this.host.clock);
      return outcome.ok ? undefined : outcome.output;
    }
    return undefined;
  }

  /** Runs a command inside and collects what it prints. */
  async exec(command: string[], signal: AbortSignal): Promise<{ code: number; output: string }> {
    const instance = this.instance;
    if (!instance?.running) return { code: 126, output: 'container not running' };
    let output = '';
    const take = (chunk: string | Uint8Array) => {
      if (output.length < 10_240)
        output += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8');
    };
    try {
      const code = await runExec(instance.container(), instance.options.program, command, {
        stdout: take,
        stderr: take,
        signal: AbortSignal.any([signal, instance.gone]),
        tty: false,
      });
      return { code, output };
    } catch (error) {
      if (error instanceof ExecStartError) return { code: 126, output: error.message };
      throw error;
    }
  }

  private probeTarget() {
    const ports: any[] = this.facts.spec.ports ?? [];
    return {
      podIP: this.attachment?.address ?? '',
      hostIP: this.host.hostIP,
      namespace: this.links.pod().metadata.namespace!,
      portNamed: (name: string) => ports.find(p => p.name === name)?.containerPort,
      exec: (command: string[], signal: AbortSignal) => this.exec(command, signal),
    };
  }

  private startProbes(instance: ContainerInstance): void {
    this.stopProbes();
    const spec = this.facts.spec;
    const titles = { startup: 'Startup', readiness: 'Readiness', liveness: 'Liveness' };
    const make = (kind: ProbeKind, probe: any, gate: () => boolean) => {
      const prober = new Prober(kind, probe, {
        target: this.probeTarget(),
        network: this.host.network,
        clock: this.host.clock,
        gate,
        events: {
          failed: (k, output) => {
            if (instance.running) this.event('Warning', 'Unhealthy', `${titles[k]} probe failed: ${output}`);
          },
          changed: (k, ok) => {
            if (instance.running && instance === this.instance) this.probed(k, ok, probe);
          },
        },
      });
      this.probers.push(prober);
      prober.start();
    };
    const started = () => this.facts.started;
    if (spec.startupProbe && !this.facts.started) make('startup', spec.startupProbe, () => true);
    if (spec.readinessProbe) make('readiness', spec.readinessProbe, started);
    if (spec.livenessProbe) make('liveness', spec.livenessProbe, started);
  }

  private stopProbes(): void {
    for (const prober of this.probers.splice(0)) prober.stop();
  }

  private probed(kind: ProbeKind, ok: boolean, probe: any): void {
    if (kind === 'readiness') this.facts.ready = ok && this.facts.started;
    else if (kind === 'startup' && ok) {
      this.facts.started = true;
      this.facts.ready = !this.facts.spec.readinessProbe;
      for (const prober of this.probers) prober.kick();
    } else if (!ok) {
      this.event('Normal', 'Killing', `Container ${this.name} failed ${kind} probe, will be restarted`);
      const seconds = probe.terminationGracePeriodSeconds;
      void this.endInstance(seconds === undefined ? this.graceMs() : seconds * 1000);
    }
    this.links.wake();
  }

  private onExit(instance: ContainerInstance, exit: Exit): void {
    if (instance !== this.instance) return;
    this.stopProbes();
    const message = this.terminationMessage(instance, exit);
    this.facts.exited = {
      containerID: instance.id,
      exitCode: exit.code,
      reason: exit.reason,
      ...(message ? { message } : {}),
      startedAt: instance.startedAt,
      finishedAt: exit.at,
    };
    this.facts.runningSince = undefined;
    this.facts.ready = false;
    this.facts.started = false;
    this.facts.waiting = undefined;
    this.links.wake();
  }

  private terminationMessage(instance: ContainerInstance, exit: Exit): string | undefined {
    const text = instance.files.readText(terminationMessagePath(this.facts.spec));
    if (text) return text.slice(0, TERMINATION_MESSAGE_BYTES);
    if (this.facts.spec.terminationMessagePolicy !== 'FallbackToLogsOnError' || exit.code === 0)
      return undefined;
    return instance.log.tail(TERMINATION_LOG_LINES, TERMINATION_LOG_BYTES);
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

  private async endInstance(graceMs: number): Promise<void> {
    const instance = this.instance;
    if (!instance?.running) return;
    const clock = this.host.clock;
    let timer = clock.after(graceMs, () => instance.kill());
    this.hurry = shorter => {
      timer.cancel();
      timer = clock.after(shorter, () => instance.kill());
    };
    const ended = new Promise<void>(resolve =>
      instance.gone.addEventListener('abort', () => resolve(), { once: true }),
    );
    const began = clock.now();
    const hook = this.facts.spec.lifecycle?.preStop;
    if (hook && graceMs > 0) {
      const failure = await Promise.race([this.hook(hook, instance), ended.then(() => undefined)]);
      if (failure !== undefined) this.event('Warning', 'FailedPreStopHook', 'PreStopHook failed');
      const left = graceMs - (clock.now() - began);
      if (instance.running && left < MIN_TERM_MS) this.hurry(MIN_TERM_MS);
    }
    instance.terminate();
    await ended;
    timer.cancel();
    this.hurry = undefined;
  }

  /** The pod is at its end: what waited never starts. */
  over(): void {
    this.stopped = true;
    this.stopProbes();
  }

  /** Gone without a word. */
  discard(): void {
    this.stopped = true;
    this.stopProbes();
    this.instance?.kill();
  }
}
