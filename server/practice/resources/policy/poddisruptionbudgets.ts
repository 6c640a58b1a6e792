// PodDisruptionBudgets.

import { type FieldError, invalidValue } from '../../../kube/index.ts';
import { AGE, age, integer, NAME, text } from '../format.ts';
import { statusOf } from '../parts.ts';
import type { ResourceDefinition } from '../types.ts';
import { intOrPercent, labelSelector, notMoreThan100Percent, oneOf } from '../validation/common.ts';

const shown = (value: unknown) => (value === undefined || value === null ? 'N/A' : String(value));

export const poddisruptionbudgets: ResourceDefinition = {
  group: 'policy',
  versions: ['v1'],
  kind: 'PodDisruptionBudget',
  resource: 'poddisruptionbudgets',
  singular: 'poddisruptionbudget',
  shortNames: ['pdb'],
  namespaced: true,
  subresources: [statusOf('policy', 'v1', 'PodDisruptionBudget')],
  hasGeneration: true,
  prepareForCreate(budget) {
    budget.status = { currentHealthy: 0, desiredHealthy: 0, disruptionsAllowed: 0, expectedPods: 0 };
  },
  validate(budget) {
    const spec = budget.spec ?? {};
    const findings: FieldError[] = [];
    if (spec.minAvailable !== undefined && spec.maxUnavailable !== undefined)
      findings.push(invalidValue('spec', spec, 'minAvailable and maxUnavailable cannot be both set'));
    for (const field of ['minAvailable', 'maxUnavailable'])
      findings.push(
        ...intOrPercent(spec[field], `spec.${field}`),
        ...notMoreThan100Percent(spec[field], `spec.${field}`),
      );
    findings.push(...labelSelector(spec.selector, 'spec.selector'));
    findings.push(
      ...oneOf(
        spec.unhealthyPodEvictionPolicy,
        ['AlwaysAllow', 'IfHealthyBudget'],
        'spec.unhealthyPodEvictionPolicy',
      ),
    );
    return findings;
  },
  columns: [
    NAME,
    text('Min Available', 'The minimum number of pods that must be available.'),
    text('Max Unavailable', 'The maximum number of pods that may be unavailable.'),
    integer('Allowed Disruptions', 'Calculated number of pods that may be disrupted at this time.'),
    AGE,
  ],
  row: (budget, context) => [
    budget.metadata.name,
    shown(budget.spec?.minAvailable),
    shown(budget.spec?.maxUnavailable),
    budget.status?.disruptionsAllowed ?? 0,
    age(budget, context),
  ],
};
