// Events, core/v1 and events.k8s.io/v1: one store, two shapes.

import { type FieldError, invalidValue, type KubeObject, required } from '../../../kube/index.ts';
import { NAME, since, text, wide } from '../format.ts';
import type { Column, ColumnContext, ResourceDefinition } from '../types.ts';

const source = (event: KubeObject): string => {
  const component = event.source?.component || event.reportingComponent || '';
  const host = event.source?.host || event.reportingInstance || '';
  return [component, host].filter(Boolean).join(', ');
};

const lastSeen = (event: KubeObject, context: ColumnContext): string => {
  const time = event.series?.lastObservedTime ?? event.lastTimestamp ?? event.eventTime;
  return since(time, context);
};

const firstSeen = (event: KubeObject, context: ColumnContext): string =>
  since(event.firstTimestamp ?? event.eventTime, context);

const columns: readonly Column[] = [
  text('Last Seen', 'Time since the event was last seen.'),
  text('Type', 'Type of this event (Normal, Warning).'),
  text('Reason', 'Why the event was recorded.'),
  text('Object', 'The object this event is about.'),
  wide('Subobject'),
  wide('Source'),
  text('Message', 'A human-readable description of the status of this operation.'),
  wide('First Seen'),
  wide('Count'),
  { ...NAME, priority: 1 },
];

const row = (event: KubeObject, context: ColumnContext) => {
  const about = event.involvedObject ?? {};
  return [
    lastSeen(event, context),
    event.type ?? '',
    event.reason ?? '',
    about.name
      ? `${String(about.kind ?? '').toLowerCase()}/${about.name}`
      : String(about.kind ?? '').toLowerCase(),
    about.fieldPath ?? '',
    source(event),
    String(event.message ?? '').trim(),
    firstSeen(event, context),
    String(event.series?.count ?? event.count ?? 1) === '0'
      ? '1'
      : String(event.series?.count ?? event.count ?? 1),
    event.metadata.name,
  ];
};

const involved = (field: string) => (event: KubeObject) => String(event.involvedObject?.[field] ?? '');

const selectableFields: ResourceDefinition['selectableFields'] = {
  'involvedObject.kind': involved('kind'),
  'involvedObject.namespace': involved('namespace'),
  'involvedObject.name': involved('name'),
  'involvedObject.uid': involved('uid'),
  'involvedObject.apiVersion': involved('apiVersion'),
  'involvedObject.resourceVersion': involved('resourceVersion'),
  'involvedObject.fieldPath': involved('fieldPath'),
  reason: event => event.reason ?? '',
  reportingComponent: event => event.reportingComponent ?? '',
  source: event => event.source?.component || event.reportingComponent || '',
  type: event => event.type ?? '',
};

/** Where events may lie: with their object, or in `default` for objects of no namespace. */
function validate(event: KubeObject): FieldError[] {
  const about = event.involvedObject ?? {};
  const findings: FieldError[] = [];
  if (!event.metadata.namespace) findings.push(required('metadata.namespace'));
  if (
    about.namespace
      ? about.namespace !== event.metadata.namespace
      : !['', 'default', 'kube-system'].includes(event.metadata.namespace ?? '')
  )
    findings.push(
      invalidValue('involvedObject.namespace', about.namespace ?? '', 'does not match event.namespace'),
    );
  if (event.eventTime) {
    if (!event.reportingComponent) findings.push(required('reportingController'));
    if (!event.reportingInstance) findings.push(required('reportingInstance'));
    if (!event.action) findings.push(required('action'));
    if (!event.reason) findings.push(required('reason'));
    if (event.type !== 'Normal' && event.type !== 'Warning')
      findings.push(invalidValue('type', event.type ?? '', `has invalid value: ${event.type ?? ''}`));
  }
  return findings;
}

export const events: ResourceDefinition = {
  group: '',
  versions: ['v1'],
  kind: 'Event',
  resource: 'events',
  singular: 'event',
  shortNames: ['ev'],
  namespaced: true,
  allowCreateOnUpdate: true,
  selectableFields,
  validate,
  columns,
  row,
};

const withoutEmpty = (object: Record<string, unknown>): any =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));

/** The stored shape of an event written in the newer one. */
function toCore(event: KubeObject): KubeObject {
  const {
    regarding,
    note,
    deprecatedSource,
    deprecatedFirstTimestamp,
    deprecatedLastTimestamp,
    deprecatedCount,
    reportingController,
    ...rest
  } = event;
  return withoutEmpty({
    ...rest,
    involvedObject: regarding ?? {},
    message: note,
    source: deprecatedSource ?? {},
    firstTimestamp: deprecatedFirstTimestamp ?? null,
    lastTimestamp: deprecatedLastTimestamp ?? null,
    count: deprecatedCount,
    reportingComponent: reportingController ?? '',
    reportingInstance: event.reportingInstance ?? '',
  });
}

export const eventsV1: ResourceDefinition = {
  ...events,
  group: 'events.k8s.io',
  storedAs: 'events',
  selectableFields: Object.fromEntries(
    Object.entries(selectableFields).flatMap(([name, read]) => {
      // Selected in whichever shape it comes.
      const either = (event: KubeObject) => read(event.regarding ? toCore(event) : event);
      if (name === 'source') return [];
      if (name === 'reportingComponent') return [['reportingController', either]];
      return [[name.replace('involvedObject', 'regarding'), either]];
    }),
  ),
  fromStored(event) {
    const {
      involvedObject,
      message,
      source: old,
      firstTimestamp,
      lastTimestamp,
      count,
      reportingComponent,
      ...rest
    } = event;
    return withoutEmpty({
      ...rest,
      regarding: involvedObject,
      note: message,
      deprecatedSource: old,
      deprecatedFirstTimestamp: firstTimestamp,
      deprecatedLastTimestamp: lastTimestamp,
      deprecatedCount: count,
      reportingController: reportingComponent,
    });
  },
  toStored: toCore,
  row: (event, context) => row(toCore(event), context),
};
