// One node's kubelet: follows the pods bound to it and gives each its worker. Knows only an API client.

import {
  type ApiClient,
  EventRecorder,
  type KubeObject,
  StatusError,
  type WatchHandle,
} from '../../kube/index.ts';
import type { AddressPool, ClusterNetwork } from '../network/index.ts';
import {
  type DirNode,
  directory,
  type FileNode,
  imageSize,
  normalisePath,
  parseReference,
  quantityNumber,
} from '../programs/index.ts';
import { serveApiServer } from './api-server-port.ts';
import { NodeImages } from './images.ts';
import { serveKubeletPort } from './kubelet-port.ts';
import { capacityOf, NODE_IMAGES, nodeAddress, podPrefix } from './machine.ts';
import { NodeStatus } from './node-status.ts';
import type { Candidate, PodHost } from './pod-host.ts';
import { PodWorker } from './pod-worker.ts';
import { EvictionManager } from './pressure.ts';
import type { Registries } from './registries.ts';
import { PODS } from './resources.ts';
import { outOfResource } from './room.ts';
import { StaticPods } from './static-pods.ts';
import type { NodeOptions, NodeServices, Usage } from './types.ts';
import { podDirectory } from './volumes.ts';

/** What the node uses for itself: system daemons, the runtime and the kubelet. */
const SYSTEM_USAGE: Usage = { cpuMillis: 60, memoryBytes: 300 * 1024 * 1024 };

/** The system's own files on the node's disk. */
const SYSTEM_DISK_BYTES = 3 * 1024 ** 3;

/** Directories that any Linux node has; hostPath volumes of type Directory need them. */
const HOST_DIRECTORIES = [
  '/data',
  '/dev',
  '/etc/ssl/certs',
  '/lib/modules',
  '/proc',
  '/run',
  '/sys',
  '/tmp',
  '/usr/share/ca-certificates',
  '/var/lib/docker/containers',
  '/var/lib/kubelet',
  '/var/lib/minikube/certs',
  '/var/log/pods',
  '/var/run',
];

export class Kubelet {
  readonly name: string;
  readonly images: NodeImages;
  readonly workers = new Map<string, PodWorker>();
  private readonly services: NodeServices;
  private readonly client: ApiClient;
  private readonly host: PodHost;
  private readonly status: NodeStatus;
  private readonly staticPods: StaticPods;
  private readonly root: DirNode = directory();
  private watch: WatchHandle | undefined;
  private stopped = true;
  private readonly eviction: EvictionManager<PodWorker>;

  constructor(
    options: NodeOptions,
    index: number,
    services: NodeServices,
    network: ClusterNetwork,
    registries: Registries,
  ) {
    this.services = services;
    this.name = options.name;
    this.client = services.clientFor({
      name: `system:node:${options.name}`,
      groups: ['system:nodes', 'system:authenticated'],
    });
    const events = new EventRecorder({
      client: this.client,
      clock: services.clock,
      random: services.random,
      source: { component: 'kubelet', host: options.name },
    });
    this.images = new NodeImages({
      clock: services.clock,
      registries,
      onChange: () => this.status?.imagesChanged(),
    });
    const hostIP = nodeAddress(index);
    const addresses: AddressPool = network.addNode(options.name, hostIP, podPrefix(index));
    if (index === 0) serveApiServer(network.attach(hostIP), services);
    this.status = new NodeStatus({
      options,
      index,
      client: this.client,
      clock: services.clock,
      images: this.images,
      events,
    });
    this.host = {
      nodeName: options.name,
      hostIP,
      clock: services.clock,
      random: services.random,
      client: this.client,
      clientFor: services.clientFor,
      events,
      images: this.images,
      network,
      addresses,
      allocatable: capacityOf(options),
      services: () => network.directory.list(),
      hostDirectory: (path, create) => this.hostDirectory(path, create),
      keptLogs: new Map(),
      admit: worker => this.admit(worker as PodWorker),
      heldBeside: worker => this.heldBeside(worker),
      roomChanged: () => {
        for (const worker of this.workers.values()) if (worker.waitsForRoom) worker.wake();
      },
      fault: (where, error) => services.onFault?.(`kubelet ${options.name}, ${where}`, error),
      ...(services.dialApiServer ? { apiServer: services.dialApiServer } : {}),
    };
    this.eviction = new EvictionManager({
      clock: services.clock,
      capacity: this.host.allocatable,
      memory: () => {
        const { node, pods } = this.usage();
        return { usedBytes: node.memoryBytes, pods: pods.map(inMemory) };
      },
      pods: () => this.workers.values(),
      diskBase: () => SYSTEM_DISK_BYTES + this.images.diskBytes(),
      dropImages: () => this.images.prune(this.imagesInUse()),
      evicted: (worker, message) => events.record(worker.pod, 'Warning', 'Evicted', message),
      reclaiming: scarce =>
        this.status.say('Warning', 'EvictionThresholdMet', `Attempting to reclaim ${scarce}`),
      show: (condition, pressed) => this.status.pressure(condition, pressed),
    });
    this.staticPods = new StaticPods({
      client: this.client,
      clock: services.clock,
      nodeName: options.name,
      hostIP,
    });
    serveKubeletPort(network.attach(hostIP), this, () => services.clock.now());
    for (const path of HOST_DIRECTORIES) this.hostDirectory(path, true);
    for (const image of [...NODE_IMAGES, ...(services.preloaded ?? [])]) this.preload(image);
  }

  private preload(image: string): void {
    const size = imageSize(parseReference(image));
    if (size !== undefined) this.images.load(image, size);
  }

  /** Registers the node and follows its pods; the first node also runs the control plane's static pods. */
  async start(controlPlane: boolean): Promise<void> {
    this.stopped = false;
    const node = await this.status.start();
    if (controlPlane) await this.staticPods.ensure(node);
    this.follow();
    this.eviction.start();
  }

  stop(): void {
    this.stopped = true;
    this.eviction.stop();
    this.status.stop();
    this.suspend();
  }

  /** Lets go of every pod without a word to the API. */
  suspend(): void {
    this.watch?.stop();
    this.watch = undefined;
    for (const worker of this.workers.values()) worker.dispose();
    this.workers.clear();
    this.host.events.reset();
  }

  /** Follows the pods again after `suspend`. */
  resume(): void {
    if (!this.stopped) this.follow();
  }

  private follow(): void {
    this.watch?.stop();
    const again = this.workers.size > 0;
    this.watch = this.client.watch(
      PODS,
      { fieldSelector: `spec.nodeName=${this.name}` },
      event => {
        if (event.type === 'DELETED') this.removed(event.object);
        else this.changed(event.object);
      },
      () => {
        // The stream broke: list again, and forget what is no longer there.
        if (!this.stopped && this.watch) queueMicrotask(() => this.follow());
      },
    );
    if (again) void this.forgetMissing();
  }

  private async forgetMissing(): Promise<void> {
    const { items } = await this.client.list(PODS, { fieldSelector: `spec.nodeName=${this.name}` });
    const present = new Set(items.map(p => p.metadata.uid));
    for (const worker of [...this.workers.values()]) if (!present.has(worker.pod.metadata.uid)) worker.gone();
  }

  private changed(pod: KubeObject): void {
    const uid = pod.metadata.uid!;
    const known = this.workers.get(uid);
    if (known) {
      if (newer(pod, known.pod)) known.update(pod);
      return;
    }
    const worker = new PodWorker(pod, this.host, () => this.forget(uid));
    this.workers.set(uid, worker);
    worker.wake();
  }

  private forget(uid: string): void {
    this.workers.delete(uid);
    const pods = this.hostDirectory(podDirectory(''), false);
    if (pods?.kind === 'dir') pods.children.delete(uid);
  }

  private removed(pod: KubeObject): void {
    this.workers.get(pod.metadata.uid!)?.gone();
    if (pod.metadata.annotations?.['kubernetes.io/config.mirror']) void this.recreateMirror();
  }

  private async recreateMirror(): Promise<void> {
    await this.services.clock.sleep(1_000);
    if (this.stopped) return;
    try {
      await this.staticPods.ensure(await this.status.start());
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
    }
  }

  find(namespace: string, name: string): PodWorker | undefined {
    for (const worker of this.workers.values())
      if (worker.namespace === namespace && worker.name === name) return worker;
    return undefined;
  }

  private hostDirectory(path: string, create: boolean): DirNode | FileNode | undefined {
    let node: DirNode | FileNode = this.root;
    for (const part of normalisePath(path).slice(1).split('/').filter(Boolean)) {
      if (node.kind !== 'dir') return undefined;
      let next = node.children.get(part);
      if (!next) {
        if (!create) return undefined;
        next = directory(this.services.clock.now(), 0o755);
        node.children.set(part, next);
      }
      if (next.kind === 'link') return undefined;
      node = next;
    }
    return node;
  }

  private imagesInUse(): Set<string> {
    const pods = [...this.workers.values()].filter(worker => worker.active);
    return new Set(pods.flatMap(worker => worker.records.map(record => String(record.facts.spec.image))));
  }

  /** Pods that named their node themselves are weighed here, since no scheduler did. */
  private admit(candidate: PodWorker): { reason: string; message: string } | undefined {
    if (candidate.isMirror) return undefined;
    const refusal = this.eviction.refusal(candidate);
    if (refusal) return refusal;
    const short = outOfResource(candidate.pod, this.heldBeside(candidate), this.host.allocatable);
    return short && { reason: `OutOf${short.resource}`, message: short.message };
  }

  /** What the other pods hold of the node's room. */
  private heldBeside(candidate: Candidate): KubeObject[] {
    return [...this.workers.values()].filter(w => w !== candidate && w.active).map(w => w.held);
  }

  usage(): {
    node: Usage;
    pods: { worker: PodWorker; containers: { name: string; usage: Usage; startedAt: number }[] }[];
  } {
    const node = { ...SYSTEM_USAGE };
    const pods = [];
    for (const worker of this.workers.values()) {
      const containers = [];
      for (const record of worker.records) {
        const instance = record.instance;
        if (!instance?.running) continue;
        const usage = record.throttled(instance.usage);
        node.cpuMillis += usage.cpuMillis;
        node.memoryBytes += usage.memoryBytes;
        containers.push({ name: record.name, usage, startedAt: instance.startedAt });
      }
      if (containers.length > 0) pods.push({ worker, containers });
    }
    // Who wants more than there is gets a share.
    node.cpuMillis = Math.min(node.cpuMillis, quantityNumber(this.host.allocatable['cpu']) * 1000);
    return { node, pods };
  }

  snapshot(): { images: unknown; root: DirNode } {
    return { images: this.images.serialise(), root: structuredClone(this.root) };
  }

  restore(snapshot: { images: any; root: DirNode }): void {
    this.images.restore(snapshot.images);
    this.root.children = structuredClone(snapshot.root).children;
  }
}

const inMemory = ({
  worker,
  containers,
}: {
  worker: PodWorker;
  containers: { name: string; usage: Usage }[];
}) => ({
  worker,
  total: containers.reduce((sum, c) => sum + c.usage.memoryBytes, 0),
  containers: containers.map(c => ({ name: c.name, bytes: c.usage.memoryBytes })),
});

const newer = (a: KubeObject, b: KubeObject) =>
  Number(a.metadata.resourceVersion ?? 0) >= Number(b.metadata.resourceVersion ?? 0);
