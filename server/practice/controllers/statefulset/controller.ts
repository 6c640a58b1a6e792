// The stateful set controller: numbered pods with claims of their own, made, updated and removed in order. Knows no volumes.

import { type GroupVersionResource, type KubeObject, StatusError } from '../../../kube/index.ts';
import { CONTROLLER_REVISIONS, PERSISTENT_VOLUME_CLAIMS, PODS, STATEFUL_SETS } from '../resources.ts';
import { parseKey } from '../runtime/keys.ts';
import type { Controller, ControllerContext } from '../types.ts';
import { adopterKeys, claim, ownerKeys } from '../workloads/claim.ts';
import { same } from '../workloads/compare.ts';
import { isAvailable, isReady, isTerminal, omitEmpty, untilAvailable } from '../workloads/pods.ts';
import { HASH_LABEL, type History, syncHistory, truncateHistory } from '../workloads/revisions.ts';
import { selects } from '../workloads/selector.ts';
import {
  claimName,
  claimOwners,
  claimTemplates,
  makeClaims,
  makePod,
  ordinalOf,
  REVISION_LABEL,
  retention,
  startOrdinal,
} from './identity.ts';

export const statefulSetController: Controller = {
  name: 'statefulset-controller',
  watches: [
    { resource: STATEFUL_SETS },
    {
      resource: PODS,
      keys: (pod, previous, context) => [
        ...ownerKeys('StatefulSet', pod, previous),
        ...adopterKeys(context.cache(STATEFUL_SETS).list(pod.metadata.namespace), pod, (set, o) =>
          selects(set['spec'].selector, o.metadata.labels),
        ),
      ],
    },
    { resource: CONTROLLER_REVISIONS, keys: (r, previous) => ownerKeys('StatefulSet', r, previous) },
  ],
  reads: [PERSISTENT_VOLUME_CLAIMS],
  async reconcile(key, context) {
    const { namespace, name } = parseKey(key);
    const set = context.cache(STATEFUL_SETS).get(namespace, name);
    if (!set) return;
    const pods = await claim(context, set, PODS, {
      matches: pod =>
        ordinalOf(set, pod.metadata.name) >= 0 && selects(set['spec'].selector, pod.metadata.labels),
    });
    const history = await syncHistory(set, context, HASH_LABEL);
    const current =
      history.all.find(r => r.metadata.name === set['status']?.currentRevision) ?? history.update;
    const round = new Round(set, pods, current, history, context);
    let failure: unknown;
    try {
      if (!set.metadata.deletionTimestamp) await round.run();
    } catch (error) {
      failure = error;
    }
    await round.writeStatus();
    if (failure) throw failure;
    const live = new Set([
      current.metadata.name,
      ...pods.map(p => p.metadata.labels?.[REVISION_LABEL] ?? ''),
    ]);
    await truncateHistory(history, set['spec'].revisionHistoryLimit ?? 10, live, context);
    const wait = untilAvailable(pods, set['spec'].minReadySeconds ?? 0, context.clock.now());
    if (wait !== undefined) context.requeueAfter(key, wait);
  },
};

const isRunningAndReady = (pod: KubeObject) => pod['status']?.phase === 'Running' && isReady(pod);
const revisionOf = (pod: KubeObject) => pod.metadata.labels?.[REVISION_LABEL];

class Round {
  private readonly set: KubeObject;
  private readonly pods: readonly KubeObject[];
  private readonly current: KubeObject;
  private readonly history: History;
  private readonly context: ControllerContext;
  private readonly created: KubeObject[] = [];

  constructor(
    set: KubeObject,
    pods: readonly KubeObject[],
    current: KubeObject,
    history: History,
    context: ControllerContext,
  ) {
    this.set = set;
    this.pods = pods;
    this.current = current;
    this.history = history;
    this.context = context;
  }

  private get update() {
    return this.history.update;
  }
  private get inOrder() {
    return this.set['spec'].podManagementPolicy !== 'Parallel';
  }
  private isHealthy(pod: KubeObject): boolean {
    return isRunningAndReady(pod) && !pod.metadata.deletionTimestamp;
  }
  private isSettled(pod: KubeObject): boolean {
    const { minReadySeconds = 0 } = this.set['spec'];
    return isRunningAndReady(pod) && isAvailable(pod, minReadySeconds, this.context.clock.now());
  }

  async run(): Promise<void> {
    const start = startOrdinal(this.set);
    const end = start + this.set['spec'].replicas;
    const byOrdinal = new Map(this.pods.map(pod => [ordinalOf(this.set, pod.metadata.name), pod]));
    const condemned = this.pods
      .filter(
        pod =>
          ordinalOf(this.set, pod.metadata.name) < start || ordinalOf(this.set, pod.metadata.name) >= end,
      )
      .sort((a, b) => ordinalOf(this.set, b.metadata.name) - ordinalOf(this.set, a.metadata.name));
    await this.fixClaimOwners(condemned);
    for (let ordinal = start; ordinal < end; ordinal++) {
      const go = await this.processReplica(byOrdinal.get(ordinal), ordinal);
      if (!go && this.inOrder) return;
    }
    const replicas = Array.from({ length: end - start }, (_, i) => byOrdinal.get(start + i));
    // Lowest of the remaining first, then the highest of the condemned: who is unhealthy first may be removed out of turn.
    const unhealthy = [...replicas, ...[...condemned].reverse()].find(pod => pod && !this.isHealthy(pod));
    for (const pod of condemned) {
      if (pod.metadata.deletionTimestamp) {
        if (this.inOrder) return;
        continue;
      }
      if (this.inOrder && !this.isSettled(pod) && pod !== unhealthy) return;
      await this.deletePod(pod);
      if (this.inOrder) return;
    }
    await this.updateReplicas(replicas, start);
  }

  /** True when the next ordinal may be looked at. */
  private async processReplica(pod: KubeObject | undefined, ordinal: number): Promise<boolean> {
    if (!pod) {
      await this.createPod(ordinal);
      return false;
    }
    if (isTerminal(pod) && !pod.metadata.deletionTimestamp) {
      const { name, namespace } = this.set.metadata;
      const failed = pod['status'].phase === 'Failed';
      this.context.events.event(
        this.set,
        failed ? 'Warning' : 'Normal',
        failed ? 'RecreatingFailedPod' : 'RecreatingTerminatedPod',
        `StatefulSet ${namespace}/${name} is recreating ${failed ? 'failed' : 'terminated'} Pod ${pod.metadata.name}`,
      );
      await this.deletePod(pod);
      return false;
    }
    if (pod.metadata.deletionTimestamp) return false;
    if (pod['status']?.phase === 'Pending') await this.createClaims(ordinal);
    return this.isSettled(pod);
  }

  private async updateReplicas(replicas: readonly (KubeObject | undefined)[], start: number): Promise<void> {
    const { type, rollingUpdate } = this.set['spec'].updateStrategy ?? {};
    if (type === 'OnDelete') return;
    const partition = (rollingUpdate?.partition ?? 0) as number;
    for (let i = replicas.length - 1; i >= 0 && start + i >= partition; i--) {
      const pod = replicas[i];
      if (!pod) return;
      if (revisionOf(pod) !== this.update.metadata.name && !pod.metadata.deletionTimestamp) {
        await this.deletePod(pod);
        return;
      }
      if (!this.isHealthy(pod) || !this.isSettled(pod)) return;
    }
  }

  /** Below the partition (or, without one, among those not yet updated) pods come back as they were. */
  private revisionFor(ordinal: number): KubeObject {
    const { type, rollingUpdate } = this.set['spec'].updateStrategy ?? {};
    if (type === 'OnDelete') return this.update;
    const kept = rollingUpdate ? (rollingUpdate.partition ?? 0) : (this.set['status']?.currentReplicas ?? 0);
    return ordinal < startOrdinal(this.set) + kept ? this.current : this.update;
  }

  private async createPod(ordinal: number): Promise<void> {
    await this.createClaims(ordinal);
    const pod = makePod(this.set, this.revisionFor(ordinal), ordinal);
    const what = `Pod ${pod.metadata.name} in StatefulSet ${this.set.metadata.name}`;
    const made = await this.create(PODS, pod, `Create ${what}`, 'successful');
    if (made) this.created.push(made);
  }

  private async createClaims(ordinal: number): Promise<void> {
    for (const wanted of makeClaims(this.set, ordinal)) {
      const { name, namespace } = wanted.metadata;
      if (this.context.cache(PERSISTENT_VOLUME_CLAIMS).get(namespace, name)) continue;
      const set = this.set.metadata.name;
      const what = `Claim ${name} Pod ${set}-${ordinal} in StatefulSet ${set}`;
      await this.create(PERSISTENT_VOLUME_CLAIMS, wanted, `Create ${what}`, 'success');
    }
  }

  /** Says in an event how it went; undefined when one of that name is there already. */
  private async create(
    resource: GroupVersionResource,
    wanted: KubeObject,
    what: string,
    well: string,
  ): Promise<KubeObject | undefined> {
    const { client, events } = this.context;
    try {
      const made = await client.create(resource, wanted);
      events.event(this.set, 'Normal', 'SuccessfulCreate', `${what} ${well}`);
      return made;
    } catch (error) {
      if (error instanceof StatusError && error.reason === 'AlreadyExists') return undefined;
      const why = (error as Error).message;
      events.event(this.set, 'Warning', 'FailedCreate', `${what} failed error: ${why}`);
      throw error;
    }
  }

  private async deletePod(pod: KubeObject): Promise<void> {
    const what = `Pod ${pod.metadata.name} in StatefulSet ${this.set.metadata.name}`;
    try {
      await this.context.client.delete(PODS, pod.metadata, { preconditions: { uid: pod.metadata.uid } });
    } catch (error) {
      if (error instanceof StatusError && error.code === 404) return;
      this.context.events.event(
        this.set,
        'Warning',
        'FailedDelete',
        `Delete ${what} failed error: ${(error as Error).message}`,
      );
      throw error;
    }
    this.context.events.event(this.set, 'Normal', 'SuccessfulDelete', `Delete ${what} successful`);
  }

  /** Only where the retention policy asks for it: then claims follow the set, or the pod that is scaled away. */
  private async fixClaimOwners(condemned: readonly KubeObject[]): Promise<void> {
    const { whenDeleted, whenScaled } = retention(this.set);
    if (whenDeleted !== 'Delete' && whenScaled !== 'Delete') return;
    for (const pod of this.pods)
      for (const template of claimTemplates(this.set)) {
        const name = claimName(this.set, template, ordinalOf(this.set, pod.metadata.name));
        const { namespace } = this.set.metadata;
        const existing = this.context.cache(PERSISTENT_VOLUME_CLAIMS).get(namespace, name);
        if (!existing) continue;
        const ownerReferences = claimOwners(this.set, existing, pod, condemned.includes(pod));
        if (same(existing.metadata.ownerReferences ?? [], ownerReferences)) continue;
        await this.context.client.patch(PERSISTENT_VOLUME_CLAIMS, { namespace, name }, 'merge', {
          metadata: {
            resourceVersion: existing.metadata.resourceVersion,
            ownerReferences: ownerReferences.length > 0 ? ownerReferences : null,
          },
        });
      }
  }

  async writeStatus(): Promise<void> {
    const now = this.context.clock.now();
    const { minReadySeconds = 0, updateStrategy } = this.set['spec'];
    const gone = (pod: KubeObject) =>
      !this.context.cache(PODS).get(pod.metadata.namespace, pod.metadata.name);
    const pods = [...this.pods.filter(pod => !gone(pod)), ...this.created];
    const alive = pods.filter(
      pod =>
        !(this.context.cache(PODS).get(pod.metadata.namespace, pod.metadata.name) ?? pod).metadata
          .deletionTimestamp,
    );
    const counts = {
      replicas: pods.length,
      readyReplicas: pods.filter(isRunningAndReady).length,
      availableReplicas: pods.filter(p => isRunningAndReady(p) && isAvailable(p, minReadySeconds, now))
        .length,
      currentReplicas: alive.filter(p => revisionOf(p) === this.current.metadata.name).length,
      updatedReplicas: alive.filter(p => revisionOf(p) === this.update.metadata.name).length,
    };
    let currentRevision = this.current.metadata.name;
    const complete =
      updateStrategy?.type === 'RollingUpdate' &&
      counts.updatedReplicas === counts.replicas &&
      counts.readyReplicas === counts.replicas;
    if (complete) {
      counts.currentReplicas = counts.updatedReplicas;
      currentRevision = this.update.metadata.name;
    }
    const { conditions } = this.set['status'] ?? {};
    const status = omitEmpty(
      {
        ...counts,
        ...(conditions ? { conditions } : {}),
        currentRevision,
        updateRevision: this.update.metadata.name,
        observedGeneration: this.set.metadata.generation,
        collisionCount: this.history.collisionCount,
      },
      ['replicas', 'availableReplicas', 'collisionCount'],
    );
    if (same(this.set['status'] ?? {}, status)) return;
    await this.context.client
      .update(STATEFUL_SETS, { ...this.set, status }, 'status')
      .catch((error: unknown) => {
        if (!(error instanceof StatusError) || error.code !== 404) throw error;
      });
  }
}
