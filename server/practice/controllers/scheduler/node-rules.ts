// What a pod says about nodes and a node about pods: taints and tolerations, node selectors, node affinity. Pure.

import type { KubeObject } from '../../../kube/index.ts';
import { containsAll, requirementHolds } from '../workloads/selector.ts';

export interface Toleration {
  key?: string;
  operator?: string;
  value?: string;
  effect?: string;
  tolerationSeconds?: number;
}

export interface Taint {
  key: string;
  value?: string;
  effect: string;
  timeAdded?: string;
}

export function tolerates(tolerations: readonly Toleration[] | undefined, taint: Taint): boolean {
  return (tolerations ?? []).some(t => {
    if (t.effect && t.effect !== taint.effect) return false;
    if (t.key && t.key !== taint.key) return false;
    switch (t.operator || 'Equal') {
      case 'Exists':
        return true;
      case 'Equal':
        return Boolean(t.key) && (t.value ?? '') === (taint.value ?? '');
      case 'Lt':
      case 'Gt': {
        const [wanted, actual] = [Number(t.value), Number(taint.value)];
        return t.operator === 'Lt' ? actual < wanted : actual > wanted;
      }
      default:
        return false;
    }
  });
}

/** The first taint with one of `effects` that the pod does not bear. */
export function untolerated(
  pod: KubeObject,
  node: KubeObject,
  effects: readonly string[],
): Taint | undefined {
  return ((node['spec']?.taints ?? []) as Taint[]).find(
    taint => effects.includes(taint.effect) && !tolerates(pod['spec'].tolerations, taint),
  );
}

interface NodeSelectorTerm {
  matchExpressions?: { key: string; operator: string; values?: string[] }[];
  matchFields?: { key: string; operator: string; values?: string[] }[];
}

/** Terms are alternatives; a term without requirements matches nothing. */
export function matchesNodeTerms(terms: readonly NodeSelectorTerm[] | undefined, node: KubeObject): boolean {
  const fields = { 'metadata.name': node.metadata.name };
  return (terms ?? []).some(
    term =>
      (term.matchExpressions?.length ?? 0) + (term.matchFields?.length ?? 0) > 0 &&
      (term.matchExpressions ?? []).every(r => requirementHolds(r, node.metadata.labels)) &&
      (term.matchFields ?? []).every(r => requirementHolds(r, fields)),
  );
}

export function matchesNodeAffinity(pod: KubeObject, node: KubeObject): boolean {
  const { nodeSelector, affinity } = pod['spec'];
  const required = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return (
    containsAll(nodeSelector, node.metadata.labels) &&
    (!required || matchesNodeTerms(required.nodeSelectorTerms, node))
  );
}

/** Node names that the pod's affinity names outright (daemon set pods), or undefined when any may do. */
export function namedNodes(pod: KubeObject): Set<string> | undefined {
  const required = pod['spec'].affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  const terms = (required?.nodeSelectorTerms ?? []) as NodeSelectorTerm[];
  if (terms.length === 0) return undefined;
  const names = new Set<string>();
  for (const term of terms) {
    const field = term.matchFields?.find(f => f.key === 'metadata.name' && f.operator === 'In');
    if (!field) return undefined;
    for (const name of field.values ?? []) names.add(name);
  }
  return names;
}
