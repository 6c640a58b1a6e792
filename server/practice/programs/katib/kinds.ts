// Katib's kinds, and its way with conditions: the one that changed last stands last, which is what its columns show.

import { isDeepStrictEqual } from 'node:util';
import { type KubeObject, StatusError, timestamp } from '../../../kube/index.ts';
import { type Operator, type Watched, watched, writeStatus, type ZapLog } from '../operator/index.ts';

const KATIB = 'kubeflow.org/v1beta1';
export const EXPERIMENTS = watched(KATIB, 'Experiment');
export const SUGGESTIONS = watched(KATIB, 'Suggestion');
export const TRIALS = watched(KATIB, 'Trial');
export const DEPLOYMENTS = watched('apps/v1', 'Deployment');
export const SERVICES = watched('v1', 'Service');

export const LABEL = {
  deployment: 'katib.kubeflow.org/deployment',
  experiment: 'katib.kubeflow.org/experiment',
  suggestion: 'katib.kubeflow.org/suggestion',
  trial: 'katib.kubeflow.org/trial',
};

/** A failure that the world caused: told in its words, without a stack of ours. */
export class KatibError extends Error {
  override readonly stack = undefined;
}

export interface Mark {
  type: string;
  status: 'True' | 'False';
  reason: string;
  message: string;
  lastUpdateTime?: string;
  lastTransitionTime?: string;
}

/** Sets a condition: moved to the end when its status or reason changed, left where it is otherwise. `now` in milliseconds. */
export function marked(
  marks: readonly Mark[],
  type: string,
  status: Mark['status'],
  reason: string,
  message: string,
  now: number,
): Mark[] {
  const known = marks.find(mark => mark.type === type);
  if (known?.status === status && known.reason === reason) return [...marks];
  const lastUpdateTime = timestamp(now);
  const lastTransitionTime = known?.status === status ? known.lastTransitionTime : lastUpdateTime;
  const mark = {
    type,
    status,
    lastUpdateTime,
    ...(lastTransitionTime && { lastTransitionTime }),
    reason,
    message,
  };
  return [...marks.filter(other => other.type !== type), mark];
}

/** A final condition; what was running then runs no more. */
export function finished(
  marks: readonly Mark[],
  type: string,
  reason: string,
  message: string,
  now: number,
): Mark[] {
  const running = marks.find(mark => mark.type === 'Running');
  const stopped = running ? marked(marks, 'Running', 'False', running.reason, running.message, now) : marks;
  return marked(stopped, type, 'True', reason, message, now);
}

export const marksOf = (object: KubeObject): Mark[] => object['status']?.conditions ?? [];
export const isMarked = (object: KubeObject, ...types: string[]): boolean =>
  marksOf(object).some(({ type, status }) => types.includes(type) && status === 'True');

export const isCompleted = (object: KubeObject): boolean =>
  isMarked(object, 'Succeeded', 'Failed', 'Killed', 'EarlyStopped', 'MetricsUnavailable');

/** Adds the finalizer of a new object; takes it from one that goes once `last` is done. Says whether it did either. */
export async function keepFinalizer(
  operator: Operator,
  kind: Watched,
  object: KubeObject,
  name: string,
  last: () => Promise<unknown> = async () => {},
): Promise<boolean> {
  const { deletionTimestamp, finalizers = [] } = object.metadata;
  const held = finalizers.includes(name);
  if (held === (deletionTimestamp === undefined)) return false;
  if (deletionTimestamp) await last();
  const next = held ? finalizers.filter(finalizer => finalizer !== name) : [...finalizers, name];
  await operator.api.update(kind, { ...object, metadata: { ...object.metadata, finalizers: next } });
  return true;
}

/**
 * Writes a status. Where only the rest of the object has moved on meanwhile, it is written all the same: an answer that was
 * asked for must not be lost. Where the status has, the object is looked at again soon.
 */
export async function saveStatus(
  operator: Operator,
  log: ZapLog,
  kind: Watched,
  object: KubeObject,
  status: Record<string, unknown>,
): Promise<number | undefined> {
  try {
    await writeStatus(operator, kind, object, status);
    return undefined;
  } catch (error) {
    if (!(error instanceof StatusError) || error.reason !== 'Conflict') throw error;
    const { name, namespace = '' } = object.metadata;
    const fresh = await operator.api.get(kind, { name, namespace });
    if (isDeepStrictEqual(fresh['status'], object['status'])) {
      await writeStatus(operator, kind, fresh, status);
      return undefined;
    }
    const word = kind.kind.toLowerCase();
    log.info(`${word}-controller`, `Update ${word} instance status failed, reconciler requeued`, {
      [kind.kind]: about(object),
      err: error.message,
    });
    return 50;
  }
}

export const about = ({ metadata: { name, namespace } }: KubeObject) => ({ name, namespace });
