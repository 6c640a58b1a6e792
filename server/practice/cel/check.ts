// What is wrong with an expression before it is ever asked: it does not parse, names what nobody declared, or gives the wrong
// type. Knows no objects' shapes: a field that an object has not is found when the expression is evaluated.

import { type Environment, ParseError } from '@marcbachmann/cel-js';
import { extended } from './library.ts';

export interface Expected {
  /** Names that the expression may use. */
  variables: readonly string[];
  /** What it must give; absent: anything. */
  type?: 'bool' | 'string';
}

export type CompileProblem = { kind: 'compilation'; text: string } | { kind: 'type' };

const environments = new Map<string, Environment>();
/** Comprehensions over keys and values are CEL's, but not the library's: it takes their variables for unknown names. */
const TWO_VARIABLES =
  /\.(all|exists|existsOne|transformList|transformMap|transformMapEntry)\(\s*\w+\s*,\s*\w+\s*,/;

/** Undefined when the expression can be asked. */
export function compileProblem(expression: string, expected: Expected): CompileProblem | undefined {
  const result = environment(expected.variables).check(expression);
  if (!result.valid) {
    const { error } = result as { error?: { code?: string; message: string; range?: { start: number } } };
    const at = error?.range?.start ?? 0;
    if (error instanceof ParseError)
      return failure(expression, at, `Syntax error: ${syntaxWords(error.message)}`);
    const name = /^Unknown variable: (\S+)/.exec(error?.message ?? '')?.[1];
    // Other findings may be the library's own limits, so they wait until the expression is asked.
    if (error?.code !== 'unknown_variable' || !name || TWO_VARIABLES.test(expression)) return undefined;
    return failure(expression, at, `undeclared reference to '${name}' (in container '')`);
  }
  const given = String(result.type);
  const known = /^(bool|int|uint|double|string|bytes|null|list.*|map.*)$/.test(given);
  return expected.type && known && given !== expected.type ? { kind: 'type' } : undefined;
}

function environment(variables: readonly string[]): Environment {
  const key = variables.join(' ');
  let found = environments.get(key);
  if (!found) {
    found = extended({ homogeneousAggregateLiterals: false, variables });
    environments.set(key, found);
  }
  return found;
}

/** As cel-go shows where: the line, and dots up to the place. */
function failure(expression: string, at: number, text: string): CompileProblem {
  const before = expression.slice(0, at).split('\n');
  const column = [...(before.at(-1) ?? '')].length;
  const line = expression.split('\n')[before.length - 1] ?? '';
  return {
    kind: 'compilation',
    text: `compilation failed: ERROR: <input>:${before.length}:${column + 1}: ${text}\n | ${line}\n | ${'.'.repeat(column)}^`,
  };
}

/** What cel-go's grammar expects where a value must come. */
const VALUE =
  "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}";

function syntaxWords(message: string): string {
  const [first = ''] = message.split('\n');
  if (first === 'Unexpected token: EOF') return `mismatched input '<EOF>' expecting ${VALUE}`;
  if (first === 'Expected RPAREN, got EOF') return "missing ')' at '<EOF>'";
  const extra = /^Unexpected character: '(.)'$/.exec(first)?.[1];
  return extra ? `extraneous input '${extra}' expecting <EOF>` : first;
}
