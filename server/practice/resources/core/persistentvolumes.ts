// PersistentVolumes.

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
import { nonNegativeQuantity, oneOf, same } from '../validation/common.ts';
import { nodeSelector } from '../validation/pod-spec.ts';

export const ACCESS_MODES = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod'];

const SHORT_MODES: [string, string][] = [
  ['ReadWriteOnce', 'RWO'],
  ['ReadOnlyMany', 'ROX'],
  ['ReadWriteMany', 'RWX'],
  ['ReadWriteOncePod', 'RWOP'],
];

/** `RWO,ROX` in upstream's order. */
export const shortAccessModes = (modes: string[] = []): string =>
  SHORT_MODES.filter(([mode]) => modes.includes(mode))
    .map(([, short]) => short)
    .join(',');

/** Fields of a volume's spec that are no source of storage. */
const NOT_A_SOURCE = new Set([
  'accessModes',
  'capacity',
  'claimRef',
  'mountOptions',
  'nodeAffinity',
  'persistentVolumeReclaimPolicy',
  'storageClassName',
  'volumeAttributesClassName',
  'volumeMode',
]);

const sourceOf = (spec: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(spec).filter(([key]) => !NOT_A_SOURCE.has(key)));

function validate(volume: KubeObject): FieldError[] {
  const spec = volume.spec ?? {};
  const findings: FieldError[] = [];
  if (!spec.accessModes?.length) findings.push(required('spec.accessModes'));
  for (const mode of spec.accessModes ?? [])
    if (!ACCESS_MODES.includes(mode)) findings.push(notSupported('spec.accessModes', mode, ACCESS_MODES));
  const capacity: Record<string, string> = spec.capacity ?? {};
  if (Object.keys(capacity).length === 0) findings.push(required('spec.capacity'));
  else if (!capacity['storage'] || Object.keys(capacity).length > 1)
    findings.push(notSupported('spec.capacity', capacity, ['storage']));
  for (const name of Object.keys(capacity))
    findings.push(...nonNegativeQuantity(capacity[name], `spec.capacity[${name}]`));
  findings.push(
    ...oneOf(
      spec.persistentVolumeReclaimPolicy,
      ['Delete', 'Recycle', 'Retain'],
      'spec.persistentVolumeReclaimPolicy',
    ),
  );
  if (spec.nodeAffinity) {
    if (spec.nodeAffinity.required)
      findings.push(...nodeSelector(spec.nodeAffinity.required, 'spec.nodeAffinity.required'));
    else findings.push(required('spec.nodeAffinity.required', 'must specify required node constraints'));
  }
  const sources = Object.keys(sourceOf(spec));
  if (sources.length === 0) findings.push(required('spec', 'must specify a volume type'));
  for (const extra of sources.slice(1))
    findings.push(forbiddenField(`spec.${extra}`, 'may not specify more than 1 volume type'));
  if (spec.hostPath && !spec.hostPath.path) findings.push(required('spec.hostPath.path'));
  if (spec.local && !spec.nodeAffinity)
    findings.push(required('spec.nodeAffinity', 'Local volume requires node affinity'));
  findings.push(...oneOf(spec.volumeMode, ['Block', 'Filesystem'], 'spec.volumeMode'));
  return findings;
}

export const persistentvolumes: ResourceDefinition = {
  group: '',
  versions: ['v1'],
  kind: 'PersistentVolume',
  resource: 'persistentvolumes',
  singular: 'persistentvolume',
  shortNames: ['pv'],
  namespaced: false,
  subresources: [statusOf('', 'v1', 'PersistentVolume')],
  returnsDeleted: true,
  prepareForCreate(volume) {
    volume.status = { phase: 'Pending' };
  },
  validate,
  validateUpdate: (volume, old) => [
    ...(same(sourceOf(volume.spec), sourceOf(old.spec))
      ? []
      : [
          forbiddenField(
            'spec.persistentvolumesource',
            'spec.persistentvolumesource is immutable after creation',
          ),
        ]),
    ...(volume.spec.volumeMode === old.spec.volumeMode
      ? []
      : [invalidValue('spec.volumeMode', volume.spec.volumeMode, 'field is immutable')]),
  ],
  columns: [
    NAME,
    text('Capacity'),
    text('Access Modes'),
    text('Reclaim Policy'),
    text('Status'),
    text('Claim'),
    text('StorageClass', 'StorageClass of the pv'),
    text('VolumeAttributesClass', 'VolumeAttributesClass of the pv'),
    text('Reason'),
    AGE,
    wide('VolumeMode'),
  ],
  row: (volume, context) => {
    const { spec = {}, status = {} } = volume;
    return [
      volume.metadata.name,
      spec.capacity?.storage ?? '',
      shortAccessModes(spec.accessModes),
      spec.persistentVolumeReclaimPolicy ?? '',
      volume.metadata.deletionTimestamp ? 'Terminating' : (status.phase ?? ''),
      spec.claimRef ? `${spec.claimRef.namespace ?? ''}/${spec.claimRef.name ?? ''}` : '',
      spec.storageClassName ?? volume.metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] ?? '',
      spec.volumeAttributesClassName ?? '<unset>',
      status.reason ?? '',
      age(volume, context),
      spec.volumeMode ?? '<unset>',
    ];
  },
};
