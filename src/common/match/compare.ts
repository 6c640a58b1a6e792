// Expected beside seen, line by line, as YAML would be written. Shows only what the match tree speaks of. Knows no cluster.

import type { CompareLine } from '../protocol/index.ts';
import { closest, isObject, isOperator, match, show } from './match.ts';

/** More lines are no help to anybody. */
const MAX_LINES = 60;

/** The side-by-side of a match tree and what was seen; lines that agree are there too, for their place. */
export function compare(expected: unknown, seen: unknown): CompareLine[] {
  const lines: CompareLine[] = [];
  write(expected, seen, '', '', lines);
  return lines.slice(0, MAX_LINES);
}

/** `lead` stands before the first line (`key:`, `- `), `indent` before the lines below it. */
function write(expected: unknown, seen: unknown, lead: string, indent: string, lines: CompareLine[]): void {
  if (isOperator(expected) && Array.isArray(expected['$exactly'])) {
    write(expected['$exactly'], seen, lead, indent, lines);
    return;
  }
  if (isOperator(expected) && isObject(expected['$every']) && Array.isArray(seen)) {
    const wanted = seen.map(() => expected['$every']);
    write(wanted, seen, lead, indent, lines);
    return;
  }
  if (Array.isArray(expected) && expected.length > 0) {
    if (lead !== '') lines.push(bare(lead, seen !== undefined));
    const left = Array.isArray(seen) ? [...seen] : [];
    for (const wanted of expected) {
      const nearest = closest(wanted, left);
      if (nearest) left.splice(left.indexOf(nearest.value), 1);
      write(wanted, nearest?.value, `${indent}- `, `${indent}  `, lines);
    }
    return;
  }
  if (isObject(expected) && !isOperator(expected) && Object.keys(expected).length > 0) {
    const item = lead.endsWith('- ');
    if (lead !== '' && !item) lines.push(bare(lead, seen !== undefined));
    Object.entries(expected).forEach(([key, wanted], index) => {
      const actual = isObject(seen) && Object.hasOwn(seen, key) ? seen[key] : undefined;
      // The first key of a list's element stands behind its dash.
      const start = item && index === 0 ? lead : indent;
      write(wanted, actual, `${start}${key}:`, `${indent}  `, lines);
    });
    return;
  }
  const gap = lead === '' || lead.endsWith(' ') ? '' : ' ';
  lines.push({
    expected: `${lead}${gap}${show(expected)}`,
    seen: seen === undefined ? '' : `${lead}${gap}${show(seen)}`,
    same: match(expected, seen).length === 0,
  });
}

const bare = (lead: string, there: boolean): CompareLine => ({
  expected: lead.trimEnd(),
  seen: there ? lead.trimEnd() : '',
  same: there,
});
