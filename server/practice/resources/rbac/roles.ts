// Roles and ClusterRoles.

import { type FieldError, invalidValue, required } from '../../../kube/index.ts';
import { CREATED_COLUMNS, createdRow } from '../format.ts';
import type { ResourceDefinition } from '../types.ts';
import { labelSelector } from '../validation/common.ts';

function policyRule(rule: any, namespaced: boolean, field: string): FieldError[] {
  const findings: FieldError[] = [];
  if (!rule.verbs?.length) findings.push(required(`${field}.verbs`, 'verbs must contain at least one value'));
  if (rule.nonResourceURLs?.length) {
    if (namespaced)
      findings.push(
        invalidValue(
          `${field}.nonResourceURLs`,
          rule.nonResourceURLs,
          'namespaced rules cannot apply to non-resource URLs',
        ),
      );
    if (rule.apiGroups?.length || rule.resources?.length || rule.resourceNames?.length)
      findings.push(
        invalidValue(
          `${field}.nonResourceURLs`,
          rule.nonResourceURLs,
          'rules cannot apply to both regular resources and non-resource URLs',
        ),
      );
    return findings;
  }
  if (!rule.apiGroups?.length)
    findings.push(required(`${field}.apiGroups`, 'resource rules must supply at least one api group'));
  if (!rule.resources?.length)
    findings.push(required(`${field}.resources`, 'resource rules must supply at least one resource'));
  return findings;
}

const rules = (list: any[] | null | undefined, namespaced: boolean) =>
  (list ?? []).flatMap((rule, i) => policyRule(rule, namespaced, `rules[${i}]`));

export const roles: ResourceDefinition = {
  group: 'rbac.authorization.k8s.io',
  versions: ['v1'],
  kind: 'Role',
  resource: 'roles',
  singular: 'role',
  namespaced: true,
  nameRule: 'path-segment',
  validate: role => rules(role.rules, true),
  columns: CREATED_COLUMNS,
  row: createdRow,
};

export const clusterroles: ResourceDefinition = {
  group: 'rbac.authorization.k8s.io',
  versions: ['v1'],
  kind: 'ClusterRole',
  resource: 'clusterroles',
  singular: 'clusterrole',
  namespaced: false,
  nameRule: 'path-segment',
  validate(role) {
    const findings = rules(role.rules, false);
    const { aggregationRule } = role;
    if (!aggregationRule) return findings;
    const selectors: any[] = aggregationRule.clusterRoleSelectors ?? [];
    const at = 'aggregationRule.clusterRoleSelectors';
    if (selectors.length === 0)
      return [
        ...findings,
        required(at, 'at least one clusterRoleSelector required if aggregationRule is non-nil'),
      ];
    return [...findings, ...selectors.flatMap((selector, i) => labelSelector(selector, `${at}[${i}]`))];
  },
  columns: CREATED_COLUMNS,
  row: createdRow,
};
