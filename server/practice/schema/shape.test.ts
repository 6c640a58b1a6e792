// What is derived from the client library and facts.json equals the schemas that a real server of this version publishes.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import type { Schema } from '../../kube/index.ts';
import { buildSchemas } from './build.ts';
import { definition, definitionNames, descriptionOf, schemaFor } from './index.ts';

const RECORDED = fileURLToPath(
  new URL('../../../../shared/facts/recorded/openapi-shape-1.36.json.gz', import.meta.url),
);

type Published = Record<string, any>;

const QUANTITY = 'io.k8s.apimachinery.pkg.api.resource.Quantity';
const INT_OR_STRING = 'io.k8s.apimachinery.pkg.util.intstr.IntOrString';
const APIEXTENSIONS = 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1';
/** Published without any type: they hold whatever JSON there is. */
const ANY = new Set(
  ['JSON', 'JSONSchemaPropsOrArray', 'JSONSchemaPropsOrBool', 'JSONSchemaPropsOrStringArray'].map(
    n => `${APIEXTENSIONS}.${n}`,
  ),
);

const ZERO: Record<string, unknown> = { string: '', boolean: false, integer: 0, number: 0, object: {} };

/** The kind-independent part of a node: what it is and how its lists and maps are owned. */
function shape(schema: Schema, own: boolean): Published {
  if (schema.name && !own) return { ref: schema.name };
  if (schema.name === QUANTITY || schema.name === INT_OR_STRING || ANY.has(schema.name ?? '')) return {};
  const format = schema.format === 'micro-time' ? 'date-time' : schema.format;
  return {
    type: schema.type,
    ...(format ? { format } : {}),
    ...(schema.enum && !own ? { enum: schema.enum } : {}),
    ...(schema.items ? { items: shape(schema.items, false) } : {}),
    ...(schema.additionalProperties ? { values: shape(schema.additionalProperties, false) } : {}),
  };
}

function ours(schema: Schema): Published {
  const zero = new Set(schema.go?.zeroDefault ?? []);
  return {
    ...shape(schema, true),
    required: schema.required ?? [],
    mapType: schema.mapType,
    fields: Object.fromEntries(
      Object.entries(schema.properties ?? {}).map(([field, child]) => [
        field,
        {
          ...shape(child, false),
          default: child.default ?? (zero.has(field) ? ZERO[child.type ?? 'object'] : undefined),
          enum: child.enum,
          listType: child.listType,
          listMapKeys: child.listMapKeys,
          patchMergeKey: child.patchMergeKey,
          patchStrategy: child.patchStrategy?.join(','),
          ...(child.name ? {} : { mapType: child.mapType }),
        },
      ]),
    ),
  };
}

function publishedShape(node: Published): Published {
  const ref = node['$ref'] ?? node['allOf']?.[0]?.['$ref'];
  if (ref) return { ref: ref.replace('#/components/schemas/', '') };
  if (node['oneOf']) return {};
  return {
    ...(node['type'] ? { type: node['type'] } : {}),
    ...(node['format'] ? { format: node['format'] } : {}),
    ...(node['enum'] ? { enum: node['enum'] } : {}),
    ...(node['items'] ? { items: publishedShape(node['items']) } : {}),
    ...(node['additionalProperties'] ? { values: publishedShape(node['additionalProperties']) } : {}),
  };
}

function published(node: Published): Published {
  return {
    ...publishedShape(node),
    required: node['required'] ?? [],
    mapType: node['x-kubernetes-map-type'],
    fields: Object.fromEntries(
      Object.entries<Published>(node['properties'] ?? {}).map(([field, child]) => {
        const value = publishedShape(child);
        return [
          field,
          {
            ...value,
            default: child['default'],
            enum: child['enum'],
            listType: child['x-kubernetes-list-type'],
            listMapKeys: child['x-kubernetes-list-map-keys'],
            patchMergeKey: child['x-kubernetes-patch-merge-key'],
            patchStrategy: child['x-kubernetes-patch-strategy'],
            ...(value['ref'] ? {} : { mapType: child['x-kubernetes-map-type'] }),
          },
        ];
      }),
    ),
  };
}

test('every definition equals the one that v1.36.2 publishes', {
  skip: existsSync(RECORDED) ? false : 'the recorded OpenAPI shapes do not lie beside this checkout',
}, () => {
  const recorded = JSON.parse(gunzipSync(readFileSync(RECORDED)).toString('utf8')).schemas as Published;
  assert.deepEqual(definitionNames().sort(), Object.keys(recorded).sort());
  for (const name of Object.keys(recorded)) {
    assert.deepEqual(ours(definition(name) as Schema), published(recorded[name]), name);
    for (const gvk of recorded[name]['x-kubernetes-group-version-kind'] ?? []) {
      if (name.startsWith('io.k8s.apimachinery.')) continue;
      assert.equal(schemaFor(gvk)?.name, name);
    }
  }
});

test('every kind knows its metadata and every reference leads to a definition', () => {
  const { shapes } = buildSchemas();
  const refs = JSON.stringify(shapes).matchAll(/"\$ref":"([^"]+)"/g);
  for (const [, ref] of refs) assert.ok(definition(ref as string), ref);
  for (const kind of ['Pod', 'Service', 'ConfigMap'])
    assert.equal(
      schemaFor({ group: '', version: 'v1', kind })?.properties?.['metadata']?.name,
      'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta',
    );
});

test('types that contain themselves are one shared node', () => {
  const props = definition(`${APIEXTENSIONS}.JSONSchemaProps`);
  assert.equal(props?.properties?.['not']?.properties, props?.properties);
});

test('prose is there for types and fields', () => {
  assert.match(descriptionOf('io.k8s.api.core.v1.Container', 'image') ?? '', /^Container image name\./);
  assert.match(descriptionOf('io.k8s.api.core.v1.Pod') ?? '', /^Pod is a collection of containers/);
});
