// Leases.

import { invalidValue } from '../../../kube/index.ts';
import { AGE, age, NAME, text } from '../format.ts';
import type { ResourceDefinition } from '../types.ts';
import { nonNegative } from '../validation/common.ts';

export const leases: ResourceDefinition = {
  group: 'coordination.k8s.io',
  versions: ['v1'],
  kind: 'Lease',
  resource: 'leases',
  singular: 'lease',
  namespaced: true,
  allowCreateOnUpdate: true,
  validate: ({ spec = {} }) => [
    ...(spec.leaseDurationSeconds !== undefined && spec.leaseDurationSeconds <= 0
      ? [invalidValue('spec.leaseDurationSeconds', spec.leaseDurationSeconds, 'must be greater than 0')]
      : []),
    ...nonNegative(spec.leaseTransitions, 'spec.leaseTransitions'),
  ],
  columns: [
    NAME,
    text('Holder', 'holderIdentity contains the identity of the holder of a current lease.'),
    AGE,
  ],
  row: (lease, context) => [lease.metadata.name, lease.spec?.holderIdentity ?? '', age(lease, context)],
};
