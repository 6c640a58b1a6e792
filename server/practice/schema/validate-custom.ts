// Validates a custom resource against its schema with the words of kube-openapi and apiextensions. CEL rules are someone
// else's business; so are the rules of metadata.

import {
  duplicate,
  type FieldError,
  invalidValue,
  notSupported,
  required,
  type Schema,
  shownValue,
  tooLongField,
  tooMany,
} from '../../kube/index.ts';

const MAX_DEPTH = 500;
/** Longer texts are not matched against patterns: JavaScript's expressions may backtrack where RE2 does not. */
const MAX_MATCHED = 10_000;

const typeOf = (value: unknown): string => {
  if (value === null || value === undefined) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value;
};

const FORMATS: Record<string, (text: string) => boolean> = {
  'date-time': text =>
    /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:[Zz]|[+-]\d{2}:\d{2})$/.test(text) &&
    !Number.isNaN(Date.parse(text)),
  date: text => /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text)),
  uuid: text => /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i.test(text),
  ipv4: text => /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.|$)){4}$/.test(text),
  byte: text => /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text),
};

const compiled = new Map<string, RegExp | undefined>();

/** A Go expression as JavaScript's; undefined when it has no counterpart. */
function expression(pattern: string): RegExp | undefined {
  if (compiled.has(pattern)) return compiled.get(pattern);
  let flags = 'u';
  let source = pattern.replace(/^\(\?([ims]+)\)/, (_, given: string) => {
    flags += given;
    return '';
  });
  source = source.replaceAll('\\A', '^').replaceAll('\\z', '$').replaceAll('(?P<', '(?<');
  let result: RegExp | undefined;
  for (const attempt of [flags, flags.replace('u', '')]) {
    try {
      result = new RegExp(source, attempt);
      break;
    } catch {
      result = undefined;
    }
  }
  if (compiled.size > 1000) compiled.clear();
  compiled.set(pattern, result);
  return result;
}

const inBody = (field: string, value: unknown, why: string): FieldError =>
  invalidValue(field, value, `${field} in body ${why}`);

function wrongType(field: string, value: unknown, type: string): FieldError {
  const given = typeOf(value);
  return {
    field,
    type: 'TypeInvalid',
    message: `Invalid value: ${shownValue(given)}: ${field} in body must be of type ${type}: ${shownValue(given)}`,
  };
}

function fits(value: unknown, schema: Schema): boolean {
  const given = typeOf(value);
  if (given === 'null') return schema.nullable === true;
  if (schema.format === 'int-or-string') return given === 'integer' || given === 'string';
  if (!schema.type) return true;
  return given === schema.type || (schema.type === 'number' && given === 'integer');
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

function text(value: string, schema: Schema, field: string): FieldError[] {
  const findings: FieldError[] = [];
  const length = [...value].length;
  if (schema.maxLength !== undefined && length > schema.maxLength)
    findings.push(tooLongField(field, schema.maxLength));
  if (schema.minLength !== undefined && length < schema.minLength)
    findings.push(inBody(field, value, `should be at least ${schema.minLength} chars long`));
  if (
    schema.pattern !== undefined &&
    value.length <= MAX_MATCHED &&
    expression(schema.pattern)?.test(value) === false
  )
    findings.push(inBody(field, value, `should match '${schema.pattern}'`));
  if (schema.format && FORMATS[schema.format]?.(value) === false)
    findings.push({
      field,
      type: 'TypeInvalid',
      message: `Invalid value: ${shownValue(value)}: ${field} in body must be of type ${schema.format}: ${shownValue(value)}`,
    });
  return findings;
}

function amount(value: number, schema: Schema, field: string): FieldError[] {
  const findings: FieldError[] = [];
  const { maximum, minimum, multipleOf } = schema;
  if (maximum !== undefined && (schema.exclusiveMaximum ? value >= maximum : value > maximum))
    findings.push(
      inBody(field, value, `should be less than ${schema.exclusiveMaximum ? '' : 'or equal to '}${maximum}`),
    );
  if (minimum !== undefined && (schema.exclusiveMinimum ? value <= minimum : value < minimum))
    findings.push(
      inBody(
        field,
        value,
        `should be greater than ${schema.exclusiveMinimum ? '' : 'or equal to '}${minimum}`,
      ),
    );
  if (
    multipleOf !== undefined &&
    multipleOf > 0 &&
    Math.abs(value / multipleOf - Math.round(value / multipleOf)) > 1e-9
  )
    findings.push(inBody(field, value, `should be a multiple of ${multipleOf}`));
  return findings;
}

function list(value: unknown[], schema: Schema, field: string, depth: number): FieldError[] {
  const findings: FieldError[] = [];
  const { items } = schema;
  if (items)
    for (const [i, item] of value.entries())
      findings.push(...check(item, items, `${field}[${i}]`, depth + 1));
  if (schema.maxItems !== undefined && value.length > schema.maxItems)
    findings.push(tooMany(field, value.length, schema.maxItems));
  if (schema.minItems !== undefined && value.length < schema.minItems)
    findings.push(inBody(field, value.length, `should have at least ${schema.minItems} items`));
  if (schema.uniqueItems && value.some((item, i) => value.findIndex(other => same(other, item)) < i))
    findings.push(inBody(field, '', "shouldn't contain duplicates"));
  if (schema.listType === 'set' || schema.listType === 'map') {
    const seen = new Set<string>();
    for (const [i, item] of value.entries()) {
      const identity =
        schema.listType === 'set' || typeof item !== 'object' || item === null
          ? item
          : Object.fromEntries(
              (schema.listMapKeys ?? []).map(key => [
                key,
                (item as Record<string, unknown>)[key] ?? items?.properties?.[key]?.default,
              ]),
            );
      const key = JSON.stringify(identity);
      if (seen.has(key)) findings.push(duplicate(`${field}[${i}]`, identity));
      seen.add(key);
    }
  }
  return findings;
}

const join = (field: string, key: string) => (field === '' ? key : `${field}.${key}`);

function map(value: Record<string, unknown>, schema: Schema, field: string, depth: number): FieldError[] {
  const findings: FieldError[] = [];
  const { properties = {}, additionalProperties } = schema;
  const keys = Object.keys(value);
  for (const key of keys.sort()) {
    const child = Object.hasOwn(properties, key) ? properties[key] : additionalProperties;
    // metadata of a whole object has rules of its own.
    if (child && !(key === 'metadata' && (field === '' || schema.embeddedResource)))
      findings.push(...check(value[key], child, join(field, key), depth + 1));
  }
  for (const key of schema.required ?? [])
    if (!Object.hasOwn(value, key)) findings.push(required(join(field, key)));
  if (schema.maxProperties !== undefined && keys.length > schema.maxProperties)
    findings.push(tooMany(field, keys.length, schema.maxProperties));
  if (schema.minProperties !== undefined && keys.length < schema.minProperties)
    findings.push(inBody(field, keys.length, `should have at least ${schema.minProperties} properties`));
  if (schema.embeddedResource)
    for (const key of ['apiVersion', 'kind'])
      if (!value[key]) findings.push(required(join(field, key), 'must not be empty'));
  return findings;
}

/** Combined schemas are judged by value alone; a `<nil>` path stands for the whole object. */
function combined(value: unknown, schema: Schema, field: string, depth: number): FieldError[] {
  const findings: FieldError[] = [];
  const quoted = JSON.stringify(field);
  const holds = (part: Schema) => check(value, part, field, depth + 1).length === 0;
  const fail = (why: string) => findings.push(invalidValue(field || '<nil>', '', `${quoted} ${why}`));
  if (schema.anyOf && !schema.anyOf.some(holds)) {
    fail('must validate at least one schema (anyOf)');
    findings.push(...closest(value, schema.anyOf, field, depth));
  }
  if (schema.oneOf) {
    const count = schema.oneOf.filter(holds).length;
    if (count !== 1)
      fail(
        `must validate one and only one schema (oneOf). Found ${count === 0 ? 'none valid' : `${count} valid alternatives`}`,
      );
    if (count === 0) findings.push(...closest(value, schema.oneOf, field, depth));
  }
  if (schema.allOf) {
    const broken = schema.allOf.filter(part => !holds(part));
    if (broken.length > 0)
      fail(
        `must validate all the schemas (allOf)${broken.length === schema.allOf.length ? '. None validated' : ''}`,
      );
    for (const part of broken) findings.push(...check(value, part, field, depth + 1));
  }
  if (schema.not && holds(schema.not)) fail('must not validate the schema (not)');
  return findings;
}

/** The findings of the alternative that fits best. */
function closest(value: unknown, parts: readonly Schema[], field: string, depth: number): FieldError[] {
  return parts.map(part => check(value, part, field, depth + 1)).sort((a, b) => a.length - b.length)[0] ?? [];
}

function check(value: unknown, schema: Schema, field: string, depth: number): FieldError[] {
  if (depth > MAX_DEPTH) return [];
  if (!fits(value, schema)) {
    const type = schema.format === 'int-or-string' ? 'integer,string' : (schema.type ?? 'object');
    return [wrongType(field, value, type)];
  }
  if (value === null || value === undefined) return [];
  const findings: FieldError[] = [];
  if (schema.enum && !schema.enum.some(allowed => same(allowed, value)))
    findings.push(
      notSupported(
        field,
        value,
        schema.enum.map(allowed => (typeof allowed === 'string' ? allowed : JSON.stringify(allowed))),
      ),
    );
  if (typeof value === 'string') findings.push(...text(value, schema, field));
  else if (typeof value === 'number') findings.push(...amount(value, schema, field));
  else if (Array.isArray(value)) findings.push(...list(value, schema, field, depth));
  else if (typeof value === 'object')
    findings.push(...map(value as Record<string, unknown>, schema, field, depth));
  findings.push(...combined(value, schema, field, depth));
  return findings;
}

/** All findings of the schema, metadata excepted. */
export function validateCustom(value: unknown, schema: Schema): FieldError[] {
  return check(value, schema, '', 0);
}
