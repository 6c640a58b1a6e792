// Turns a JSON body into what upstream's typed objects would write back: types checked in Go's words, unknown fields found
// and dropped, nulls and zero values as Go holds them, quantities and times in canonical form. Knows no kind in particular.

import { formatQuantity, parseQuantity } from '#common/quantity/index.ts';
import { badRequest, type Schema, type StatusError } from '../../kube/index.ts';
import { goTypeName, type Place } from './go-types.ts';

/** What decoding found. `unknown` are paths such as `spec.containers[0].foo`. */
export interface Decoded {
  value: unknown;
  unknown: string[];
  /** The first type error in Go's words, when there is one; `value` is then incomplete. */
  error?: string;
}

/** Names the kind in the 400's words; version without group (`v1`). */
export interface DecodeTarget {
  kind: string;
  version: string;
}

/** Deeper bodies are refused: no built-in type nests so far, and recursion has to end somewhere. */
const MAX_DEPTH = 500;

/** An error raised by a type's own UnmarshalJSON ends decoding at once; a plain type error does not. */
class Abort extends Error {}

interface Walk {
  unknown: string[];
  error?: string;
}

const jsonType = (value: unknown): string =>
  Array.isArray(value)
    ? 'array'
    : value === null
      ? 'null'
      : typeof value === 'object'
        ? 'object'
        : typeof value === 'boolean'
          ? 'bool'
          : (typeof value as string);

export const isStruct = (schema: Schema): boolean =>
  schema.type === 'object' && !schema.additionalProperties && !schema.preserveUnknown;

const QUANTITY_ERROR =
  "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
const RFC3339 = '2006-01-02T15:04:05Z07:00';
const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})$/;

function typeError(walk: Walk, value: unknown, place: Place, type: string): undefined {
  const shown =
    typeof value === 'number' && /^(?:int|float)/.test(type) ? `number ${value}` : jsonType(value);
  const where = place.struct ? `Go struct field ${place.struct}.${place.path}` : 'Go value';
  walk.error ??= `json: cannot unmarshal ${shown} into ${where} of type ${type}`;
  return undefined;
}

function decodeTime(value: unknown, micro: boolean): string | null {
  if (typeof value !== 'string')
    throw new Abort(`json: cannot unmarshal ${jsonType(value)} into Go value of type string`);
  if (value === '') return null;
  const ms = TIME.test(value) ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(ms)) {
    const rest = /^\d{4}-\d{2}-\d{2}/.test(value) ? [value.slice(10), 'T'] : [value, '2006'];
    throw new Abort(
      `parsing time ${JSON.stringify(value)} as "${RFC3339}": cannot parse ${JSON.stringify(rest[0])} as "${rest[1]}"`,
    );
  }
  if (!micro) return `${new Date(ms).toISOString().slice(0, 19)}Z`;
  const fraction = (/\.(\d+)/.exec(value)?.[1] ?? '').slice(0, 6).padEnd(6, '0');
  return `${new Date(ms).toISOString().slice(0, 19)}.${fraction}Z`;
}

function decodeBytes(value: string): string {
  const bad = value.search(/[^A-Za-z0-9+/=\r\n]/);
  const text = value.replaceAll(/[\r\n]/g, '');
  if (bad >= 0) throw new Abort(`illegal base64 data at input byte ${bad}`);
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text))
    throw new Abort(`illegal base64 data at input byte ${Math.max(0, text.length - (text.length % 4 || 1))}`);
  return text;
}

function decodeScalar(value: unknown, schema: Schema, place: Place, walk: Walk): unknown {
  switch (schema.format) {
    case 'quantity': {
      if (typeof value !== 'string' && typeof value !== 'number') throw new Abort(QUANTITY_ERROR);
      const quantity = parseQuantity(typeof value === 'string' ? value.trim() : value);
      if (!quantity) throw new Abort(QUANTITY_ERROR);
      return formatQuantity(quantity);
    }
    case 'int-or-string':
      if (typeof value === 'string') return value;
      if (Number.isInteger(value) && Math.abs(value as number) < 2 ** 31) return value;
      throw new Abort(
        `json: cannot unmarshal ${typeof value === 'number' ? `number ${value}` : jsonType(value)} into Go value of type int32`,
      );
    case 'date-time':
      return decodeTime(value, false);
    case 'micro-time':
      return decodeTime(value, true);
  }
  const type = goTypeName(schema, place);
  switch (schema.type) {
    case 'string':
      if (typeof value !== 'string') return typeError(walk, value, place, type);
      return schema.format === 'byte' ? decodeBytes(value) : value;
    case 'boolean':
      return typeof value === 'boolean' ? value : typeError(walk, value, place, type);
    case 'integer': {
      if (typeof value !== 'number') return typeError(walk, value, place, type);
      const limit = schema.format === 'int32' ? 2 ** 31 : 2 ** 63;
      if (!Number.isInteger(value) || value >= limit || value < -limit)
        return typeError(walk, value, place, type);
      return value;
    }
    case 'number':
      return typeof value === 'number' ? value : typeError(walk, value, place, type);
    default:
      return value;
  }
}

/** What Go writes for a field nobody set; undefined when it writes nothing. */
function zeroOf(schema: Schema, walk: Walk, depth: number): unknown {
  if (isStruct(schema)) return decodeNode({}, schema, { path: '', struct: '' }, '', walk, depth + 1);
  if (schema.type === 'array' || schema.type === 'object') return null;
  switch (schema.format) {
    case 'date-time':
    case 'micro-time':
      return null;
    case 'quantity':
      return '0';
    case 'int-or-string':
      return 0;
  }
  return schema.type === 'string' ? '' : schema.type === 'boolean' ? false : schema.type ? 0 : undefined;
}

function isZero(value: unknown, schema: Schema): boolean {
  if (isStruct(schema) || schema.preserveUnknown) return false;
  if (schema.format === 'quantity' || schema.format === 'int-or-string') return false;
  if (Array.isArray(value)) return value.length === 0;
  if (typeof value === 'object' && value !== null) return Object.keys(value).length === 0;
  return value === '' || value === 0 || value === false || value === null;
}

/** The null that Go leaves inside a list or map: the element's zero value. */
function nullElement(schema: Schema, walk: Walk, depth: number): unknown {
  if (schema.preserveUnknown) return null;
  return zeroOf(schema, walk, depth);
}

function decodeStruct(
  value: Record<string, unknown>,
  schema: Schema,
  place: Place,
  at: string,
  walk: Walk,
  depth: number,
): Record<string, unknown> {
  const properties = schema.properties ?? {};
  const { always = [], keepsZero = [], zeroDefault = [] } = schema.go ?? {};
  const struct = schema.name ? schema.name.slice(schema.name.lastIndexOf('.') + 1) : place.struct;
  const result: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    const child = Object.hasOwn(properties, key) ? properties[key] : undefined;
    const childAt = at ? `${at}.${key}` : key;
    if (!child) {
      walk.unknown.push(childAt);
      continue;
    }
    const given = value[key];
    if (given === null) continue;
    const path = place.path ? `${place.path}.${key}` : key;
    const decoded = decodeNode(given, child, { path, struct, field: key }, childAt, walk, depth + 1);
    if (decoded === undefined) continue;
    if (schema.go && !keepsZero.includes(key) && !always.includes(key) && isZero(decoded, child)) continue;
    result[key] = decoded;
  }
  for (const key of always) {
    const child = properties[key];
    if (result[key] !== undefined || !child) continue;
    // A struct that is no OpenAPI default is behind a pointer.
    const pointer = isStruct(child) && !zeroDefault.includes(key);
    result[key] = pointer ? null : zeroOf(child, walk, depth);
  }
  for (const key of zeroDefault) {
    const child = properties[key];
    if (result[key] === undefined && child && isStruct(child)) result[key] = zeroOf(child, walk, depth);
  }
  return result;
}

function decodeNode(
  value: unknown,
  schema: Schema,
  place: Place,
  at: string,
  walk: Walk,
  depth: number,
): unknown {
  if (depth > MAX_DEPTH) throw new Abort('json: exceeded max depth');
  if (schema.preserveUnknown) {
    if (schema.type === 'object' && (typeof value !== 'object' || Array.isArray(value)))
      return schema.name?.endsWith('RawExtension')
        ? value
        : typeError(walk, value, place, goTypeName(schema, place));
    return value;
  }
  if (schema.type === 'array') {
    if (!Array.isArray(value)) return typeError(walk, value, place, goTypeName(schema, place));
    const items = schema.items ?? { preserveUnknown: true };
    const inner = { ...place, element: true };
    const result: unknown[] = [];
    for (let i = 0; i < value.length; i++) {
      const element =
        value[i] === null
          ? nullElement(items, walk, depth)
          : decodeNode(value[i], items, inner, `${at}[${i}]`, walk, depth + 1);
      if (element !== undefined) result.push(element);
    }
    return result;
  }
  if (schema.type !== 'object') return decodeScalar(value, schema, place, walk);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return typeError(walk, value, place, goTypeName(schema, place));
  const given = value as Record<string, unknown>;
  const { additionalProperties } = schema;
  if (!additionalProperties) return decodeStruct(given, schema, place, at, walk, depth);
  const result: Record<string, unknown> = {};
  const inner = { ...place, element: true };
  for (const key of Object.keys(given)) {
    const element =
      given[key] === null
        ? nullElement(additionalProperties, walk, depth)
        : decodeNode(given[key], additionalProperties, inner, `${at}.${key}`, walk, depth + 1);
    // A key named __proto__ must become an own property like any other.
    if (element !== undefined)
      Object.defineProperty(result, key, {
        value: element,
        enumerable: true,
        writable: true,
        configurable: true,
      });
  }
  return result;
}

/** Decodes without throwing. The input is not changed; the result shares nothing with it but raw subtrees. */
export function tryDecode(value: unknown, schema: Schema): Decoded {
  const walk: Walk = { unknown: [] };
  try {
    const decoded = decodeNode(value, schema, { path: '', struct: '' }, '', walk, 0);
    return { value: decoded, unknown: walk.unknown, ...(walk.error ? { error: walk.error } : {}) };
  } catch (error) {
    if (!(error instanceof Abort)) throw error;
    return { value: undefined, unknown: walk.unknown, error: error.message };
  }
}

/** The 400 for a body that is no object of its kind. */
function cannotBeHandled(target: DecodeTarget, why: string): StatusError {
  return badRequest(
    `${target.kind} in version "${target.version}" cannot be handled as a ${target.kind}: ${why}`,
  );
}

/** The 400 under fieldValidation=Strict; `findings` as `unknown field "spec.x"`, `duplicate field "spec.y"`. */
export function strictDecodingError(target: DecodeTarget, findings: readonly string[]): StatusError {
  return cannotBeHandled(target, `strict decoding error: ${findings.join(', ')}`);
}

/** The value as upstream would hold it, unknown fields dropped. Throws the 400 when a type does not fit. */
export function decode<T>(
  value: unknown,
  schema: Schema,
  target: DecodeTarget,
): { value: T; unknown: string[] } {
  const { error, value: decoded, unknown } = tryDecode(value, schema);
  if (error !== undefined) throw cannotBeHandled(target, error);
  return { value: decoded as T, unknown };
}

/** Removes the fields no one knows, in place; gives their paths (`spec.containers[0].foo`). */
export function pruneUnknown(value: unknown, schema: Schema): string[] {
  const found: string[] = [];
  prune(value, schema, '', found, 0);
  return found;
}

function prune(value: unknown, schema: Schema, at: string, found: string[], depth: number): void {
  if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return;
  if (Array.isArray(value)) {
    const { items } = schema;
    if (items) for (let i = 0; i < value.length; i++) prune(value[i], items, `${at}[${i}]`, found, depth + 1);
    return;
  }
  const { properties, additionalProperties } = schema;
  const given = value as Record<string, unknown>;
  for (const key of Object.keys(given)) {
    const child = properties && Object.hasOwn(properties, key) ? properties[key] : additionalProperties;
    const childAt = at ? `${at}.${key}` : key;
    if (child) prune(given[key], child, childAt, found, depth + 1);
    else if (schema.type === 'object' && !schema.preserveUnknown) {
      found.push(childAt);
      delete given[key];
    }
  }
}
