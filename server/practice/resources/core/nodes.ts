// Nodes.

import {
  cidrErrors,
  duplicate,
  type FieldError,
  invalidAll,
  type KubeObject,
  labelValueErrors,
  qualifiedNameErrors,
  required,
} from '../../../kube/index.ts';
import { AGE, age, NAME, orNone, text, wide } from '../format.ts';
import { statusOf } from '../parts.ts';
import type { ResourceDefinition } from '../types.ts';
import { nonNegativeQuantity, oneOf } from '../validation/common.ts';

const ROLE_PREFIX = 'node-role.kubernetes.io/';
const OLD_ROLE = 'kubernetes.io/role';

function roles(node: KubeObject): string {
  const found = new Set<string>();
  for (const [label, value] of Object.entries(node.metadata.labels ?? {})) {
    if (label.startsWith(ROLE_PREFIX) && label.length > ROLE_PREFIX.length)
      found.add(label.slice(ROLE_PREFIX.length));
    else if (label === OLD_ROLE && value) found.add(value);
  }
  return orNone([...found].sort().join(','));
}

function status(node: KubeObject): string {
  const ready = (node.status?.conditions ?? []).find((c: { type: string }) => c.type === 'Ready');
  const shown = [ready ? (ready.status === 'True' ? 'Ready' : 'NotReady') : 'Unknown'];
  if (node.spec?.unschedulable) shown.push('SchedulingDisabled');
  return shown.join(',');
}

const address = (node: KubeObject, type: string): string =>
  orNone((node.status?.addresses ?? []).find((a: { type: string }) => a.type === type)?.address);

function taints(list: any[] = [], field: string): FieldError[] {
  const seen = new Set<string>();
  return list.flatMap((taint, i) => {
    const at = `${field}[${i}]`;
    const findings = invalidAll(`${at}.key`, taint.key, qualifiedNameErrors(taint.key ?? ''));
    findings.push(...invalidAll(`${at}.value`, taint.value ?? '', labelValueErrors(taint.value ?? '')));
    if (!taint.effect) findings.push(required(`${at}.effect`));
    else
      findings.push(...oneOf(taint.effect, ['NoSchedule', 'PreferNoSchedule', 'NoExecute'], `${at}.effect`));
    const id = `${taint.key}:${taint.effect}`;
    if (seen.has(id))
      findings.push({
        ...duplicate(at, taint),
        message: `${duplicate(at, taint).message}: taints must be unique by key and effect pair`,
      });
    seen.add(id);
    return findings;
  });
}

export const nodes: ResourceDefinition = {
  group: '',
  versions: ['v1'],
  kind: 'Node',
  resource: 'nodes',
  singular: 'node',
  shortNames: ['no'],
  namespaced: false,
  subresources: [
    {
      name: 'proxy',
      kind: { group: '', version: 'v1', kind: 'NodeProxyOptions' },
      verbs: ['create', 'delete', 'get', 'patch', 'update'],
    },
    statusOf('', 'v1', 'Node'),
  ],
  keepsStatusOnCreate: true,
  selectableFields: { 'spec.unschedulable': node => String(node.spec?.unschedulable ?? false) },
  validate(node) {
    const findings = taints(node.spec?.taints, 'spec.taints');
    for (const [i, cidr] of (node.spec?.podCIDRs ?? []).entries())
      findings.push(...invalidAll(`spec.podCIDRs[${i}]`, cidr, cidrErrors(cidr)));
    for (const list of ['capacity', 'allocatable'])
      for (const name of Object.keys(node.status?.[list] ?? {}))
        findings.push(...nonNegativeQuantity(node.status[list][name], `status.${list}[${name}]`));
    return findings;
  },
  columns: [
    NAME,
    text('Status', 'The status of the node'),
    text('Roles', 'The roles of the node'),
    AGE,
    text('Version', 'Kubelet Version reported by the node.'),
    wide('Internal-IP'),
    wide('External-IP'),
    wide('OS-Image'),
    wide('Kernel-Version'),
    wide('Container-Runtime'),
  ],
  row: (node, context) => {
    const info = node.status?.nodeInfo ?? {};
    return [
      node.metadata.name,
      status(node),
      roles(node),
      age(node, context),
      info.kubeletVersion ?? '',
      address(node, 'InternalIP'),
      address(node, 'ExternalIP'),
      info.osImage || '<unknown>',
      info.kernelVersion || '<unknown>',
      info.containerRuntimeVersion || '<unknown>',
    ];
  },
};
