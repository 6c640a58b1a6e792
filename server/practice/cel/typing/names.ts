// Names in expressions, and how property names become ones.

import type { ASTNode } from '@marcbachmann/cel-js';

/** `a.b.c`, when the node is no more than names and dots. */
export function qualifiedName(node: ASTNode): string | undefined {
  if (node.op === 'id') return node.args;
  if (node.op !== '.') return undefined;
  const prefix = qualifiedName(node.args[0]);
  return prefix === undefined ? undefined : `${prefix}.${node.args[1]}`;
}

/** Words that CEL keeps for itself. */
const RESERVED: ReadonlySet<string> = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(
    ' ',
  ),
);

const ESCAPES: Record<string, string> = {
  __: '__underscores__',
  '.': '__dot__',
  '-': '__dash__',
  '/': '__slash__',
};

/** The identifier by which expressions reach a property; undefined when none can. */
export function escapedName(property: string): string | undefined {
  if (!/^[A-Za-z_./-][\w./-]*$/.test(property)) return undefined;
  if (RESERVED.has(property)) return `__${property}__`;
  return property.replace(/__|[-./]/g, part => ESCAPES[part] as string);
}
