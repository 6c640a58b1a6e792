// ReplicationControllers.

import { invalidValue, required } from '../../../kube/index.ts';
import { formatLabels } from '../../../kube/selectors/index.ts';
import { AGE, age, integer, NAME, templateCells, wide } from '../format.ts';
import { SCALE, statusOf } from '../parts.ts';
import type { ResourceDefinition } from '../types.ts';
import { nonNegative, oneOf } from '../validation/common.ts';
import { podTemplate } from '../validation/template.ts';

export const replicationcontrollers: ResourceDefinition = {
  group: '',
  versions: ['v1'],
  kind: 'ReplicationController',
  resource: 'replicationcontrollers',
  singular: 'replicationcontroller',
  shortNames: ['rc'],
  categories: ['all'],
  namespaced: true,
  subresources: [SCALE, statusOf('', 'v1', 'ReplicationController')],
  scale: { specReplicas: 'spec.replicas', statusReplicas: 'status.replicas', selector: 'spec.selector' },
  hasGeneration: true,
  selectableFields: { 'status.replicas': controller => String(controller.status?.replicas ?? 0) },
  prepareForCreate(controller) {
    controller.status = { replicas: 0 };
  },
  validate({ spec = {} }) {
    const selector: Record<string, string> = spec.selector ?? {};
    const labels: Record<string, string> = spec.template?.metadata?.labels ?? {};
    const findings = [...nonNegative(spec.minReadySeconds, 'spec.minReadySeconds')];
    if (Object.keys(selector).length === 0) findings.push(required('spec.selector'));
    findings.push(...nonNegative(spec.replicas, 'spec.replicas'));
    if (!spec.template) return [...findings, required('spec.template')];
    if (!Object.keys(selector).every(key => labels[key] === selector[key]))
      findings.push(
        invalidValue('spec.template.metadata.labels', labels, '`selector` does not match template `labels`'),
      );
    findings.push(...podTemplate(spec.template, 'spec.template'));
    findings.push(
      ...oneOf(spec.template.spec?.restartPolicy, ['Always'], 'spec.template.spec.restartPolicy'),
    );
    return findings;
  },
  columns: [
    NAME,
    integer('Desired', 'Replicas is the number of desired replicas.'),
    integer('Current', 'Replicas is the most recently observed number of replicas.'),
    integer('Ready', 'The number of ready replicas for this replication controller.'),
    AGE,
    wide('Containers', 'Names of each container in the template.'),
    wide('Images', 'Images referenced by each container in the template.'),
    wide('Selector', 'Label selector for pods.'),
  ],
  row: (controller, context) => [
    controller.metadata.name,
    controller.spec?.replicas ?? 0,
    controller.status?.replicas ?? 0,
    controller.status?.readyReplicas ?? 0,
    age(controller, context),
    ...templateCells(controller.spec?.template?.spec),
    formatLabels(controller.spec?.selector),
  ],
};
