// The field table against the schemas: what a served kind may hold in JSON must come through in protobuf as well.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Schema } from '../../../kube/index.ts';
import { resources } from '../../resources/index.ts';
import { schemaFor } from '../../schema/index.ts';

const table = JSON.parse(readFileSync(new URL('./messages.json', import.meta.url), 'utf8')) as Record<
  string,
  string
>;

const PACKAGES: [path: string, message: string][] = [
  ['io.k8s.apimachinery.pkg.apis.meta.v1.', 'meta.'],
  ['io.k8s.apimachinery.pkg.api.resource.', 'res.'],
  ['io.k8s.apimachinery.pkg.util.intstr.', 'intstr.'],
  ['io.k8s.apimachinery.pkg.runtime.', 'runtime.'],
  ['io.k8s.apiextensions-apiserver.pkg.apis.', ''],
  ['io.k8s.kube-aggregator.pkg.apis.', ''],
  ['io.k8s.api.', ''],
];

function messageOf(definition: string): string {
  const [path = '', message = ''] = PACKAGES.find(([path]) => definition.startsWith(path)) ?? [];
  return message + definition.slice(path.length);
}

/** The JSON members that a message brings, those of embedded messages among them. */
function membersOf(message: string): Map<string, string> {
  const members = new Map<string, string>();
  for (const item of (table[message] ?? '').split(';').filter(Boolean)) {
    const [, number = '', name = '', type = '', flags = ''] =
      /^(\d+):([^:]*):(.*?)([*?!i]*)$/.exec(item) ?? [];
    const full = type.startsWith('.') ? message.slice(0, message.lastIndexOf('.')) + type : type;
    if (flags.includes('i')) for (const [inner, at] of membersOf(full)) members.set(inner, `${name}${at}`);
    else members.set(name, number);
  }
  return members;
}

/** Every definition that the served kinds are made of. */
function definitions(): Map<string, Schema> {
  const found = new Map<string, Schema>();
  const visit = (schema: Schema | undefined): void => {
    if (!schema) return;
    if (schema.name) {
      if (found.has(schema.name)) return;
      found.set(schema.name, schema);
    }
    for (const child of Object.values(schema.properties ?? {})) visit(child);
    visit(schema.items);
    visit(schema.additionalProperties);
  };
  for (const { group, versions, kind, subresources = [] } of resources) {
    for (const version of versions) visit(schemaFor({ group, version, kind }));
    for (const subresource of subresources) visit(schemaFor(subresource.kind));
  }
  return found;
}

test('every property of a served kind has a field in protobuf', () => {
  const missing: string[] = [];
  for (const [definition, schema] of definitions()) {
    const message = messageOf(definition);
    const members = membersOf(message);
    for (const property of Object.keys(schema.properties ?? {}))
      if (!members.has(property) && property !== 'apiVersion' && property !== 'kind')
        missing.push(`${message}.${property}`);
  }
  assert.deepEqual(missing, []);
});

test('every field has a number of its own and a message that the table knows', () => {
  const scalars = new Set(['string', 'bytes', 'bool', 'int32', 'int64', 'double']);
  for (const [message, text] of Object.entries(table)) {
    const numbers = new Set<string>();
    for (const item of text.split(';').filter(Boolean)) {
      const [, number = '', , rawType = ''] = /^(\d+):([^:]*):(.*?)([*?!i]*)$/.exec(item) ?? [];
      assert.ok(!numbers.has(number), `${message} has two fields of the number ${number}.`);
      numbers.add(number);
      const type = /^map<(.*)>$/.exec(rawType)?.[1] ?? rawType;
      const full = type.startsWith('.') ? message.slice(0, message.lastIndexOf('.')) + type : type;
      assert.ok(scalars.has(full) || table[full] !== undefined, `${message} names the unknown ${full}.`);
    }
  }
});
