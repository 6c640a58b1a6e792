// What the scheduler writes once it has decided: bindings, why a pod must wait, and which pods give way. Knows no nodes' contents.

import type { Clock } from '../../../clock.ts';
import { type ApiClient, type KubeObject, StatusError, timestamp } from '../../../kube/index.ts';
import { PODS } from '../resources.ts';
import type { FullEventRecorder } from '../runtime/events.ts';
import { same } from '../workloads/compare.ts';
import { markDisrupted } from '../workloads/disruption.ts';
import { conditionOf } from '../workloads/pods.ts';
import type { PodInfo } from './node-info.ts';

export const NAME = 'default-scheduler';

export class Verdicts {
  readonly #client: ApiClient;
  readonly #clock: Clock;
  readonly #events: FullEventRecorder;

  constructor(client: ApiClient, clock: Clock, events: FullEventRecorder) {
    this.#client = client;
    this.#clock = clock;
    this.#events = events;
  }

  /** Rejects when the server refuses. */
  async bind(pod: KubeObject, node: string): Promise<void> {
    const { namespace, name, uid } = pod.metadata;
    await this.#client.create(
      PODS,
      {
        apiVersion: 'v1',
        kind: 'Binding',
        metadata: { name, namespace, ...(uid ? { uid } : {}) },
        target: { kind: 'Node', name: node },
      },
      { of: { namespace, name }, name: 'binding' },
    );
    const message = `Successfully assigned ${namespace}/${name} to ${node}`;
    this.#events.action(pod, 'Normal', 'Scheduled', 'Binding', message);
  }

  tellWaiting(pod: KubeObject, message: string): void {
    this.#events.action(pod, 'Warning', 'FailedScheduling', 'Scheduling', message);
  }

  /** `node` is the one that preemption makes room on. */
  async refuse(pod: KubeObject, message: string, node?: string): Promise<void> {
    this.tellWaiting(pod, message);
    const old = conditionOf(pod, 'PodScheduled');
    const condition = {
      type: 'PodScheduled',
      status: 'False',
      lastProbeTime: null,
      lastTransitionTime: old?.status === 'False' ? old.lastTransitionTime : timestamp(this.#clock.now()),
      reason: 'Unschedulable',
      message,
      observedGeneration: pod.metadata.generation,
    };
    if (same(old, condition) && (!node || pod['status']?.nominatedNodeName === node)) return;
    const status = { conditions: [condition], ...(node ? { nominatedNodeName: node } : {}) };
    await this.#client
      .patch(PODS, pod.metadata, 'strategic', { status }, { subresource: 'status' })
      .catch(ignoreGone);
  }

  /** Makes room for `pod` on a node. */
  async evict(pod: KubeObject, node: string, victims: readonly PodInfo[]): Promise<void> {
    for (const { pod: victim } of victims) {
      if (victim.metadata.deletionTimestamp) continue;
      const why = {
        reason: 'PreemptionByScheduler',
        message: `${NAME}: preempting to accommodate a higher priority pod`,
      };
      const services = { client: this.#client, clock: this.#clock };
      await markDisrupted(victim, why, services).catch(ignoreGone);
      await this.#client.delete(PODS, victim.metadata).catch(ignoreGone);
      const message = `Preempted by pod ${pod.metadata.uid} on node ${node}`;
      this.#events.action(victim, 'Normal', 'Preempted', 'Preempting', message, pod);
    }
  }
}

function ignoreGone(error: unknown): undefined {
  if (error instanceof StatusError && error.code === 404) return undefined;
  throw error;
}
