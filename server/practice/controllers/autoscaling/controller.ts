// The horizontal pod autoscaler: reads the resource metrics API every fifteen seconds and scales what it is pointed at.

import {
  type GroupVersionResource,
  groupResource,
  type KubeObject,
  parseApiVersion,
  StatusError,
  timestamp,
} from '../../../kube/index.ts';
import {
  DEPLOYMENTS,
  HORIZONTAL_POD_AUTOSCALERS,
  PODS,
  REPLICA_SETS,
  REPLICATION_CONTROLLERS,
  STATEFUL_SETS,
} from '../resources.ts';
import { parseKey } from '../runtime/keys.ts';
import type { Controller, ControllerContext } from '../types.ts';
import { same } from '../workloads/compare.ts';
import type { Condition } from '../workloads/pods.ts';
import { type Measurement, MetricFailure, measure } from './metrics.ts';
import { growthLimit, type ScalingRules, shrinkLimit } from './replicas.ts';

/** Upstream's horizontal-pod-autoscaler-sync-period, in milliseconds. */
const PERIOD = 15_000;
/** How long a higher recommendation holds against a lower one, in seconds. */
const DOWN_STABILIZATION = 300;

const TARGETS: Record<string, GroupVersionResource> = {
  'apps/Deployment': DEPLOYMENTS,
  'apps/ReplicaSet': REPLICA_SETS,
  'apps/StatefulSet': STATEFUL_SETS,
  '/ReplicationController': REPLICATION_CONTROLLERS,
};

export const autoscalerController: Controller = {
  name: 'horizontal-pod-autoscaler',
  watches: [
    {
      resource: HORIZONTAL_POD_AUTOSCALERS,
      // Its own status changes are no news; the period brings it back.
      keys: (hpa, previous) =>
        previous && same(previous['spec'], hpa['spec'])
          ? []
          : [`${hpa.metadata.namespace}/${hpa.metadata.name}`],
    },
  ],
  reads: [PODS, DEPLOYMENTS, REPLICA_SETS, STATEFUL_SETS, REPLICATION_CONTROLLERS],
  async reconcile(key, context) {
    const { namespace, name } = parseKey(key);
    const hpa = context.cache(HORIZONTAL_POD_AUTOSCALERS).get(namespace, name);
    if (!hpa || hpa.metadata.deletionTimestamp) return;
    context.requeueAfter(key, PERIOD);
    await new Look(hpa, context).go();
  },
};

interface Change {
  at: number;
  replicas: number;
}

class Look {
  private readonly hpa: KubeObject;
  private readonly context: ControllerContext;
  private conditions: Condition[];
  private metrics: object[] = [];
  private lastScaleTime: string | undefined;

  constructor(hpa: KubeObject, context: ControllerContext) {
    this.hpa = hpa;
    this.context = context;
    this.conditions = [...(hpa['status']?.conditions ?? [])];
    this.lastScaleTime = hpa['status']?.lastScaleTime;
  }

  private get now() {
    return this.context.clock.now();
  }

  async go(): Promise<void> {
    const { scaleTargetRef, minReplicas = 1, maxReplicas } = this.hpa['spec'];
    const { group } = parseApiVersion(scaleTargetRef.apiVersion ?? 'v1');
    const resource = TARGETS[`${group}/${scaleTargetRef.kind}`];
    const target =
      resource && this.context.cache(resource).get(this.hpa.metadata.namespace, scaleTargetRef.name);
    if (!resource || !target) {
      const what = resource ? groupResource({ ...resource, resource: `${resource.resource}/scale` }) : '';
      const why = resource
        ? `${what} "${scaleTargetRef.name}" not found`
        : `no matches for kind "${scaleTargetRef.kind}" in group "${group}"`;
      this.context.events.event(this.hpa, 'Warning', 'FailedGetScale', why);
      this.put(
        'AbleToScale',
        'False',
        'FailedGetScale',
        `the HPA controller was unable to get the target's current scale: ${why}`,
      );
      return this.write(this.hpa['status']?.currentReplicas ?? 0, this.hpa['status']?.desiredReplicas ?? 0);
    }
    this.put(
      'AbleToScale',
      'True',
      'SucceededGetScale',
      "the HPA controller was able to get the target's current scale",
    );
    const current = target['spec'].replicas ?? 1;
    if (current === 0 && minReplicas !== 0) {
      this.put(
        'ScalingActive',
        'False',
        'ScalingDisabled',
        'scaling is disabled since the replica count of the target is zero',
      );
      return this.write(current, 0);
    }
    let desired: number;
    let reason: string;
    if (current > maxReplicas) {
      desired = maxReplicas;
      reason = 'Current number of replicas above Spec.MaxReplicas';
    } else if (current < minReplicas) {
      desired = minReplicas;
      reason = 'Current number of replicas below Spec.MinReplicas';
    } else {
      const wanted = await this.measure(target, current);
      if (!wanted) return this.write(current, this.hpa['status']?.desiredReplicas ?? 0);
      desired = this.bounded(current, wanted.replicas, minReplicas, maxReplicas);
      reason = desired > current ? `${wanted.metric} above target` : 'All metrics below target';
    }
    if (desired !== current) await this.rescale(resource, current, desired, reason);
    await this.write(current, desired);
  }

  private async rescale(
    resource: GroupVersionResource,
    current: number,
    desired: number,
    reason: string,
  ): Promise<void> {
    const { namespace } = this.hpa.metadata;
    const { name } = this.hpa['spec'].scaleTargetRef;
    try {
      await this.context.client.patch(
        resource,
        { namespace, name },
        'merge',
        { spec: { replicas: desired } },
        { subresource: 'scale' },
      );
    } catch (error) {
      const text = `New size: ${desired}; reason: ${reason}; error: ${(error as Error).message}`;
      this.context.events.event(this.hpa, 'Warning', 'FailedRescale', text);
      this.put(
        'AbleToScale',
        'False',
        'FailedUpdateScale',
        `the HPA controller was unable to update the target scale: ${(error as Error).message}`,
      );
      throw error;
    }
    this.put(
      'AbleToScale',
      'True',
      'SucceededRescale',
      `the HPA controller was able to update the target scale to ${desired}`,
    );
    this.context.events.event(
      this.hpa,
      'Normal',
      'SuccessfulRescale',
      `New size: ${desired}; reason: ${reason}`,
    );
    this.remember(desired > current ? 'added' : 'removed', Math.abs(desired - current));
    this.lastScaleTime = timestamp(this.now);
  }

  private list(kind: string): Change[] {
    const id = `${kind}/${this.hpa.metadata.uid}`;
    const known = this.context.memory.get(id) as Change[] | undefined;
    if (known) return known;
    const fresh: Change[] = [];
    this.context.memory.set(id, fresh);
    return fresh;
  }
  private remember(kind: string, replicas: number): void {
    const list = this.list(kind);
    list.push({ at: this.now, replicas });
    while (list[0] && list[0].at < this.now - 3_600_000) list.shift();
  }
  private since(kind: string, seconds: number): Change[] {
    return this.list(kind).filter(c => c.at > this.now - seconds * 1000);
  }

  /** The highest of what the metrics ask for; undefined when one failed and none asks for more. */
  private async measure(target: KubeObject, current: number): Promise<Measurement | undefined> {
    const specs = (this.hpa['spec'].metrics ?? []) as any[];
    let best: Measurement | undefined;
    let failure: MetricFailure | undefined;
    let failures = 0;
    for (const spec of specs) {
      try {
        const found = await measure(spec, target, current, this.context);
        this.metrics.push(found.shown);
        if (!best || found.replicas > best.replicas) best = found;
      } catch (error) {
        if (!(error instanceof MetricFailure)) throw error;
        failures++;
        this.metrics.push({ type: '' });
        failure ??= error;
      }
    }
    if (failure && (failures === specs.length || !best || best.replicas < current)) {
      const { reason, message, metric } = failure;
      this.context.events.event(this.hpa, 'Warning', reason, message);
      this.put(
        'ScalingActive',
        'False',
        reason,
        `the HPA was unable to compute the replica count: ${message}`,
      );
      const text = `invalid metrics (${failures} invalid out of ${specs.length}), first error is: failed to get ${metric}: ${message}`;
      this.context.events.event(this.hpa, 'Warning', 'FailedComputeMetricsReplicas', text);
      return undefined;
    }
    if (!best) return undefined;
    this.put(
      'ScalingActive',
      'True',
      'ValidMetricFound',
      `the HPA was able to successfully calculate a replica count from ${best.metric}`,
    );
    return best;
  }

  /** Stabilised over the window, held to the rates and to the limits of the autoscaler. */
  private bounded(current: number, wanted: number, min: number, max: number): number {
    const behavior = (this.hpa['spec'].behavior ?? {}) as {
      scaleUp?: ScalingRules;
      scaleDown?: ScalingRules;
    };
    this.remember('wanted', wanted);
    const recent = (seconds: number) => [wanted, ...this.since('wanted', seconds).map(c => c.replicas)];
    const highest = Math.max(...recent(behavior.scaleDown?.stabilizationWindowSeconds ?? DOWN_STABILIZATION));
    const lowest = Math.min(...recent(behavior.scaleUp?.stabilizationWindowSeconds ?? 0));
    let desired = current;
    if (current < lowest) desired = lowest;
    if (current > highest) desired = highest;
    if (desired !== wanted && wanted < current)
      this.put(
        'AbleToScale',
        'True',
        'ScaleDownStabilized',
        'recent recommendations were higher than current one, applying the highest recent recommendation',
      );
    else if (desired !== wanted)
      this.put(
        'AbleToScale',
        'True',
        'ScaleUpStabilized',
        'recent recommendations were lower than current one, applying the lowest recent recommendation',
      );
    else this.put('AbleToScale', 'True', 'ReadyForNewScale', 'recommended size matches current size');
    const total = (kind: string) => (seconds: number) =>
      this.since(kind, seconds).reduce((sum, c) => sum + c.replicas, 0);
    const up = growthLimit(current, behavior.scaleUp, total('added'));
    const down = shrinkLimit(current, behavior.scaleDown, total('removed'));
    const limited = (value: number, reason: string, message: string) => {
      this.put('ScalingLimited', 'True', reason, message);
      return value;
    };
    if (desired > Math.min(max, up))
      return up < max
        ? limited(
            up,
            'ScaleUpLimit',
            'the desired replica count is increasing faster than the maximum scale rate',
          )
        : limited(max, 'TooManyReplicas', 'the desired replica count is more than the maximum replica count');
    if (desired < Math.max(min, down))
      return down > min
        ? limited(
            down,
            'ScaleDownLimit',
            'the desired replica count is decreasing faster than the maximum scale rate',
          )
        : limited(min, 'TooFewReplicas', 'the desired replica count is less than the minimum replica count');
    this.put(
      'ScalingLimited',
      'False',
      'DesiredWithinRange',
      'the desired count is within the acceptable range',
    );
    return desired;
  }

  private put(type: string, status: string, reason: string, message: string): void {
    const old = this.conditions.find(c => c.type === type);
    const lastTransitionTime = old?.status === status ? old.lastTransitionTime : timestamp(this.now);
    const next = { type, status, lastTransitionTime, reason, message };
    this.conditions = old ? this.conditions.map(c => (c === old ? next : c)) : [...this.conditions, next];
  }

  private async write(current: number, desired: number): Promise<void> {
    const status = {
      ...(this.lastScaleTime ? { lastScaleTime: this.lastScaleTime } : {}),
      currentReplicas: current,
      desiredReplicas: desired,
      ...(this.metrics.length > 0 ? { currentMetrics: this.metrics } : {}),
      conditions: this.conditions,
    };
    if (same(this.hpa['status'] ?? {}, status)) return;
    await this.context.client
      .update(HORIZONTAL_POD_AUTOSCALERS, { ...this.hpa, status }, 'status')
      .catch((error: unknown) => {
        if (!(error instanceof StatusError) || (error.code !== 404 && error.code !== 409)) throw error;
      });
  }
}
