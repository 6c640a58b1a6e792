// PodTemplates.

import { formatLabels } from '../../../kube/selectors/index.ts';
import { NAME, templateCells, text } from '../format.ts';
import type { ResourceDefinition } from '../types.ts';
import { podTemplate } from '../validation/template.ts';

export const podtemplates: ResourceDefinition = {
  group: '',
  versions: ['v1'],
  kind: 'PodTemplate',
  resource: 'podtemplates',
  singular: 'podtemplate',
  namespaced: true,
  hasGeneration: true,
  returnsDeleted: true,
  validate: object => podTemplate(object.template, 'template'),
  columns: [
    NAME,
    text('Containers', 'Names of each container in the template.'),
    text('Images', 'Images referenced by each container in the template.'),
    text('Pod Labels', 'The labels for the pod template.'),
  ],
  row: object => [
    object.metadata.name,
    ...templateCells(object.template?.spec),
    formatLabels(object.template?.metadata?.labels),
  ],
};
