// Dynamic resource allocation: DeviceClasses, ResourceClaims, their templates, and ResourceSlices.

import { type FieldError, IMMUTABLE, invalidValue, type KubeObject, required } from '../../../kube/index.ts';
import { AGE, age, NAME, text } from '../format.ts';
import { statusOf } from '../parts.ts';
import type { ResourceDefinition } from '../types.ts';
import { same } from '../validation/common.ts';

function claim(spec: any = {}, field: string): FieldError[] {
  return (spec.devices?.requests ?? []).flatMap((request: any, i: number) => {
    const at = `${field}.devices.requests[${i}]`;
    const findings: FieldError[] = [];
    if (!request.name) findings.push(required(`${at}.name`));
    if (!request.exactly && !request.firstAvailable)
      findings.push(required(at, 'exactly one of `exactly` or `firstAvailable` is required'));
    if (request.exactly && !request.exactly.deviceClassName)
      findings.push(required(`${at}.exactly.deviceClassName`));
    return findings;
  });
}

const fixedSpec = (next: KubeObject, old: KubeObject): FieldError[] =>
  same(next.spec, old.spec) ? [] : [invalidValue('spec', next.spec, IMMUTABLE)];

/** `allocated,reserved`, `pending`, with `deleted` in front when it is going. */
function state(object: KubeObject): string {
  const states: string[] = [];
  if (object.metadata.deletionTimestamp) states.push('deleted');
  if (!object.status?.allocation) {
    if (!object.metadata.deletionTimestamp) states.push('pending');
  } else {
    states.push('allocated');
    if (object.status.reservedFor?.length) states.push('reserved');
  }
  return states.join(',');
}

const common = { group: 'resource.k8s.io', versions: ['v1'] } as const;

export const deviceclasses: ResourceDefinition = {
  ...common,
  kind: 'DeviceClass',
  resource: 'deviceclasses',
  singular: 'deviceclass',
  namespaced: false,
  hasGeneration: true,
  columns: [NAME, AGE],
  row: (object, context) => [object.metadata.name, age(object, context)],
};

export const resourceclaims: ResourceDefinition = {
  ...common,
  kind: 'ResourceClaim',
  resource: 'resourceclaims',
  singular: 'resourceclaim',
  namespaced: true,
  subresources: [statusOf('resource.k8s.io', 'v1', 'ResourceClaim')],
  returnsDeleted: true,
  validate: object => claim(object.spec, 'spec'),
  validateUpdate: fixedSpec,
  columns: [NAME, text('State', 'A summary of the current state (allocated, pending, reserved, etc.).'), AGE],
  row: (object, context) => [object.metadata.name, state(object), age(object, context)],
};

export const resourceclaimtemplates: ResourceDefinition = {
  ...common,
  kind: 'ResourceClaimTemplate',
  resource: 'resourceclaimtemplates',
  singular: 'resourceclaimtemplate',
  namespaced: true,
  validate: object => claim(object.spec?.spec, 'spec.spec'),
  validateUpdate: fixedSpec,
  columns: [NAME, AGE],
  row: (object, context) => [object.metadata.name, age(object, context)],
};

export const resourceslices: ResourceDefinition = {
  ...common,
  kind: 'ResourceSlice',
  resource: 'resourceslices',
  singular: 'resourceslice',
  namespaced: false,
  hasGeneration: true,
  selectableFields: {
    'spec.nodeName': slice => slice.spec?.nodeName ?? '',
    'spec.driver': slice => slice.spec?.driver ?? '',
  },
  validate(slice) {
    const spec = slice.spec ?? {};
    const findings: FieldError[] = [];
    if (!spec.driver) findings.push(required('spec.driver'));
    if (!spec.pool?.name) findings.push(required('spec.pool.name'));
    const places = ['nodeName', 'nodeSelector', 'allNodes', 'perDeviceNodeSelection'].filter(
      field => spec[field],
    );
    if (places.length === 0)
      findings.push(
        required(
          'spec',
          'exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required',
        ),
      );
    return findings;
  },
  columns: [NAME, text('Node'), text('Driver'), text('Pool'), AGE],
  row: (slice, context) => [
    slice.metadata.name,
    slice.spec?.nodeName || '<unset>',
    slice.spec?.driver ?? '',
    slice.spec?.pool?.name ?? '',
    age(slice, context),
  ],
};
