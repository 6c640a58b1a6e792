// Whether a job has failed or is complete, from its counts and pods. Pure; the words are upstream's.

import type { KubeObject } from '../../../kube/index.ts';
import { parseIndexes } from './indexes.ts';

export interface Ending {
  type: 'Failed' | 'Complete';
  reason: string;
  message: string;
}

export interface JobFacts {
  succeeded: number;
  failed: number;
  active: readonly KubeObject[];
  /** Milliseconds since the epoch. */
  now: number;
  /** The message of a pod failure policy that ends the job. */
  policyMessage?: string;
  indexed: boolean;
  completedIndexes: ReadonlySet<number>;
  failedIndexes: ReadonlySet<number>;
}

const failed = (reason: string, message: string): Ending => ({ type: 'Failed', reason, message });

export function ending(job: KubeObject, facts: JobFacts): Ending | undefined {
  const { spec, status = {} } = job;
  if (facts.policyMessage) return failed('PodFailurePolicy', facts.policyMessage);
  const restarts = facts.active
    .flatMap(p => [...(p['status']?.containerStatuses ?? []), ...(p['status']?.initContainerStatuses ?? [])])
    .reduce((sum: number, s: { restartCount?: number }) => sum + (s.restartCount ?? 0), 0);
  const pastLimit =
    facts.failed > spec.backoffLimit ||
    (spec.template.spec.restartPolicy === 'OnFailure' &&
      (spec.backoffLimit === 0 ? restarts > 0 : restarts >= spec.backoffLimit));
  if (pastLimit) return failed('BackoffLimitExceeded', 'Job has reached the specified backoff limit');
  const deadline = spec.activeDeadlineSeconds;
  if (deadline !== undefined && status.startTime && !spec.suspend)
    if (facts.now - Date.parse(status.startTime) >= deadline * 1000)
      return failed('DeadlineExceeded', 'Job was active longer than specified deadline');
  const policy = successPolicy(job, facts);
  if (policy) return policy;
  if (facts.indexed && spec.backoffLimitPerIndex !== undefined) {
    if (spec.maxFailedIndexes !== undefined && facts.failedIndexes.size > spec.maxFailedIndexes)
      return failed(
        'MaxFailedIndexesExceeded',
        'Job has exceeded the specified maximal number of failed indexes',
      );
    if (
      facts.failedIndexes.size > 0 &&
      facts.completedIndexes.size + facts.failedIndexes.size >= spec.completions
    )
      return failed('FailedIndexes', 'Job has failed indexes');
  }
  const done = facts.indexed ? facts.completedIndexes.size : facts.succeeded;
  const complete =
    spec.completions === undefined || spec.completions === null
      ? facts.succeeded > 0 && facts.active.length === 0
      : done >= spec.completions;
  return complete
    ? { type: 'Complete', reason: 'CompletionsReached', message: 'Reached expected number of succeeded pods' }
    : undefined;
}

function successPolicy(job: KubeObject, facts: JobFacts): Ending | undefined {
  const rules = (job['spec'].successPolicy?.rules ?? []) as {
    succeededIndexes?: string;
    succeededCount?: number;
  }[];
  for (const [index, rule] of rules.entries()) {
    const wanted = rule.succeededIndexes === undefined ? undefined : parseIndexes(rule.succeededIndexes);
    const hits = [...facts.completedIndexes].filter(i => !wanted || wanted.has(i)).length;
    const needed = rule.succeededCount ?? wanted?.size ?? Number.POSITIVE_INFINITY;
    if (hits >= needed)
      return { type: 'Complete', reason: 'SuccessPolicy', message: `Matched rules at index ${index}` };
  }
  return undefined;
}
