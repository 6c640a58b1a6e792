// The object literals of mutating policies: `Object.spec{replicas: 3}` and `JSONPatch{op: "add"}` as maps, and back from CEL
// to JSON. CEL's grammar has them; the library at hand does not, so they are rewritten before it reads them.

import { compileMixed, type Program } from './compile.ts';

interface Frame {
  /** `Object.spec` in a literal of that name, absent in every other bracket. */
  type?: string;
  /** The next word names a field. */
  expectsField: boolean;
  field: string;
}

const LITERAL = /(Object(?:\s*\.\s*[A-Za-z_]\w*)*|JSONPatch)\s*\{/y;
const WORD = /[A-Za-z_]\w*/y;
const TEXT = /[rRbB]{0,2}("""[\s\S]*?"""|'''[\s\S]*?'''|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')/y;
const ESCAPE_KEY = /jsonpatch\s*\.\s*escapeKey\b/y;
const COMMENT = /\/\/[^\n]*/y;

/** The expression with maps for literals. Throws, in upstream's words, when a literal's name is not its place. */
function withoutLiterals(source: string): string {
  const frames: Frame[] = [];
  let result = '';
  let i = 0;
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = i;
    const found = pattern.exec(source);
    if (found) i = pattern.lastIndex;
    return found?.[0];
  };
  while (i < source.length) {
    const top = frames.at(-1);
    const same = take(TEXT) ?? take(COMMENT);
    if (same !== undefined) {
      result += same;
      continue;
    }
    const member = /[\w.]\s*$/.test(result.slice(-1));
    const literal = member ? undefined : take(LITERAL);
    if (literal !== undefined) {
      const type = literal.replace(/[\s{]/g, '');
      checkPlace(type, frames);
      frames.push({ type, expectsField: true, field: '' });
      result += '{';
      continue;
    }
    if (!member && take(ESCAPE_KEY) !== undefined) {
      result += 'jsonpatchEscapeKey';
      continue;
    }
    const word = take(WORD);
    if (word !== undefined) {
      const names = top?.type !== undefined && top.expectsField;
      if (names) {
        top.field = word;
        top.expectsField = false;
      }
      result += names ? JSON.stringify(word) : word;
      continue;
    }
    const char = source[i++] as string;
    if ('{[('.includes(char)) frames.push({ expectsField: false, field: '' });
    else if ('}])'.includes(char)) frames.pop();
    else if (char === ',' && top?.type !== undefined) top.expectsField = true;
    result += char;
  }
  return result;
}

/** Lists and maps between two literals do not count. */
function checkPlace(type: string, frames: readonly Frame[]): void {
  if (type === 'JSONPatch') return;
  const parent = frames.findLast(frame => frame.type !== undefined);
  // What stands in a JSON patch begins wherever its path leads.
  if (parent?.type === 'JSONPatch') return;
  const expected = parent ? `${parent.type}.${parent.field}` : 'Object';
  if (type === expected) return;
  throw new Error(
    `type mismatch: unexpected type name "${type}", expected "${expected}", which matches field name path from root Object type`,
  );
}

/** Compiles an expression that makes an object or patch operations. */
export function compileMutation(expression: string): Program {
  return compileMixed(withoutLiterals(expression));
}

/** What CEL computed as JSON. */
export function jsonValue(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, v]) => [key, jsonValue(v)]));
  if (Array.isArray(value)) return value.map(jsonValue);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, v]) => [key, jsonValue(v)]));
}
