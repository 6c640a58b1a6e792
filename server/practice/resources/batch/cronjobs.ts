// CronJobs.

import {
  type FieldError,
  forbiddenField,
  invalidValue,
  type KubeObject,
  required,
  tooLongField,
} from '../../../kube/index.ts';
import { AGE, age, integer, NAME, orNone, since, templateCells, text, wide } from '../format.ts';
import { statusOf } from '../parts.ts';
import type { ResourceDefinition } from '../types.ts';
import { nonNegative, oneOf } from '../validation/common.ts';
import { jobSpec } from './jobs.ts';
import { scheduleError } from './schedule.ts';

/** Room for the minute that is appended to make a job's name. */
const MAX_NAME = 52;

function timeZone(zone: string | undefined, field: string): FieldError[] {
  if (zone === undefined) return [];
  if (zone === '') return [invalidValue(field, zone, 'timeZone must be nil or non-empty string')];
  if (zone.toLowerCase() === 'local')
    return [
      invalidValue(
        field,
        zone,
        'timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones',
      ),
    ];
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return [];
  } catch {
    return [invalidValue(field, zone, `unknown time zone ${zone}`)];
  }
}

function validate(cron: KubeObject): FieldError[] {
  const spec = cron.spec ?? {};
  const findings: FieldError[] = [];
  if (!spec.schedule) findings.push(required('spec.schedule'));
  else {
    const error = scheduleError(spec.schedule);
    if (error) findings.push(invalidValue('spec.schedule', spec.schedule, error));
    if (/TZ/.test(spec.schedule))
      findings.push(
        invalidValue(
          'spec.schedule',
          spec.schedule,
          'cannot use TZ or CRON_TZ in schedule, use timeZone field instead',
        ),
      );
  }
  findings.push(
    ...nonNegative(spec.startingDeadlineSeconds, 'spec.startingDeadlineSeconds'),
    ...oneOf(spec.concurrencyPolicy, ['Allow', 'Forbid', 'Replace'], 'spec.concurrencyPolicy'),
    ...timeZone(spec.timeZone, 'spec.timeZone'),
    ...nonNegative(spec.successfulJobsHistoryLimit, 'spec.successfulJobsHistoryLimit'),
    ...nonNegative(spec.failedJobsHistoryLimit, 'spec.failedJobsHistoryLimit'),
  );
  const job = spec.jobTemplate?.spec ?? {};
  if (job.selector)
    findings.push(forbiddenField('spec.jobTemplate.spec.selector', '`selector` will be auto-generated'));
  if (job.manualSelector)
    findings.push(forbiddenField('spec.jobTemplate.spec.manualSelector', 'must be nil or false'));
  findings.push(...jobSpec(job, 'spec.jobTemplate.spec'));
  if (cron.metadata.name && cron.metadata.name.length > MAX_NAME)
    findings.push({
      ...tooLongField('metadata.name', MAX_NAME),
      type: 'Invalid',
      message: `Invalid value: ${JSON.stringify(cron.metadata.name)}: must be no more than ${MAX_NAME} characters`,
    });
  return findings;
}

export const cronjobs: ResourceDefinition = {
  group: 'batch',
  versions: ['v1'],
  kind: 'CronJob',
  resource: 'cronjobs',
  singular: 'cronjob',
  shortNames: ['cj'],
  categories: ['all'],
  namespaced: true,
  subresources: [statusOf('batch', 'v1', 'CronJob')],
  hasGeneration: true,
  prepareForCreate(cron) {
    cron.status = {};
  },
  validate,
  columns: [
    NAME,
    text('Schedule', 'The schedule in Cron format, see https://en.wikipedia.org/wiki/Cron.'),
    text('Timezone', 'The time zone name for the given schedule.'),
    {
      name: 'Suspend',
      type: 'boolean',
      description: 'This flag tells the controller to suspend subsequent executions.',
    },
    integer('Active', 'A list of pointers to currently running jobs.'),
    text('Last Schedule', 'Information when was the last time the job was successfully scheduled.'),
    AGE,
    wide('Containers', 'Names of each container in the template.'),
    wide('Images', 'Images referenced by each container in the template.'),
    wide('Selector', 'Label selector for pods.'),
  ],
  row: (cron, context) => [
    cron.metadata.name,
    cron.spec?.schedule ?? '',
    orNone(cron.spec?.timeZone),
    // Upstream prints the pointer's text, not a boolean.
    cron.spec?.suspend === undefined ? '<unset>' : cron.spec.suspend ? 'True' : 'False',
    cron.status?.active?.length ?? 0,
    cron.status?.lastScheduleTime ? since(cron.status.lastScheduleTime, context) : '<none>',
    age(cron, context),
    ...templateCells(cron.spec?.jobTemplate?.spec?.template?.spec),
    '<none>',
  ],
};
