// Service accounts.

import { AGE, age, NAME } from '../format.ts';
import type { ResourceDefinition } from '../types.ts';

export const serviceaccounts: ResourceDefinition = {
  group: '',
  versions: ['v1'],
  kind: 'ServiceAccount',
  resource: 'serviceaccounts',
  singular: 'serviceaccount',
  shortNames: ['sa'],
  namespaced: true,
  subresources: [
    {
      name: 'token',
      kind: { group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest' },
      verbs: ['create'],
    },
  ],
  returnsDeleted: true,
  // Since 1.36 the count of secrets is no longer a column.
  columns: [NAME, AGE],
  row: (account, context) => [account.metadata.name, age(account, context)],
};
