// Removes finished jobs when their time after the end is over.

import { type KubeObject, StatusError } from '../../../kube/index.ts';
import { JOBS } from '../resources.ts';
import { parseKey } from '../runtime/keys.ts';
import type { Controller } from '../types.ts';

export const ttlAfterFinished: Controller = {
  name: 'ttl-after-finished-controller',
  watches: [{ resource: JOBS }],
  async reconcile(key, context) {
    const { namespace, name } = parseKey(key);
    const job = context.cache(JOBS).get(namespace, name);
    const ttl = job?.['spec'].ttlSecondsAfterFinished;
    const end = job && endOf(job);
    if (!job || ttl === undefined || end === undefined || job.metadata.deletionTimestamp) return;
    const wait = end + ttl * 1000 - context.clock.now();
    if (wait > 0) return context.requeueAfter(key, wait);
    const { uid, resourceVersion } = job.metadata;
    await context.client
      .delete(
        JOBS,
        { namespace, name },
        { propagationPolicy: 'Foreground', preconditions: { uid, resourceVersion } },
      )
      .catch((error: unknown) => {
        if (!(error instanceof StatusError) || error.code !== 404) throw error;
      });
  },
};

/** When a job ended, in milliseconds since the epoch; undefined while it runs. */
function endOf(job: KubeObject): number | undefined {
  const condition = (job['status']?.conditions ?? []).find(
    (c: { type: string; status: string }) =>
      (c.type === 'Complete' || c.type === 'Failed') && c.status === 'True',
  );
  return condition ? Date.parse(condition.lastTransitionTime) : undefined;
}
