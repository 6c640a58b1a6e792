// Endpoints.

import {
  dns1123LabelErrors,
  type FieldError,
  invalidAll,
  ipErrors,
  type KubeObject,
  portNumberErrors,
  required,
} from '../../../kube/index.ts';
import { AGE, age, joinSome, NAME, orNone, text } from '../format.ts';
import type { ResourceDefinition } from '../types.ts';
import { oneOf } from '../validation/common.ts';
import { PROTOCOLS } from '../validation/container.ts';

const DEPRECATED = 'v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice';

function shown(endpoints: KubeObject): string {
  const all: string[] = [];
  for (const subset of endpoints.subsets ?? []) {
    const addresses: { ip: string }[] = subset.addresses ?? [];
    const ports: { port: number }[] = subset.ports ?? [];
    if (ports.length === 0) all.push(...addresses.map(a => a.ip));
    for (const port of ports)
      for (const { ip } of addresses)
        all.push(ip.includes(':') ? `[${ip}]:${port.port}` : `${ip}:${port.port}`);
  }
  return orNone(joinSome(all));
}

export const endpoints: ResourceDefinition = {
  group: '',
  versions: ['v1'],
  kind: 'Endpoints',
  resource: 'endpoints',
  singular: 'endpoints',
  shortNames: ['ep'],
  namespaced: true,
  allowCreateOnUpdate: true,
  warnings: () => [DEPRECATED],
  validate(object) {
    const findings: FieldError[] = [];
    for (const [i, subset] of (object.subsets ?? []).entries()) {
      const at = `subsets[${i}]`;
      const addresses = [...(subset.addresses ?? []), ...(subset.notReadyAddresses ?? [])];
      if (addresses.length === 0)
        findings.push(required(at, 'must specify `addresses` or `notReadyAddresses`'));
      for (const list of ['addresses', 'notReadyAddresses'])
        for (const [j, address] of (subset[list] ?? []).entries())
          findings.push(
            ...invalidAll(`${at}.${list}[${j}].ip`, address.ip ?? '', ipErrors(address.ip ?? '')),
          );
      for (const [j, port] of (subset.ports ?? []).entries()) {
        const place = `${at}.ports[${j}]`;
        if (subset.ports.length > 1 && !port.name) findings.push(required(`${place}.name`));
        else if (port.name)
          findings.push(...invalidAll(`${place}.name`, port.name, dns1123LabelErrors(port.name)));
        findings.push(
          ...invalidAll(`${place}.port`, port.port ?? 0, portNumberErrors(port.port ?? 0)),
          ...oneOf(port.protocol, PROTOCOLS, `${place}.protocol`),
        );
      }
    }
    return findings;
  },
  columns: [NAME, text('Endpoints', 'The set of all endpoints is the union of all subsets.'), AGE],
  row: (object, context) => [object.metadata.name, shown(object), age(object, context)],
};
