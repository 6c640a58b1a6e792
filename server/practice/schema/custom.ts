// The schema of a custom resource read from its definition's openAPIV3Schema, in the one shape that built-in kinds have too.
// Knows structural schemas; whether one is structural was checked when the definition was written.

import type { Schema } from '../../kube/index.ts';
import { definition } from './load.ts';

const OBJECT_META = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta';
const MAX_DEPTH = 200;

/** Keywords that mean the same in both shapes. */
const SAME = [
  'format',
  'description',
  'required',
  'default',
  'enum',
  'nullable',
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'multipleOf',
  'minLength',
  'maxLength',
  'pattern',
  'minItems',
  'maxItems',
  'uniqueItems',
  'minProperties',
  'maxProperties',
] as const;

const RENAMED = {
  'x-kubernetes-list-type': 'listType',
  'x-kubernetes-list-map-keys': 'listMapKeys',
  'x-kubernetes-map-type': 'mapType',
  'x-kubernetes-validations': 'validations',
} as const;

type Json = Record<string, any>;

/** What every whole object has, whether its schema says so or not. */
function withObjectFields(properties: Record<string, Schema>): Record<string, Schema> {
  return {
    ...properties,
    apiVersion: { type: 'string', ...properties['apiVersion'] },
    kind: { type: 'string', ...properties['kind'] },
    metadata: definition(OBJECT_META) ?? { type: 'object', preserveUnknown: true },
  };
}

function convert(given: Json, depth: number): Schema {
  const schema: Record<string, unknown> = {};
  if (depth > MAX_DEPTH) return { preserveUnknown: true };
  if (given['type']) schema['type'] = given['type'];
  for (const key of SAME) if (given[key] !== undefined) schema[key] = given[key];
  for (const [key, name] of Object.entries(RENAMED)) if (given[key] !== undefined) schema[name] = given[key];
  if (given['x-kubernetes-int-or-string'] === true) schema['format'] = 'int-or-string';
  if (given['x-kubernetes-preserve-unknown-fields'] === true) schema['preserveUnknown'] = true;
  if (given['x-kubernetes-embedded-resource'] === true) schema['embeddedResource'] = true;
  if (given['properties'])
    schema['properties'] = Object.fromEntries(
      Object.entries<Json>(given['properties']).map(([name, child]) => [name, convert(child, depth + 1)]),
    );
  const { additionalProperties } = given;
  if (additionalProperties === true) schema['additionalProperties'] = { preserveUnknown: true };
  else if (typeof additionalProperties === 'object' && additionalProperties !== null)
    schema['additionalProperties'] = convert(additionalProperties, depth + 1);
  if (given['items'] && !Array.isArray(given['items'])) schema['items'] = convert(given['items'], depth + 1);
  for (const key of ['allOf', 'anyOf', 'oneOf'])
    if (Array.isArray(given[key])) schema[key] = given[key].map((child: Json) => convert(child, depth + 1));
  if (given['not']) schema['not'] = convert(given['not'], depth + 1);
  if (schema['embeddedResource'])
    schema['properties'] = withObjectFields((schema['properties'] as Record<string, Schema>) ?? {});
  return schema as Schema;
}

/** A schema for whole objects: apiVersion, kind and metadata are part of it. No schema at all keeps everything. */
export function fromJsonSchema(openAPIV3Schema: unknown): Schema {
  const given = (openAPIV3Schema ?? { 'x-kubernetes-preserve-unknown-fields': true }) as Json;
  const schema = convert(given, 0);
  return { ...schema, type: 'object', properties: withObjectFields(schema.properties ?? {}) };
}
