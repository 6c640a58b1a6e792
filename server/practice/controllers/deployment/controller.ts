// The deployment controller: carries a deployment from one template to the next through replica sets. Knows no pods, except that
// Recreate waits for the old ones to be gone.

import { type KubeObject, StatusError } from '../../../kube/index.ts';
import { isNamespaceTerminating } from '../replicaset.ts';
import { DEPLOYMENTS, PODS, REPLICA_SETS } from '../resources.ts';
import { parseKey } from '../runtime/keys.ts';
import type { Controller, ControllerContext } from '../types.ts';
import { adopterKeys, claim, ownerKeys } from '../workloads/claim.ts';
import { same } from '../workloads/compare.ts';
import { isTerminal, withCondition } from '../workloads/pods.ts';
import { isEmptySelector, selects } from '../workloads/selector.ts';
import {
  findNewSet,
  makeNewSet,
  newSetAnnotations,
  nextRevision,
  sameTemplate,
  sizeAnnotations,
} from './revisions.ts';
import {
  actualReplicas,
  byAge,
  DESIRED_REPLICAS,
  isRolling,
  newSetSize,
  oldSetSizes,
  proportionalSizes,
  REVISION,
  revisionOf,
  withReplicas,
} from './sizing.ts';
import {
  condition,
  countStatus,
  type DeploymentStatus,
  hasDeadline,
  isComplete,
  rolloutStatus,
  TIMED_OUT_REASON,
  untilDeadline,
  written,
} from './status.ts';

export const deploymentController: Controller = {
  name: 'deployment-controller',
  watches: [
    { resource: DEPLOYMENTS },
    {
      resource: REPLICA_SETS,
      keys: (set, previous, context) => [
        ...ownerKeys('Deployment', set, previous),
        ...adopterKeys(context.cache(DEPLOYMENTS).list(set.metadata.namespace), set, (d, o) =>
          selects(d['spec'].selector, o.metadata.labels),
        ),
      ],
    },
    {
      resource: PODS,
      // Only Recreate looks at pods, and only at those that end.
      keys: (pod, _previous, context) => {
        const owner = pod.metadata.ownerReferences?.find(r => r.controller && r.kind === 'ReplicaSet');
        const set = owner && context.cache(REPLICA_SETS).get(pod.metadata.namespace, owner.name);
        const [key] = set ? ownerKeys('Deployment', set, undefined) : [];
        if (!key) return [];
        const { namespace, name } = parseKey(key);
        const deployment = context.cache(DEPLOYMENTS).get(namespace, name);
        return deployment && !isRolling(deployment) ? [key] : [];
      },
    },
  ],
  async reconcile(key, context) {
    const { namespace, name } = parseKey(key);
    const deployment = context.cache(DEPLOYMENTS).get(namespace, name);
    if (!deployment) return;
    if (isEmptySelector(deployment['spec'].selector)) {
      const message = 'This deployment is selecting all pods. A non-empty selector is required.';
      context.events.event(deployment, 'Warning', 'SelectingAll', message);
      return;
    }
    const sets = await claim(context, deployment, REPLICA_SETS, {
      matches: set => selects(deployment['spec'].selector, set.metadata.labels),
    });
    await new Rollout(key, deployment, sets, context).run();
  },
};

/** One look at one deployment. `deployment` is replaced by each answer of the server, so that later writes do not conflict. */
class Rollout {
  private readonly key: string;
  private deployment: KubeObject;
  private readonly sets: Map<string, KubeObject>;
  private readonly context: ControllerContext;

  constructor(key: string, deployment: KubeObject, sets: readonly KubeObject[], context: ControllerContext) {
    this.key = key;
    this.deployment = deployment;
    this.sets = new Map(sets.map(set => [set.metadata.name, set]));
    this.context = context;
  }

  private get now() {
    return this.context.clock.now();
  }
  private get all(): KubeObject[] {
    return [...this.sets.values()];
  }
  private get newSet(): KubeObject | undefined {
    return findNewSet(this.deployment, this.all);
  }
  private get oldSets(): KubeObject[] {
    const current = this.newSet;
    return this.all.filter(set => set !== current);
  }

  async run(): Promise<void> {
    if (this.deployment.metadata.deletionTimestamp)
      return this.writeStatus(countStatus(this.deployment, this.all, this.newSet, this.now));
    await this.notePause();
    if (this.deployment['spec'].paused || this.isBeingScaled()) return this.sync();
    return isRolling(this.deployment) ? this.roll() : this.recreate();
  }

  private async notePause(): Promise<void> {
    if (!hasDeadline(this.deployment)) return;
    const conditions = this.deployment['status']?.conditions ?? [];
    const progressing = conditions.find((c: { type: string }) => c.type === 'Progressing');
    if (progressing?.reason === TIMED_OUT_REASON) return;
    const noted = progressing?.reason === 'DeploymentPaused';
    const paused = this.deployment['spec'].paused === true;
    if (paused === noted) return;
    const next = paused
      ? condition('Progressing', 'Unknown', 'DeploymentPaused', 'Deployment is paused', this.now)
      : condition('Progressing', 'Unknown', 'DeploymentResumed', 'Deployment is resumed', this.now);
    await this.writeConditions(withCondition(conditions, next));
  }

  /** A live set was last sized for another number of replicas: size all before rolling on. */
  private isBeingScaled(): boolean {
    return withReplicas(this.all).some(set => {
      const desired = set.metadata.annotations?.[DESIRED_REPLICAS];
      return desired !== undefined && Number(desired) !== this.deployment['spec'].replicas;
    });
  }

  private async sync(): Promise<void> {
    await this.getNewSet(false);
    await this.scale();
    if (this.deployment['spec'].paused) await this.cleanUp();
    await this.writeStatus(countStatus(this.deployment, this.all, this.newSet, this.now));
  }

  private async scale(): Promise<void> {
    const { replicas } = this.deployment['spec'];
    const current = this.newSet;
    const live = withReplicas(this.all);
    const newestOld = [...this.oldSets].sort((a, b) => byAge(b, a))[0];
    const only = live.length === 1 ? live[0] : live.length === 0 ? (current ?? newestOld) : undefined;
    if (only) {
      await this.resize(only, replicas);
      return;
    }
    if (live.length === 0) return;
    if (current && this.isSaturated(current)) {
      for (const old of withReplicas(this.oldSets)) await this.resize(old, 0);
    } else if (isRolling(this.deployment)) {
      for (const [set, size] of proportionalSizes(this.deployment, live)) await this.resize(set, size);
    }
  }

  private isSaturated(set: KubeObject): boolean {
    const { replicas } = this.deployment['spec'];
    return (
      set['spec'].replicas === replicas &&
      Number(set.metadata.annotations?.[DESIRED_REPLICAS]) === replicas &&
      set['status']?.availableReplicas === replicas
    );
  }

  private async roll(): Promise<void> {
    const current = await this.getNewSet(true);
    if (!current) return;
    const { replicas } = this.deployment['spec'];
    if (current['spec'].replicas !== replicas) {
      const size =
        current['spec'].replicas > replicas
          ? replicas
          : newSetSize(this.deployment, this.all, current['spec'].replicas);
      if (await this.resize(current, size)) return this.writeRollout();
    }
    let shrunk = false;
    for (const [set, size] of oldSetSizes(this.deployment, this.newSet ?? current, this.oldSets))
      if (set['spec'].replicas !== size) shrunk = (await this.resize(set, size)) || shrunk;
    if (shrunk) return this.writeRollout();
    await this.cleanUpWhenComplete();
    await this.writeRollout();
  }

  private async recreate(): Promise<void> {
    await this.getNewSet(false);
    const live = withReplicas(this.oldSets);
    for (const set of live) await this.resize(set, 0);
    if (live.length > 0 || this.oldPodsRun()) return this.writeRollout();
    const current = await this.getNewSet(true);
    if (!current) return;
    await this.resize(current, this.deployment['spec'].replicas);
    await this.cleanUpWhenComplete();
    await this.writeRollout();
  }

  private oldPodsRun(): boolean {
    const old = this.oldSets;
    if (actualReplicas(old) > 0) return true;
    const pods = this.context.cache(PODS);
    return old.some(set => pods.owned(set.metadata.uid ?? '').some(pod => !isTerminal(pod)));
  }

  /** The replica set of the present template, with revision and annotations in order; made when `create` says so. */
  private async getNewSet(create: boolean): Promise<KubeObject | undefined> {
    const existing = this.newSet;
    const revision = nextRevision(this.oldSets);
    if (existing) {
      const annotations = newSetAnnotations(this.deployment, existing.metadata.annotations, revision, true);
      const { minReadySeconds = 0 } = this.deployment['spec'];
      let set = existing;
      if (
        !same(annotations, existing.metadata.annotations ?? {}) ||
        (existing['spec'].minReadySeconds ?? 0) !== minReadySeconds
      )
        set = await this.writeSet({
          ...existing,
          metadata: { ...existing.metadata, annotations },
          spec: { ...existing['spec'], minReadySeconds },
        });
      await this.noteRevision(
        revisionOf(set),
        'FoundNewReplicaSet',
        `Found new replica set "${set.metadata.name}"`,
      );
      return set;
    }
    return create ? this.createNewSet(revision) : undefined;
  }

  private async createNewSet(revision: number): Promise<KubeObject | undefined> {
    const wanted = makeNewSet(this.deployment, this.oldSets);
    let set: KubeObject;
    try {
      set = await this.context.client.create(REPLICA_SETS, wanted);
    } catch (error) {
      if (isNamespaceTerminating(error)) return undefined;
      if (error instanceof StatusError && error.reason === 'AlreadyExists')
        return this.resolveCollision(wanted, error);
      const message = `Failed to create new replica set "${wanted.metadata.name}": ${(error as Error).message}`;
      if (hasDeadline(this.deployment))
        await this.writeConditions(
          withCondition(
            this.deployment['status']?.conditions ?? [],
            condition('Progressing', 'False', 'FailedCreate', message, this.now),
          ),
        );
      this.context.events.event(this.deployment, 'Warning', 'FailedCreate', message);
      throw error;
    }
    this.sets.set(set.metadata.name, set);
    const { name } = set.metadata;
    if (set['spec'].replicas > 0)
      this.context.events.event(
        this.deployment,
        'Normal',
        'ScalingReplicaSet',
        `Scaled up replica set ${name} from 0 to ${set['spec'].replicas}`,
      );
    await this.noteRevision(revision, 'NewReplicaSetCreated', `Created new replica set "${name}"`);
    return set;
  }

  /** The name is taken: by ourselves (a stale look), or by another template with the same hash. */
  private async resolveCollision(wanted: KubeObject, error: StatusError): Promise<KubeObject | undefined> {
    const { namespace, name } = wanted.metadata;
    const existing = await this.context.client.get(REPLICA_SETS, { namespace, name });
    const owner = existing.metadata.ownerReferences?.find(r => r.controller);
    if (
      owner?.uid === this.deployment.metadata.uid &&
      sameTemplate(existing['spec'].template, this.deployment['spec'].template)
    ) {
      this.sets.set(name, existing);
      return existing;
    }
    const collisionCount = (this.deployment['status']?.collisionCount ?? 0) + 1;
    const status = { ...this.deployment['status'], collisionCount };
    this.deployment = await this.context.client.update(DEPLOYMENTS, { ...this.deployment, status }, 'status');
    throw error;
  }

  /** Puts the revision on the deployment, and the first word about progress when there is none or a new set was made. */
  private async noteRevision(revision: number, reason: string, message: string): Promise<void> {
    const conditions = this.deployment['status']?.conditions ?? [];
    const progressing = conditions.some((c: { type: string }) => c.type === 'Progressing');
    const speak = hasDeadline(this.deployment) && (reason === 'NewReplicaSetCreated' || !progressing);
    const annotated = this.deployment.metadata.annotations?.[REVISION] === String(revision);
    if (annotated && !speak) return;
    const next = speak
      ? withCondition(conditions, condition('Progressing', 'True', reason, message, this.now))
      : conditions;
    const { metadata } = this.deployment;
    this.deployment = await this.context.client.update(
      DEPLOYMENTS,
      {
        ...this.deployment,
        metadata: { ...metadata, annotations: { ...metadata.annotations, [REVISION]: String(revision) } },
        status: { ...this.deployment['status'], conditions: next },
      },
      'status',
    );
  }

  /** True when the size changed. Also refreshes the annotations that remember what the size was meant for. */
  private async resize(set: KubeObject, size: number): Promise<boolean> {
    const before = set['spec'].replicas;
    const annotations = { ...set.metadata.annotations, ...sizeAnnotations(this.deployment) };
    if (before === size && same(annotations, set.metadata.annotations)) return false;
    await this.writeSet({
      ...set,
      metadata: { ...set.metadata, annotations },
      spec: { ...set['spec'], replicas: size },
    });
    if (before === size) return false;
    const word = before < size ? 'up' : 'down';
    const message = `Scaled ${word} replica set ${set.metadata.name} from ${before} to ${size}`;
    this.context.events.event(this.deployment, 'Normal', 'ScalingReplicaSet', message);
    return true;
  }

  private async writeSet(set: KubeObject): Promise<KubeObject> {
    const written = await this.context.client.update(REPLICA_SETS, set);
    this.sets.set(written.metadata.name, written);
    return written;
  }

  private async cleanUpWhenComplete(): Promise<void> {
    const status = countStatus(this.deployment, this.all, this.newSet, this.now);
    if (isComplete(this.deployment, status)) await this.cleanUp();
  }

  /** Deletes old, empty replica sets beyond the revision history limit. */
  private async cleanUp(): Promise<void> {
    const limit = this.deployment['spec'].revisionHistoryLimit;
    if (limit === undefined) return;
    const old = this.oldSets.filter(s => !s.metadata.deletionTimestamp);
    const surplus = [...old]
      .sort((a, b) => revisionOf(a) - revisionOf(b))
      .slice(0, Math.max(0, old.length - limit));
    for (const set of surplus) {
      const { status = {}, spec, metadata } = set;
      if (
        status.replicas > 0 ||
        spec.replicas > 0 ||
        (metadata.generation ?? 0) > (status.observedGeneration ?? 0)
      )
        continue;
      await this.context.client
        .delete(REPLICA_SETS, metadata, { propagationPolicy: 'Background' })
        .catch(error => {
          if (!(error instanceof StatusError) || error.code !== 404) throw error;
        });
      this.sets.delete(metadata.name);
    }
  }

  private async writeRollout(): Promise<void> {
    const status = rolloutStatus(this.deployment, this.all, this.newSet, this.now);
    await this.writeStatus(status);
    const wait = untilDeadline(this.deployment, status, this.now);
    if (wait !== undefined) this.context.requeueAfter(this.key, wait);
  }

  private async writeConditions(conditions: unknown): Promise<void> {
    const status = { ...this.deployment['status'], conditions };
    this.deployment = await this.context.client.update(DEPLOYMENTS, { ...this.deployment, status }, 'status');
  }

  private async writeStatus(status: DeploymentStatus): Promise<void> {
    const next = written(status);
    if (same(this.deployment['status'] ?? {}, next)) return;
    try {
      this.deployment = await this.context.client.update(
        DEPLOYMENTS,
        { ...this.deployment, status: next },
        'status',
      );
    } catch (error) {
      // Deleted meanwhile: nothing is left to say.
      if (!(error instanceof StatusError) || error.code !== 404) throw error;
    }
  }
}
