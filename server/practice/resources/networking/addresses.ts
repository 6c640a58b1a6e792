// IPAddresses and ServiceCIDRs.

import {
  cidrErrors,
  type FieldError,
  IMMUTABLE,
  invalidAll,
  invalidValue,
  required,
} from '../../../kube/index.ts';
import { AGE, age, NAME, text } from '../format.ts';
import { statusOf } from '../parts.ts';
import type { ResourceDefinition } from '../types.ts';
import { same } from '../validation/common.ts';

export const ipaddresses: ResourceDefinition = {
  group: 'networking.k8s.io',
  versions: ['v1'],
  kind: 'IPAddress',
  resource: 'ipaddresses',
  singular: 'ipaddress',
  shortNames: ['ip'],
  namespaced: false,
  validate(address) {
    const ref = address.spec?.parentRef;
    if (!ref) return [required('spec.parentRef')];
    return ['resource', 'name']
      .filter(field => !ref[field])
      .map(field => required(`spec.parentRef.${field}`));
  },
  validateUpdate: (address, old) =>
    same(address.spec?.parentRef, old.spec?.parentRef)
      ? []
      : [invalidValue('spec.parentRef', address.spec?.parentRef, IMMUTABLE)],
  columns: [NAME, text('ParentRef', 'The reference to the resource that is attached to this IPAddress')],
  row: address => {
    const ref = address.spec?.parentRef ?? {};
    const resource = ref.group ? `${ref.resource}.${ref.group}` : ref.resource;
    return [address.metadata.name, [resource, ref.namespace, ref.name].filter(Boolean).join('/')];
  },
};

export const servicecidrs: ResourceDefinition = {
  group: 'networking.k8s.io',
  versions: ['v1'],
  kind: 'ServiceCIDR',
  resource: 'servicecidrs',
  singular: 'servicecidr',
  namespaced: false,
  subresources: [statusOf('networking.k8s.io', 'v1', 'ServiceCIDR')],
  validate(range) {
    const cidrs: string[] = range.spec?.cidrs ?? [];
    const findings: FieldError[] =
      cidrs.length === 0 ? [required('spec.cidrs', 'at least one CIDR required')] : [];
    for (const [i, cidr] of cidrs.entries())
      findings.push(...invalidAll(`spec.cidrs[${i}]`, cidr, cidrErrors(cidr)));
    return findings;
  },
  columns: [NAME, text('CIDRs', 'CIDRs of this ServiceCIDR'), AGE],
  row: (range, context) => [range.metadata.name, (range.spec?.cidrs ?? []).join(','), age(range, context)],
};
