// The status of an InferenceService in RawDeployment mode, from what its children show. Knows no cluster.

import { type KubeObject, timestamp } from '../../../kube/index.ts';
import { hostsOf, predictorName } from './children.ts';
import { INITIALIZER, SERVER } from './kinds.ts';
import type { NoRuntime } from './runtimes.ts';

interface Found {
  status: string;
  reason?: string;
  message?: string;
}
interface Condition extends Found {
  type: string;
  lastTransitionTime: string;
}

const NO_INGRESS: Found = { status: 'False', reason: 'Predictor ingress not created' };

/** One after the other by name; a time moves only with its status. */
function conditions(before: readonly Condition[], found: Record<string, Found>, now: number): Condition[] {
  return Object.entries(found)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([type, { status, reason, message }]) => {
      const known = before.find(one => one.type === type);
      return {
        lastTransitionTime: known?.status === status ? known.lastTransitionTime : timestamp(now),
        ...(message && { message }),
        ...(reason && { reason }),
        status,
        type,
      };
    });
}

/** The first that is False counts, else the first that is not known. */
function whole(parts: Record<string, Found>): Found {
  const all = Object.values(parts);
  return (
    all.find(({ status }) => status === 'False') ??
    all.find(({ status }) => status !== 'True') ?? { status: 'True' }
  );
}

/** While no Deployment could be made: what the model lacks. */
export function withoutRuntime(service: KubeObject, problem: NoRuntime): any {
  return {
    ...service['status'],
    modelStatus: {
      lastFailureInfo: { message: problem.status, reason: problem.reason },
      states: { activeModelState: '', targetModelState: 'FailedToLoad' },
      transitionStatus: 'InvalidSpec',
    },
  };
}

/** What the children come to. */
export function statusOf(
  service: KubeObject,
  seen: {
    deployment: KubeObject;
    pods: readonly KubeObject[];
    ingress: boolean;
    domain: string;
    now: number;
  },
): any {
  const { deployment, pods, ingress, domain, now } = seen;
  const before = service['status'] ?? {};
  const available = (deployment['status']?.conditions ?? []).find((c: any) => c.type === 'Available');
  const predictorReady: Found = !available
    ? { status: 'Unknown' }
    : available.status === 'True'
      ? { status: 'True' }
      : { status: available.status, reason: available.reason, message: available.message };
  const up = predictorReady.status === 'True';
  const parts = {
    IngressReady: up && ingress ? { status: 'True' } : NO_INGRESS,
    PredictorReady: predictorReady,
  };
  const ready = whole(parts);
  const hosts = hostsOf(service, domain);
  const { namespace } = service.metadata;
  return {
    ...(up &&
      ingress && {
        address: { url: `http://${predictorName(service)}.${namespace}.svc.cluster.local` },
      }),
    components: { predictor: up ? { url: `http://${hosts.predictor}` } : {} },
    conditions: conditions(before.conditions ?? [], { ...parts, Ready: ready }, now),
    modelStatus: modelStatus(before.modelStatus, pods, ready.status === 'True'),
    observedGeneration: deployment['status']?.observedGeneration ?? 0,
    ...(up && ingress && { url: `http://${hosts.service}` }),
  };
}

const isReady = (status: any) => status?.conditions?.find((c: any) => c.type === 'Ready')?.status === 'True';

/** What became ready or ceased to be: the event's reason and message. */
export function transition(
  name: string,
  before: any,
  after: any,
): { type: 'Normal' | 'Warning'; reason: string; message: string } | undefined {
  if (isReady(before) === isReady(after)) return undefined;
  if (isReady(after))
    return {
      type: 'Normal',
      reason: 'InferenceServiceReady',
      message: `InferenceService [${name}] is Ready`,
    };
  if (!isReady(before)) return undefined;
  const why = after.conditions.filter((c: any) => c.status !== 'True').map((c: any) => c.type);
  return {
    type: 'Warning',
    reason: 'InferenceServiceNotReady',
    message: `InferenceService [${name}] is no longer Ready because of: ${why.join(', ')}`,
  };
}

function modelStatus(before: any, pods: readonly KubeObject[], ready: boolean): any {
  const active = before?.states?.activeModelState ?? '';
  const copies = pods.length;
  if (ready)
    return {
      copies: { failedCopies: 0, totalCopies: copies },
      states: { activeModelState: 'Loaded', targetModelState: 'Loaded' },
      transitionStatus: 'UpToDate',
    };
  const statuses: any[] = [
    ...(pods[0]?.['status']?.initContainerStatuses ?? []).filter((s: any) => s.name === INITIALIZER),
    ...(pods[0]?.['status']?.containerStatuses ?? []).filter((s: any) => s.name === SERVER),
  ];
  const ended = statuses
    .map(({ state, lastState }) =>
      state?.terminated?.reason === 'Error'
        ? state.terminated
        : state?.waiting?.reason === 'CrashLoopBackOff'
          ? lastState?.terminated
          : undefined,
    )
    .find(Boolean);
  if (ended)
    return {
      copies: { failedCopies: copies, totalCopies: before?.copies?.totalCopies ?? copies },
      lastFailureInfo: {
        exitCode: ended.exitCode,
        ...(ended.message && { message: ended.message }),
        reason: 'ModelLoadFailed',
      },
      states: { activeModelState: active, targetModelState: 'FailedToLoad' },
      transitionStatus: 'BlockedByFailedLoad',
    };
  const loading = statuses.some(({ name, state }) => name === INITIALIZER && state?.running);
  return {
    ...(before?.copies && { copies: before.copies }),
    states: { activeModelState: active, targetModelState: loading ? 'Loading' : 'Pending' },
    transitionStatus: 'InProgress',
  };
}
