// ReplicaSets.

import { formatLabelSelector } from '../../../kube/selectors/index.ts';
import { AGE, age, integer, NAME, templateCells, wide } from '../format.ts';
import { SCALE, statusOf } from '../parts.ts';
import type { ResourceDefinition } from '../types.ts';
import { nonNegative } from '../validation/common.ts';
import { immutableSelector, workloadSelector, workloadTemplate } from '../validation/template.ts';

export const replicasets: ResourceDefinition = {
  group: 'apps',
  versions: ['v1'],
  kind: 'ReplicaSet',
  resource: 'replicasets',
  singular: 'replicaset',
  shortNames: ['rs'],
  categories: ['all'],
  namespaced: true,
  subresources: [SCALE, statusOf('apps', 'v1', 'ReplicaSet')],
  scale: { specReplicas: 'spec.replicas', statusReplicas: 'status.replicas', selector: 'spec.selector' },
  hasGeneration: true,
  selectableFields: { 'status.replicas': set => String(set.status?.replicas ?? 0) },
  prepareForCreate(set) {
    set.status = { replicas: 0 };
  },
  validate({ spec = {} }) {
    return [
      ...nonNegative(spec.replicas, 'spec.replicas'),
      ...nonNegative(spec.minReadySeconds, 'spec.minReadySeconds'),
      ...workloadSelector(spec.selector, 'replicaset'),
      ...workloadTemplate(spec.template, spec.selector),
    ];
  },
  validateUpdate: (set, old) => immutableSelector(set.spec?.selector, old.spec?.selector),
  columns: [
    NAME,
    integer('Desired', 'Replicas is the number of desired pods.'),
    integer('Current', 'Replicas is the most recently observed number of non-terminating pods.'),
    integer(
      'Ready',
      'The number of non-terminating pods targeted by this ReplicaSet with a Ready Condition.',
    ),
    AGE,
    wide('Containers', 'Names of each container in the template.'),
    wide('Images', 'Images referenced by each container in the template.'),
    wide('Selector', 'Label selector for pods.'),
  ],
  row: (set, context) => [
    set.metadata.name,
    set.spec?.replicas ?? 0,
    set.status?.replicas ?? 0,
    set.status?.readyReplicas ?? 0,
    age(set, context),
    ...templateCells(set.spec?.template?.spec),
    formatLabelSelector(set.spec?.selector),
  ],
};
