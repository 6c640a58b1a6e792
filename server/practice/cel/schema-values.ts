// Values of custom resources as their rules see them: their schema says which text is a time, which number a fraction, and
// by which names fields are reached. What the schema does not know stays as it came.

import { Optional } from '@marcbachmann/cel-js';
import type { Schema } from '../../kube/index.ts';
import { celValue, compile } from './compile.ts';
import { escapedName } from './typing/names.ts';

/** As `declaredType` promises it. */
export function schemaValue(value: unknown, schema: Schema | undefined): unknown {
  if (!schema || value === null || value === undefined || schema.format === 'int-or-string')
    return celValue(value);
  if (Array.isArray(value)) return value.map(item => schemaValue(item, schema.items));
  if (typeof value === 'object') return objectValue(value as Record<string, unknown>, schema);
  if (typeof value === 'number') return schema.type === 'number' ? value : celValue(value);
  return typeof value === 'string' ? textValue(value, schema) : value;
}

/** `oldSelf` of a rule that is asked with and without one. */
export function optionalValue(value: unknown): unknown {
  return value === undefined ? Optional.none() : Optional.of(value);
}

function objectValue(value: Record<string, unknown>, schema: Schema): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const [key, child] of Object.entries(value)) {
    if (child === undefined) continue;
    const property = schema.properties?.[key];
    // Keys of a map are data, names of fields are not.
    const name = schema.additionalProperties ? key : (escapedName(key) ?? key);
    result[name] = schemaValue(child, property ?? schema.additionalProperties);
  }
  return result;
}

function textValue(text: string, { type, format }: Schema): unknown {
  if (type !== 'string') return text;
  switch (format) {
    case 'byte':
      return new Uint8Array(Buffer.from(text, 'base64'));
    case 'date':
    case 'date-time': {
      const time = new Date(text);
      return Number.isNaN(time.getTime()) ? text : time;
    }
    case 'duration':
      try {
        return compile('duration(text)')({ text });
      } catch {
        return text;
      }
    default:
      return text;
  }
}
