// NetworkPolicies.

import {
  cidrErrors,
  type FieldError,
  invalidAll,
  invalidValue,
  type KubeObject,
  required,
} from '../../../kube/index.ts';
import { formatLabelSelector } from '../../../kube/selectors/index.ts';
import { AGE, age, NAME, text } from '../format.ts';
import type { ResourceDefinition } from '../types.ts';
import { labelSelector, oneOf, portOrName } from '../validation/common.ts';
import { PROTOCOLS } from '../validation/container.ts';

function peer(value: any, field: string): FieldError[] {
  const findings: FieldError[] = [];
  const kinds = ['podSelector', 'namespaceSelector', 'ipBlock'].filter(name => value[name]);
  if (kinds.length === 0) return [required(field, 'must specify a peer')];
  if (value.ipBlock && kinds.length > 1)
    findings.push({
      ...required(field),
      type: 'Forbidden',
      message: 'Forbidden: may not specify both ipBlock and another peer',
    });
  findings.push(
    ...labelSelector(value.podSelector, `${field}.podSelector`),
    ...labelSelector(value.namespaceSelector, `${field}.namespaceSelector`),
  );
  if (value.ipBlock) {
    const { cidr = '', except = [] } = value.ipBlock;
    if (!cidr) findings.push(required(`${field}.ipBlock.cidr`));
    else findings.push(...invalidAll(`${field}.ipBlock.cidr`, cidr, cidrErrors(cidr)));
    for (const [i, part] of except.entries())
      findings.push(...invalidAll(`${field}.ipBlock.except[${i}]`, part, cidrErrors(part)));
  }
  return findings;
}

function port(value: any, field: string): FieldError[] {
  return [
    ...oneOf(value.protocol, PROTOCOLS, `${field}.protocol`),
    ...(value.port === undefined ? [] : portOrName(value.port, `${field}.port`)),
    ...(value.endPort !== undefined && typeof value.port === 'number' && value.endPort < value.port
      ? [invalidValue(`${field}.endPort`, value.endPort, 'must be greater than or equal to `port`')]
      : []),
    ...(value.endPort !== undefined && value.port === undefined
      ? [required(`${field}.port`, 'must be specified when `endPort` is specified')]
      : []),
  ];
}

function validate(policy: KubeObject): FieldError[] {
  const spec = policy.spec ?? {};
  const findings = labelSelector(spec.podSelector, 'spec.podSelector');
  for (const [direction, peers] of [
    ['ingress', 'from'],
    ['egress', 'to'],
  ] as const)
    for (const [i, rule] of (spec[direction] ?? []).entries()) {
      const at = `spec.${direction}[${i}]`;
      for (const [j, value] of (rule.ports ?? []).entries())
        findings.push(...port(value, `${at}.ports[${j}]`));
      for (const [j, value] of (rule[peers] ?? []).entries())
        findings.push(...peer(value, `${at}.${peers}[${j}]`));
    }
  for (const [i, type] of (spec.policyTypes ?? []).entries())
    findings.push(...oneOf(type, ['Egress', 'Ingress'], `spec.policyTypes[${i}]`));
  return findings;
}

export const networkpolicies: ResourceDefinition = {
  group: 'networking.k8s.io',
  versions: ['v1'],
  kind: 'NetworkPolicy',
  resource: 'networkpolicies',
  singular: 'networkpolicy',
  shortNames: ['netpol'],
  namespaced: true,
  hasGeneration: true,
  validate,
  columns: [
    NAME,
    text('Pod-Selector', 'podSelector selects the pods to which this NetworkPolicy object applies.'),
    AGE,
  ],
  row: (policy, context) => [
    policy.metadata.name,
    formatLabelSelector(policy.spec?.podSelector ?? {}),
    age(policy, context),
  ],
};
