// DaemonSets.

import {
  type FieldError,
  forbiddenField,
  invalidValue,
  type KubeObject,
  notSupported,
  required,
} from '../../../kube/index.ts';
import { formatLabelSelector, formatLabels } from '../../../kube/selectors/index.ts';
import { AGE, age, integer, NAME, templateCells, text, wide } from '../format.ts';
import { statusOf } from '../parts.ts';
import type { ResourceDefinition } from '../types.ts';
import { intOrPercent, nonNegative, notMoreThan100Percent, percentOf } from '../validation/common.ts';
import { immutableSelector, workloadSelector, workloadTemplate } from '../validation/template.ts';

const isZero = (value: unknown) => value === 0 || percentOf(value) === 0;
/** Counts the template's changes; older clients still read it. */
const TEMPLATE_GENERATION = 'deprecated.daemonset.template.generation';

function updateStrategy(strategy: any = {}, field: string): FieldError[] {
  if (strategy.type === 'OnDelete') return [];
  if (strategy.type !== 'RollingUpdate')
    return [notSupported(`${field}.type`, strategy.type ?? '', ['RollingUpdate', 'OnDelete'])];
  const at = `${field}.rollingUpdate`;
  const rolling = strategy.rollingUpdate;
  if (!rolling) return [required(at)];
  const findings = [
    ...intOrPercent(rolling.maxUnavailable, `${at}.maxUnavailable`),
    ...notMoreThan100Percent(rolling.maxUnavailable, `${at}.maxUnavailable`),
    ...intOrPercent(rolling.maxSurge, `${at}.maxSurge`),
    ...notMoreThan100Percent(rolling.maxSurge, `${at}.maxSurge`),
  ];
  const unavailable = !isZero(rolling.maxUnavailable);
  const surge = !isZero(rolling.maxSurge);
  if (unavailable && surge)
    findings.push(
      invalidValue(`${at}.maxSurge`, rolling.maxSurge, 'may not be set when maxUnavailable is non-zero'),
    );
  if (!unavailable && !surge)
    findings.push(required(`${at}.maxUnavailable`, 'cannot be 0 when maxSurge is 0'));
  return findings;
}

function validate({ spec = {} }: KubeObject): FieldError[] {
  const selector = spec.selector;
  const findings = [
    ...workloadSelector(selector, 'daemonset'),
    ...workloadTemplate(spec.template, selector),
    ...nonNegative(spec.minReadySeconds, 'spec.minReadySeconds'),
    ...updateStrategy(spec.updateStrategy, 'spec.updateStrategy'),
    ...nonNegative(spec.revisionHistoryLimit, 'spec.revisionHistoryLimit'),
  ];
  if (spec.template?.spec?.activeDeadlineSeconds !== undefined)
    return findings.map(finding =>
      finding.field === 'spec.template.spec.activeDeadlineSeconds'
        ? forbiddenField(finding.field, 'activeDeadlineSeconds in DaemonSet is not Supported')
        : finding,
    );
  return findings;
}

export const daemonsets: ResourceDefinition = {
  group: 'apps',
  versions: ['v1'],
  kind: 'DaemonSet',
  resource: 'daemonsets',
  singular: 'daemonset',
  shortNames: ['ds'],
  categories: ['all'],
  namespaced: true,
  subresources: [statusOf('apps', 'v1', 'DaemonSet')],
  hasGeneration: true,
  prepareForCreate(set) {
    set.metadata.annotations = { ...set.metadata.annotations, [TEMPLATE_GENERATION]: '1' };
    set.status = {
      currentNumberScheduled: 0,
      desiredNumberScheduled: 0,
      numberMisscheduled: 0,
      numberReady: 0,
    };
  },
  prepareForUpdate(set, old) {
    const before = Number(old.metadata.annotations?.[TEMPLATE_GENERATION] ?? 0);
    const changed = JSON.stringify(set.spec?.template) !== JSON.stringify(old.spec?.template);
    set.metadata.annotations = {
      ...set.metadata.annotations,
      [TEMPLATE_GENERATION]: String(changed ? before + 1 : before),
    };
  },
  validate,
  validateUpdate: (set, old) => immutableSelector(set.spec?.selector, old.spec?.selector),
  columns: [
    NAME,
    integer('Desired'),
    integer('Current'),
    integer('Ready'),
    integer('Up-to-date'),
    integer('Available'),
    text('Node Selector'),
    AGE,
    wide('Containers', 'Names of each container in the template.'),
    wide('Images', 'Images referenced by each container in the template.'),
    wide('Selector', 'Label selector for pods.'),
  ],
  row: (set, context) => {
    const status = set.status ?? {};
    return [
      set.metadata.name,
      status.desiredNumberScheduled ?? 0,
      status.currentNumberScheduled ?? 0,
      status.numberReady ?? 0,
      status.updatedNumberScheduled ?? 0,
      status.numberAvailable ?? 0,
      formatLabels(set.spec?.template?.spec?.nodeSelector),
      age(set, context),
      ...templateCells(set.spec?.template?.spec),
      formatLabelSelector(set.spec?.selector),
    ];
  },
};
