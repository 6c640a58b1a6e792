// Bindings (create only) and component statuses (read only): two old kinds without storage of their own.

import { AGE, age, NAME, text } from '../format.ts';
import type { ResourceDefinition } from '../types.ts';

export const bindings: ResourceDefinition = {
  group: '',
  versions: ['v1'],
  kind: 'Binding',
  resource: 'bindings',
  singular: 'binding',
  namespaced: true,
  verbs: ['create'],
  columns: [NAME, AGE],
  row: (binding, context) => [binding.metadata.name, age(binding, context)],
};

export const componentstatuses: ResourceDefinition = {
  group: '',
  versions: ['v1'],
  kind: 'ComponentStatus',
  resource: 'componentstatuses',
  singular: 'componentstatus',
  shortNames: ['cs'],
  namespaced: false,
  verbs: ['get', 'list'],
  warnings: () => ['v1 ComponentStatus is deprecated in v1.19+'],
  columns: [NAME, text('Status'), text('Message'), text('Error')],
  row: component => {
    const healthy = (component.conditions ?? []).find((c: { type: string }) => c.type === 'Healthy');
    const status =
      healthy?.status === 'True' ? 'Healthy' : healthy?.status === 'False' ? 'Unhealthy' : 'Unknown';
    return [component.metadata.name, status, healthy?.message ?? '', healthy?.error ?? ''];
  },
};
