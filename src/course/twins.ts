// What makes two language versions of a lesson twins: the same structure, and each knowing the other's text by its hash. Knows
// only text.

import { createHash } from 'node:crypto';
import { blocksOf } from './lesson-blocks.ts';

const TWIN_LINE = /^twin: .*\r?\n/m;

/** Twelve hex digits over the whole file except its own note about the twin. */
export function textHash(source: string): string {
  return createHash('sha256').update(source.replace(TWIN_LINE, '')).digest('hex').slice(0, 12);
}

/** The source with `hash` written down as the twin's text at the time both agreed. */
export function withTwin(source: string, hash: string): string {
  // YAML takes digits alone, or with one e between them, for a number.
  const line = `twin: ${/^\d+(e\d+)?$/.test(hash) ? `'${hash}'` : hash}\n`;
  return TWIN_LINE.test(source)
    ? source.replace(TWIN_LINE, line)
    : source.replace(/\n---\r?\n/, `\n${line}---\n`);
}

/** Headings, components, tables and code of a body in order. Code counts with its text: commands and outputs are not translated. */
export function structureOf(body: string): string[] {
  const blocks = blocksOf(body);
  const structure: string[] = [];
  let table = false;
  body.split('\n').forEach((line, index) => {
    const block = blocks.find(one => index >= one.start - 1 && index <= one.end);
    if (block) {
      if (index === block.start - 1)
        structure.push(
          `code ${block.language} ${JSON.stringify(block.meta)} ${block.meta.translated ? '' : block.code}`,
        );
      return;
    }
    const heading = /^(#{1,4}) /.exec(line)?.[1];
    if (heading) structure.push(`heading ${heading.length}`);
    // Terms stand where the sentence wants them; everything else stands where the lesson wants it.
    for (const [, name = ''] of line.matchAll(/<([A-Z]\w+)/g))
      if (name !== 'Term') structure.push(`component ${name}`);
    const row = line.startsWith('|');
    if (row && !table) structure.push(`table of ${line.split('|').length - 2} columns`);
    table = row;
  });
  return structure;
}
