// Builders of validation findings with upstream's words (apimachinery util/validation/field), values printed as 1.36 prints
// them. Knows no kinds.

import type { FieldError } from './status.ts';

const LESS = /[<>&\u2028\u2029]/g;

/** encoding/json with its HTML escaping, as Go prints composite values. */
function goJson(value: unknown): string {
  return JSON.stringify(value).replaceAll(
    LESS,
    char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** strconv.Quote for what occurs in manifests. */
export function goQuote(text: string): string {
  return JSON.stringify(text).replaceAll('\\b', '\\b').replaceAll('\u007f', '\\x7f');
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
      .map(([key, inner]) => [key, sortKeys(inner)]),
  );
}

/** A value that upstream prints as its Go struct: the fields by Go's names, in Go's order. */
export class GoStruct {
  readonly fields: Record<string, unknown>;
  constructor(fields: Record<string, unknown>) {
    this.fields = fields;
  }
}

/** A value inside an error: quoted text, plain number or bool, `null`, JSON for the rest. */
export function shownValue(value: unknown): string {
  if (value === undefined || value === null) return 'null';
  if (typeof value === 'string') return goQuote(value);
  if (value instanceof GoStruct) return goJson(value.fields);
  if (typeof value === 'object') return goJson(sortKeys(value));
  return String(value);
}

const finding = (type: FieldError['type'], field: string, message: string): FieldError => ({
  field,
  type,
  message,
});

export const required = (field: string, detail = ''): FieldError =>
  finding('Required', field, detail ? `Required value: ${detail}` : 'Required value');

export const invalidValue = (field: string, value: unknown, detail = ''): FieldError =>
  finding('Invalid', field, `Invalid value: ${shownValue(value)}${detail ? `: ${detail}` : ''}`);

/** One finding for each text that a rule of names.ts gave. */
export const invalidAll = (field: string, value: unknown, details: readonly string[]): FieldError[] =>
  details.map(detail => invalidValue(field, value, detail));

/** The supported values are shown sorted, as upstream's sets are. */
export const notSupported = (field: string, value: unknown, supported: readonly string[]): FieldError =>
  finding(
    'NotSupported',
    field,
    `Unsupported value: ${shownValue(value)}${
      supported.length > 0 ? `: supported values: ${supported.map(goQuote).join(', ')}` : ''
    }`,
  );

export const duplicate = (field: string, value: unknown): FieldError =>
  finding('Duplicate', field, `Duplicate value: ${shownValue(value)}`);

export const forbiddenField = (field: string, detail: string): FieldError =>
  finding('Forbidden', field, `Forbidden: ${detail}`);

export const tooLongField = (field: string, maxBytes: number): FieldError =>
  finding('TooLong', field, `Too long: may not be more than ${maxBytes} bytes`);

export const tooMany = (field: string, actual: number, max: number): FieldError =>
  finding('TooMany', field, `Too many: ${actual}: must have at most ${max} ${max === 1 ? 'item' : 'items'}`);

export const notFoundField = (field: string, value: unknown): FieldError =>
  finding('NotFound', field, `Not found: ${shownValue(value)}`);

export const IMMUTABLE = 'field is immutable';
