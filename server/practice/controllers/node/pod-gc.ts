// The pod garbage collector: removes pods of nodes that are gone, and those that nobody will ever end.

import { type KubeObject, StatusError } from '../../../kube/index.ts';
import { NODES, PODS } from '../resources.ts';
import { parseKey } from '../runtime/keys.ts';
import type { Controller, ControllerContext } from '../types.ts';
import { markDisrupted } from '../workloads/disruption.ts';
import { isTerminal } from '../workloads/pods.ts';

/** A node must be gone this long before its pods are taken away: upstream's quarantine in milliseconds. */
const QUARANTINE = 40_000;

export const podGarbageCollector: Controller = {
  name: 'pod-garbage-collector',
  watches: [
    {
      resource: NODES,
      keys: (node, _previous, context) =>
        context.cache(NODES).get(undefined, node.metadata.name)
          ? []
          : context
              .cache(PODS)
              .list()
              .filter(p => p['spec'].nodeName === node.metadata.name)
              .map(p => `${p.metadata.namespace}/${p.metadata.name}`),
    },
    {
      resource: PODS,
      keys: (pod, _previous, context) => {
        const { nodeName } = pod['spec'];
        const homeless = nodeName
          ? !context.cache(NODES).get(undefined, nodeName)
          : pod.metadata.deletionTimestamp;
        return homeless ? [`${pod.metadata.namespace}/${pod.metadata.name}`] : [];
      },
    },
  ],
  async reconcile(key, context) {
    const { namespace, name } = parseKey(key);
    const pod = context.cache(PODS).get(namespace, name);
    if (!pod) return;
    const { nodeName } = pod['spec'];
    if (!nodeName) {
      if (pod.metadata.deletionTimestamp) await remove(pod, undefined, context);
      return;
    }
    const id = `gone/${nodeName}`;
    if (context.cache(NODES).get(undefined, nodeName)) {
      context.memory.delete(id);
      return;
    }
    const now = context.clock.now();
    const since = (context.memory.get(id) as number | undefined) ?? now;
    context.memory.set(id, since);
    if (now < since + QUARANTINE) return context.requeueAfter(key, since + QUARANTINE - now);
    await remove(pod, 'PodGC: node no longer exists', context);
  },
};

async function remove(
  pod: KubeObject,
  message: string | undefined,
  context: ControllerContext,
): Promise<void> {
  const { name, namespace, uid } = pod.metadata;
  try {
    if (message && !isTerminal(pod))
      await markDisrupted(pod, { reason: 'DeletionByPodGC', message, phase: 'Failed' }, context);
    await context.client.delete(PODS, { namespace, name }, { gracePeriodSeconds: 0, preconditions: { uid } });
  } catch (error) {
    if (!(error instanceof StatusError) || error.code !== 404) throw error;
  }
}
