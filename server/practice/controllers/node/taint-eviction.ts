// The taint manager: pods that do not bear a NoExecute taint of their node go, at once or when their patience ends.

import { type KubeObject, StatusError } from '../../../kube/index.ts';
import { NODES, PODS } from '../resources.ts';
import { parseKey } from '../runtime/keys.ts';
import { type Taint, type Toleration, tolerates } from '../scheduler/node-rules.ts';
import type { Controller, ControllerContext } from '../types.ts';
import { same } from '../workloads/compare.ts';
import { markDisrupted } from '../workloads/disruption.ts';
import { isTerminal } from '../workloads/pods.ts';

export const taintEvictionController: Controller = {
  name: 'node-controller',
  component: 'taint-eviction-controller',
  watches: [
    {
      resource: NODES,
      keys: (node, previous, context) =>
        previous && previous !== node && same(previous['spec']?.taints, node['spec']?.taints)
          ? []
          : context
              .cache(PODS)
              .list()
              .filter(p => p['spec'].nodeName === node.metadata.name)
              .map(p => `${p.metadata.namespace}/${p.metadata.name}`),
    },
    {
      resource: PODS,
      keys: (pod, previous) =>
        !pod['spec'].nodeName || (previous && previous['spec'] === pod['spec'])
          ? []
          : [`${pod.metadata.namespace}/${pod.metadata.name}`],
    },
  ],
  async reconcile(key, context) {
    const { namespace, name } = parseKey(key);
    const pod = context.cache(PODS).get(namespace, name);
    if (!pod || pod.metadata.deletionTimestamp || isTerminal(pod)) return;
    const node = context.cache(NODES).get(undefined, pod['spec'].nodeName ?? '');
    const at = node && evictionTime(pod, node, context.clock.now());
    if (at === undefined) return;
    const wait = at - context.clock.now();
    if (wait > 0) return context.requeueAfter(key, wait);
    await evict(pod, context);
  },
};

/** When the pod must go, in milliseconds since the epoch; undefined when it may stay. */
function evictionTime(pod: KubeObject, node: KubeObject, now: number): number | undefined {
  const taints = ((node['spec']?.taints ?? []) as Taint[]).filter(t => t.effect === 'NoExecute');
  let at: number | undefined;
  for (const taint of taints) {
    const bearing = ((pod['spec'].tolerations ?? []) as Toleration[]).filter(t => tolerates([t], taint));
    const since = taint.timeAdded ? Date.parse(taint.timeAdded) : now;
    if (bearing.length === 0) return now;
    const limits = bearing.flatMap(t => (t.tolerationSeconds === undefined ? [] : [t.tolerationSeconds]));
    if (limits.length === 0) continue;
    const end = since + Math.max(0, Math.min(...limits)) * 1000;
    at = Math.min(at ?? end, end);
  }
  return at;
}

async function evict(pod: KubeObject, context: ControllerContext): Promise<void> {
  const { name, namespace, uid } = pod.metadata;
  context.events.event(
    pod,
    'Normal',
    'TaintManagerEviction',
    `Marking for deletion Pod ${namespace}/${name}`,
  );
  try {
    const message = 'Taint manager: deleting due to NoExecute taint';
    await markDisrupted(pod, { reason: 'DeletionByTaintManager', message }, context);
    await context.client.delete(PODS, { namespace, name }, { preconditions: { uid } });
  } catch (error) {
    if (!(error instanceof StatusError) || error.code !== 404) throw error;
  }
}
