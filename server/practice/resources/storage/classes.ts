// StorageClasses and VolumeAttributesClasses.

import {
  type FieldError,
  forbiddenField,
  invalidAll,
  invalidValue,
  type KubeObject,
  qualifiedNameErrors,
  required,
} from '../../../kube/index.ts';
import { AGE, age, NAME, text } from '../format.ts';
import type { ResourceDefinition } from '../types.ts';
import { oneOf, requiredOneOf, same } from '../validation/common.ts';

const DEFAULT_CLASS = [
  'storageclass.kubernetes.io/is-default-class',
  'storageclass.beta.kubernetes.io/is-default-class',
];

const isDefault = (object: KubeObject): boolean =>
  DEFAULT_CLASS.some(name => object.metadata.annotations?.[name] === 'true');

function provisioner(value: string | undefined, field: string): FieldError[] {
  return value ? invalidAll(field, value, qualifiedNameErrors(value.toLowerCase())) : [required(field)];
}

const frozen = (fields: readonly string[]) => (object: KubeObject, old: KubeObject) =>
  fields
    .filter(field => !same(object[field], old[field]))
    .map(field => forbiddenField(field, `updates to ${field} are forbidden.`));

export const storageclasses: ResourceDefinition = {
  group: 'storage.k8s.io',
  versions: ['v1'],
  kind: 'StorageClass',
  resource: 'storageclasses',
  singular: 'storageclass',
  shortNames: ['sc'],
  namespaced: false,
  returnsDeleted: true,
  validate(object) {
    const findings = provisioner(object.provisioner, 'provisioner');
    for (const key of Object.keys(object.parameters ?? {}))
      if (key === '') findings.push(invalidValue('parameters', key, 'field can not be empty.'));
    findings.push(
      ...oneOf(object.reclaimPolicy, ['Delete', 'Retain'], 'reclaimPolicy'),
      ...requiredOneOf(object.volumeBindingMode, ['Immediate', 'WaitForFirstConsumer'], 'volumeBindingMode'),
    );
    return findings;
  },
  validateUpdate: (object, old) => [
    ...frozen(['parameters', 'provisioner', 'reclaimPolicy'])(object, old),
    ...(object.volumeBindingMode === old.volumeBindingMode
      ? []
      : [invalidValue('volumeBindingMode', object.volumeBindingMode, 'field is immutable')]),
  ],
  columns: [
    NAME,
    text('Provisioner', 'provisioner indicates the type of the provisioner.'),
    text(
      'ReclaimPolicy',
      'reclaimPolicy controls the reclaimPolicy for dynamically provisioned PersistentVolumes of this storage class.',
    ),
    text(
      'VolumeBindingMode',
      'volumeBindingMode indicates how PersistentVolumeClaims should be provisioned and bound.',
    ),
    {
      name: 'AllowVolumeExpansion',
      type: 'string',
      description: 'allowVolumeExpansion shows whether the storage class allow volume expand.',
    },
    AGE,
  ],
  row: (object, context) => [
    isDefault(object) ? `${object.metadata.name} (default)` : object.metadata.name,
    object.provisioner ?? '',
    object.reclaimPolicy ?? 'Delete',
    object.volumeBindingMode ?? 'Immediate',
    object.allowVolumeExpansion ?? false,
    age(object, context),
  ],
};

export const volumeattributesclasses: ResourceDefinition = {
  group: 'storage.k8s.io',
  versions: ['v1'],
  kind: 'VolumeAttributesClass',
  resource: 'volumeattributesclasses',
  singular: 'volumeattributesclass',
  shortNames: ['vac'],
  namespaced: false,
  validate: object => [
    ...(object.driverName ? [] : [required('driverName')]),
    ...(Object.keys(object.parameters ?? {}).length > 0
      ? []
      : [required('parameters', 'must contain at least one key/value pair')]),
  ],
  validateUpdate: frozen(['driverName', 'parameters']),
  columns: [NAME, text('DriverName', 'Name of the CSI driver'), AGE],
  row: (object, context) => [object.metadata.name, object.driverName ?? '', age(object, context)],
};
