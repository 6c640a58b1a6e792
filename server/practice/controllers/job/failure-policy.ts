// What a job's pod failure policy says about a failed pod. Pure.

import type { KubeObject } from '../../../kube/index.ts';

export interface PolicyVerdict {
  action: 'FailJob' | 'FailIndex' | 'Ignore' | 'Count';
  message?: string;
}

interface Rule {
  action: PolicyVerdict['action'];
  onExitCodes?: { containerName?: string; operator: 'In' | 'NotIn'; values: number[] };
  onPodConditions?: { type: string; status?: string }[];
}

interface Terminated {
  name: string;
  state?: { terminated?: { exitCode: number } };
}

/** The first rule that matches decides; undefined when none does. */
export function failurePolicy(job: KubeObject, pod: KubeObject): PolicyVerdict | undefined {
  const rules = (job['spec'].podFailurePolicy?.rules ?? []) as Rule[];
  const statuses = [
    ...(pod['status']?.initContainerStatuses ?? []),
    ...(pod['status']?.containerStatuses ?? []),
  ] as Terminated[];
  const { name, namespace } = pod.metadata;
  for (const [index, rule] of rules.entries()) {
    const codes = rule.onExitCodes;
    if (codes) {
      const hit = statuses.find(s => {
        const exitCode = s.state?.terminated?.exitCode;
        if (!exitCode || (codes.containerName && codes.containerName !== s.name)) return false;
        return codes.values.includes(exitCode) === (codes.operator === 'In');
      });
      if (hit)
        return {
          action: rule.action,
          message: `Container ${hit.name} for pod ${namespace}/${name} failed with exit code ${hit.state?.terminated?.exitCode} matching ${rule.action} rule at index ${index}`,
        };
    }
    for (const wanted of rule.onPodConditions ?? []) {
      const hit = (pod['status']?.conditions ?? []).some(
        (c: { type: string; status: string }) =>
          c.type === wanted.type && c.status === (wanted.status ?? 'True'),
      );
      if (hit)
        return {
          action: rule.action,
          message: `Pod ${namespace}/${name} has condition ${wanted.type} matching ${rule.action} rule at index ${index}`,
        };
    }
  }
  return undefined;
}
