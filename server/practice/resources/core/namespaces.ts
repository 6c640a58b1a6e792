// Namespaces.

import { AGE, age, NAME, text } from '../format.ts';
import { statusOf } from '../parts.ts';
import type { ResourceDefinition } from '../types.ts';

export const namespaces: ResourceDefinition = {
  group: '',
  versions: ['v1'],
  kind: 'Namespace',
  resource: 'namespaces',
  singular: 'namespace',
  shortNames: ['ns'],
  namespaced: false,
  verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
  subresources: [
    { name: 'finalize', kind: { group: '', version: 'v1', kind: 'Namespace' }, verbs: ['update'] },
    statusOf('', 'v1', 'Namespace'),
  ],
  nameRule: 'dns1123-label',
  returnsDeleted: true,
  selectableFields: { 'status.phase': namespace => namespace.status?.phase ?? '' },
  defaults(namespace) {
    // The label names the namespace for selectors; upstream restores it whenever it is gone.
    if (namespace.metadata.name) {
      namespace.metadata.labels = {
        ...namespace.metadata.labels,
        'kubernetes.io/metadata.name': namespace.metadata.name,
      };
    }
  },
  prepareForCreate(namespace) {
    namespace.spec ??= {};
    const finalizers: string[] = namespace.spec.finalizers ?? [];
    if (!finalizers.includes('kubernetes')) namespace.spec.finalizers = [...finalizers, 'kubernetes'];
    namespace.status = { phase: 'Active' };
    // A generated name is only known now.
    namespace.metadata.labels = {
      ...namespace.metadata.labels,
      'kubernetes.io/metadata.name': namespace.metadata.name,
    };
  },
  prepareForUpdate(namespace, old) {
    namespace.spec = { ...namespace.spec, finalizers: old.spec?.finalizers };
    namespace.status = old.status;
  },
  columns: [NAME, text('Status', 'The status of the namespace'), AGE],
  row: (namespace, context) => [
    namespace.metadata.name,
    namespace.status?.phase ?? '',
    age(namespace, context),
  ],
};
