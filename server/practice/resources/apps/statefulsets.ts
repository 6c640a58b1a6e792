// StatefulSets.

import {
  type FieldError,
  forbiddenField,
  type KubeObject,
  notSupported,
  required,
} from '../../../kube/index.ts';
import { claimSpec } from '../core/persistentvolumeclaims.ts';
import { AGE, age, NAME, templateCells, text, wide } from '../format.ts';
import { SCALE, statusOf } from '../parts.ts';
import type { ResourceDefinition } from '../types.ts';
import { nonNegative, oneOf, requiredOneOf, same } from '../validation/common.ts';
import { workloadSelector, workloadTemplate } from '../validation/template.ts';

const FIXED =
  "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";
const MAY_CHANGE = [
  'replicas',
  'ordinals',
  'template',
  'updateStrategy',
  'revisionHistoryLimit',
  'persistentVolumeClaimRetentionPolicy',
  'minReadySeconds',
];

/** The template as its pods will have it: each claim template is a volume that containers may mount. */
function withClaims({ template, volumeClaimTemplates = [] }: KubeObject['spec']) {
  const volumes = template?.spec?.volumes ?? [];
  const claims = (volumeClaimTemplates as KubeObject[])
    .map(claim => claim.metadata?.name)
    .filter(name => name && !volumes.some((volume: { name: string }) => volume.name === name))
    .map(name => ({ name, persistentVolumeClaim: { claimName: name } }));
  if (!template || claims.length === 0) return template;
  return { ...template, spec: { ...template.spec, volumes: [...volumes, ...claims] } };
}

function validate({ spec = {} }: KubeObject): FieldError[] {
  const findings: FieldError[] = [
    ...requiredOneOf(spec.podManagementPolicy, ['OrderedReady', 'Parallel'], 'spec.podManagementPolicy'),
  ];
  const strategy = spec.updateStrategy ?? {};
  if (!strategy.type) findings.push(required('spec.updateStrategy'));
  else if (!['OnDelete', 'RollingUpdate'].includes(strategy.type))
    findings.push(notSupported('spec.updateStrategy', strategy.type, ['OnDelete', 'RollingUpdate']));
  findings.push(
    ...nonNegative(strategy.rollingUpdate?.partition, 'spec.updateStrategy.rollingUpdate.partition'),
  );
  const retention = spec.persistentVolumeClaimRetentionPolicy ?? {};
  for (const field of ['whenDeleted', 'whenScaled'])
    findings.push(
      ...oneOf(retention[field], ['Delete', 'Retain'], `spec.persistentVolumeClaimRetentionPolicy.${field}`),
    );
  findings.push(
    ...nonNegative(spec.replicas, 'spec.replicas'),
    ...nonNegative(spec.minReadySeconds, 'spec.minReadySeconds'),
    ...nonNegative(spec.ordinals?.start, 'spec.ordinals.start'),
    ...workloadSelector(spec.selector, 'statefulset'),
    ...workloadTemplate(withClaims(spec), spec.selector),
  );
  for (const [i, claim] of (spec.volumeClaimTemplates ?? []).entries())
    findings.push(...claimSpec(claim.spec, `spec.volumeClaimTemplates[${i}].spec`));
  return findings;
}

function validateUpdate(set: KubeObject, old: KubeObject): FieldError[] {
  const fixed = (spec: Record<string, unknown>) =>
    Object.fromEntries(Object.entries(spec).filter(([key]) => !MAY_CHANGE.includes(key)));
  return same(fixed(set.spec), fixed(old.spec)) ? [] : [forbiddenField('spec', FIXED)];
}

export const statefulsets: ResourceDefinition = {
  group: 'apps',
  versions: ['v1'],
  kind: 'StatefulSet',
  resource: 'statefulsets',
  singular: 'statefulset',
  shortNames: ['sts'],
  categories: ['all'],
  namespaced: true,
  subresources: [SCALE, statusOf('apps', 'v1', 'StatefulSet')],
  scale: { specReplicas: 'spec.replicas', statusReplicas: 'status.replicas', selector: 'spec.selector' },
  hasGeneration: true,
  prepareForCreate(set) {
    set.status = { replicas: 0, availableReplicas: 0 };
  },
  validate,
  validateUpdate,
  columns: [
    NAME,
    text('Ready', 'Number of the pod with ready state'),
    AGE,
    wide('Containers', 'Names of each container in the template.'),
    wide('Images', 'Images referenced by each container in the template.'),
  ],
  row: (set, context) => [
    set.metadata.name,
    `${set.status?.readyReplicas ?? 0}/${set.spec?.replicas ?? 0}`,
    age(set, context),
    ...templateCells(set.spec?.template?.spec),
  ],
};
