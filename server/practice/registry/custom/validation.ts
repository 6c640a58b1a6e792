// Validation of custom objects against their structural schema, in the words of upstream's OpenAPI validator. Knows no CEL.

import type { FieldError, Schema } from '../../../kube/index.ts';
import { duplicate, notSupported, patternFor, required, shownValue } from '../../../kube/index.ts';
import { isObject, sameValue } from '../values.ts';

const METADATA = new Set(['metadata', 'apiVersion', 'kind']);

const FORMATS: Record<string, (text: string) => boolean> = {
  'date-time': text => /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/.test(text),
  date: text => /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text)),
  duration: text => /^-?(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$/.test(text) || /^0$/.test(text),
  byte: text => /^[A-Za-z0-9+/]*={0,2}$/.test(text) && text.length % 4 === 0,
  uuid: text => /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i.test(text),
  email: text => /^[^@\s]+@[^@\s]+$/.test(text),
  ipv4: text => /^(\d{1,3}\.){3}\d{1,3}$/.test(text),
  hostname: text => /^[A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?$/.test(text),
  uri: text => URL.canParse(text),
};

/** Go's name of a JSON value's type. */
function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value;
}

function hasType(value: unknown, schema: Schema): boolean {
  if (schema.format === 'int-or-string') return typeof value === 'string' || Number.isInteger(value);
  const actual = typeOf(value);
  return actual === schema.type || (schema.type === 'number' && actual === 'integer');
}

const body = (field: string, value: unknown, says: string): FieldError => ({
  field,
  type: 'Invalid',
  message: `Invalid value: ${shownValue(value)}: ${field} in body ${says}`,
});

const tooMany = (field: string, actual: number, most: number): FieldError => ({
  field,
  type: 'TooMany',
  message: `Too many: ${actual}: must have at most ${most} items`,
});

/**
 * All findings below one value, children in the order of their names. What is as it was in `old` is not judged again: a
 * schema that became stricter must not lock up what it would refuse today.
 */
export function validateCustom(value: unknown, schema: Schema, field = '', old?: unknown): FieldError[] {
  if (old !== undefined && sameValue(value, old)) return [];
  const findings: FieldError[] = [];
  if (value === null && schema.nullable) return findings;
  const typed = schema.type !== undefined || schema.format === 'int-or-string';
  if (typed && !hasType(value, schema)) {
    const wanted = schema.format === 'int-or-string' ? 'integer,string' : schema.type;
    const actual = typeOf(value);
    const message = `Invalid value: "${actual}": ${field || '<nil>'} in body must be of type ${wanted}: "${actual}"`;
    return [{ field, type: 'TypeInvalid', message }];
  }
  if (schema.enum && !schema.enum.some(option => sameValue(option, value))) {
    findings.push({
      ...notSupported(field, value, []),
      message: `Unsupported value: ${shownValue(value)}: supported values: ${schema.enum.map(shownValue).join(', ')}`,
    });
  }
  if (typeof value === 'string') findings.push(...validateText(value, schema, field));
  else if (typeof value === 'number') findings.push(...validateNumber(value, schema, field));
  else if (Array.isArray(value)) findings.push(...validateList(value, schema, field, old));
  else if (isObject(value)) findings.push(...validateMap(value, schema, field, old));
  findings.push(...validateCombinations(value, schema, field, old));
  return findings;
}

function validateText(value: string, schema: Schema, field: string): FieldError[] {
  const findings: FieldError[] = [];
  const length = [...value].length;
  if (schema.maxLength !== undefined && length > schema.maxLength) {
    const message = `Too long: may not be more than ${schema.maxLength} bytes`;
    findings.push({ field, type: 'TooLong', message });
  }
  if (schema.minLength !== undefined && length < schema.minLength)
    findings.push(body(field, value, `should be at least ${schema.minLength} chars long`));
  if (schema.pattern !== undefined && patternFor(schema.pattern, value)?.test(value) === false)
    findings.push(body(field, value, `should match '${schema.pattern}'`));
  const format = schema.format === undefined ? undefined : FORMATS[schema.format];
  if (format && !format(value))
    findings.push(body(field, value, `must be of type ${schema.format}: ${shownValue(value)}`));
  return findings;
}

function validateNumber(value: number, schema: Schema, field: string): FieldError[] {
  const findings: FieldError[] = [];
  const { minimum, maximum, multipleOf } = schema;
  if (maximum !== undefined && (schema.exclusiveMaximum ? value >= maximum : value > maximum))
    findings.push(
      body(field, value, `should be less than ${schema.exclusiveMaximum ? '' : 'or equal to '}${maximum}`),
    );
  if (minimum !== undefined && (schema.exclusiveMinimum ? value <= minimum : value < minimum))
    findings.push(
      body(field, value, `should be greater than ${schema.exclusiveMinimum ? '' : 'or equal to '}${minimum}`),
    );
  if (multipleOf !== undefined && !Number.isInteger(value / multipleOf))
    findings.push(body(field, value, `should be a multiple of ${multipleOf}`));
  return findings;
}

function validateList(value: unknown[], schema: Schema, field: string, old: unknown): FieldError[] {
  const findings: FieldError[] = [];
  if (schema.minItems !== undefined && value.length < schema.minItems)
    findings.push(body(field, value.length, `should have at least ${schema.minItems} items`));
  if (schema.maxItems !== undefined && value.length > schema.maxItems)
    findings.push(tooMany(field, value.length, schema.maxItems));
  const { items } = schema;
  if (items)
    for (const [index, item] of value.entries())
      findings.push(...validateCustom(item, items, `${field}[${index}]`, counterpart(item, old, schema)));
  // A list that had repeats may keep having some.
  if (!Array.isArray(old) || repeats(old, schema, field).length === 0)
    findings.push(...repeats(value, schema, field));
  return findings;
}

/** Items of list maps are the same item while their keys are; other lists have no history. */
export function counterpart(item: unknown, old: unknown, schema: Schema): unknown {
  if (schema.listType !== 'map' || !Array.isArray(old) || !isObject(item)) return undefined;
  const keys = schema.listMapKeys ?? [];
  return old.find(candidate => isObject(candidate) && keys.every(key => candidate[key] === item[key]));
}

function repeats(value: unknown[], schema: Schema, field: string): FieldError[] {
  const keysOf = (item: unknown): unknown => {
    if (schema.listType !== 'map') return item;
    const map = isObject(item) ? item : {};
    return Object.fromEntries(
      (schema.listMapKeys ?? []).map(key => [key, map[key] ?? schema.items?.properties?.[key]?.default]),
    );
  };
  if (schema.listType !== 'map' && schema.listType !== 'set') return [];
  const seen = new Set<string>();
  return value.flatMap((item, index) => {
    const key = JSON.stringify(keysOf(item));
    if (!seen.has(key)) {
      seen.add(key);
      return [];
    }
    return [duplicate(`${field}[${index}]`, keysOf(item))];
  });
}

function validateMap(
  value: Record<string, unknown>,
  schema: Schema,
  field: string,
  old: unknown,
): FieldError[] {
  const findings: FieldError[] = [];
  const at = (key: string) => (field ? `${field}.${key}` : key);
  const count = Object.keys(value).length;
  if (schema.minProperties !== undefined && count < schema.minProperties)
    findings.push(body(field, count, `should have at least ${schema.minProperties} properties`));
  if (schema.maxProperties !== undefined && count > schema.maxProperties)
    findings.push(tooMany(field, count, schema.maxProperties));
  for (const key of Object.keys(value).sort()) {
    // Metadata has rules of its own, checked for every kind alike.
    if (METADATA.has(key) && (field === '' || schema.embeddedResource)) continue;
    const child = schema.properties?.[key] ?? schema.additionalProperties;
    const before = isObject(old) ? old[key] : undefined;
    if (child) findings.push(...validateCustom(value[key], child, at(key), before));
  }
  for (const key of schema.required ?? []) if (value[key] === undefined) findings.push(required(at(key)));
  return findings;
}

function validateCombinations(value: unknown, schema: Schema, field: string, old: unknown): FieldError[] {
  const findings: FieldError[] = [];
  const holds = (candidate: Schema) => validateCustom(value, candidate, field).length === 0;
  if (schema.allOf)
    for (const part of schema.allOf) findings.push(...validateCustom(value, part, field, old));
  if (schema.anyOf && !schema.anyOf.some(holds))
    findings.push(body(field, value, 'must validate at least one schema (anyOf)'));
  if (schema.oneOf) {
    const valid = schema.oneOf.filter(holds).length;
    if (valid !== 1) {
      const found = valid === 0 ? 'none valid' : `${valid} valid alternatives`;
      findings.push(body(field, value, `must validate one and only one schema (oneOf). Found ${found}`));
    }
  }
  if (schema.not && holds(schema.not))
    findings.push(body(field, value, 'must not validate the schema (not)'));
  return findings;
}
