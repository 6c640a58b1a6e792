// On which nodes a daemon set wants a pod, and how such a pod is bound to its node. Pure.

import type { KubeObject } from '../../../kube/index.ts';
import { matchesNodeAffinity, type Toleration, untolerated } from '../scheduler/node-rules.ts';
import { podFromTemplate } from '../workloads/pods.ts';

export const HASH_LABEL = 'controller-revision-hash';
const GENERATION_LABEL = 'pod-template-generation';
const TEMPLATE_GENERATION = 'deprecated.daemonset.template.generation';

const bears = (key: string, effect: string): Toleration => ({ key, operator: 'Exists', effect });

/** What every daemon pod bears, in upstream's order. */
function tolerations(hostNetwork: boolean): Toleration[] {
  return [
    bears('node.kubernetes.io/not-ready', 'NoExecute'),
    bears('node.kubernetes.io/unreachable', 'NoExecute'),
    bears('node.kubernetes.io/disk-pressure', 'NoSchedule'),
    bears('node.kubernetes.io/memory-pressure', 'NoSchedule'),
    bears('node.kubernetes.io/pid-pressure', 'NoSchedule'),
    bears('node.kubernetes.io/unschedulable', 'NoSchedule'),
    ...(hostNetwork ? [bears('node.kubernetes.io/network-unavailable', 'NoSchedule')] : []),
  ];
}

function bearing(spec: KubeObject['spec']): Toleration[] {
  const own = (spec.tolerations ?? []) as Toleration[];
  const missing = tolerations(spec.hostNetwork === true).filter(
    t =>
      !own.some(
        o => o.key === t.key && o.effect === t.effect && (o.operator ?? 'Equal') === t.operator && !o.value,
      ),
  );
  return [...own, ...missing];
}

/** A pod of the set for one node: the scheduler may put it nowhere else. */
export function daemonPod(set: KubeObject, node: string, hash: string): KubeObject {
  const pod = podFromTemplate(set['spec'].template, set);
  const generation = set.metadata.annotations?.[TEMPLATE_GENERATION];
  pod.metadata.labels = {
    ...pod.metadata.labels,
    [HASH_LABEL]: hash,
    ...(generation ? { [GENERATION_LABEL]: generation } : {}),
  };
  const field = { key: 'metadata.name', operator: 'In', values: [node] };
  const affinity = pod['spec'].affinity ?? {};
  const required = affinity.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  const terms = required
    ? required.map((term: object) => ({ ...term, matchFields: [field] }))
    : [{ matchFields: [field] }];
  pod['spec'] = {
    ...pod['spec'],
    affinity: {
      ...affinity,
      nodeAffinity: {
        ...affinity.nodeAffinity,
        requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: terms },
      },
    },
    tolerations: bearing(pod['spec']),
  };
  return pod;
}

/** The node a daemon pod is on, or is meant for while it is not scheduled. */
export function nodeOf(pod: KubeObject): string | undefined {
  if (pod['spec'].nodeName) return pod['spec'].nodeName;
  const terms =
    pod['spec'].affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  for (const term of terms ?? [])
    for (const field of term.matchFields ?? [])
      if (field.key === 'metadata.name' && field.operator === 'In' && field.values?.length === 1)
        return field.values[0];
  return undefined;
}

/** Whether a node should get a pod, and whether one that is there may stay. */
export function wantsPod(set: KubeObject, node: KubeObject): { run: boolean; stay: boolean } {
  const { spec } = set['spec'].template;
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: '' },
    spec: { ...spec, tolerations: bearing(spec) },
  };
  if ((spec.nodeName && spec.nodeName !== node.metadata.name) || !matchesNodeAffinity(pod, node))
    return { run: false, stay: false };
  if (untolerated(pod, node, ['NoSchedule', 'NoExecute']))
    return { run: false, stay: !untolerated(pod, node, ['NoExecute']) };
  return { run: true, stay: true };
}
