// The STATUS, READY and RESTARTS of a pod as `kubectl get` shows them (pkg/printers/internalversion printPod).

import type { KubeObject } from '../../../kube/index.ts';
import { humanDuration } from '../format.ts';

interface ContainerStatus {
  name: string;
  ready: boolean;
  started?: boolean;
  restartCount: number;
  state?: {
    waiting?: { reason?: string };
    running?: object;
    terminated?: { exitCode: number; signal?: number; reason?: string; finishedAt?: string | null };
  };
  lastState?: ContainerStatus['state'];
}

export interface PodSummary {
  status: string;
  ready: number;
  total: number;
  /** `0`, `3 (2m ago)`. */
  restarts: string;
}

function latest(times: (string | null | undefined)[]): number {
  return Math.max(
    Number.NEGATIVE_INFINITY,
    ...times.map(time => (time ? Date.parse(time) : Number.NEGATIVE_INFINITY)),
  );
}

const ended = (terminated: { exitCode: number; signal?: number; reason?: string }): string =>
  terminated.reason ||
  (terminated.signal ? `Signal:${terminated.signal}` : `ExitCode:${terminated.exitCode}`);

export function summarisePod(pod: KubeObject, now: number): PodSummary {
  const spec = pod.spec ?? {};
  const status = pod.status ?? {};
  const initContainers: { name: string; restartPolicy?: string }[] = spec.initContainers ?? [];
  const sidecars = new Set(initContainers.filter(c => c.restartPolicy === 'Always').map(c => c.name));
  const initStatuses: ContainerStatus[] = status.initContainerStatuses ?? [];
  const conditions: { type: string; status: string; reason?: string }[] = status.conditions ?? [];

  let shown: string = status.phase ?? '';
  if (status.reason) shown = status.reason;
  if (conditions.some(c => c.type === 'PodScheduled' && c.reason === 'SchedulingGated'))
    shown = 'SchedulingGated';

  let ready = 0;
  let restarts = 0;
  let sidecarRestarts = 0;
  let lastRestart = Number.NEGATIVE_INFINITY;
  let lastSidecarRestart = Number.NEGATIVE_INFINITY;
  let initialising = false;

  for (const [i, container] of initStatuses.entries()) {
    restarts += container.restartCount ?? 0;
    lastRestart = Math.max(lastRestart, latest([container.lastState?.terminated?.finishedAt]));
    const sidecar = sidecars.has(container.name);
    if (sidecar) {
      sidecarRestarts += container.restartCount ?? 0;
      lastSidecarRestart = Math.max(
        lastSidecarRestart,
        latest([container.lastState?.terminated?.finishedAt]),
      );
    }
    const { terminated, waiting } = container.state ?? {};
    if (terminated && terminated.exitCode === 0) continue;
    if (sidecar && container.started) {
      if (container.ready) ready++;
      continue;
    }
    if (terminated) {
      shown = `Init:${terminated.reason || (terminated.signal ? `Signal:${terminated.signal}` : `ExitCode:${terminated.exitCode}`)}`;
    } else if (waiting?.reason && waiting.reason !== 'PodInitializing') {
      shown = `Init:${waiting.reason}`;
    } else {
      shown = `Init:${i}/${initContainers.length}`;
    }
    initialising = true;
    break;
  }

  if (!initialising || conditions.some(c => c.type === 'Initialized' && c.status === 'True')) {
    restarts = sidecarRestarts;
    lastRestart = lastSidecarRestart;
    let running = false;
    const statuses: ContainerStatus[] = status.containerStatuses ?? [];
    for (const container of [...statuses].reverse()) {
      restarts += container.restartCount ?? 0;
      lastRestart = Math.max(lastRestart, latest([container.lastState?.terminated?.finishedAt]));
      const { waiting, terminated, running: alive } = container.state ?? {};
      if (waiting?.reason) shown = waiting.reason;
      else if (terminated) shown = ended(terminated);
      else if (container.ready && alive) {
        running = true;
        ready++;
      }
    }
    if (shown === 'Completed' && running)
      shown = conditions.some(c => c.type === 'Ready' && c.status === 'True') ? 'Running' : 'NotReady';
  }

  if (pod.metadata.deletionTimestamp) {
    if (status.reason === 'NodeLost') shown = 'Unknown';
    else if (status.phase !== 'Failed' && status.phase !== 'Succeeded') shown = 'Terminating';
  }

  const ago =
    Number.isFinite(lastRestart) && restarts > 0 ? ` (${humanDuration(now - lastRestart)} ago)` : '';
  return {
    status: shown,
    ready,
    total: (spec.containers?.length ?? 0) + sidecars.size,
    restarts: `${restarts}${ago}`,
  };
}
