// The simple JSONPath of printer columns, scale and selectable fields. Knows no kinds.

import { isObject } from '../values.ts';

type Step = (values: unknown[]) => unknown[];

/** All values at a path such as `.status.conditions[?(@.type=="Ready")].status`; [] when nothing is there. */
export type JsonPath = (root: unknown) => unknown[];

const member =
  (name: string): Step =>
  values =>
    values.flatMap(value => (isObject(value) && value[name] !== undefined ? [value[name]] : []));

const wildcard: Step = values =>
  values.flatMap(value => (Array.isArray(value) ? value : isObject(value) ? Object.values(value) : []));

const index =
  (at: number): Step =>
  values =>
    values.flatMap(value => {
      const item = Array.isArray(value) ? value.at(at) : undefined;
      return item === undefined ? [] : [item];
    });

function slice(from: number | undefined, to: number | undefined): Step {
  return values => values.flatMap(value => (Array.isArray(value) ? value.slice(from, to) : []));
}

function filter(path: JsonPath, operator: string | undefined, wanted: unknown): Step {
  const holds = (found: unknown) => {
    if (operator === undefined) return true;
    if (operator === '==') return found === wanted;
    if (operator === '!=') return found !== wanted;
    const [a, b] = [found as number, wanted as number];
    return operator === '>' ? a > b : operator === '<' ? a < b : operator === '>=' ? a >= b : a <= b;
  };
  return values =>
    values.flatMap(value => (Array.isArray(value) ? value.filter(item => path(item).some(holds)) : []));
}

function literal(text: string): unknown {
  const quoted = /^(['"])(.*)\1$/s.exec(text);
  if (quoted) return quoted[2];
  if (text === 'true' || text === 'false') return text === 'true';
  return Number(text);
}

function bracket(inside: string): Step {
  const text = inside.trim();
  if (text === '*') return wildcard;
  const quoted = /^(['"])(.*)\1$/s.exec(text);
  if (quoted) return member(quoted[2] as string);
  if (/^-?\d+$/.test(text)) return index(Number(text));
  const range = /^(-?\d*):(-?\d*)$/.exec(text);
  if (range) return slice(range[1] ? Number(range[1]) : undefined, range[2] ? Number(range[2]) : undefined);
  const test = /^\?\(\s*@(.*?)\s*(?:(==|!=|>=|<=|>|<)\s*(.+?)\s*)?\)$/s.exec(text);
  if (test)
    return filter(
      parseJsonPath(test[1] ?? ''),
      test[2],
      test[3] === undefined ? undefined : literal(test[3]),
    );
  throw new Error(`unrecognized array index: ${inside}`);
}

/** Where the bracket opened at `start` closes, quotes and nesting respected. */
function closing(text: string, start: number): number {
  let depth = 0;
  let quote = '';
  for (let i = start; i < text.length; i++) {
    const char = text[i] as string;
    if (quote) {
      if (char === quote) quote = '';
    } else if (char === '"' || char === "'") quote = char;
    else if (char === '[' || char === '(') depth++;
    else if ((char === ']' || char === ')') && --depth === 0) return i;
  }
  throw new Error('unterminated array');
}

/** Throws when the path cannot be read. */
export function parseJsonPath(text: string): JsonPath {
  const steps: Step[] = [];
  const path = text
    .trim()
    .replace(/^\{(.*)\}$/s, '$1')
    .replace(/^\$/, '');
  for (let i = 0; i < path.length; ) {
    if (path[i] === '[') {
      const end = closing(path, i);
      steps.push(bracket(path.slice(i + 1, end)));
      i = end + 1;
      continue;
    }
    if (path[i] === '.') i++;
    let name = '';
    while (i < path.length && path[i] !== '.' && path[i] !== '[') {
      if (path[i] === '\\' && i + 1 < path.length) i++;
      name += path[i++];
    }
    if (name === '*') steps.push(wildcard);
    else if (name !== '') steps.push(member(name));
  }
  return root => steps.reduce<unknown[]>((values, step) => step(values), [root]);
}
