// One pod on one node, from its first sight to its removal: level-based, every change or timer leads to one `sync` that
// compares what should be with what is. Knows programs only through the container runtime.

import type { Timer } from '../../clock.ts';
import type { KubeObject } from '../../kube/index.ts';
import type { Attachment } from '../network/index.ts';
import { startInTurn, stopInTurn } from './container-order.ts';
import { ContainerRecord } from './container-record.ts';
import { graceOf } from './container-stop.ts';
import { removePod, writePodStatus } from './pod-api.ts';
import type { PodHost } from './pod-host.ts';
import { attachPod, isMirror } from './pod-place.ts';
import { podStatus } from './pod-status.ts';
import { PodVolumes } from './pod-volumes.ts';
import { PodWorld } from './pod-world.ts';
import { ACTUATE_MS, PodResources } from './resize.ts';
import { emptyDirsOf, type PodStorage } from './storage-use.ts';

/** Making a sandbox with its network. */
const SANDBOX_MS = 250;
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
  private readonly volumes: PodVolumes;
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
    this.volumes = new PodVolumes(host, this.world, {
      pod: () => this.pod,
      wanted: () => !this.stopping && !this.removed,
      mounted: () => this.wake(),
    });
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
    return isMirror(this.pod);
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
      emptyDirs: emptyDirsOf(this.pod['spec'], this.volumes.mounted),
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
      const { mounted } = this.volumes;
      if (this.attachment && mounted) record.connect(this.attachment, mounted);
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
      if (!this.volumes.mounted) this.volumes.mount();
      else if (!this.attachment) this.makeSandbox();
      else if (this.startContainers()) return this.finish();
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
    this.beginStopping(graceOf(this.pod));
  }

  /** The node's own last word, for pods that no scheduler weighed. */
  private admitted(): boolean {
    if (this.attachment || this.volumes.mounted || this.verdict) return !this.verdict;
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

  private makeSandbox(): void {
    if (this.sandboxing) return;
    this.sandboxing = true;
    const adopted = this.podIP;
    const ready = () => {
      if (this.stopping || this.removed) return;
      this.attachment = attachPod(this.host, this.pod, adopted);
      this.podIP = this.attachment.address;
      this.resuming = false;
      for (const record of this.records) record.connect(this.attachment, this.volumes.mounted!);
      this.wake();
    };
    if (adopted) ready();
    else void this.host.clock.sleep(SANDBOX_MS).then(ready);
  }

  /** True when the pod has come to its end by itself. */
  private startContainers(): boolean {
    const { initialised, over } = startInTurn(this.pod, this.records, this.initialised);
    this.initialised = initialised;
    return over;
  }

  private beginStopping(graceMs: number): void {
    if (this.stopping && this.stopping.graceMs <= graceMs) return;
    this.stopping = { graceMs };
    void stopInTurn(this.records, graceMs).then(() => this.wake());
  }

  private async finish(): Promise<void> {
    this.finished = true;
    for (const record of this.records) record.over();
    this.volumes.stop();
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
    this.volumes.stop();
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
