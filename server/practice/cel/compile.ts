// Expressions as programs, and JSON as CEL sees it.

import type { Environment } from '@marcbachmann/cel-js';
import { isAuthorizer } from './authorizer.ts';
import { extended } from './library.ts';

/** A compiled expression. Throws with CEL's own words when it cannot be evaluated. */
export type Program = (variables: Record<string, unknown>) => unknown;

let shared: Environment | undefined;
let mixed: Environment | undefined;
let optional: Environment | undefined;

/** Throws when the expression does not parse. */
export function compile(expression: string): Program {
  // What is written into a text may be of several types.
  if (/\.format\s*\(/.test(expression)) return compileMixed(expression);
  shared ??= extended({ homogeneousAggregateLiterals: true });
  const parsed = shared.parse(expression);
  return variables => parsed(variables);
}

/** The same for rules whose `oldSelf` may be none: its methods are found only where it is known to be optional. */
export function compileWithOptionalOld(expression: string): Program {
  optional ??= extended({ homogeneousAggregateLiterals: false }).registerVariable('oldSelf', 'optional<dyn>');
  const parsed = optional.parse(expression);
  return variables => parsed(variables);
}

/** The same where lists and maps may hold values of several types: what mutating policies build. */
export function compileMixed(expression: string): Program {
  mixed ??= extended({ homogeneousAggregateLiterals: false });
  const parsed = mixed.parse(expression);
  return variables => parsed(variables);
}

/** JSON as CEL sees it: whole numbers are integers, null stays null. */
export function celValue(value: unknown): unknown {
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : value;
  if (Array.isArray(value)) return value.map(celValue);
  if (typeof value !== 'object' || value === null || isAuthorizer(value)) return value;
  const result: Record<string, unknown> = {};
  for (const [key, child] of Object.entries(value)) if (child !== undefined) result[key] = celValue(child);
  return result;
}

/** The first line of CEL's error, without its picture of the source. */
export function celError(error: unknown): string {
  const line = (error instanceof Error ? error.message : String(error)).split('\n')[0] as string;
  return line.replace(/^No such key:/, 'no such key:');
}
