// What a map says of one pod: its state, its STATUS as kubectl prints it, and what it asks of a node. Pure; knows no cluster.

import type { Amount, MapPod, PodState } from '#common/protocol/index.ts';
import { milliValue, parseQuantity, wholeValue } from '#common/quantity/index.ts';
import type { KubeObject } from '../kube/index.ts';

interface ContainerStatus {
  name: string;
  ready?: boolean;
  started?: boolean;
  restartCount?: number;
  state?: {
    waiting?: { reason?: string };
    running?: object;
    terminated?: { exitCode: number; signal?: number; reason?: string };
  };
}

/** Reasons to wait that pass by themselves. */
const ON_THE_WAY = new Set(['ContainerCreating', 'PodInitializing', '']);

export function mapPod(pod: KubeObject): MapPod {
  const { spec = {}, status = {}, metadata } = pod;
  const { shown, ready, restarts } = summary(pod);
  const conditions: { type: string; status: string; message?: string }[] = status.conditions ?? [];
  const unplaced = conditions.find(one => one.type === 'PodScheduled' && one.status === 'False');
  const owner = ownerOf(pod);
  return {
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    ...(spec.nodeName ? { node: spec.nodeName } : {}),
    state: stateOf(pod, shown),
    status: shown,
    ready,
    containers: (spec.containers?.length ?? 0) + sidecarsOf(pod).size,
    restarts,
    requests: requestsOf(pod),
    ...(owner ? { owner } : {}),
    ...(unplaced?.message && !spec.nodeName ? { why: unplaced.message } : {}),
  };
}

/** Ended pods keep their name and their logs, but no longer any of the node's room. */
export function countsAgainstNode(pod: KubeObject): boolean {
  return pod['status']?.phase !== 'Succeeded' && pod['status']?.phase !== 'Failed';
}

/** Containers and sidecars together, or the largest init container with the sidecars before it, whichever is more. */
export function requestsOf(pod: KubeObject): Amount {
  const { containers = [], initContainers = [], overhead } = pod['spec'] ?? {};
  const total = { cpu: 0, memory: 0 };
  const add = (to: Amount, more: Amount) => {
    to.cpu += more.cpu;
    to.memory += more.memory;
  };
  for (const container of containers) add(total, amount(container.resources?.requests));
  const sidecars = { cpu: 0, memory: 0 };
  const most = { cpu: 0, memory: 0 };
  for (const container of initContainers) {
    const asks = amount(container.resources?.requests);
    if (container.restartPolicy === 'Always') {
      add(sidecars, asks);
      asks.cpu = sidecars.cpu;
      asks.memory = sidecars.memory;
    } else add(asks, sidecars);
    most.cpu = Math.max(most.cpu, asks.cpu);
    most.memory = Math.max(most.memory, asks.memory);
  }
  add(total, sidecars);
  const whole = { cpu: Math.max(total.cpu, most.cpu), memory: Math.max(total.memory, most.memory) };
  const own = pod['spec']?.resources?.requests;
  if (own?.cpu !== undefined) whole.cpu = amount(own).cpu;
  if (own?.memory !== undefined) whole.memory = amount(own).memory;
  add(whole, amount(overhead));
  return whole;
}

export function amount(list: Record<string, unknown> | undefined): Amount {
  const cpu = parseQuantity(list?.cpu ?? '0');
  const memory = parseQuantity(list?.memory ?? '0');
  return { cpu: cpu ? milliValue(cpu) : 0, memory: memory ? wholeValue(memory) : 0 };
}

function sidecarsOf(pod: KubeObject): Set<string> {
  const init: { name: string; restartPolicy?: string }[] = pod['spec']?.initContainers ?? [];
  return new Set(init.filter(one => one.restartPolicy === 'Always').map(one => one.name));
}

/** A ReplicaSet is a detail: what the learner scales and rolls out is its Deployment. */
function ownerOf(pod: KubeObject): string | undefined {
  const owner = pod.metadata.ownerReferences?.find(one => one.controller);
  if (!owner) return undefined;
  const hash = pod.metadata.labels?.['pod-template-hash'];
  if (owner.kind === 'ReplicaSet' && hash && owner.name.endsWith(`-${hash}`))
    return `Deployment/${owner.name.slice(0, -hash.length - 1)}`;
  return `${owner.kind}/${owner.name}`;
}

function stateOf(pod: KubeObject, shown: string): PodState {
  const { spec = {}, status = {}, metadata } = pod;
  if (metadata.deletionTimestamp) return 'ending';
  if (status.phase === 'Succeeded') return 'done';
  if (status.phase === 'Failed') return 'trouble';
  if (!spec.nodeName) return 'waiting';
  const statuses: ContainerStatus[] = [
    ...(status.initContainerStatuses ?? []),
    ...(status.containerStatuses ?? []),
  ];
  const stuck = statuses.some(({ state }) => {
    if (state?.terminated) return state.terminated.exitCode !== 0;
    return !ON_THE_WAY.has(state?.waiting?.reason ?? '');
  });
  if (stuck) return 'trouble';
  const ready = (status.conditions ?? []).some(
    (one: { type: string; status: string }) => one.type === 'Ready' && one.status === 'True',
  );
  return ready && shown === 'Running' ? 'ready' : 'starting';
}

/** As kubectl's table prints it. */
function summary(pod: KubeObject): { shown: string; ready: number; restarts: number } {
  const { spec = {}, status = {}, metadata } = pod;
  const sidecars = sidecarsOf(pod);
  const conditions: { type: string; status: string; reason?: string }[] = status.conditions ?? [];
  const has = (type: string) => conditions.some(one => one.type === type && one.status === 'True');
  let shown: string = status.reason || status.phase || 'Unknown';
  if (conditions.some(one => one.type === 'PodScheduled' && one.reason === 'SchedulingGated'))
    shown = 'SchedulingGated';
  let ready = 0;
  let restarts = 0;
  let sidecarRestarts = 0;
  let initialising = false;
  for (const [index, container] of ((status.initContainerStatuses ?? []) as ContainerStatus[]).entries()) {
    const { terminated, waiting } = container.state ?? {};
    restarts += container.restartCount ?? 0;
    const sidecar = sidecars.has(container.name);
    if (sidecar) sidecarRestarts += container.restartCount ?? 0;
    if (terminated?.exitCode === 0) continue;
    if (sidecar && container.started) {
      if (container.ready) ready++;
      continue;
    }
    initialising = true;
    if (terminated) shown = `Init:${endOf(terminated)}`;
    else if (waiting?.reason && waiting.reason !== 'PodInitializing') shown = `Init:${waiting.reason}`;
    else shown = `Init:${index}/${spec.initContainers?.length ?? 0}`;
    break;
  }
  if (!initialising || has('Initialized')) {
    restarts = sidecarRestarts;
    let running = false;
    for (const container of ((status.containerStatuses ?? []) as ContainerStatus[]).toReversed()) {
      restarts += container.restartCount ?? 0;
      const { waiting, terminated } = container.state ?? {};
      if (waiting?.reason) shown = waiting.reason;
      else if (terminated) shown = endOf(terminated);
      else if (container.ready && container.state?.running) {
        running = true;
        ready++;
      }
    }
    if (shown === 'Completed' && running) shown = has('Ready') ? 'Running' : 'NotReady';
  }
  if (metadata.deletionTimestamp && status.phase !== 'Failed' && status.phase !== 'Succeeded')
    shown = status.reason === 'NodeLost' ? 'Unknown' : 'Terminating';
  return { shown, ready, restarts };
}

function endOf(terminated: { exitCode: number; signal?: number; reason?: string }): string {
  return (
    terminated.reason ||
    (terminated.signal ? `Signal:${terminated.signal}` : `ExitCode:${terminated.exitCode}`)
  );
}
