// Gives the headings of a lesson the ids of its English twin, so that an address with a # works in each language and the
// language switch keeps the place. Knows only Markdown.

import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import Slugger from 'github-slugger';
import { splitFrontmatter } from './read.ts';

export interface Heading {
  depth: number;
  text: string;
}

/** The h2 and h3 headings of a Markdown body in order, code fences left out. */
export function headingsOf(body: string): Heading[] {
  const headings: Heading[] = [];
  let fence = '';
  for (const line of body.split('\n')) {
    const mark = /^\s*(```+|~~~+)/.exec(line)?.[1];
    if (mark && !fence) fence = mark;
    else if (mark && fence && mark.startsWith(fence)) fence = '';
    const heading = fence ? undefined : /^(#{2,3})\s+(.+?)\s*$/.exec(line);
    if (heading) headings.push({ depth: heading[1]!.length, text: heading[2]! });
  }
  return headings;
}

export function idsFor(headings: Heading[]): string[] {
  const slugger = new Slugger();
  return headings.map(heading => slugger.slug(heading.text.replace(/[`*_]/g, '')));
}

interface ElementNode {
  tagName: string;
}
interface VisitContext {
  fileURL?: URL;
  setProperty(node: ElementNode, name: string, value: string): void;
}

/** A Sätteri hast plugin (a maker, called once a document). */
export function twinHeadingIds() {
  let ids: string[] | undefined;
  let next = 0;
  return {
    name: 'twin-heading-ids',
    element: {
      filter: ['h2', 'h3'],
      visit(node: ElementNode, context: VisitContext) {
        ids ??= englishIds(context.fileURL);
        const id = ids[next++];
        if (id) context.setProperty(node, 'id', id);
      },
    },
  };
}

function englishIds(file: URL | undefined): string[] {
  const path = file ? fileURLToPath(file).replace(/([\\/]content[\\/])[^\\/]+([\\/])/, '$1en$2') : '';
  if (!path || !existsSync(path)) return [];
  const body = splitFrontmatter(readFileSync(path, 'utf8'))?.body ?? '';
  return idsFor(headingsOf(body));
}
