// RuntimeClasses.

import { dns1123LabelErrors, IMMUTABLE, invalidAll, invalidValue } from '../../../kube/index.ts';
import { AGE, age, NAME, text } from '../format.ts';
import type { ResourceDefinition } from '../types.ts';

export const runtimeclasses: ResourceDefinition = {
  group: 'node.k8s.io',
  versions: ['v1'],
  kind: 'RuntimeClass',
  resource: 'runtimeclasses',
  singular: 'runtimeclass',
  namespaced: false,
  validate: object => invalidAll('handler', object.handler ?? '', dns1123LabelErrors(object.handler ?? '')),
  validateUpdate: (object, old) =>
    object.handler === old.handler ? [] : [invalidValue('handler', object.handler, IMMUTABLE)],
  columns: [
    NAME,
    text(
      'Handler',
      'handler specifies the underlying runtime and configuration that the CRI implementation will use.',
    ),
    AGE,
  ],
  row: (object, context) => [object.metadata.name, object.handler ?? '', age(object, context)],
};
