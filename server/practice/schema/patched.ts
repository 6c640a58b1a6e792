// Whether a patched object still fits its type, and upstream's 422 when it does not: strategic patches are converted from
// plain maps, the others decoded from JSON, each with its own words.

import { type FieldError, goQuote, invalid, type Schema } from '../../kube/index.ts';
import { isStruct, tryDecode } from './decode.ts';
import { goTypeName } from './go-types.ts';

const MAX_DEPTH = 500;

/** Go's `%+v` of plain JSON. */
function goPrint(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(goPrint).join(' ')}]`;
  if (typeof value === 'object' && value !== null)
    return `map[${Object.keys(value)
      .sort()
      .map(key => `${key}:${goPrint((value as Record<string, unknown>)[key])}`)
      .join(' ')}]`;
  return value === null || value === undefined ? '<nil>' : String(value);
}

const goKind = (value: unknown): string =>
  Array.isArray(value)
    ? 'slice'
    : typeof value === 'object'
      ? 'map'
      : typeof value === 'boolean'
        ? 'bool'
        : typeof value === 'number'
          ? Number.isInteger(value)
            ? 'int64'
            : 'float64'
          : 'string';

/** What runtime.FromUnstructured finds first, in its words. */
function conversionError(value: unknown, schema: Schema, depth = 0): string | undefined {
  if (value === null || value === undefined || schema.preserveUnknown || depth > MAX_DEPTH) return undefined;
  if (schema.type === 'array') {
    if (!Array.isArray(value)) return `cannot restore slice from ${goKind(value)}`;
    for (const item of value) {
      const error = conversionError(item, schema.items ?? { preserveUnknown: true }, depth + 1);
      if (error) return error;
    }
    return undefined;
  }
  if (schema.type === 'object') {
    if (typeof value !== 'object' || Array.isArray(value))
      return isStruct(schema)
        ? `cannot restore struct from: ${goKind(value)}`
        : `cannot restore map from ${goKind(value)}`;
    const { properties = {}, additionalProperties } = schema;
    for (const [key, inner] of Object.entries(value)) {
      const child = Object.hasOwn(properties, key) ? properties[key] : additionalProperties;
      const error = child && conversionError(inner, child, depth + 1);
      if (error) return error;
    }
    return undefined;
  }
  const plain =
    schema.type === 'string' && schema.format !== 'quantity' && !/time$/.test(schema.format ?? '');
  const wanted = plain ? 'string' : schema.type === 'boolean' ? 'boolean' : 'number';
  if (plain || schema.type === 'boolean' || schema.type === 'integer' || schema.type === 'number') {
    if (typeof value !== wanted) {
      const type = plain ? 'string' : goTypeName(schema, { path: '', struct: '' });
      return `unrecognized type: ${type}`;
    }
  }
  return tryDecode(value, schema).error;
}

/** Throws the 422 that names the patch when its result does not fit the kind's types. */
export function checkPatched(
  patched: unknown,
  schema: Schema,
  { type, patch }: { type: 'json' | 'merge' | 'strategic'; patch: unknown },
): void {
  const error = type === 'strategic' ? conversionError(patched, schema) : tryDecode(patched, schema).error;
  if (error === undefined) return;
  const shown = type === 'strategic' ? goPrint(patch) : JSON.stringify(patched);
  const finding: FieldError = {
    field: 'patch',
    type: 'Invalid',
    message: `Invalid value: ${goQuote(shown)}: ${error}`,
  };
  throw invalid({ group: '', kind: '' }, '', [finding]);
}
