// What is wrong with an expression before it is ever asked: it does not parse, names what is not there, or gives the wrong
// type.

import { type Environment, ParseError } from '@marcbachmann/cel-js';
import { extended } from './library.ts';
import { Inference } from './typing/infer.ts';
import { shown, shownAt } from './typing/places.ts';
import { type CelType, ERROR, typeName } from './typing/types.ts';

/** The names that an expression may use, and the types of what they stand for. */
export type Names = ReadonlyMap<string, CelType>;

export interface Verdict {
  /** Every finding with its place, as cel-go lists them; absent: the expression can be asked. */
  issues?: string;
  type: CelType;
}

let parser: Environment | undefined;

/** Looks at an expression as cel-go's compiler does. */
export function checkExpression(expression: string, names: Names): Verdict {
  parser ??= extended({ homogeneousAggregateLiterals: false });
  try {
    const { ast } = parser.parse(expression);
    const inference = new Inference(expression);
    const type = inference.result(ast, names);
    if (inference.findings.length === 0) return { type };
    return { type: ERROR, issues: shown(expression, inference.findings) };
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    const text = `Syntax error: ${syntaxWords(error.message)}`;
    return { type: ERROR, issues: shownAt(expression, { at: error.range?.start ?? 0, text }) };
  }
}

export type ResultType = 'bool' | 'string' | 'null_type';

export interface Expected {
  names: Names;
  /** It must give one of these; absent: anything. */
  types?: readonly ResultType[];
}

export type CompileProblem = { kind: 'compilation'; text: string } | { kind: 'type'; got: string };

/** Undefined when the expression can be asked. */
export function compileProblem(expression: string, expected: Expected): CompileProblem | undefined {
  const { issues, type } = checkExpression(expression, expected.names);
  if (issues !== undefined) return { kind: 'compilation', text: `compilation failed: ${issues}` };
  const got = GOT[type.kind] ?? typeName(type);
  if (!expected.types || type.kind === 'error' || (expected.types as string[]).includes(got))
    return undefined;
  return { kind: 'type', got };
}

/** Types that cel-go's runtime calls otherwise than its checker. */
const GOT: Partial<Record<CelType['kind'], string>> = {
  null: 'null_type',
  timestamp: 'google.protobuf.Timestamp',
  duration: 'google.protobuf.Duration',
};

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
