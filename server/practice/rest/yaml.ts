// YAML request bodies to values, as sigs.k8s.io/yaml reads them (YAML 1.1, no dates, bounded aliases). Loaded only when needed.

import { type Document, isAlias, isMap, isScalar, parseDocument, visit } from 'yaml';
import type { RequestBody } from '../registry/types.ts';

/** An alias may not multiply a document into more than this many nodes. */
const MAX_ALIASES = 100;
/** Far above any manifest; guards the recursive walk below. */
const MAX_DEPTH = 1000;

export function parseYaml(text: string): RequestBody | { error: string } {
  // The library's parser is recursive: refuse what would exhaust its stack before it starts.
  if (tooDeep(text)) return { error: 'yaml: exceeded max depth' };
  const duplicates: string[] = [];
  try {
    const document = parseDocument(text, {
      version: '1.1',
      logLevel: 'error',
      uniqueKeys: false,
      customTags: withoutDates,
    });
    const problem = document.errors[0];
    if (problem) return { error: `yaml: ${problem.message.split('\n')[0]}` };
    collectDuplicates(document, duplicates);
    const value = document.toJS({ maxAliasCount: MAX_ALIASES }) as unknown;
    return { value, duplicateFields: duplicates };
  } catch (error) {
    return { error: `yaml: ${error instanceof Error ? error.message : String(error)}` };
  }
}

type Tags = Parameters<
  Extract<NonNullable<Parameters<typeof parseDocument>[1]>['customTags'], (...args: never[]) => unknown>
>[0];
const withoutDates = (tags: Tags): Tags =>
  tags.filter(tag => typeof tag === 'string' || tag.tag !== 'tag:yaml.org,2002:timestamp');

function tooDeep(text: string): boolean {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const char = text[i];
    if (char === '{' || char === '[') {
      if (++depth > MAX_DEPTH) return true;
    } else if (char === '}' || char === ']') depth--;
  }
  // Block nesting needs a line, and an indentation one larger, a level; `- - - -` needs two characters a level.
  return /(?:- ){1000}/.test(text) || /^ {2000}/m.test(text);
}

function collectDuplicates(document: Document.Parsed, duplicates: string[]): void {
  visit(document, {
    Map(_, node, ancestors) {
      const seen = new Set<string>();
      for (const pair of node.items) {
        const key = isScalar(pair.key) ? String(pair.key.value) : '';
        if (seen.has(key) && !isAlias(pair.key)) duplicates.push([...pathOf(ancestors), key].join('.'));
        seen.add(key);
      }
    },
  });
}

function pathOf(ancestors: readonly unknown[]): string[] {
  const path: string[] = [];
  for (const ancestor of ancestors) {
    if (
      ancestor &&
      typeof ancestor === 'object' &&
      'key' in ancestor &&
      isScalar(ancestor.key) &&
      !isMap(ancestor)
    ) {
      path.push(String(ancestor.key.value));
    }
  }
  return path;
}
