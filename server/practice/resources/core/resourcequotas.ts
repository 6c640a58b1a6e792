// ResourceQuotas.

import {
  type FieldError,
  IMMUTABLE,
  invalidAll,
  invalidValue,
  notSupported,
  qualifiedNameErrors,
} from '../../../kube/index.ts';
import { AGE, age, NAME, text } from '../format.ts';
import { statusOf } from '../parts.ts';
import type { ResourceDefinition } from '../types.ts';
import { nonNegativeQuantity, same } from '../validation/common.ts';

const SCOPES = [
  'BestEffort',
  'CrossNamespacePodAffinity',
  'NotBestEffort',
  'NotTerminating',
  'PriorityClass',
  'Terminating',
  'VolumeAttributesClass',
];

export const resourcequotas: ResourceDefinition = {
  group: '',
  versions: ['v1'],
  kind: 'ResourceQuota',
  resource: 'resourcequotas',
  singular: 'resourcequota',
  shortNames: ['quota'],
  namespaced: true,
  subresources: [statusOf('', 'v1', 'ResourceQuota')],
  returnsDeleted: true,
  validate(quota) {
    const findings: FieldError[] = [];
    for (const name of Object.keys(quota.spec?.hard ?? {}).sort()) {
      const at = `spec.hard[${name}]`;
      findings.push(
        ...invalidAll(at, name, qualifiedNameErrors(name)),
        ...nonNegativeQuantity(quota.spec.hard[name], at),
      );
    }
    for (const scope of quota.spec?.scopes ?? [])
      if (!SCOPES.includes(scope)) findings.push(notSupported('spec.scopes', scope, SCOPES));
    return findings;
  },
  validateUpdate: (quota, old) =>
    same(quota.spec?.scopes, old.spec?.scopes)
      ? []
      : [invalidValue('spec.scopes', quota.spec?.scopes, IMMUTABLE)],
  columns: [
    NAME,
    text('Request', 'Request represents a minimum amount of cpu/memory that a container may consume.'),
    text(
      'Limit',
      'Limits control the maximum amount of cpu/memory that a container may use independent of contention on the node.',
    ),
    AGE,
  ],
  row: (quota, context) => {
    const hard: Record<string, string> = quota.status?.hard ?? {};
    const used: Record<string, string> = quota.status?.used ?? {};
    const shown = (names: string[]) =>
      names.map(name => `${name}: ${used[name] ?? '0'}/${hard[name]}`).join(', ');
    const names = Object.keys(hard).sort();
    return [
      quota.metadata.name,
      shown(names.filter(name => !name.startsWith('limits.'))),
      shown(names.filter(name => name.startsWith('limits.'))),
      age(quota, context),
    ];
  },
};
