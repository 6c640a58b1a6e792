// The status of a pod, computed from what its containers do: phases, conditions and container statuses as the kubelet
// writes them. Pure: knows no API, no clock of its own and no programs.

import { type KubeObject, timestamp } from '../../kube/index.ts';
import { quantityNumber } from '../programs/index.ts';
import type { ResizeCondition } from './resize.ts';

export interface Terminated {
  containerID: string;
  exitCode: number;
  reason: string;
  message?: string;
  /** Milliseconds since the epoch; 0 when it never ran. */
  startedAt: number;
  finishedAt: number;
}

export type ContainerKind = 'init' | 'sidecar' | 'main' | 'ephemeral';

/** What is known of one container of a pod. */
export interface ContainerFacts {
  spec: any;
  kind: ContainerKind;
  containerID?: string;
  /** Canonical reference and id of the image it was made from. */
  image?: string;
  imageID?: string;
  runningSince?: number;
  exited?: Terminated;
  previous?: Terminated;
  /** Why it is not running although it should; shown instead of the exited state. */
  waiting?: { reason: string; message?: string };
  /** Its resources as they hold now, where a resize is under way. */
  inForce?: { requests?: Record<string, string>; limits?: Record<string, string> } | undefined;
  restarts: number;
  ready: boolean;
  started: boolean;
}

export interface PodFacts {
  pod: KubeObject;
  containers: ContainerFacts[];
  hostIP: string;
  podIP?: string;
  /** Milliseconds since the epoch. */
  startTime: number;
  now: number;
  sandboxReady: boolean;
  /** Set when the kubelet itself ended the pod: DeadlineExceeded, Evicted, OutOfcpu … */
  verdict?: { phase: 'Failed'; reason: string; message: string };
  /** True once everything has stopped for good. */
  finished: boolean;
  /** Conditions the kubelet adds besides its own (DisruptionTarget). */
  extraConditions?: { type: string; status: string; reason: string; message: string }[];
  resize?: ResizeCondition[];
}

export function podStatus(facts: PodFacts): Record<string, any> {
  const { pod, containers } = facts;
  const spec = pod['spec'];
  const inits = containers.filter(c => c.kind === 'init' || c.kind === 'sidecar');
  const mains = containers.filter(c => c.kind === 'main');
  const ephemerals = containers.filter(c => c.kind === 'ephemeral');
  const hasInit = inits.length > 0;
  const status = (c: ContainerFacts) => containerStatus(c, hasInit && c.kind !== 'ephemeral');
  const phase = facts.verdict && facts.finished ? facts.verdict.phase : phaseOf(spec, inits, mains, facts);
  const result: Record<string, any> = {
    ...rest(pod['status']),
    observedGeneration: pod.metadata.generation,
    phase,
    conditions: conditions(facts, phase, inits, mains),
    hostIP: facts.hostIP,
    hostIPs: [{ ip: facts.hostIP }],
    startTime: timestamp(facts.startTime),
    containerStatuses: mains.map(status),
    ...podResources(spec),
  };
  if (inits.length > 0) result['initContainerStatuses'] = inits.map(status);
  if (ephemerals.length > 0) result['ephemeralContainerStatuses'] = ephemerals.map(status);
  if (facts.podIP) {
    result['podIP'] = facts.podIP;
    result['podIPs'] = [{ ip: facts.podIP }];
  }
  if (facts.verdict && facts.finished) {
    result['reason'] = facts.verdict.reason;
    result['message'] = facts.verdict.message;
  }
  return result;
}

/** What others wrote into the status and the kubelet leaves alone. */
function rest(status: any): Record<string, any> {
  const kept: Record<string, any> = {};
  for (const key of ['qosClass', 'nominatedNodeName', 'resourceClaimStatuses', 'resize'])
    if (status?.[key] !== undefined) kept[key] = status[key];
  return kept;
}

function phaseOf(spec: any, inits: ContainerFacts[], mains: ContainerFacts[], facts: PodFacts): string {
  const never = spec.restartPolicy === 'Never';
  let pendingInit = 0;
  let failedInit = 0;
  for (const c of inits) {
    if (c.kind === 'sidecar') {
      if (!c.started && !c.exited && !c.previous) pendingInit++;
    } else if (c.waiting || !c.exited) pendingInit++;
    else if (c.exited.exitCode !== 0) never ? failedInit++ : pendingInit++;
  }
  let waiting = 0;
  let running = 0;
  let stopped = 0;
  let succeeded = 0;
  for (const c of mains) {
    const last = c.exited ?? c.previous;
    if (c.waiting) last ? stopped++ : waiting++;
    else if (c.runningSince !== undefined) running++;
    else if (c.exited) {
      stopped++;
      if (c.exited.exitCode === 0) succeeded++;
    } else waiting++;
  }
  if (failedInit > 0 && never) return 'Failed';
  if (pendingInit > 0 && running === 0) return facts.finished && stopped > 0 ? 'Failed' : 'Pending';
  if (waiting > 0) return 'Pending';
  if (running > 0) return 'Running';
  if (stopped > 0) {
    if (spec.restartPolicy === 'Always' && !facts.finished) return 'Running';
    if (stopped === succeeded) return 'Succeeded';
    if (never || facts.finished) return 'Failed';
    return 'Running';
  }
  return 'Pending';
}

function conditions(facts: PodFacts, phase: string, inits: ContainerFacts[], mains: ContainerFacts[]): any[] {
  const { pod } = facts;
  const old: any[] = pod['status']?.conditions ?? [];
  const now = timestamp(facts.now);
  const generation = pod.metadata.generation;
  const make = (type: string, ok: boolean, reason?: string, message?: string) => {
    const status = ok ? 'True' : 'False';
    const before = old.find(c => c.type === type);
    return {
      lastProbeTime: null,
      lastTransitionTime: before?.status === status ? before.lastTransitionTime : now,
      ...(message ? { message } : {}),
      ...(generation === undefined ? {} : { observedGeneration: generation }),
      ...(reason ? { reason } : {}),
      status,
      type,
    };
  };
  const incomplete = inits.filter(c =>
    c.kind === 'sidecar' ? !c.started : c.exited?.exitCode !== 0 || c.waiting,
  );
  const unready = [...inits.filter(c => c.kind === 'sidecar'), ...mains].filter(c => !c.ready);
  const over = phase === 'Succeeded' ? 'PodCompleted' : phase === 'Failed' ? 'PodFailed' : undefined;
  const list = (cs: ContainerFacts[]) => `[${cs.map(c => c.spec.name).join(' ')}]`;
  const initialized =
    phase === 'Succeeded'
      ? make('Initialized', true, 'PodCompleted')
      : incomplete.length > 0 && !(phase === 'Failed' && incomplete.every(c => c.kind === 'sidecar'))
        ? make(
            'Initialized',
            false,
            'ContainersNotInitialized',
            `containers with incomplete status: ${list(incomplete)}`,
          )
        : make('Initialized', true);
  const containersReady = over
    ? make('ContainersReady', false, over)
    : unready.length > 0
      ? make(
          'ContainersReady',
          false,
          'ContainersNotReady',
          `containers with unready status: ${list(unready)}`,
        )
      : make('ContainersReady', true);
  const gates: string[] = (pod['spec'].readinessGates ?? [])
    .filter((g: any) => old.find(c => c.type === g.conditionType)?.status !== 'True')
    .map((g: any) =>
      old.some(c => c.type === g.conditionType)
        ? `the status of pod readiness gate "${g.conditionType}" is not "True", but ${old.find(c => c.type === g.conditionType).status}`
        : `corresponding condition of pod readiness gate "${g.conditionType}" does not exist.`,
    );
  const ready =
    containersReady.status === 'True' && gates.length > 0
      ? make('Ready', false, 'ReadinessGatesNotReady', gates.join(', '))
      : make('Ready', containersReady.status === 'True', containersReady.reason, containersReady.message);
  const own = [make('PodReadyToStartContainers', facts.sandboxReady), initialized, ready, containersReady];
  for (const extra of facts.extraConditions ?? [])
    own.unshift(make(extra.type, extra.status === 'True', extra.reason, extra.message));
  for (const { type, reason, message, generation: observedGeneration } of [...(facts.resize ?? [])].reverse())
    own.unshift({
      ...make(type, true, reason, message),
      ...(observedGeneration ? { observedGeneration } : {}),
    });
  const others = old
    .filter(c => !own.some(o => o.type === c.type) && !c.type.startsWith('PodResize'))
    .map(c =>
      c.type === 'PodScheduled' && generation !== undefined ? { ...c, observedGeneration: generation } : c,
    );
  const scheduled = others.filter(c => c.type === 'PodScheduled');
  // A pod that names its node itself (static, or with spec.nodeName) never met the scheduler.
  const all = [...own, ...(scheduled.length > 0 ? scheduled : [make('PodScheduled', true)])];
  return [...others.filter(c => c.type !== 'PodScheduled'), ...all];
}

function containerStatus(c: ContainerFacts, podHasInit: boolean): any {
  const terminated = (t: Terminated) => ({
    containerID: t.containerID,
    exitCode: t.exitCode,
    finishedAt: timestamp(t.finishedAt),
    ...(t.message ? { message: t.message } : {}),
    reason: t.reason,
    startedAt: timestamp(t.startedAt),
  });
  let state: any;
  let last = c.previous;
  if (c.waiting) {
    state = { waiting: c.waiting };
    last = c.exited ?? c.previous;
  } else if (c.runningSince !== undefined) state = { running: { startedAt: timestamp(c.runningSince) } };
  else if (c.exited) state = { terminated: terminated(c.exited) };
  else state = { waiting: { reason: podHasInit ? 'PodInitializing' : 'ContainerCreating' } };
  const created = c.containerID !== undefined;
  const mounts = (c.spec.volumeMounts ?? []).map((m: any) => ({
    mountPath: m.mountPath,
    name: m.name,
    ...(m.readOnly ? { readOnly: true, recursiveReadOnly: 'Disabled' } : {}),
  }));
  const resources = c.spec.resources ?? {};
  const uid = c.spec.securityContext?.runAsUser ?? 0;
  const gid = c.spec.securityContext?.runAsGroup ?? 0;
  return {
    ...(created && resources.requests ? { allocatedResources: resources.requests } : {}),
    ...(created ? { containerID: c.containerID } : {}),
    image: c.image ?? c.spec.image,
    imageID: c.imageID ?? '',
    lastState: last ? { terminated: terminated(last) } : {},
    name: c.spec.name,
    // An init container is ready once it is done.
    ready: c.kind === 'init' ? c.exited?.exitCode === 0 && !c.waiting : c.ready,
    ...(created ? { resources: c.inForce ?? resources } : {}),
    restartCount: c.restarts,
    started: c.started && c.runningSince !== undefined && !c.waiting,
    state,
    ...(created ? { user: { linux: { gid, supplementalGroups: [gid], uid } } } : {}),
    ...(mounts.length > 0 ? { volumeMounts: mounts } : {}),
  };
}

function podResources(spec: any): Record<string, any> {
  const containers: any[] = [
    ...(spec.containers ?? []),
    ...(spec.initContainers ?? []).filter((c: any) => c.restartPolicy === 'Always'),
  ];
  const sum = (kind: 'requests' | 'limits') => {
    const totals: Record<string, string> = {};
    for (const c of containers)
      for (const [name, quantity] of Object.entries<string>(c.resources?.[kind] ?? {}))
        totals[name] = name in totals ? addQuantities(totals[name]!, quantity, name) : quantity;
    return totals;
  };
  const requests = sum('requests');
  const limits = sum('limits');
  const resources = {
    ...(Object.keys(limits).length > 0 ? { limits } : {}),
    ...(Object.keys(requests).length > 0 ? { requests } : {}),
  };
  return { ...(Object.keys(requests).length > 0 ? { allocatedResources: requests } : {}), resources };
}

function addQuantities(a: string, b: string, resource: string): string {
  const total = quantityNumber(a) + quantityNumber(b);
  if (resource === 'cpu') {
    const millis = Math.round(total * 1000);
    return millis % 1000 === 0 ? String(millis / 1000) : `${millis}m`;
  }
  for (const [suffix, factor] of [
    ['Gi', 1024 ** 3],
    ['Mi', 1024 ** 2],
    ['Ki', 1024],
  ] as const)
    if (total > 0 && total % factor === 0) return `${total / factor}${suffix}`;
  return String(total);
}
