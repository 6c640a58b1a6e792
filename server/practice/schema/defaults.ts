// Fills in what upstream's defaulting functions fill in, type by type, and what a schema's own `default`s say (custom
// resources). Knows types, not resources: what depends on the whole object or on the cluster is in resources/.

import { formatQuantity, parseQuantity } from '#common/quantity/index.ts';
import type { Schema } from '../../kube/index.ts';
import { TYPE_DEFAULTS } from './type-defaults.ts';

const MAX_DEPTH = 500;

/** Fills defaults in place. Children after their parent, so that a default object gets its own defaults too. */
export function applyDefaults(value: unknown, schema: Schema, depth = 0): void {
  if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return;
  if (Array.isArray(value)) {
    const { items } = schema;
    if (items && canHold(items)) for (const element of value) applyDefaults(element, items, depth + 1);
    return;
  }
  const object = value as Record<string, unknown>;
  if (schema.name) TYPE_DEFAULTS[schema.name]?.(object);
  const { properties, additionalProperties } = schema;
  if (properties) {
    for (const key of defaulted(properties)) {
      const child = properties[key] as Schema;
      if (object[key] === undefined || (object[key] === null && !child.nullable))
        object[key] = typeof child.default === 'object' ? structuredClone(child.default) : child.default;
    }
    for (const key of Object.keys(object)) {
      const child = Object.hasOwn(properties, key) ? properties[key] : undefined;
      if (!child) continue;
      const held = object[key];
      // A custom resource's null for a field that may not be null counts as absent.
      if (held === null && child.default === undefined && !schema.name && child.type && !child.nullable)
        delete object[key];
      else applyDefaults(held, child, depth + 1);
    }
  }
  if (additionalProperties) {
    if (additionalProperties.format === 'quantity') roundUpToMilli(object);
    else if (canHold(additionalProperties))
      for (const key of Object.keys(object)) {
        if (!properties || !Object.hasOwn(properties, key))
          applyDefaults(object[key], additionalProperties, depth + 1);
      }
  }
}

/** Fields with a default of their own: few types have any, so they are looked for once. */
const found = new WeakMap<Record<string, Schema>, readonly string[]>();

function defaulted(properties: Record<string, Schema>): readonly string[] {
  let keys = found.get(properties);
  if (!keys) {
    keys = Object.keys(properties).filter(key => properties[key]?.default !== undefined);
    found.set(properties, keys);
  }
  return keys;
}

const canHold = (schema: Schema): boolean =>
  schema.type === 'object' || schema.type === 'array' || schema.type === undefined;

/** Resource lists hold nothing finer than a thousandth (upstream SetDefaults_ResourceList). */
function roundUpToMilli(resources: Record<string, unknown>): void {
  for (const key of Object.keys(resources)) {
    const text = resources[key];
    if (typeof text !== 'string' || !/[nu.]/.test(text)) continue;
    const quantity = parseQuantity(text);
    if (!quantity) continue;
    const rest = quantity.nano % 1_000_000n;
    if (rest === 0n) continue;
    const up = rest > 0n ? 1_000_000n - rest : -rest;
    resources[key] = formatQuantity({ ...quantity, nano: quantity.nano + up });
  }
}
