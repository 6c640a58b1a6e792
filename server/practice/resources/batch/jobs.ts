// Jobs.

import {
  type FieldError,
  invalidValue,
  type KubeObject,
  notSupported,
  required,
} from '../../../kube/index.ts';
import { formatLabelSelector } from '../../../kube/selectors/index.ts';
import { AGE, age, humanDuration, NAME, templateCells, text, wide } from '../format.ts';
import { statusOf } from '../parts.ts';
import type { ColumnContext, ResourceDefinition } from '../types.ts';
import { immutable, labelSelector, nonNegative, same } from '../validation/common.ts';
import { podTemplate } from '../validation/template.ts';

const UID_LABEL = 'batch.kubernetes.io/controller-uid';
const MAX_INDEXED_PARALLELISM = 100_000;

/** Rules of a job's spec, in jobs and in cron jobs' templates. */
export function jobSpec(spec: any = {}, field: string): FieldError[] {
  const findings: FieldError[] = [];
  for (const name of [
    'parallelism',
    'completions',
    'activeDeadlineSeconds',
    'backoffLimit',
    'backoffLimitPerIndex',
    'ttlSecondsAfterFinished',
    'maxFailedIndexes',
  ])
    findings.push(...nonNegative(spec[name], `${field}.${name}`));
  if (spec.completionMode !== undefined) {
    if (!['NonIndexed', 'Indexed'].includes(spec.completionMode))
      findings.push(notSupported(`${field}.completionMode`, spec.completionMode, ['NonIndexed', 'Indexed']));
    if (spec.completionMode === 'Indexed') {
      if (spec.completions === undefined)
        findings.push(required(`${field}.completions`, 'when completion mode is Indexed'));
      if (spec.parallelism > MAX_INDEXED_PARALLELISM)
        findings.push(
          invalidValue(
            `${field}.parallelism`,
            spec.parallelism,
            `must be less than or equal to ${MAX_INDEXED_PARALLELISM} when completion mode is Indexed`,
          ),
        );
    }
  }
  findings.push(...podTemplate(spec.template, `${field}.template`));
  const policy = spec.template?.spec?.restartPolicy;
  const at = `${field}.template.spec.restartPolicy`;
  // Always is the default that no job may have, so it reads as if nothing had been said.
  if (policy === undefined || policy === 'Always')
    findings.push(required(at, 'valid values: "OnFailure", "Never"'));
  else if (!['OnFailure', 'Never'].includes(policy))
    findings.push(notSupported(at, policy, ['OnFailure', 'Never']));
  else if (spec.podFailurePolicy && policy !== 'Never')
    findings.push(invalidValue(at, policy, 'only "Never" is supported when podFailurePolicy is specified'));
  return findings;
}

function validate(job: KubeObject): FieldError[] {
  const spec = job.spec ?? {};
  const findings = labelSelector(spec.selector, 'spec.selector');
  if (!spec.selector) findings.unshift(required('spec.selector'));
  else if (spec.manualSelector) {
    const labels: Record<string, string> = spec.template?.metadata?.labels ?? {};
    const wanted: Record<string, string> = spec.selector.matchLabels ?? {};
    if (!Object.keys(wanted).every(key => labels[key] === wanted[key]))
      findings.push(
        invalidValue('spec.template.metadata.labels', labels, '`selector` does not match template `labels`'),
      );
  }
  return [...jobSpec(spec, 'spec'), ...findings];
}

function validateUpdate(job: KubeObject, old: KubeObject): FieldError[] {
  const suspendedBefore = old.spec?.suspend === true && !old.status?.startTime;
  const template = (spec: any) => {
    if (!suspendedBefore) return spec.template;
    // While a job has not started, where its pods may run can still change.
    const {
      nodeSelector: _a,
      tolerations: _b,
      affinity: _c,
      schedulingGates: _d,
      ...podSpec
    } = spec.template?.spec ?? {};
    const { labels: _e, annotations: _f, ...metadata } = spec.template?.metadata ?? {};
    return { ...spec.template, metadata, spec: podSpec };
  };
  return [
    ...(job.spec.completionMode === 'Indexed'
      ? []
      : immutable(job.spec.completions, old.spec.completions, 'spec.completions')),
    ...immutable(job.spec.selector, old.spec.selector, 'spec.selector'),
    ...(same(template(job.spec), template(old.spec))
      ? []
      : [invalidValue('spec.template', job.spec.template, 'field is immutable')]),
    ...immutable(job.spec.completionMode, old.spec.completionMode, 'spec.completionMode'),
    ...immutable(job.spec.podFailurePolicy, old.spec.podFailurePolicy, 'spec.podFailurePolicy'),
    ...immutable(job.spec.backoffLimitPerIndex, old.spec.backoffLimitPerIndex, 'spec.backoffLimitPerIndex'),
    ...immutable(job.spec.managedBy, old.spec.managedBy, 'spec.managedBy'),
  ];
}

/** The selector and labels that tell this job's pods from all others. */
function generateSelector(job: KubeObject): void {
  const uid = job.metadata.uid ?? '';
  const labels = {
    [UID_LABEL]: uid,
    'batch.kubernetes.io/job-name': job.metadata.name,
    'controller-uid': uid,
    'job-name': job.metadata.name,
  };
  job.spec.template ??= {};
  const { template } = job.spec;
  template.metadata = { ...template.metadata, labels: { ...template.metadata?.labels, ...labels } };
  job.metadata.labels = { ...job.metadata.labels, ...labels };
  job.spec.selector ??= {};
  job.spec.selector.matchLabels = { ...job.spec.selector.matchLabels, [UID_LABEL]: uid };
}

function status(job: KubeObject): string {
  const has = (type: string) =>
    (job.status?.conditions ?? []).some(
      (c: { type: string; status: string }) => c.type === type && c.status === 'True',
    );
  if (has('Complete')) return 'Complete';
  if (has('Failed')) return 'Failed';
  if (job.metadata.deletionTimestamp) return 'Terminating';
  if (has('Suspended')) return 'Suspended';
  if (has('FailureTarget')) return 'FailureTarget';
  return 'Running';
}

function completions(job: KubeObject): string {
  const done = job.status?.succeeded ?? 0;
  if (job.spec?.completions !== undefined) return `${done}/${job.spec.completions}`;
  const parallelism = job.spec?.parallelism ?? 0;
  return parallelism > 1 ? `${done}/1 of ${parallelism}` : `${done}/1`;
}

function duration(job: KubeObject, { now }: ColumnContext): string {
  const started = job.status?.startTime ? Date.parse(job.status.startTime) : undefined;
  if (started === undefined) return '';
  const failed = (job.status?.conditions ?? []).find((c: any) => c.type === 'Failed' && c.status === 'True');
  const end = job.status?.completionTime ?? failed?.lastTransitionTime;
  return humanDuration((end ? Date.parse(end) : now) - started);
}

export const jobs: ResourceDefinition = {
  group: 'batch',
  versions: ['v1'],
  kind: 'Job',
  resource: 'jobs',
  singular: 'job',
  categories: ['all'],
  namespaced: true,
  subresources: [statusOf('batch', 'v1', 'Job')],
  hasGeneration: true,
  selectableFields: { 'status.successful': job => String(job.status?.succeeded ?? 0) },
  prepareForCreate(job) {
    job.status = {};
    job.spec ??= {};
    if (!job.spec.manualSelector) generateSelector(job);
  },
  validate(job) {
    const chosen = job.spec?.manualSelector ? [] : (job.spec?.selector?.matchLabels ?? {});
    const uid = (chosen as Record<string, string>)[UID_LABEL];
    const findings = validate(job);
    if (uid !== undefined && job.metadata.uid && uid !== job.metadata.uid)
      findings.push(invalidValue('spec.selector', job.spec.selector, '`selector` not auto-generated'));
    return findings;
  },
  validateUpdate,
  warnings: job =>
    job.spec?.completionMode === 'Indexed' && job.spec?.completions > 100000 && job.spec?.parallelism > 10000
      ? [
          'In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail',
        ]
      : [],
  columns: [
    NAME,
    text('Status', 'Status of the job.'),
    text('Completions', 'Number of completed pods.'),
    text('Duration', 'Time required to complete the job.'),
    AGE,
    wide('Containers', 'Names of each container in the template.'),
    wide('Images', 'Images referenced by each container in the template.'),
    wide('Selector', 'Label selector for pods.'),
  ],
  row: (job, context) => [
    job.metadata.name,
    status(job),
    completions(job),
    duration(job, context),
    age(job, context),
    ...templateCells(job.spec?.template?.spec),
    formatLabelSelector(job.spec?.selector),
  ],
};
