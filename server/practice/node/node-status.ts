// Keeps one node's object and lease: registration, conditions, heartbeats, images. Knows no pods.

import type { Clock } from '../../clock.ts';
import {
  type ApiClient,
  type EventRecorder,
  type KubeObject,
  microTimestamp,
  StatusError,
  timestamp,
} from '../../kube/index.ts';
import type { NodeImages } from './images.ts';
import { capacityOf, labelsOf, nodeAddress, nodeInfo, podPrefix } from './machine.ts';
import type { Condition } from './pressure.ts';
import { LEASES, NAMESPACES, NODES } from './resources.ts';
import type { NodeOptions } from './types.ts';

const LEASE_SECONDS = 40;
const LEASE_RENEW_MS = 10_000;
/** Without a change the status is reported this often. */
const REPORT_MS = 300_000;
/** A node reports its largest images only. */
const MAX_IMAGES = 50;
const LEASE_NAMESPACE = 'kube-node-lease';

const PRESSURES = {
  MemoryPressure: {
    bad: { reason: 'KubeletHasInsufficientMemory', message: 'kubelet has insufficient memory available' },
    good: { reason: 'KubeletHasSufficientMemory', message: 'kubelet has sufficient memory available' },
  },
  DiskPressure: {
    bad: { reason: 'KubeletHasDiskPressure', message: 'kubelet has disk pressure' },
    good: { reason: 'KubeletHasNoDiskPressure', message: 'kubelet has no disk pressure' },
  },
};

export class NodeStatus {
  private readonly options: NodeOptions;
  private readonly index: number;
  private readonly client: ApiClient;
  private readonly clock: Clock;
  private readonly images: NodeImages;
  private readonly events: EventRecorder;
  private readonly abort = new AbortController();
  private readyAt: string | undefined;
  private reporting: Promise<void> = Promise.resolve();
  private imagesDue = false;
  private readonly pressed = new Set<Condition>();
  private node: KubeObject | undefined;

  constructor(services: {
    options: NodeOptions;
    index: number;
    client: ApiClient;
    clock: Clock;
    images: NodeImages;
    events: EventRecorder;
  }) {
    this.options = services.options;
    this.index = services.index;
    this.client = services.client;
    this.clock = services.clock;
    this.images = services.images;
    this.events = services.events;
  }

  /** Registers the node, or takes up the one that is there, and reports it Ready. */
  async start(): Promise<KubeObject> {
    const existing = await this.current();
    const node = existing ?? (await this.client.create(NODES, this.fresh()));
    this.node = node;
    this.readyAt = (existing?.['status']?.conditions ?? []).find(
      (c: any) => c.type === 'Ready',
    )?.lastTransitionTime;
    await this.report();
    if (!existing) {
      const uid = this.options.name;
      const say = (reason: string, message: string) =>
        this.events.record(node, 'Normal', reason, message, { uid });
      say('Starting', 'Starting kubelet.');
      for (const reason of ['NodeHasSufficientMemory', 'NodeHasNoDiskPressure', 'NodeHasSufficientPID'])
        say(reason, `Node ${this.options.name} status is now: ${reason}`);
      say('NodeAllocatableEnforced', 'Updated Node Allocatable limit across pods');
      say('NodeReady', `Node ${this.options.name} status is now: NodeReady`);
    }
    void this.beat();
    return node;
  }

  stop(): void {
    this.abort.abort();
  }

  /** Says something about the node itself. */
  say(type: 'Normal' | 'Warning', reason: string, message: string): void {
    if (this.node) this.events.record(this.node, type, reason, message, { uid: this.options.name });
  }

  /** Reports that memory or disk is short, or no longer. */
  pressure(type: Condition, pressed: boolean): void {
    if (pressed === this.pressed.has(type) || !this.node) return;
    if (pressed) this.pressed.add(type);
    else this.pressed.delete(type);
    const { reason } = PRESSURES[type][pressed ? 'bad' : 'good'];
    const shown = reason.replace(/^Kubelet/, 'Node');
    this.say('Normal', shown, `Node ${this.options.name} status is now: ${shown}`);
    void this.report();
  }

  /** The images changed: say so with the next report, which comes soon. */
  imagesChanged(): void {
    if (this.imagesDue || this.readyAt === undefined) return;
    this.imagesDue = true;
    this.clock.after(1_000, () => {
      this.imagesDue = false;
      if (!this.abort.signal.aborted) void this.report();
    });
  }

  private async current(): Promise<KubeObject | undefined> {
    try {
      return await this.client.get(NODES, { name: this.options.name });
    } catch (error) {
      if (error instanceof StatusError && error.code === 404) return undefined;
      throw error;
    }
  }

  private fresh(): KubeObject {
    const cidr = `${podPrefix(this.index)}.0/24`;
    return {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: {
        name: this.options.name,
        labels: labelsOf(this.options, this.index, this.clock.now()),
        annotations: {
          'node.alpha.kubernetes.io/ttl': '0',
          'volumes.kubernetes.io/controller-managed-attach-detach': 'true',
        },
      },
      spec: { podCIDR: cidr, podCIDRs: [cidr] },
    };
  }

  /** Writes the status; reports follow one another, so that an older one never overwrites a newer one. */
  report(): Promise<void> {
    this.reporting = this.reporting.then(() => this.write()).catch(() => undefined);
    return this.reporting;
  }

  private async write(): Promise<void> {
    for (let attempt = 0; attempt < 5; attempt++) {
      const node = await this.current();
      if (!node || this.abort.signal.aborted) return;
      try {
        await this.client.update(NODES, { ...node, status: this.status(node) }, 'status');
        return;
      } catch (error) {
        if (!(error instanceof StatusError) || error.code !== 409) throw error;
      }
    }
  }

  private status(node: KubeObject): any {
    const now = timestamp(this.clock.now());
    this.readyAt ??= now;
    const old: any[] = node['status']?.conditions ?? [];
    const condition = (type: string, status: 'True' | 'False', reason: string, message: string) => {
      const before = old.find(c => c.type === type);
      return {
        lastHeartbeatTime: now,
        lastTransitionTime: before?.status === status ? before.lastTransitionTime : now,
        message,
        reason,
        status,
        type,
      };
    };
    const capacity = capacityOf(this.options);
    return {
      ...node['status'],
      addresses: [
        { address: nodeAddress(this.index), type: 'InternalIP' },
        { address: this.options.name, type: 'Hostname' },
      ],
      allocatable: capacity,
      capacity,
      conditions: [
        ...(['MemoryPressure', 'DiskPressure'] as const).map(type => {
          const pressed = this.pressed.has(type);
          const { reason, message } = PRESSURES[type][pressed ? 'bad' : 'good'];
          return condition(type, pressed ? 'True' : 'False', reason, message);
        }),
        condition('PIDPressure', 'False', 'KubeletHasSufficientPID', 'kubelet has sufficient PID available'),
        condition('Ready', 'True', 'KubeletReady', 'kubelet is posting ready status'),
      ],
      daemonEndpoints: { kubeletEndpoint: { Port: 10250 } },
      features: { supplementalGroupsPolicy: true },
      images: this.images
        .list()
        .slice(0, MAX_IMAGES)
        .map(image => ({
          names: [...(image.repoDigest ? [image.repoDigest] : []), ...image.names],
          sizeBytes: image.sizeBytes,
        })),
      nodeInfo: nodeInfo(this.index),
      runtimeHandlers: ['', 'runc'].map(name => ({
        features: { recursiveReadOnlyMounts: true, userNamespaces: false },
        name,
      })),
    };
  }

  private async beat(): Promise<void> {
    let reported = this.clock.now();
    while (!this.abort.signal.aborted) {
      await this.renew().catch(() => undefined);
      await this.clock.sleep(LEASE_RENEW_MS, this.abort.signal);
      if (this.abort.signal.aborted) return;
      if (this.clock.now() - reported < REPORT_MS) continue;
      reported = this.clock.now();
      await this.report();
    }
  }

  private async renew(): Promise<void> {
    const renewTime = microTimestamp(this.clock.now());
    const key = { namespace: LEASE_NAMESPACE, name: this.options.name };
    try {
      await this.client.patch(LEASES, key, 'merge', { spec: { renewTime } });
    } catch (error) {
      if (!(error instanceof StatusError) || error.code !== 404) throw error;
      const node = await this.current();
      if (!node) return;
      await this.client.get(NAMESPACES, { name: LEASE_NAMESPACE });
      await this.client.create(LEASES, {
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata: {
          ...key,
          ownerReferences: [
            { apiVersion: 'v1', kind: 'Node', name: this.options.name, uid: node.metadata.uid! },
          ],
        },
        spec: { holderIdentity: this.options.name, leaseDurationSeconds: LEASE_SECONDS, renewTime },
      });
    }
  }
}
