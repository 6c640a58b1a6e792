// The type of a value that a schema describes, as Kubernetes declares it to CEL (apiserver pkg/cel/common): built-in kinds
// and custom ones, raw JSON schema or the shape that this cluster keeps of it.

import { escapedName } from './names.ts';
import {
  BOOL,
  BYTES,
  type CelType,
  DOUBLE,
  DURATION,
  DYN,
  ERROR,
  type Fields,
  INT,
  listOf,
  mapOf,
  objectOf,
  STRING,
  TIMESTAMP,
} from './types.ts';

const FORMATS: Record<string, CelType> = {
  byte: BYTES,
  duration: DURATION,
  date: TIMESTAMP,
  'date-time': TIMESTAMP,
  'micro-time': TIMESTAMP,
  // Upstream's schema of amounts has no type at all; what that makes of them is left open here.
  quantity: ERROR,
};

const SCALARS: Record<string, CelType> = { boolean: BOOL, number: DOUBLE, integer: INT };

/**
 * Undefined when the schema has no type and so is not shown to expressions. `root`: a whole resource, which has kind,
 * apiVersion and metadata whatever the schema says.
 */
export function declaredType(schema: any, name: string, root = false): CelType | undefined {
  if (schema['x-kubernetes-int-or-string'] === true || schema.format === 'int-or-string') return DYN;
  switch (root ? 'object' : schema.type) {
    case 'array': {
      const of = schema.items && nested(schema.items, `${name}.@idx`);
      return of && listOf(of);
    }
    case 'object': {
      const values = schema.additionalProperties;
      if (!root && typeof values === 'object') {
        // `additionalProperties: true`, as this cluster keeps it.
        if (values.preserveUnknown === true && !values.type) return mapOf(STRING, ERROR);
        const value = nested(values, `${name}.@elem`);
        return value && mapOf(STRING, value);
      }
      return { kind: 'object', name, fields: fieldsOf(root ? withIdentity(schema) : schema, name) };
    }
    case 'string':
      return FORMATS[schema.format] ?? STRING;
    default:
      return SCALARS[schema.type];
  }
}

function nested(schema: any, name: string): CelType | undefined {
  return declaredType(schema, name, schema['x-kubernetes-embedded-resource'] === true);
}

/** Made when somebody asks: most fields of most kinds are never named. */
function fieldsOf(schema: any, name: string): Fields {
  let properties: Map<string, unknown> | undefined;
  const made = new Map<string, CelType | undefined>();
  return {
    get(field) {
      if (made.has(field)) return made.get(field);
      properties ??= new Map(
        Object.entries(schema.properties ?? {}).map(([key, value]) => [escapedName(key) ?? '', value]),
      );
      const property = properties.get(field);
      const type = property ? nested(property, `${name}.${field}`) : undefined;
      made.set(field, type);
      return type;
    },
  };
}

const TEXT = { type: 'string' };

function withIdentity(schema: any): any {
  const { kind, apiVersion, metadata } = schema.properties ?? {};
  const whole =
    kind?.type === 'string' &&
    apiVersion?.type === 'string' &&
    metadata?.properties?.name?.type === 'string' &&
    metadata.properties.generateName?.type === 'string';
  if (whole) return schema;
  return {
    properties: {
      ...schema.properties,
      kind: TEXT,
      apiVersion: TEXT,
      metadata: { type: 'object', properties: { name: TEXT, generateName: TEXT } },
    },
  };
}

/** A type's name that nobody can have written: upstream puts the nanosecond behind it, this a number made of `seed`. */
export function uniqueName(kind: string, seed: string): string {
  let hash = 0;
  for (const character of seed) hash = (Math.imul(hash, 31) + (character.codePointAt(0) ?? 0)) >>> 0;
  return `${kind}${hash % 1_000_000_000}`;
}

const texts = (...names: string[]): Record<string, CelType> =>
  Object.fromEntries(names.map(name => [name, STRING]));

const KIND = objectOf('kubernetes.GroupVersionKind', texts('group', 'version', 'kind'));
const RESOURCE = objectOf('kubernetes.GroupVersionResource', texts('group', 'version', 'resource'));

/** The `request` of admission policies. */
export const REQUEST = objectOf('kubernetes.AdmissionRequest', {
  ...texts('subResource', 'requestSubResource', 'name', 'namespace', 'operation'),
  kind: KIND,
  resource: RESOURCE,
  requestKind: KIND,
  requestResource: RESOURCE,
  userInfo: objectOf('kubernetes.UserInfo', {
    ...texts('username', 'uid'),
    groups: listOf(STRING),
    extra: mapOf(STRING, listOf(STRING)),
  }),
  dryRun: BOOL,
  options: DYN,
});

const condition = objectOf('kubernetes.NamespaceCondition', {
  ...texts('status', 'type', 'message', 'reason'),
  lastTransitionTime: TIMESTAMP,
});

/** The `namespaceObject` of admission policies. */
export const NAMESPACE = objectOf('kubernetes.Namespace', {
  metadata: objectOf('kubernetes.NamespaceMetadata', {
    ...texts('name', 'generateName', 'namespace', 'UID', 'resourceVersion'),
    labels: mapOf(STRING, STRING),
    annotations: mapOf(STRING, STRING),
    creationTimestamp: TIMESTAMP,
    deletionGracePeriodSeconds: INT,
    deletionTimestamp: TIMESTAMP,
    generation: INT,
    finalizers: listOf(STRING),
  }),
  spec: objectOf('kubernetes.NamespaceSpec', { finalizers: listOf(STRING) }),
  status: objectOf('kubernetes.NamespaceStatus', { conditions: listOf(condition), phase: STRING }),
});
