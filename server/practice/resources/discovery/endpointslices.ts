// EndpointSlices.

import {
  type FieldError,
  IMMUTABLE,
  invalidAll,
  invalidValue,
  ipErrors,
  required,
  tooMany,
} from '../../../kube/index.ts';
import { AGE, age, joinSome, NAME, text } from '../format.ts';
import type { ResourceDefinition } from '../types.ts';
import { oneOf } from '../validation/common.ts';
import { PROTOCOLS } from '../validation/container.ts';

const MAX_ENDPOINTS = 1000;
const MAX_ADDRESSES = 100;
const MAX_PORTS = 20000;

export const endpointslices: ResourceDefinition = {
  group: 'discovery.k8s.io',
  versions: ['v1'],
  kind: 'EndpointSlice',
  resource: 'endpointslices',
  singular: 'endpointslice',
  namespaced: true,
  hasGeneration: true,
  validate(slice) {
    const findings: FieldError[] = [];
    const list: any[] = slice.endpoints ?? [];
    if (!slice.addressType) findings.push(required('addressType'));
    else findings.push(...oneOf(slice.addressType, ['FQDN', 'IPv4', 'IPv6'], 'addressType'));
    if (list.length > MAX_ENDPOINTS) findings.push(tooMany('endpoints', list.length, MAX_ENDPOINTS));
    for (const [i, endpoint] of list.entries()) {
      const at = `endpoints[${i}].addresses`;
      const addresses: string[] = endpoint.addresses ?? [];
      if (addresses.length === 0) findings.push(required(at, 'must contain at least 1 address'));
      if (addresses.length > MAX_ADDRESSES) findings.push(tooMany(at, addresses.length, MAX_ADDRESSES));
      if (slice.addressType !== 'FQDN')
        for (const [j, address] of addresses.entries())
          findings.push(...invalidAll(`${at}[${j}]`, address, ipErrors(address)));
    }
    const ports: any[] = slice.ports ?? [];
    if (ports.length > MAX_PORTS) findings.push(tooMany('ports', ports.length, MAX_PORTS));
    for (const [i, port] of ports.entries())
      findings.push(...oneOf(port.protocol, PROTOCOLS, `ports[${i}].protocol`));
    return findings;
  },
  validateUpdate: (slice, old) =>
    slice.addressType === old.addressType ? [] : [invalidValue('addressType', slice.addressType, IMMUTABLE)],
  columns: [
    NAME,
    text('AddressType', 'addressType specifies the type of address carried by this EndpointSlice.'),
    text('Ports', 'ports specifies the list of network ports exposed by each endpoint in this slice.'),
    text('Endpoints', 'endpoints is a list of unique endpoints in this slice.'),
    AGE,
  ],
  row: (slice, context) => {
    const ports: any[] = slice.ports ?? [];
    const addresses: string[] = (slice.endpoints ?? []).flatMap((e: any) => e.addresses ?? []);
    return [
      slice.metadata.name,
      slice.addressType ?? '',
      ports.length > 0
        ? joinSome(ports.map(p => (p.port === undefined || p.port === null ? '*' : String(p.port))))
        : '<unset>',
      addresses.length > 0 ? joinSome(addresses) : '<unset>',
      age(slice, context),
    ];
  },
};
