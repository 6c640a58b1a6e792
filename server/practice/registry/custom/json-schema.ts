// From a CRD's openAPIV3Schema to the one schema shape that patching, pruning, defaulting and validation read.

import { LIMITS, type Schema } from '../../../kube/index.ts';
import { definition } from '../../schema/index.ts';

/** JSONSchemaProps as stored in a CRD. */
export interface JsonSchema {
  type?: Schema['type'];
  format?: string;
  description?: string;
  properties?: Record<string, JsonSchema>;
  additionalProperties?: boolean | JsonSchema;
  items?: JsonSchema;
  required?: string[];
  default?: unknown;
  enum?: unknown[];
  nullable?: boolean;
  allOf?: JsonSchema[];
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  not?: JsonSchema;
  'x-kubernetes-preserve-unknown-fields'?: boolean;
  'x-kubernetes-embedded-resource'?: boolean;
  'x-kubernetes-int-or-string'?: boolean;
  'x-kubernetes-list-type'?: 'atomic' | 'set' | 'map';
  'x-kubernetes-list-map-keys'?: string[];
  'x-kubernetes-map-type'?: 'atomic' | 'granular';
  'x-kubernetes-validations'?: Schema['validations'];
  [keyword: string]: unknown;
}

const SAME = ['description', 'required', 'default', 'enum', ...LIMITS] as const;

const STRING: Schema = { type: 'string' };

function convert(json: JsonSchema): Schema {
  const schema: Record<string, unknown> = {};
  for (const keyword of SAME) if (json[keyword] !== undefined) schema[keyword] = json[keyword];
  if (json['x-kubernetes-int-or-string']) {
    schema.type = 'string';
    schema.format = 'int-or-string';
  } else {
    if (json.type) schema.type = json.type;
    if (json.format) schema.format = json.format;
  }
  if (json.properties) schema.properties = mapValues(json.properties, convert);
  if (json.items) schema.items = convert(json.items);
  if (typeof json.additionalProperties === 'object')
    schema.additionalProperties = convert(json.additionalProperties);
  else if (json.additionalProperties === true) schema.additionalProperties = { preserveUnknown: true };
  for (const keyword of ['allOf', 'anyOf', 'oneOf'] as const) {
    // The alternatives of an int-or-string say no more than its format does.
    if (json[keyword] && !json['x-kubernetes-int-or-string']) schema[keyword] = json[keyword].map(convert);
  }
  if (json.not) schema.not = convert(json.not);
  if (json['x-kubernetes-preserve-unknown-fields']) schema.preserveUnknown = true;
  if (json['x-kubernetes-list-type']) schema.listType = json['x-kubernetes-list-type'];
  if (json['x-kubernetes-list-map-keys']) schema.listMapKeys = json['x-kubernetes-list-map-keys'];
  if (json['x-kubernetes-map-type']) schema.mapType = json['x-kubernetes-map-type'];
  if (json['x-kubernetes-validations']?.length) schema.validations = json['x-kubernetes-validations'];
  if (json['x-kubernetes-embedded-resource']) {
    schema.embeddedResource = true;
    schema.properties = { ...identity(), ...(schema.properties as object | undefined) };
  }
  return schema as Schema;
}

function mapValues<T, U>(map: Record<string, T>, change: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(map).map(([key, value]) => [key, change(value)]));
}

function identity(): Record<string, Schema> {
  const metadata = definition('io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta') ?? { preserveUnknown: true };
  return { apiVersion: STRING, kind: STRING, metadata };
}

/** The schema of one version of a custom resource. Without one of its own everything below the root is kept. */
export function fromJsonSchema(json: JsonSchema | undefined, preserveUnknown: boolean): Schema {
  const root: Schema = json ? convert(json) : { type: 'object', preserveUnknown: true };
  const preserve = preserveUnknown || root.preserveUnknown;
  return {
    ...root,
    type: 'object',
    properties: { ...root.properties, ...identity() },
    ...(preserve ? { preserveUnknown: true } : {}),
  };
}
