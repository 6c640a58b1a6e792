// CSIDrivers, CSINodes, CSIStorageCapacities and VolumeAttachments.

import {
  dns1123SubdomainErrors,
  duplicate,
  type FieldError,
  IMMUTABLE,
  invalidAll,
  invalidValue,
  required,
  tooLongField,
} from '../../../kube/index.ts';
import { AGE, age, integer, NAME, text } from '../format.ts';
import { statusOf } from '../parts.ts';
import type { Column, ResourceDefinition } from '../types.ts';
import { labelSelector, nonNegativeQuantity, oneOf, same } from '../validation/common.ts';

const MAX_DRIVER_NAME = 63;

function driverName(name: string | undefined, field: string): FieldError[] {
  if (!name) return [required(field)];
  return [
    ...(name.length > MAX_DRIVER_NAME ? [tooLongField(field, MAX_DRIVER_NAME)] : []),
    ...invalidAll(field, name, dns1123SubdomainErrors(name.toLowerCase())),
  ];
}

const flag = (name: string, description: string): Column => ({ name, type: 'boolean', description });

export const csidrivers: ResourceDefinition = {
  group: 'storage.k8s.io',
  versions: ['v1'],
  kind: 'CSIDriver',
  resource: 'csidrivers',
  singular: 'csidriver',
  namespaced: false,
  returnsDeleted: true,
  validate(driver) {
    const findings: FieldError[] = [];
    for (const mode of driver.spec?.volumeLifecycleModes ?? [])
      findings.push(...oneOf(mode, ['Ephemeral', 'Persistent'], 'spec.volumeLifecycleModes'));
    findings.push(
      ...oneOf(driver.spec?.fsGroupPolicy, ['File', 'None', 'ReadWriteOnceWithFSType'], 'spec.fsGroupPolicy'),
    );
    return findings;
  },
  columns: [
    NAME,
    flag('AttachRequired', 'Indicates this CSI volume driver requires an attach operation.'),
    flag(
      'PodInfoOnMount',
      'Indicates this CSI volume driver requires additional pod information during mount operations.',
    ),
    flag('StorageCapacity', 'Indicates the CSI volume driver considers storage capacity for deployment.'),
    text('TokenRequests', 'Audiences of the service account tokens that the driver needs.'),
    flag('RequiresRepublish', 'Indicates the CSI driver wants to be called periodically.'),
    text('Modes', 'Volume modes supported by the driver.'),
    AGE,
  ],
  row: (driver, context) => {
    const spec = driver.spec ?? {};
    const tokens = (spec.tokenRequests ?? []).map((request: any) => request.audience ?? '');
    return [
      driver.metadata.name,
      spec.attachRequired ?? true,
      spec.podInfoOnMount ?? false,
      spec.storageCapacity ?? false,
      tokens.length > 0 ? tokens.join(',') : '<unset>',
      spec.requiresRepublish ?? false,
      (spec.volumeLifecycleModes ?? []).join(',') || '<none>',
      age(driver, context),
    ];
  },
};

export const csinodes: ResourceDefinition = {
  group: 'storage.k8s.io',
  versions: ['v1'],
  kind: 'CSINode',
  resource: 'csinodes',
  singular: 'csinode',
  namespaced: false,
  returnsDeleted: true,
  validate(node) {
    const seen = new Set<string>();
    return (node.spec?.drivers ?? []).flatMap((driver: any, i: number) => {
      const at = `spec.drivers[${i}]`;
      const findings = driverName(driver.name, `${at}.name`);
      if (!driver.nodeID) findings.push(required(`${at}.nodeID`));
      if (seen.has(driver.name)) findings.push(duplicate(`${at}.name`, driver.name));
      seen.add(driver.name);
      return findings;
    });
  },
  columns: [
    NAME,
    integer('Drivers', 'Drivers indicates the number of CSI drivers registered on the node'),
    AGE,
  ],
  row: (node, context) => [node.metadata.name, node.spec?.drivers?.length ?? 0, age(node, context)],
};

export const csistoragecapacities: ResourceDefinition = {
  group: 'storage.k8s.io',
  versions: ['v1'],
  kind: 'CSIStorageCapacity',
  resource: 'csistoragecapacities',
  singular: 'csistoragecapacity',
  namespaced: true,
  validate: capacity => [
    ...(capacity.storageClassName ? [] : [required('storageClassName')]),
    ...labelSelector(capacity.nodeTopology, 'nodeTopology'),
    ...nonNegativeQuantity(capacity.capacity, 'capacity'),
    ...nonNegativeQuantity(capacity.maximumVolumeSize, 'maximumVolumeSize'),
  ],
  validateUpdate: (capacity, old) =>
    ['nodeTopology', 'storageClassName']
      .filter(field => !same(capacity[field], old[field]))
      .map(field => invalidValue(field, capacity[field], IMMUTABLE)),
  columns: [NAME, text('StorageClassName'), text('Capacity')],
  row: capacity => [capacity.metadata.name, capacity.storageClassName ?? '', capacity.capacity ?? '<unset>'],
};

export const volumeattachments: ResourceDefinition = {
  group: 'storage.k8s.io',
  versions: ['v1'],
  kind: 'VolumeAttachment',
  resource: 'volumeattachments',
  singular: 'volumeattachment',
  namespaced: false,
  subresources: [statusOf('storage.k8s.io', 'v1', 'VolumeAttachment')],
  returnsDeleted: true,
  validate(attachment) {
    const spec = attachment.spec ?? {};
    const findings: FieldError[] = [];
    if (!spec.attacher) findings.push(required('spec.attacher'));
    if (!spec.source?.persistentVolumeName && !spec.source?.inlineVolumeSpec)
      findings.push(
        required('spec.source', 'must specify exactly one of inlineVolumeSpec and persistentVolumeName'),
      );
    if (!spec.nodeName) findings.push(required('spec.nodeName'));
    return findings;
  },
  validateUpdate: (attachment, old) =>
    same(attachment.spec, old.spec) ? [] : [invalidValue('spec', attachment.spec, IMMUTABLE)],
  columns: [
    NAME,
    {
      ...text('Attacher', 'Attacher indicates the name of the volume driver that MUST handle this request.'),
      format: 'name',
    },
    text('PV', 'Name of the persistent volume to attach.'),
    text('Node', 'The node that the volume should be attached to.'),
    flag('Attached', 'Indicates the volume is successfully attached.'),
    AGE,
  ],
  row: (attachment, context) => [
    attachment.metadata.name,
    attachment.spec?.attacher ?? '',
    attachment.spec?.source?.persistentVolumeName ?? '',
    attachment.spec?.nodeName ?? '',
    attachment.status?.attached ?? false,
    age(attachment, context),
  ],
};
