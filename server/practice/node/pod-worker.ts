// One pod on one node, from its first sight to its removal: level-based, every change or timer leads to one `sync` that
// compares what should be with what is. Knows programs only through the container runtime.

import type { Timer } from '../../clock.ts';
import type { KubeObject } from '../../kube/index.ts';
import type { Attachment } from '../network/index.ts';
import type { DirNode, FileNode } from '../programs/index.ts';
import { ContainerRecord } from './container-record.ts';
import { removePod, writePodStatus } from './pod-api.ts';
import type { PodHost } from './pod-host.ts';
import { podStatus } from './pod-status.ts';
import { PodWorld } from './pod-world.ts';
import { ACTUATE_MS, PodResources } from './resize.ts';
import { emptyDirsOf, type PodStorage } from './storage-use.ts';
import { MountError } from './volumes.ts';

/** Making a sandbox with its network. */
const SANDBOX_MS = 250;
/** FailedMount is retried with a doubling delay between these. */
const MOUNT_RETRY_MS = { first: 500, last: 122_000 };
/** Volumes made from API objects are looked at again this often. */
const REFRESH_MS = 60_000;
/** What a pod gets to end itself when its node runs short. */
const EVICTION_GRACE_MS = 1_000;
const DEADLINE = 'Pod was active on the node longer than the specified deadline';

export class PodWorker {
  pod: KubeObject;
  readonly records: ContainerRecord[] = [];
  private readonly host: PodHost;
  private readonly world: PodWorld;
  private readonly resources: PodResources;
  private attachment: Attachment | undefined;
  private podIP: string | undefined;
  private volumes: Map<string, DirNode | FileNode> | undefined;
  private mounting = false;
  private sandboxing = false;
  private initialised = false;
  private startTime: number;
  private stopping: { graceMs: number } | undefined;
  private verdict: { phase: 'Failed'; reason: string; message: string } | undefined;
  private extraConditions: { type: string; status: string; reason: string; message: string }[] = [];
  private finished = false;
  /** Taking over a pod that ran before: until it stands again, its status is left as it is. */
  private resuming = false;
  private removed = false;
  private running = false;
  private dirty = false;
  private timers = new Set<Timer>();
  private onRemoved: () => void;

  constructor(pod: KubeObject, host: PodHost, onRemoved: () => void) {
    this.pod = pod;
    this.host = host;
    this.onRemoved = onRemoved;
    this.startTime = pod['status']?.startTime ? Date.parse(pod['status'].startTime) : host.clock.now();
    this.world = new PodWorld(
      host,
      () => this.pod,
      () => this.podIP,
    );
    this.resources = new PodResources(pod);
    this.readContainers();
    this.adopt();
  }

  get namespace(): string {
    return this.pod.metadata.namespace!;
  }

  get name(): string {
    return this.pod.metadata.name;
  }

  get isMirror(): boolean {
    return this.pod.metadata.annotations?.['kubernetes.io/config.mirror'] !== undefined;
  }

  /** With the resources that are granted to it. */
  get held(): KubeObject {
    return this.resources.held(this.pod);
  }

  /** It asks for more than the node has left. */
  get waitsForRoom(): boolean {
    return this.resources.deferred;
  }

  /** Still using the node's resources. */
  get active(): boolean {
    return !this.finished && !this.removed;
  }

  get place(): Attachment | undefined {
    return this.attachment;
  }

  now(): number {
    return this.host.clock.now();
  }

  /** What it has on the node's disk now. */
  storage(): PodStorage {
    return {
      containers: this.records.map(record => ({ name: record.name, bytes: record.storageBytes })),
      emptyDirs: emptyDirsOf(this.pod['spec'], this.volumes),
    };
  }

  record(container: string): ContainerRecord | undefined {
    return this.records.find(r => r.name === container);
  }

  /** The API's newest view of this pod. */
  update(pod: KubeObject): void {
    this.pod = pod;
    this.readContainers();
    this.wake();
  }

  /** The object is gone from the API: stop at once and say nothing more. */
  gone(): void {
    if (this.removed) return;
    this.cleanUp();
    this.onRemoved();
    this.host.roomChanged();
  }

  /** Lets go without a trace in the API (the cluster stops or goes back in time). */
  dispose(): void {
    if (!this.removed) this.cleanUp();
  }

  /** Ends the pod on the kubelet's own decision. */
  evict(reason: string, message: string): void {
    if (this.verdict || this.finished) return;
    this.verdict = { phase: 'Failed', reason, message };
    this.extraConditions.push({
      type: 'DisruptionTarget',
      status: 'True',
      reason: 'TerminationByKubelet',
      message,
    });
    this.beginStopping(EVICTION_GRACE_MS);
    this.wake();
  }

  wake(): void {
    if (this.removed) return;
    this.dirty = true;
    if (this.running) return;
    this.running = true;
    queueMicrotask(async () => {
      try {
        while (this.dirty && !this.removed) {
          this.dirty = false;
          await this.sync();
        }
      } catch (error) {
        this.host.fault(`pod ${this.namespace}/${this.name}`, error);
        this.after(5_000);
      } finally {
        this.running = false;
      }
    });
  }

  private after(ms: number): void {
    const timer = this.host.clock.after(ms, () => {
      this.timers.delete(timer);
      this.wake();
    });
    this.timers.add(timer);
  }

  private readContainers(): void {
    const spec = this.held['spec'];
    const add = (container: any, kind: ContainerRecord['facts']['kind']) => {
      const known = this.record(container.name);
      if (known) {
        known.respec(container);
        return;
      }
      const record = new ContainerRecord(container, kind, this.host, this.world, {
        pod: () => this.pod,
        wake: () => this.wake(),
        after: ms => this.after(ms),
        containers: () => this.records,
      });
      this.records.push(record);
      // An ephemeral container comes to a pod that stands already.
      if (this.attachment && this.volumes) record.connect(this.attachment, this.volumes);
    };
    for (const c of spec.initContainers ?? []) add(c, c.restartPolicy === 'Always' ? 'sidecar' : 'init');
    for (const c of spec.containers ?? []) add(c, 'main');
    for (const c of spec.ephemeralContainers ?? []) add(c, 'ephemeral');
  }

  /** Takes over a pod that ran before this kubelet did: its status says what was running. */
  private adopt(): void {
    const status = this.pod['status'] ?? {};
    if (status.phase === 'Succeeded' || status.phase === 'Failed') {
      this.finished = true;
      this.podIP = status.podIP;
      if (status.reason)
        this.verdict = { phase: 'Failed', reason: status.reason, message: status.message ?? '' };
    }
    const all = [
      ...(status.initContainerStatuses ?? []),
      ...(status.containerStatuses ?? []),
      ...(status.ephemeralContainerStatuses ?? []),
    ];
    for (const s of all) this.record(s.name)?.adopt(s);
    if (this.finished || !status.podIP) return;
    this.initialised =
      status.conditions?.some((c: any) => c.type === 'Initialized' && c.status === 'True') ?? false;
    this.podIP = status.podIP;
    this.resuming = true;
  }

  private async sync(): Promise<void> {
    if (this.finished) return this.afterwards();
    if (this.pod.metadata.deletionTimestamp !== undefined) {
      if (this.isMirror) return removePod(this.host.client, this.pod);
      this.beginStopping((this.pod.metadata.deletionGracePeriodSeconds ?? 30) * 1000);
    }
    if (!this.stopping) this.checkDeadline();
    if (!this.stopping && this.attachment) this.weighResize();
    if (this.stopping) {
      if (this.records.every(r => !r.alive)) return this.finish();
    } else if (this.admitted()) {
      if (!this.volumes) this.mountVolumes();
      else if (!this.attachment) this.makeSandbox();
      else if (this.reconcileContainers()) return this.finish();
    }
    if (!this.resuming) await this.writeStatus();
  }

  private weighResize(): void {
    const node = {
      capacity: this.host.allocatable,
      others: () => this.host.heldBeside(this),
      event: this.tell,
    };
    if (!this.resources.weigh(this.pod, node, this.isMirror)) return;
    this.readContainers();
    const restarts = this.resources.changes().map(({ name, changed }) => this.record(name)?.resize(changed));
    void Promise.all([this.host.clock.sleep(ACTUATE_MS), ...restarts]).then(() => {
      if (!this.active || this.stopping) return;
      this.resources.complete(this.pod, { event: this.tell });
      this.host.roomChanged();
      this.wake();
    });
  }

  private readonly tell = (type: 'Normal' | 'Warning', reason: string, message: string): void =>
    this.host.events.record(this.pod, type, reason, message);

  private checkDeadline(): void {
    const seconds = this.pod['spec'].activeDeadlineSeconds;
    if (seconds === undefined || this.verdict) return;
    const left = this.startTime + seconds * 1000 - this.host.clock.now();
    if (left > 0) {
      this.after(left);
      return;
    }
    this.host.events.record(this.pod, 'Normal', 'DeadlineExceeded', DEADLINE);
    this.verdict = { phase: 'Failed', reason: 'DeadlineExceeded', message: DEADLINE };
    this.beginStopping((this.pod['spec'].terminationGracePeriodSeconds ?? 30) * 1000);
  }

  /** The node's own last word, for pods that no scheduler weighed. */
  private admitted(): boolean {
    if (this.attachment || this.volumes || this.verdict) return !this.verdict;
    const refusal = this.host.admit(this);
    if (!refusal) return true;
    this.host.events.record(this.pod, 'Warning', refusal.reason, refusal.message);
    this.verdict = {
      phase: 'Failed',
      reason: refusal.reason,
      message: `Pod was rejected: ${refusal.message}`,
    };
    this.finished = true;
    return false;
  }

  private mountVolumes(): void {
    if (this.mounting) return;
    this.mounting = true;
    void this.mountUntilDone();
  }

  private async mountUntilDone(): Promise<void> {
    let delay = MOUNT_RETRY_MS.first;
    for (;;) {
      if (this.stopping || this.removed) return;
      try {
        const volumes = await this.world.buildVolumes();
        if (this.stopping || this.removed) return;
        this.volumes = volumes;
        this.mounting = false;
        if (this.world.refreshes()) this.refreshLater();
        this.wake();
        return;
      } catch (error) {
        if (error instanceof MountError)
          this.host.events.record(this.pod, 'Warning', 'FailedMount', error.message);
        else this.host.fault(`volumes of ${this.namespace}/${this.name}`, error);
      }
      await this.host.clock.sleep(delay);
      delay = Math.min(delay * 2, MOUNT_RETRY_MS.last);
    }
  }

  private refreshLater(): void {
    const timer = this.host.clock.after(REFRESH_MS, async () => {
      this.timers.delete(timer);
      if (!this.active || !this.volumes) return;
      try {
        await this.world.refreshVolumes(this.volumes);
      } finally {
        if (this.active) this.refreshLater();
      }
    });
    this.timers.add(timer);
  }

  private makeSandbox(): void {
    if (this.sandboxing) return;
    this.sandboxing = true;
    const adopted = this.podIP;
    const ready = () => {
      if (this.stopping || this.removed) return;
      if (this.pod['spec'].hostNetwork) this.attach(this.host.hostIP);
      else if (adopted && this.host.addresses.claim(adopted)) this.attach(adopted);
      else this.attach(this.host.addresses.take() ?? this.host.hostIP);
      this.wake();
    };
    if (adopted) ready();
    else void this.host.clock.sleep(SANDBOX_MS).then(ready);
  }

  private attach(address: string): void {
    this.podIP = address;
    this.resuming = false;
    const { network, hostIP, addresses } = this.host;
    // What the node runs of itself listens with TLS or on its loopback; here it is plain and only for the cluster's parts.
    const exposed = address === hostIP && !this.isMirror;
    this.attachment = network.attach(
      address,
      () => address !== hostIP && addresses.release(address),
      exposed,
    );
    this.publishPorts(this.attachment);
    for (const record of this.records) record.connect(this.attachment, this.volumes!);
  }

  /** What the node's network plugin does for each hostPort; a pod in the node's network has them anyway. */
  private publishPorts(attachment: Attachment): void {
    const { hostIP } = this.host;
    if (attachment.address === hostIP) return;
    const { containers = [], initContainers = [] } = this.pod['spec'];
    for (const container of [...containers, ...initContainers])
      for (const { hostPort, hostIP: only, containerPort, protocol = 'TCP' } of container.ports ?? [])
        if (hostPort && protocol === 'TCP' && ['', '0.0.0.0', hostIP].includes(only ?? ''))
          attachment.publish(hostIP, hostPort, containerPort);
  }

  /** Starts what should run. True when the pod has come to its end by itself. */
  private reconcileContainers(): boolean {
    const policy = this.pod['spec'].restartPolicy ?? 'Always';
    const inits = this.records.filter(r => r.facts.kind === 'init' || r.facts.kind === 'sidecar');
    for (const record of inits) {
      if (record.facts.kind === 'sidecar') {
        record.ensureRunning();
        if (!this.initialised && !record.facts.started) return false;
        continue;
      }
      if (this.initialised) continue;
      if (record.succeeded) continue;
      if (record.facts.exited && policy === 'Never') {
        this.stopSidecars();
        return this.records.every(r => !r.alive);
      }
      record.ensureRunning();
      return false;
    }
    this.initialised = true;
    for (const record of this.records)
      if (record.facts.kind === 'ephemeral' && !record.facts.exited) record.ensureRunning();
    const mains = this.records.filter(r => r.facts.kind === 'main');
    let open = false;
    for (const record of mains) {
      const exited = record.facts.exited;
      if (
        record.alive ||
        !exited ||
        policy === 'Always' ||
        (policy === 'OnFailure' && exited.exitCode !== 0)
      ) {
        record.ensureRunning();
        open = true;
      }
    }
    if (open) return false;
    this.stopSidecars();
    return this.records.every(r => !r.alive);
  }

  private stopSidecars(): void {
    const graceMs = (this.pod['spec'].terminationGracePeriodSeconds ?? 30) * 1000;
    for (const record of this.records) if (record.facts.kind === 'sidecar') record.stop(graceMs);
  }

  private beginStopping(graceMs: number): void {
    if (this.stopping && this.stopping.graceMs <= graceMs) return;
    this.stopping = { graceMs };
    const mains = this.records.filter(r => r.facts.kind !== 'sidecar');
    const sidecars = this.records.filter(r => r.facts.kind === 'sidecar').reverse();
    void Promise.all(mains.map(r => r.stop(graceMs))).then(async () => {
      for (const sidecar of sidecars) await sidecar.stop(Math.max(2000, graceMs / 2));
      this.wake();
    });
  }

  private async finish(): Promise<void> {
    this.finished = true;
    for (const record of this.records) record.over();
    this.attachment?.close();
    this.attachment = undefined;
    this.host.roomChanged();
    await this.afterwards();
  }

  private async afterwards(): Promise<void> {
    await this.writeStatus();
    if (this.pod.metadata.deletionTimestamp !== undefined) await removePod(this.host.client, this.pod);
  }

  private cleanUp(): void {
    this.removed = true;
    for (const timer of this.timers) timer.cancel();
    this.timers.clear();
    for (const record of this.records) record.discard();
    this.attachment?.close();
    this.attachment = undefined;
  }

  /** Writes the status when it differs from what the API holds. */
  private async writeStatus(): Promise<void> {
    if (this.removed) return;
    const before = this.pod.metadata.deletionTimestamp;
    await writePodStatus(this.host.client, {
      pod: () => this.pod,
      status: () => this.status(),
      over: () => this.removed,
      took: pod => {
        this.pod = pod;
      },
    });
    if (this.pod.metadata.deletionTimestamp !== before) this.dirty = true;
  }

  private status(): Record<string, any> {
    return podStatus({
      pod: this.held,
      containers: this.records.map(r => ({ ...r.facts, inForce: this.resources.inForceOf(r.name) })),
      hostIP: this.host.hostIP,
      podIP: this.podIP,
      startTime: this.startTime,
      now: this.host.clock.now(),
      sandboxReady: this.attachment !== undefined,
      verdict: this.verdict,
      finished: this.finished,
      extraConditions: this.extraConditions,
      resize: this.resources.conditions(),
    });
  }
}
