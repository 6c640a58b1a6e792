// PersistentVolumeClaims.

import { compareQuantity, parseQuantity } from '#common/quantity/index.ts';
import {
  type FieldError,
  forbiddenField,
  invalidValue,
  type KubeObject,
  notSupported,
  required,
} from '../../../kube/index.ts';
import { AGE, age, NAME, text, wide } from '../format.ts';
import { statusOf } from '../parts.ts';
import type { ResourceDefinition } from '../types.ts';
import { labelSelector, oneOf, same, subdomainName } from '../validation/common.ts';
import { goDiff } from '../validation/go-diff.ts';
import { ACCESS_MODES, shortAccessModes } from './persistentvolumes.ts';

/** Rules of a claim's spec, in claims, claim templates and ephemeral volumes. */
export function claimSpec(spec: any = {}, field: string): FieldError[] {
  const findings: FieldError[] = [];
  if (!spec.accessModes?.length)
    findings.push(required(`${field}.accessModes`, 'at least 1 access mode is required'));
  findings.push(...labelSelector(spec.selector, `${field}.selector`));
  for (const mode of spec.accessModes ?? [])
    if (!ACCESS_MODES.includes(mode)) findings.push(notSupported(`${field}.accessModes`, mode, ACCESS_MODES));
  if (spec.accessModes?.includes('ReadWriteOncePod') && spec.accessModes.length > 1)
    findings.push(
      forbiddenField(`${field}.accessModes`, 'may not use ReadWriteOncePod with other access modes'),
    );
  const storage = spec.resources?.requests?.storage;
  const amount = parseQuantity(storage ?? '');
  if (storage === undefined) findings.push(required(`${field}.resources[storage]`));
  else if (amount && amount.nano <= 0n)
    findings.push(invalidValue(`${field}.resources[storage]`, storage, 'must be greater than zero'));
  findings.push(...subdomainName(spec.storageClassName, `${field}.storageClassName`));
  findings.push(...oneOf(spec.volumeMode, ['Block', 'Filesystem'], `${field}.volumeMode`));
  return findings;
}

const WHY =
  'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims';

function validateUpdate(claim: KubeObject, old: KubeObject): FieldError[] {
  const findings: FieldError[] = [];
  const munged = { ...claim.spec };
  const before = { ...old.spec };
  // A binding may fill in the volume, and a default class may be filled in later.
  if (!before.volumeName) before.volumeName = munged.volumeName;
  if (old.status?.phase === 'Bound')
    munged.resources = { ...munged.resources, requests: before.resources?.requests };
  munged.volumeAttributesClassName = before.volumeAttributesClassName;
  if (before.storageClassName === undefined) before.storageClassName = munged.storageClassName;
  const clean = (value: object) => JSON.parse(JSON.stringify(value));
  if (!same(clean(munged), clean(before)))
    findings.push(
      forbiddenField('spec', `${WHY}\n${goDiff(clean(before), clean(munged), 'PersistentVolumeClaimSpec')}`),
    );
  const next = parseQuantity(claim.spec?.resources?.requests?.storage ?? '');
  const last = parseQuantity(old.spec?.resources?.requests?.storage ?? '');
  const held = parseQuantity(old.status?.capacity?.storage ?? '0');
  if (next && last && compareQuantity(next, last) < 0 && held && compareQuantity(next, held) <= 0)
    findings.push(
      forbiddenField('spec.resources.requests.storage', 'field can not be less than status.capacity'),
    );
  return findings;
}

export const persistentvolumeclaims: ResourceDefinition = {
  group: '',
  versions: ['v1'],
  kind: 'PersistentVolumeClaim',
  resource: 'persistentvolumeclaims',
  singular: 'persistentvolumeclaim',
  shortNames: ['pvc'],
  namespaced: true,
  subresources: [statusOf('', 'v1', 'PersistentVolumeClaim')],
  returnsDeleted: true,
  prepareForCreate(claim) {
    claim.status = { phase: 'Pending' };
  },
  validate: claim => claimSpec(claim.spec, 'spec'),
  validateUpdate,
  columns: [
    NAME,
    text('Status'),
    text('Volume'),
    text('Capacity'),
    text('Access Modes'),
    text('StorageClass', 'StorageClass of the pvc'),
    text('VolumeAttributesClass', 'VolumeAttributesClass of the pvc'),
    AGE,
    wide('VolumeMode'),
  ],
  row: (claim, context) => {
    const { spec = {}, status = {} } = claim;
    const bound = Boolean(spec.volumeName);
    return [
      claim.metadata.name,
      claim.metadata.deletionTimestamp ? 'Terminating' : (status.phase ?? ''),
      spec.volumeName ?? '',
      bound ? (status.capacity?.storage ?? '') : '',
      bound ? shortAccessModes(status.accessModes) : '',
      claim.metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] ?? spec.storageClassName ?? '',
      spec.volumeAttributesClassName ?? '<unset>',
      age(claim, context),
      spec.volumeMode ?? '<unset>',
    ];
  },
};
