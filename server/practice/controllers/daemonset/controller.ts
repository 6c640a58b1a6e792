// The daemon set controller: one pod on every node that the template accepts, updated node by node. Knows no scheduling.

import { type KubeObject, StatusError } from '../../../kube/index.ts';
import { isNamespaceTerminating } from '../replicaset.ts';
import { CONTROLLER_REVISIONS, DAEMON_SETS, NODES, PODS } from '../resources.ts';
import { parseKey } from '../runtime/keys.ts';
import type { Controller, ControllerContext } from '../types.ts';
import { adopterKeys, claim, ownerKeys } from '../workloads/claim.ts';
import { same, scaled } from '../workloads/compare.ts';
import { isAvailable, isReady, omitEmpty, untilAvailable } from '../workloads/pods.ts';
import { syncHistory, truncateHistory } from '../workloads/revisions.ts';
import { isEmptySelector, selects } from '../workloads/selector.ts';
import { daemonPod, HASH_LABEL, nodeOf, wantsPod } from './placement.ts';

/** Pause before a failed daemon pod is replaced again: doubling from the first, in milliseconds. */
const FIRST_PAUSE = 1000;
const LONGEST_PAUSE = 900_000;

export const daemonSetController: Controller = {
  name: 'daemon-set-controller',
  component: 'daemonset-controller',
  watches: [
    { resource: DAEMON_SETS },
    {
      resource: PODS,
      keys: (pod, previous, context) => [
        ...ownerKeys('DaemonSet', pod, previous),
        ...adopterKeys(context.cache(DAEMON_SETS).list(pod.metadata.namespace), pod, (set, o) =>
          selects(set['spec'].selector, o.metadata.labels),
        ),
      ],
    },
    {
      resource: NODES,
      // A heartbeat changes nothing that counts here.
      keys: (node, previous, context, deleted) =>
        previous &&
        !deleted &&
        same(previous['spec'], node['spec']) &&
        same(previous.metadata.labels, node.metadata.labels)
          ? []
          : context
              .cache(DAEMON_SETS)
              .list()
              .map(s => `${s.metadata.namespace}/${s.metadata.name}`),
    },
    { resource: CONTROLLER_REVISIONS, keys: (r, previous) => ownerKeys('DaemonSet', r, previous) },
  ],
  async reconcile(key, context) {
    const { namespace, name } = parseKey(key);
    const set = context.cache(DAEMON_SETS).get(namespace, name);
    if (!set) return;
    if (isEmptySelector(set['spec'].selector)) {
      const message = 'This daemon set is selecting all pods. A non-empty selector is required.';
      return context.events.event(set, 'Warning', 'SelectingAll', message);
    }
    const pods = await claim(context, set, PODS, {
      matches: p => selects(set['spec'].selector, p.metadata.labels),
    });
    const history = await syncHistory(set, context, HASH_LABEL);
    const hash = history.update.metadata.labels?.[HASH_LABEL] ?? '';
    let failure: unknown;
    if (!set.metadata.deletionTimestamp) {
      try {
        await manage(key, set, byNode(pods), hash, context);
        if (set['spec'].updateStrategy?.type !== 'OnDelete')
          await update(set, byNode(alive(pods, context)), hash, context);
      } catch (error) {
        failure = error;
      }
      const live = new Set(
        history.all
          .filter(r => pods.some(p => p.metadata.labels?.[HASH_LABEL] === r.metadata.labels?.[HASH_LABEL]))
          .map(r => r.metadata.name),
      );
      await truncateHistory(history, set['spec'].revisionHistoryLimit ?? 10, live, context);
    }
    await writeStatus(set, byNode(pods), hash, history.collisionCount, context);
    if (failure) throw failure;
    const wait = untilAvailable(pods, set['spec'].minReadySeconds ?? 0, context.clock.now());
    if (wait !== undefined) context.requeueAfter(key, wait);
  },
};

type ByNode = Map<string, KubeObject[]>;

function byNode(pods: readonly KubeObject[]): ByNode {
  const map: ByNode = new Map();
  for (const pod of pods) {
    const node = nodeOf(pod);
    if (node) map.set(node, [...(map.get(node) ?? []), pod]);
  }
  return map;
}

/** The pods as they are now, after what this round did to them. */
const alive = (pods: readonly KubeObject[], context: ControllerContext) =>
  pods.flatMap(p => context.cache(PODS).get(p.metadata.namespace, p.metadata.name) ?? []);

async function manage(
  key: string,
  set: KubeObject,
  pods: ByNode,
  hash: string,
  context: ControllerContext,
): Promise<void> {
  const create: string[] = [];
  const remove: KubeObject[] = [];
  const nodes = context.cache(NODES).list();
  for (const node of nodes) {
    const { name } = node.metadata;
    const here = pods.get(name) ?? [];
    const { run, stay } = wantsPod(set, node);
    if (run && here.length === 0) create.push(name);
    else if (!stay) remove.push(...here);
    else {
      const running: KubeObject[] = [];
      for (const pod of here) {
        if (pod.metadata.deletionTimestamp) continue;
        const phase = pod['status']?.phase;
        if (phase !== 'Failed' && phase !== 'Succeeded') running.push(pod);
        else if (mayReplace(key, set, name, context)) {
          const { namespace, name: podName } = pod.metadata;
          const text = `Found ${phase.toLowerCase()} daemon pod ${namespace}/${podName} on node ${name}, will try to ${phase === 'Failed' ? 'kill' : 'delete'} it`;
          if (phase === 'Failed') context.events.event(set, 'Warning', 'FailedDaemonPod', text);
          else context.events.event(set, 'Normal', 'SucceededDaemonPod', text);
          remove.push(pod);
        }
      }
      // Two pods may share a node only while one takes over from the other.
      const groups =
        surge(set, nodes.length) > 0
          ? [running.filter(p => isNew(p, hash)), running.filter(p => !isNew(p, hash))]
          : [running];
      for (const group of groups) remove.push(...group.sort(byAge).slice(1));
    }
  }
  // Pods for nodes that are gone wait for nothing.
  const existing = new Set(nodes.map(n => n.metadata.name));
  for (const [node, list] of pods)
    if (!existing.has(node)) remove.push(...list.filter(p => !p['spec'].nodeName));
  for (const node of create) await createPod(set, node, hash, context);
  for (const pod of remove) await deletePod(set, pod, context);
}

const byAge = (a: KubeObject, b: KubeObject) =>
  (a.metadata.creationTimestamp ?? '') < (b.metadata.creationTimestamp ?? '') ? -1 : 1;
const isNew = (pod: KubeObject, hash: string) => pod.metadata.labels?.[HASH_LABEL] === hash;

/** Failed pods are replaced with growing pauses, so that a broken image does not burn the node. */
function mayReplace(key: string, set: KubeObject, node: string, context: ControllerContext): boolean {
  const id = `failed/${set.metadata.uid}/${set.metadata.generation}/${node}`;
  const known = context.memory.get(id) as { pause: number; at: number } | undefined;
  const now = context.clock.now();
  if (known && now < known.at + known.pause) {
    context.requeueAfter(key, known.at + known.pause - now);
    return false;
  }
  context.memory.set(id, { pause: Math.min((known?.pause ?? FIRST_PAUSE / 2) * 2, LONGEST_PAUSE), at: now });
  return true;
}

const surge = (set: KubeObject, desired: number) =>
  set['spec'].updateStrategy?.type === 'OnDelete'
    ? 0
    : scaled(set['spec'].updateStrategy?.rollingUpdate?.maxSurge, desired, 'up');

async function update(
  set: KubeObject,
  pods: ByNode,
  hash: string,
  context: ControllerContext,
): Promise<void> {
  const now = context.clock.now();
  const { minReadySeconds = 0, updateStrategy } = set['spec'];
  const nodes = context
    .cache(NODES)
    .list()
    .filter(node => wantsPod(set, node).run);
  const available = (pod: KubeObject) =>
    isAvailable(pod, minReadySeconds, now) && !pod.metadata.deletionTimestamp;
  const look = nodes.map(node => {
    const here = pods.get(node.metadata.name) ?? [];
    return {
      node: node.metadata.name,
      next: here.find(p => isNew(p, hash) && !p.metadata.deletionTimestamp),
      old: here.find(p => !isNew(p, hash) && !p.metadata.deletionTimestamp),
      leaving: here.some(p => p.metadata.deletionTimestamp),
    };
  });
  const maxSurge = surge(set, nodes.length);
  if (maxSurge > 0) {
    let surging = look.filter(l => l.old && l.next).length;
    for (const { node, next, old } of look) {
      if (old && next) {
        if (available(next)) await deletePod(set, old, context);
      } else if (old && !available(old)) await createPod(set, node, hash, context);
      else if (old && surging < maxSurge) {
        surging++;
        await createPod(set, node, hash, context);
      }
    }
    return;
  }
  const most = Math.max(0, scaled(updateStrategy?.rollingUpdate?.maxUnavailable ?? 1, nodes.length, 'up'));
  let unavailable = 0;
  const broken: KubeObject[] = [];
  const candidates: KubeObject[] = [];
  for (const { next, old, leaving } of look) {
    if (next ? !available(next) : !old || !available(old) || leaving) unavailable++;
    if (next || !old) continue;
    if (available(old)) candidates.push(old);
    else broken.push(old);
  }
  for (const pod of [...broken, ...candidates.slice(0, Math.max(0, most - unavailable))])
    await deletePod(set, pod, context);
}

async function createPod(
  set: KubeObject,
  node: string,
  hash: string,
  context: ControllerContext,
): Promise<void> {
  try {
    const pod = await context.client.create(PODS, daemonPod(set, node, hash));
    context.events.event(set, 'Normal', 'SuccessfulCreate', `Created pod: ${pod.metadata.name}`);
  } catch (error) {
    if (isNamespaceTerminating(error)) return;
    context.events.event(set, 'Warning', 'FailedCreate', `Error creating: ${(error as Error).message}`);
    throw error;
  }
}

async function deletePod(set: KubeObject, pod: KubeObject, context: ControllerContext): Promise<void> {
  if (context.cache(PODS).get(pod.metadata.namespace, pod.metadata.name)?.metadata.deletionTimestamp) return;
  try {
    await context.client.delete(PODS, pod.metadata, { preconditions: { uid: pod.metadata.uid } });
  } catch (error) {
    if (error instanceof StatusError && error.code === 404) return;
    context.events.event(set, 'Warning', 'FailedDelete', `Error deleting: ${(error as Error).message}`);
    throw error;
  }
  context.events.event(set, 'Normal', 'SuccessfulDelete', `Deleted pod: ${pod.metadata.name}`);
}

async function writeStatus(
  set: KubeObject,
  pods: ByNode,
  hash: string,
  collisionCount: number,
  context: ControllerContext,
): Promise<void> {
  const now = context.clock.now();
  const { minReadySeconds = 0 } = set['spec'];
  const count = { desired: 0, current: 0, misscheduled: 0, ready: 0, available: 0, updated: 0 };
  for (const node of context.cache(NODES).list()) {
    const here = pods.get(node.metadata.name) ?? [];
    if (!wantsPod(set, node).run) {
      if (here.length > 0) count.misscheduled++;
      continue;
    }
    count.desired++;
    const pod = [...here].sort(byAge)[0];
    if (!pod) continue;
    count.current++;
    if (isReady(pod)) count.ready++;
    if (isAvailable(pod, minReadySeconds, now)) count.available++;
    if (here.some(p => isNew(p, hash))) count.updated++;
  }
  const { conditions } = set['status'] ?? {};
  const status = omitEmpty(
    {
      currentNumberScheduled: count.current,
      numberMisscheduled: count.misscheduled,
      desiredNumberScheduled: count.desired,
      numberReady: count.ready,
      observedGeneration: set.metadata.generation,
      updatedNumberScheduled: count.updated,
      numberAvailable: count.available,
      numberUnavailable: count.desired - count.available,
      ...(collisionCount > 0 ? { collisionCount } : {}),
      ...(conditions ? { conditions } : {}),
    },
    ['currentNumberScheduled', 'numberMisscheduled', 'desiredNumberScheduled', 'numberReady'],
  );
  if (same(set['status'] ?? {}, status)) return;
  await context.client.update(DAEMON_SETS, { ...set, status }, 'status').catch((error: unknown) => {
    if (!(error instanceof StatusError) || error.code !== 404) throw error;
  });
}
