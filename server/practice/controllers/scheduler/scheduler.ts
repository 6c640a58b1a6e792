// The scheduler: gives every pod without a node the best one that its rules allow, or says why there is none. Speaks only the API.

import type { Clock } from '../../../clock.ts';
import { type ApiClient, type KubeObject, StatusError } from '../../../kube/index.ts';
import type { Random } from '../../../random.ts';
import {
  NAMESPACES,
  NODES,
  PERSISTENT_VOLUME_CLAIMS,
  PERSISTENT_VOLUMES,
  POD_DISRUPTION_BUDGETS,
  PODS,
  STORAGE_CLASSES,
} from '../resources.ts';
import type { SharedCaches } from '../runtime/caches.ts';
import type { EventSink } from '../runtime/events.ts';
import { keyOf, parseKey } from '../runtime/keys.ts';
import { same } from '../workloads/compare.ts';
import { isTerminal } from '../workloads/pods.ts';
import { affinityState } from './affinity.ts';
import { bindVolumes } from './bind-volumes.ts';
import { type CycleState, refusal } from './filters.ts';
import { NO_NODES, type Refusal, refusedBeforehand, unschedulable } from './message.ts';
import { NodeInfo, type PodInfo, podInfo } from './node-info.ts';
import { namedNodes } from './node-rules.ts';
import { preempt } from './preemption.ts';
import { createSchedulingQueue } from './queue.ts';
import { best } from './scores.ts';
import { spreadState } from './spread.ts';
import { NAME, Verdicts } from './verdicts.ts';
import { type VolumeView, volumeState } from './volumes.ts';

export interface SchedulerOptions {
  client: ApiClient;
  events: EventSink;
  caches: SharedCaches;
  clock: Clock;
  random: Random;
  turn(): Promise<void> | undefined;
  onQuiet(): void;
  /** The machine it says it runs on. */
  host: string;
}

export interface Scheduler {
  start(): void;
  readonly quiet: boolean;
  stop(): void;
}

export function startScheduler(options: SchedulerOptions): Scheduler {
  const { client, clock, random } = options;
  const cacheOf = options.caches.of;
  const pods = cacheOf(PODS);
  const nodes = cacheOf(NODES);
  const namespaces = cacheOf(NAMESPACES);
  const claims = cacheOf(PERSISTENT_VOLUME_CLAIMS);
  const volumes = cacheOf(PERSISTENT_VOLUMES);
  const classes = cacheOf(STORAGE_CLASSES);
  const budgets = cacheOf(POD_DISRUPTION_BUDGETS);
  const events = options.events.recorder({ component: NAME, host: options.host });
  const verdicts = new Verdicts(client, clock, events);

  const infos = new Map<string, NodeInfo>();
  /** Where each counted pod is, by uid: bound, or about to be. */
  const placed = new Map<string, string>();
  /** Pods that were promised a node by preemption, by uid. */
  const nominated = new Map<string, { info: PodInfo; node: string }>();
  let running = false;
  let started = false;
  let stopped = false;

  /** Nodes on which something got better, not yet looked at. */
  const improved = new Set<string>();

  const queue = createSchedulingQueue(clock, () => pump());
  const infoFor = (name: string) => {
    const info = infos.get(name) ?? new NodeInfo(name);
    infos.set(name, info);
    return info;
  };
  const existing = () => [...infos.values()].filter(info => info.node);
  const labelsOf = (name: string) => namespaces.get(undefined, name)?.metadata.labels;
  const view: VolumeView = {
    claim: (namespace, name) => claims.get(namespace, name),
    volume: name => volumes.get(undefined, name),
    volumes: () => volumes.list(),
    storageClass: name => classes.get(undefined, name),
  };

  const place = (pod: KubeObject, node: string) => {
    const uid = pod.metadata.uid ?? '';
    const before = placed.get(uid);
    if (before !== undefined && before !== node) infos.get(before)?.remove(uid);
    placed.set(uid, node);
    infoFor(node).add(podInfo(pod));
    nominated.delete(uid);
  };
  const displace = (pod: KubeObject) => {
    const uid = pod.metadata.uid ?? '';
    nominated.delete(uid);
    const node = placed.get(uid);
    if (node === undefined) return undefined;
    placed.delete(uid);
    const info = infos.get(node);
    info?.remove(uid);
    if (info && !info.node && info.pods.size === 0) infos.delete(node);
    return node;
  };

  /** Something got better on `node`: as many pods as fit there now are tried at once, the others after their pause. */
  const wakeFor = (node: string) => {
    improved.add(node);
    if (improved.size === 1) void wakeImproved();
  };
  const wakeImproved = async () => {
    // Changes that come together are looked at together.
    await undefined;
    const variants = [...improved]
      .map(name => infos.get(name)?.copy())
      .filter(info => info?.node !== undefined);
    improved.clear();
    for (const key of queue.waiting()) {
      const { namespace, name } = parseKey(key);
      const pod = pods.get(namespace, name);
      if (!pod) continue;
      const incoming = podInfo(pod);
      const state = cycle(incoming);
      const home = variants.find(info => info && !refusalOn(incoming, info, state));
      home?.add(incoming);
      queue.wake(key, home ? 'now' : 'later');
    }
    if (quiet()) options.onQuiet();
  };
  /** Something got better that is not on one node: only pods whose rules look at it are tried. */
  const wakeWhere = (concerned: (pod: KubeObject) => boolean) => {
    for (const key of queue.waiting()) {
      const { namespace, name } = parseKey(key);
      const pod = pods.get(namespace, name);
      if (pod && concerned(pod)) queue.wake(key, 'now');
    }
  };
  const looksAtPods = (pod: KubeObject) =>
    Boolean(
      pod['spec'].affinity?.podAffinity ||
        pod['spec'].affinity?.podAntiAffinity ||
        pod['spec'].topologySpreadConstraints,
    );
  const hasClaims = (pod: KubeObject) =>
    (pod['spec'].volumes ?? []).some(
      (v: Record<string, unknown>) => v['persistentVolumeClaim'] || v['ephemeral'],
    );

  pods.subscribe((pod, previous, deleted) => {
    const key = keyOf(pod.metadata);
    if (!deleted && pod['spec'].nodeName && !isTerminal(pod)) {
      queue.remove(key);
      const known = placed.get(pod.metadata.uid ?? '') === pod['spec'].nodeName;
      if (
        known &&
        previous &&
        previous['spec'] === pod['spec'] &&
        previous.metadata.labels === pod.metadata.labels
      )
        return refresh(pod);
      const relabelled = previous !== undefined && !same(previous.metadata.labels, pod.metadata.labels);
      place(pod, pod['spec'].nodeName);
      if (!known || relabelled) wakeWhere(looksAtPods);
      else if (previous && !same(previous['spec'], pod['spec'])) wakeFor(pod['spec'].nodeName);
      return;
    }
    if (deleted || isTerminal(pod) || pod['spec'].nodeName) {
      queue.remove(key);
      const promised = nominated.get(pod.metadata.uid ?? '')?.node;
      const node = displace(pod) ?? promised;
      if (node !== undefined) wakeFor(node);
      return;
    }
    if (pod['spec'].schedulerName !== NAME || pod.metadata.deletionTimestamp) return queue.remove(key);
    if ((pod['spec'].schedulingGates?.length ?? 0) > 0) return queue.remove(key);
    // Bound before and no longer: the cluster was rewound.
    const left = previous?.['spec'].nodeName ? displace(pod) : undefined;
    if (left !== undefined) wakeFor(left);
    if (placed.has(pod.metadata.uid ?? '')) return;
    if (pod['status']?.nominatedNodeName)
      nominated.set(pod.metadata.uid ?? '', { info: podInfo(pod), node: pod['status'].nominatedNodeName });
    else nominated.delete(pod.metadata.uid ?? '');
    queue.add(key, pod['spec'].priority ?? 0, pod.metadata.uid);
    if (
      previous &&
      (!same(previous['spec'], pod['spec']) || !same(previous.metadata.labels, pod.metadata.labels))
    )
      queue.wake(key, 'now');
  });
  /** The same pod in a newer state: what it takes has not changed. */
  const refresh = (pod: KubeObject) => {
    const info = infos.get(pod['spec'].nodeName)?.pods.get(pod.metadata.uid ?? '');
    if (info) info.pod = pod;
  };

  nodes.subscribe((node, previous, deleted) => {
    const { name } = node.metadata;
    if (deleted) {
      const info = infos.get(name);
      if (info) info.node = undefined;
      if (info?.pods.size === 0) infos.delete(name);
      return;
    }
    infoFor(name).node = node;
    const better =
      !previous ||
      !same(previous['spec'], node['spec']) ||
      !same(previous.metadata.labels, node.metadata.labels) ||
      !same(previous['status']?.allocatable, node['status']?.allocatable);
    if (better) wakeFor(name);
  });
  claims.subscribe((claim, previous) => {
    if (
      !previous ||
      !same(previous['spec'], claim['spec']) ||
      !same(previous.metadata.annotations, claim.metadata.annotations)
    )
      wakeWhere(pod => pod.metadata.namespace === claim.metadata.namespace && hasClaims(pod));
  });
  volumes.subscribe((volume, previous) => {
    if (!previous || !same(previous['spec'], volume['spec'])) wakeWhere(hasClaims);
  });
  classes.subscribe(() => wakeWhere(hasClaims));

  const cycle = (incoming: PodInfo): CycleState => ({
    affinity: affinityState(incoming, infos.values(), labelsOf),
    spread: spreadState(incoming, infos.values()),
    volumes: volumeState(incoming.pod, view),
  });
  /** A node must do with and without the pods that were promised it and matter at least as much. */
  const refusalOn = (incoming: PodInfo, info: NodeInfo, state: CycleState): Refusal | undefined => {
    const plain = refusal(incoming, info, state);
    if (plain || nominated.size === 0) return plain;
    const rivals = [...nominated.values()].filter(
      n => n.node === info.name && n.info.uid !== incoming.uid && n.info.priority >= incoming.priority,
    );
    if (rivals.length === 0) return undefined;
    const variant = info.copy();
    for (const rival of rivals) variant.add(rival.info);
    return refusal(incoming, variant, state);
  };

  const pump = () => {
    if (!started || stopped || running) return;
    running = true;
    void loop();
  };
  const loop = async () => {
    await undefined;
    for (let key = queue.pop(); key !== undefined && !stopped; key = queue.pop()) {
      await options.turn();
      try {
        await attempt(key);
      } catch {
        // The server refused a write (the pod went away, say): the pod's own next change, or the pause, brings it back.
        queue.failed(key);
        queue.wake(key, 'later');
      }
    }
    running = false;
    if (quiet()) options.onQuiet();
  };
  const quiet = () => stopped || (!running && improved.size === 0 && queue.empty && options.events.quiet);

  const attempt = async (key: string) => {
    const { namespace, name } = parseKey(key);
    const pod = pods.get(namespace, name);
    if (!pod || pod['spec'].nodeName) return queue.remove(key);
    const all = existing();
    const incoming = podInfo(pod);
    if (all.length === 0) return fail(key, pod, NO_NODES);
    const state = cycle(incoming);
    if (state.volumes.refused) return fail(key, pod, refusedBeforehand(all.length, state.volumes.refused));
    const named = namedNodes(pod);
    const refusals = new Map<string, Refusal>();
    const fitting: NodeInfo[] = [];
    for (const info of all) {
      const refused =
        named && !named.has(info.name)
          ? { reasons: ["node(s) didn't satisfy plugin(s) [NodeAffinity]"], unresolvable: true }
          : refusalOn(incoming, info, state);
      if (refused) refusals.set(info.name, refused);
      else fitting.push(info);
    }
    if (fitting.length > 0) {
      const top = best(incoming, fitting, all, labelsOf);
      return bind(key, incoming, top[random.below(top.length)] as NodeInfo, state);
    }
    const found = preempt({
      incoming,
      nodes: all,
      refusals,
      budgets: budgets.list(),
      refusal: variant => refusal(incoming, variant, variantState(incoming, variant, state)),
    });
    const message = unschedulable(all.length, refusals.values(), found.message);
    await fail(key, pod, message, found.node?.name);
    if (found.node) await verdicts.evict(pod, found.node.name, found.victims);
  };
  /** Neighbourly rules look at all nodes, the tried one in its variant. */
  const variantState = (incoming: PodInfo, variant: NodeInfo, state: CycleState): CycleState => {
    if (!looksAtPods(incoming.pod) && ![...infos.values()].some(i => i.refusing > 0)) return state;
    const all = [...infos.values()].map(i => (i.name === variant.name ? variant : i));
    return {
      affinity: affinityState(incoming, all, labelsOf),
      spread: spreadState(incoming, all),
      volumes: state.volumes,
    };
  };

  const bind = async (key: string, incoming: PodInfo, info: NodeInfo, state: CycleState) => {
    const { pod } = incoming;
    place(pod, info.name);
    if (state.volumes.waiting.length === 0) return finish(key, pod, info.name);
    // Waiting for volumes holds up neither other pods nor whoever waits for silence.
    void bindVolumes({ client, clock, claims, pod, node: info, waiting: state.volumes.waiting })
      .then(() => finish(key, pod, info.name))
      .catch((error: Error) => {
        displace(pod);
        if (stopped) return;
        queue.failed(key);
        queue.wake(key, 'later');
        verdicts.tellWaiting(pod, `running PreBind plugin "VolumeBinding": ${error.message}`);
      });
  };
  const finish = async (key: string, pod: KubeObject, node: string) => {
    try {
      await verdicts.bind(pod, node);
    } catch (error) {
      displace(pod);
      if (error instanceof StatusError && error.code === 404) return queue.remove(key);
      throw error;
    }
    queue.remove(key);
  };

  const fail = async (key: string, pod: KubeObject, message: string, node?: string) => {
    queue.failed(key);
    if (node) nominated.set(pod.metadata.uid ?? '', { info: podInfo(pod), node });
    await verdicts.refuse(pod, message, node);
  };

  return {
    start() {
      started = true;
      pump();
    },
    get quiet() {
      return quiet();
    },
    stop() {
      stopped = true;
      queue.stop();
    },
  };
}
