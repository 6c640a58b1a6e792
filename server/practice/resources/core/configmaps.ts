// ConfigMaps.

import {
  configMapKeyErrors,
  type FieldError,
  forbiddenField,
  invalidAll,
  invalidValue,
} from '../../../kube/index.ts';
import { AGE, age, NAME, size, text } from '../format.ts';
import type { ResourceDefinition } from '../types.ts';
import { same } from '../validation/common.ts';

/** Upstream's limit for all values of a ConfigMap or Secret together, in bytes. */
export const MAX_DATA_BYTES = 1024 * 1024;

export const configmaps: ResourceDefinition = {
  group: '',
  versions: ['v1'],
  kind: 'ConfigMap',
  resource: 'configmaps',
  singular: 'configmap',
  shortNames: ['cm'],
  namespaced: true,
  validate(configmap) {
    const findings: FieldError[] = [];
    let bytes = 0;
    for (const [key, value] of Object.entries<string>(configmap.data ?? {})) {
      findings.push(...invalidAll(`data[${key}]`, key, configMapKeyErrors(key)));
      if (configmap.binaryData && Object.hasOwn(configmap.binaryData, key))
        findings.push(invalidValue(`data[${key}]`, key, 'duplicate of key present in binaryData'));
      bytes += Buffer.byteLength(value);
    }
    for (const [key, value] of Object.entries<string>(configmap.binaryData ?? {})) {
      findings.push(...invalidAll(`binaryData[${key}]`, key, configMapKeyErrors(key)));
      bytes += Buffer.byteLength(value, 'base64');
    }
    // Upstream names no field here.
    if (bytes > MAX_DATA_BYTES)
      findings.push({
        field: '[]',
        type: 'TooLong',
        message: `Too long: may not be more than ${MAX_DATA_BYTES} bytes`,
      });
    return findings;
  },
  validateUpdate(configmap, old) {
    if (!old.immutable) return [];
    const why = 'field is immutable when `immutable` is set';
    return [
      ...(configmap.immutable ? [] : [forbiddenField('immutable', why)]),
      ...(same(configmap.data ?? {}, old.data ?? {}) ? [] : [forbiddenField('data', why)]),
      ...(same(configmap.binaryData ?? {}, old.binaryData ?? {}) ? [] : [forbiddenField('binaryData', why)]),
    ];
  },
  columns: [NAME, text('Data', 'Data contains the configuration data.'), AGE],
  row: (configmap, context) => [
    configmap.metadata.name,
    String(size(configmap.data) + size(configmap.binaryData)),
    age(configmap, context),
  ],
};
