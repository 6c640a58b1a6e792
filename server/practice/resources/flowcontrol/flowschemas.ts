// FlowSchemas and PriorityLevelConfigurations.

import { type FieldError, invalidValue, notSupported, required } from '../../../kube/index.ts';
import { AGE, age, integer, NAME, orNone, text } from '../format.ts';
import { statusOf } from '../parts.ts';
import type { ResourceDefinition } from '../types.ts';

const MAX_PRECEDENCE = 10_000;

export const flowschemas: ResourceDefinition = {
  group: 'flowcontrol.apiserver.k8s.io',
  versions: ['v1'],
  kind: 'FlowSchema',
  resource: 'flowschemas',
  singular: 'flowschema',
  namespaced: false,
  subresources: [statusOf('flowcontrol.apiserver.k8s.io', 'v1', 'FlowSchema')],
  hasGeneration: true,
  validate(schema) {
    const spec = schema.spec ?? {};
    const findings: FieldError[] = [];
    if (!(spec.matchingPrecedence > 0))
      findings.push(
        invalidValue('spec.matchingPrecedence', spec.matchingPrecedence ?? 0, 'must be a positive value'),
      );
    if (spec.matchingPrecedence > MAX_PRECEDENCE)
      findings.push(
        invalidValue(
          'spec.matchingPrecedence',
          spec.matchingPrecedence,
          `must not be greater than ${MAX_PRECEDENCE}`,
        ),
      );
    if (!spec.priorityLevelConfiguration?.name)
      findings.push(required('spec.priorityLevelConfiguration.name', 'must reference a priority level'));
    if (spec.distinguisherMethod && !['ByNamespace', 'ByUser'].includes(spec.distinguisherMethod.type))
      findings.push(
        notSupported('spec.distinguisherMethod', spec.distinguisherMethod, ['ByNamespace', 'ByUser']),
      );
    return findings;
  },
  tableOrder: (a, b) =>
    (a.spec?.matchingPrecedence ?? 0) - (b.spec?.matchingPrecedence ?? 0) ||
    (a.metadata.name < b.metadata.name ? -1 : 1),
  columns: [
    NAME,
    text('PriorityLevel', 'The name of the priority level that requests of this flow go to.'),
    integer('MatchingPrecedence', 'Order in which flow schemas are tried.'),
    text('DistinguisherMethod', 'How requests of this schema are told apart.'),
    AGE,
    text('MissingPL', 'Whether the referenced priority level is missing.'),
  ],
  row: (schema, context) => {
    const dangling = (schema.status?.conditions ?? []).find((c: { type: string }) => c.type === 'Dangling');
    return [
      schema.metadata.name,
      schema.spec?.priorityLevelConfiguration?.name ?? '',
      schema.spec?.matchingPrecedence ?? 0,
      orNone(schema.spec?.distinguisherMethod?.type),
      age(schema, context),
      dangling?.status ?? '?',
    ];
  },
};

export const prioritylevelconfigurations: ResourceDefinition = {
  group: 'flowcontrol.apiserver.k8s.io',
  versions: ['v1'],
  kind: 'PriorityLevelConfiguration',
  resource: 'prioritylevelconfigurations',
  singular: 'prioritylevelconfiguration',
  namespaced: false,
  subresources: [statusOf('flowcontrol.apiserver.k8s.io', 'v1', 'PriorityLevelConfiguration')],
  hasGeneration: true,
  validate(level) {
    const spec = level.spec ?? {};
    if (!['Exempt', 'Limited'].includes(spec.type))
      return [notSupported('spec.type', spec.type ?? '', ['Exempt', 'Limited'])];
    if (spec.type === 'Limited' && !spec.limited)
      return [required('spec.limited', 'must not be empty when type is Limited')];
    return [];
  },
  columns: [
    NAME,
    text('Type', 'Whether requests of this level are limited.'),
    text('NominalConcurrencyShares', 'Share of the server that this level may use.'),
    text('Queues', 'Number of queues.'),
    text('HandSize', 'Number of queues a flow is dealt.'),
    text('QueueLengthLimit', 'Longest allowed queue.'),
    AGE,
  ],
  row: (level, context) => {
    const limited = level.spec?.limited;
    const queuing = limited?.limitResponse?.queuing;
    const shown = (value: number | undefined) => (value === undefined ? '<none>' : String(value));
    return [
      level.metadata.name,
      level.spec?.type ?? '',
      shown(limited?.nominalConcurrencyShares),
      shown(queuing?.queues),
      shown(queuing?.handSize),
      shown(queuing?.queueLengthLimit),
      age(level, context),
    ];
  },
};
