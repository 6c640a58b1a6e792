// RoleBindings and ClusterRoleBindings.

import {
  type FieldError,
  invalidAll,
  invalidValue,
  type KubeObject,
  notSupported,
  pathSegmentErrors,
  required,
} from '../../../kube/index.ts';
import { AGE, age, NAME, text, wide } from '../format.ts';
import type { Cell, ColumnContext, ResourceDefinition } from '../types.ts';
import { same } from '../validation/common.ts';

const GROUP = 'rbac.authorization.k8s.io';

function subject(value: any, namespaced: boolean, field: string): FieldError[] {
  const findings: FieldError[] = [];
  if (!value.name) findings.push(required(`${field}.name`));
  switch (value.kind) {
    case 'ServiceAccount':
      if (value.apiGroup) findings.push(notSupported(`${field}.apiGroup`, value.apiGroup, ['']));
      if (value.name)
        findings.push(...invalidAll(`${field}.name`, value.name, pathSegmentErrors(value.name)));
      if (!namespaced && !value.namespace) findings.push(required(`${field}.namespace`));
      break;
    case 'User':
    case 'Group':
      if (value.apiGroup !== GROUP)
        findings.push(notSupported(`${field}.apiGroup`, value.apiGroup ?? '', [GROUP]));
      break;
    default:
      findings.push(notSupported(`${field}.kind`, value.kind ?? '', ['ServiceAccount', 'User', 'Group']));
  }
  return findings;
}

function validate(binding: KubeObject, kinds: readonly string[], namespaced: boolean): FieldError[] {
  const ref = binding.roleRef ?? {};
  const findings: FieldError[] = [];
  if (ref.apiGroup !== GROUP) findings.push(notSupported('roleRef.apiGroup', ref.apiGroup ?? '', [GROUP]));
  if (!kinds.includes(ref.kind)) findings.push(notSupported('roleRef.kind', ref.kind ?? '', kinds));
  if (!ref.name) findings.push(required('roleRef.name'));
  else findings.push(...invalidAll('roleRef.name', ref.name, pathSegmentErrors(ref.name)));
  for (const [i, value] of (binding.subjects ?? []).entries())
    findings.push(...subject(value, namespaced, `subjects[${i}]`));
  return findings;
}

const validateUpdate = (binding: KubeObject, old: KubeObject): FieldError[] =>
  same(binding.roleRef, old.roleRef)
    ? []
    : [invalidValue('roleRef', binding.roleRef, 'cannot change roleRef')];

/** A binding without a reference still prints and validates. */
function defaults(binding: KubeObject): void {
  if (!binding.roleRef) binding.roleRef = { apiGroup: GROUP, kind: '', name: '' };
}

const columns: ResourceDefinition['columns'] = [
  NAME,
  text(
    'Role',
    'RoleRef can reference a Role in the current namespace or a ClusterRole in the global namespace.',
  ),
  AGE,
  wide('Users', 'Users in the roleBinding'),
  wide('Groups', 'Groups in the roleBinding'),
  wide('ServiceAccounts', 'ServiceAccounts in the roleBinding'),
];

function row(binding: KubeObject, context: ColumnContext): Cell[] {
  const subjects: any[] = binding.subjects ?? [];
  const named = (kind: string) => subjects.filter(s => s.kind === kind);
  return [
    binding.metadata.name,
    `${binding.roleRef?.kind ?? ''}/${binding.roleRef?.name ?? ''}`,
    age(binding, context),
    named('User')
      .map(s => s.name)
      .join(', '),
    named('Group')
      .map(s => s.name)
      .join(', '),
    named('ServiceAccount')
      .map(s => (s.namespace ? `${s.namespace}/${s.name}` : s.name))
      .join(', '),
  ];
}

export const rolebindings: ResourceDefinition = {
  group: GROUP,
  versions: ['v1'],
  kind: 'RoleBinding',
  resource: 'rolebindings',
  singular: 'rolebinding',
  namespaced: true,
  nameRule: 'path-segment',
  defaults,
  validate: binding => validate(binding, ['Role', 'ClusterRole'], true),
  validateUpdate,
  columns,
  row,
};

export const clusterrolebindings: ResourceDefinition = {
  group: GROUP,
  versions: ['v1'],
  kind: 'ClusterRoleBinding',
  resource: 'clusterrolebindings',
  singular: 'clusterrolebinding',
  namespaced: false,
  nameRule: 'path-segment',
  defaults,
  validate: binding => validate(binding, ['ClusterRole'], false),
  validateUpdate,
  columns,
  row,
};
