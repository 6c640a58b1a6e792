// Cluster role aggregation: a role with an aggregation rule holds the rules of all roles it selects.

import { CLUSTER_ROLES } from '../resources.ts';
import type { Controller } from '../types.ts';
import { canonicalJson, same } from '../workloads/compare.ts';
import { type LabelSelector, selects } from '../workloads/selector.ts';

export const clusterRoleAggregation: Controller = {
  name: 'clusterrole-aggregation-controller',
  watches: [
    {
      resource: CLUSTER_ROLES,
      keys: (_role, _previous, context) =>
        context
          .cache(CLUSTER_ROLES)
          .list()
          .filter(r => r['aggregationRule'])
          .map(r => r.metadata.name),
    },
  ],
  async reconcile(name, context) {
    const role = context.cache(CLUSTER_ROLES).get(undefined, name);
    const selectors = role?.['aggregationRule']?.clusterRoleSelectors as LabelSelector[] | undefined;
    if (!role || !selectors) return;
    const rules = new Map<string, unknown>();
    const others = context
      .cache(CLUSTER_ROLES)
      .list()
      .filter(r => r !== role);
    for (const selector of selectors)
      for (const other of others.sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1)))
        if (selects(selector, other.metadata.labels))
          for (const rule of other['rules'] ?? []) rules.set(canonicalJson(rule), rule);
    const next = [...rules.values()];
    if (same(role['rules'] ?? [], next)) return;
    await context.client.update(CLUSTER_ROLES, { ...role, rules: next });
  },
};
