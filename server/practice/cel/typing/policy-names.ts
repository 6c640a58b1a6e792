// What the expressions of admission policies may name, with types. Kinds of objects and parameters come from the caller.

import { NAMESPACE, REQUEST } from './declare.ts';
import { AUTHORIZER, RESOURCE_CHECK } from './signatures.ts';
import { type CelType, DYN, objectOf } from './types.ts';

/** `params` is absent where a policy has none; `variables` is only where there are some. */
export function policyNames(object: CelType, params?: CelType): Map<string, CelType> {
  return new Map([
    ['object', object],
    ['oldObject', object],
    ['request', REQUEST],
    ['namespaceObject', NAMESPACE],
    ['authorizer', AUTHORIZER],
    ['authorizer.requestResource', RESOURCE_CHECK],
    ...(params ? ([['params', params]] as const) : []),
  ]);
}

/** `names` with `variables`, none of them known yet. */
export function composing(names: ReadonlyMap<string, CelType>): Map<string, CelType> {
  return new Map(names).set('variables', objectOf('kubernetes.variables', {}));
}

/** `names` with one more of `variables`, as later expressions see it. */
export function withVariable(
  names: ReadonlyMap<string, CelType>,
  name: string,
  type: CelType,
): Map<string, CelType> {
  const before = names.get('variables');
  const known = before?.kind === 'object' ? before.fields : undefined;
  const shown = composed(type);
  const fields = { get: (field: string) => (field === name ? shown : known?.get(field)) };
  return new Map(names).set('variables', { kind: 'object', name: 'kubernetes.variables', fields });
}

/** A variable passes on the shape of lists and maps, but of objects no more than that they are something. */
function composed(type: CelType): CelType {
  switch (type.kind) {
    case 'list':
      return { kind: 'list', of: composed(type.of) };
    case 'map':
      return { kind: 'map', key: composed(type.key), value: composed(type.value) };
    case 'object':
    case 'optional':
    case 'type':
    case 'param':
      return DYN;
    default:
      return type;
  }
}
