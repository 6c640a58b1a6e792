// PriorityClasses.

import { type FieldError, forbiddenField, invalidValue, type KubeObject } from '../../../kube/index.ts';
import { AGE, age, integer, NAME, text } from '../format.ts';
import type { ResourceDefinition } from '../types.ts';
import { oneOf } from '../validation/common.ts';

const HIGHEST_USER_PRIORITY = 1_000_000_000;
/** The system's own classes and their fixed values. */
const SYSTEM: Record<string, number> = {
  'system-cluster-critical': 2_000_000_000,
  'system-node-critical': 2_000_001_000,
};

export const priorityclasses: ResourceDefinition = {
  group: 'scheduling.k8s.io',
  versions: ['v1'],
  kind: 'PriorityClass',
  resource: 'priorityclasses',
  singular: 'priorityclass',
  shortNames: ['pc'],
  namespaced: false,
  hasGeneration: true,
  validate(object: KubeObject) {
    const findings: FieldError[] = [];
    const { name } = object.metadata;
    const value = object.value ?? 0;
    if (name?.startsWith('system-')) {
      if (SYSTEM[name] !== value)
        findings.push(
          forbiddenField(
            'metadata.name',
            SYSTEM[name] === undefined
              ? `priority class names with 'system-' prefix are reserved for system use only. error: ${name} is not a known system priority class`
              : `priority class names with 'system-' prefix are reserved for system use only. error: value of ${name} PriorityClass must be ${SYSTEM[name]}`,
          ),
        );
    } else if (value > HIGHEST_USER_PRIORITY)
      findings.push(
        forbiddenField(
          'value',
          `maximum allowed value of a user defined priority is ${HIGHEST_USER_PRIORITY}`,
        ),
      );
    findings.push(...oneOf(object.preemptionPolicy, ['Never', 'PreemptLowerPriority'], 'preemptionPolicy'));
    return findings;
  },
  validateUpdate: (object, old) => [
    ...(object.value === old.value ? [] : [forbiddenField('Value', 'may not be changed in an update.')]),
    ...(object.preemptionPolicy === old.preemptionPolicy
      ? []
      : [invalidValue('preemptionPolicy', object.preemptionPolicy, 'field is immutable')]),
  ],
  columns: [
    NAME,
    integer('Value', 'value represents the integer value of this priority class.'),
    {
      name: 'Global-Default',
      type: 'boolean',
      description:
        'globalDefault specifies whether this PriorityClass should be considered as the default priority for pods that do not have any priority class.',
    },
    AGE,
    text('PreemptionPolicy', 'preemptionPolicy is the Policy for preempting pods with lower priority.'),
  ],
  row: (object, context) => [
    object.metadata.name,
    object.value ?? 0,
    object.globalDefault ?? false,
    age(object, context),
    object.preemptionPolicy ?? '',
  ],
};
