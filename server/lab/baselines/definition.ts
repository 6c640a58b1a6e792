// Writes custom resource definitions from short data, as controller-gen would without descriptions. Knows no kind.

import type { KubeObject } from '../../kube/index.ts';
import type { JsonSchema } from './structural-schema.ts';

export const text: JsonSchema = { type: 'string' };
export const date: JsonSchema = { format: 'date-time', type: 'string' };
export const flag: JsonSchema = { type: 'boolean' };
export const int32: JsonSchema = { format: 'int32', type: 'integer' };
export const int64: JsonSchema = { format: 'int64', type: 'integer' };
export const map = (value: JsonSchema): JsonSchema => ({ additionalProperties: value, type: 'object' });
export const list = (items: JsonSchema): JsonSchema => ({ items, type: 'array' });
export const record = (
  properties: Record<string, JsonSchema>,
  required: readonly string[] = [],
): JsonSchema => ({ properties, ...(required.length > 0 && { required }), type: 'object' });
/** Whatever is written there. */
export const anything: JsonSchema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
export const oneOf = (...values: string[]): JsonSchema => ({ enum: values, type: 'string' });

/** A pod specification: with a list of containers, each with a name. */
export function podSpec(schemaOf: (model: string) => JsonSchema): JsonSchema {
  const spec = schemaOf('V1PodSpec');
  const containers = { items: { ...schemaOf('V1Container'), required: ['name'] }, type: 'array' };
  const properties = spec['properties'] as Record<string, JsonSchema>;
  return { ...spec, properties: { ...properties, containers }, required: ['containers'] };
}

export interface Column {
  name: string;
  jsonPath: string;
  type: string;
}

export const column = (name: string, jsonPath: string, type = 'string'): Column => ({ jsonPath, name, type });
export const AGE = column('Age', '.metadata.creationTimestamp', 'date');

export interface Definition {
  group: string;
  kind: string;
  /** Where it is not the kind with an `s`. */
  plural?: string;
  labels?: Record<string, string>;
  shortNames?: string[];
  categories?: string[];
  scope?: 'Namespaced' | 'Cluster';
  /** The first one is stored. */
  versions: {
    name: string;
    columns?: Column[];
    spec: JsonSchema;
    status: JsonSchema;
    /** Whether objects need a `spec`. */
    needsSpec?: boolean;
    scale?: { labelSelectorPath?: string; specReplicasPath: string; statusReplicasPath: string };
  }[];
}

/** `PyTorchJob` has the plural `pytorchjobs`. */
export function definition(of: Definition): KubeObject {
  const { group, kind, labels, shortNames, categories, scope = 'Namespaced', versions } = of;
  const singular = kind.toLowerCase();
  const { plural = `${singular}s` } = of;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}`, ...(labels && { labels }) },
    spec: {
      group,
      names: {
        ...(categories && { categories }),
        kind,
        listKind: `${kind}List`,
        plural,
        ...(shortNames && { shortNames }),
        singular,
      },
      scope,
      versions: versions.map(({ name, columns, spec, status, needsSpec, scale }, index) => ({
        ...(columns && { additionalPrinterColumns: columns }),
        name,
        schema: {
          openAPIV3Schema: record(
            { apiVersion: text, kind: text, metadata: { type: 'object' }, spec, status },
            needsSpec ? ['spec'] : [],
          ),
        },
        served: true,
        storage: index === 0,
        subresources: { ...(scale && { scale }), status: {} },
      })),
    },
  };
}
