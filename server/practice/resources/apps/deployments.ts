// Deployments.

import {
  type FieldError,
  forbiddenField,
  GoStruct,
  invalidValue,
  type KubeObject,
  notSupported,
  required,
} from '../../../kube/index.ts';
import { formatLabelSelector } from '../../../kube/selectors/index.ts';
import { AGE, age, NAME, templateCells, text, wide } from '../format.ts';
import { SCALE, statusOf } from '../parts.ts';
import type { ResourceDefinition } from '../types.ts';
import { intOrPercent, nonNegative, notMoreThan100Percent, percentOf } from '../validation/common.ts';
import { immutableSelector, workloadSelector, workloadTemplate } from '../validation/template.ts';

const isZero = (value: unknown) => value === 0 || percentOf(value) === 0;

function strategy(value: any = {}, field: string): FieldError[] {
  switch (value.type) {
    case 'Recreate':
      return value.rollingUpdate
        ? [
            forbiddenField(
              `${field}.rollingUpdate`,
              "may not be specified when strategy `type` is 'Recreate'",
            ),
          ]
        : [];
    case 'RollingUpdate': {
      const at = `${field}.rollingUpdate`;
      const rolling = value.rollingUpdate;
      if (!rolling) return [required(at, 'this should be defaulted and never be nil')];
      return [
        ...intOrPercent(rolling.maxUnavailable, `${at}.maxUnavailable`),
        ...intOrPercent(rolling.maxSurge, `${at}.maxSurge`),
        ...(isZero(rolling.maxUnavailable) && isZero(rolling.maxSurge)
          ? [
              invalidValue(
                `${at}.maxUnavailable`,
                rolling.maxUnavailable,
                'may not be 0 when `maxSurge` is 0',
              ),
            ]
          : []),
        ...notMoreThan100Percent(rolling.maxUnavailable, `${at}.maxUnavailable`),
      ];
    }
    default: {
      const shown = new GoStruct({ Type: value.type ?? '', RollingUpdate: value.rollingUpdate ?? null });
      return [notSupported(field, shown, ['Recreate', 'RollingUpdate'])];
    }
  }
}

function validate(deployment: KubeObject): FieldError[] {
  const spec = deployment.spec ?? {};
  return [
    ...nonNegative(spec.replicas, 'spec.replicas'),
    ...workloadSelector(spec.selector, 'deployment'),
    ...workloadTemplate(spec.template, spec.selector),
    ...strategy(spec.strategy, 'spec.strategy'),
    ...nonNegative(spec.minReadySeconds, 'spec.minReadySeconds'),
    ...nonNegative(spec.revisionHistoryLimit, 'spec.revisionHistoryLimit'),
    ...nonNegative(spec.progressDeadlineSeconds, 'spec.progressDeadlineSeconds'),
    ...(spec.progressDeadlineSeconds !== undefined &&
    spec.progressDeadlineSeconds <= (spec.minReadySeconds ?? 0)
      ? [
          invalidValue(
            'spec.progressDeadlineSeconds',
            spec.progressDeadlineSeconds,
            'must be greater than minReadySeconds',
          ),
        ]
      : []),
  ];
}

export const deployments: ResourceDefinition = {
  group: 'apps',
  versions: ['v1'],
  kind: 'Deployment',
  resource: 'deployments',
  singular: 'deployment',
  shortNames: ['deploy'],
  categories: ['all'],
  namespaced: true,
  subresources: [SCALE, statusOf('apps', 'v1', 'Deployment')],
  scale: { specReplicas: 'spec.replicas', statusReplicas: 'status.replicas', selector: 'spec.selector' },
  hasGeneration: true,
  validate,
  validateUpdate: (deployment, old) => immutableSelector(deployment.spec?.selector, old.spec?.selector),
  columns: [
    NAME,
    text('Ready', 'Number of the pod with ready state'),
    text(
      'Up-to-date',
      'Total number of non-terminating pods targeted by this deployment that have the desired template spec.',
    ),
    text(
      'Available',
      'Total number of available non-terminating pods (ready for at least minReadySeconds) targeted by this deployment.',
    ),
    AGE,
    wide('Containers', 'Names of each container in the template.'),
    wide('Images', 'Images referenced by each container in the template.'),
    wide('Selector', 'Label selector for pods.'),
  ],
  row: (deployment, context) => [
    deployment.metadata.name,
    `${deployment.status?.readyReplicas ?? 0}/${deployment.spec?.replicas ?? 0}`,
    String(deployment.status?.updatedReplicas ?? 0),
    String(deployment.status?.availableReplicas ?? 0),
    age(deployment, context),
    ...templateCells(deployment.spec?.template?.spec),
    formatLabelSelector(deployment.spec?.selector),
  ],
};
