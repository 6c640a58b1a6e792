// Where cel-go says that something is wrong: at the operator, the dot or the parenthesis, not at the whole expression. The
// parser at hand keeps where operands begin and end; what stands between two of them is found in the source.

import type { ASTNode } from '@marcbachmann/cel-js';

const GAP = /(?:[\s)]|\/\/[^\n]*(?:\n|$))*/y;

/** The first thing after an operand that is neither space, comment nor the end of its parentheses. */
function after({ end }: ASTNode, source: string): number {
  GAP.lastIndex = end;
  GAP.exec(source);
  return GAP.lastIndex;
}

/** Offset in the source that cel-go's messages about this node show. */
export function placeOf(node: ASTNode, source: string): number {
  switch (node.op) {
    case 'id':
    case 'value':
    case 'list':
    case 'map':
    case '!_':
    case '-_':
      return node.start;
    case 'call':
      return source.indexOf('(', node.start + node.args[0].length);
    case 'rcall':
      return source.indexOf('(', after(node.args[1], source));
    default:
      return after(node.args[0], source);
  }
}

/** What is wrong at one place. */
export interface Finding {
  at: number;
  text: string;
}

/** As cel-go shows where: the line, and dots up to the place. */
export function shownAt(source: string, { at, text }: Finding): string {
  const before = source.slice(0, at).split('\n');
  const ahead = [...(before.at(-1) ?? '')];
  const line = (source.split('\n')[before.length - 1] ?? '').replaceAll('\t', ' ');
  const dots = ahead.map(character => (wide(character) ? '．' : '.')).join('');
  const mark = wide([...line][ahead.length] ?? '') ? '＾' : '^';
  return `ERROR: <input>:${before.length}:${ahead.length + 1}: ${text}\n | ${line}\n | ${dots}${mark}`;
}

/** Takes more than one byte in UTF-8, which cel-go takes for twice as wide. */
const wide = (character: string) => (character.codePointAt(0) ?? 0) > 0x7f;

/** All findings of one expression, in the order of their places. */
export function shown(source: string, findings: readonly Finding[]): string {
  return [...findings]
    .sort((a, b) => a.at - b.at)
    .map(finding => shownAt(source, finding))
    .join('\n');
}
