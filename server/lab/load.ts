// Finds labs on disk and reads them; a broken one is explained with file, line and path. Knows no cluster.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isNode, LineCounter, parseDocument } from 'yaml';
import { ID, type LabDefinition, type LabProblem, parseLab, showPath } from '#common/lab/index.ts';

export interface Lab {
  id: string;
  /** Absolute path of its folder. */
  folder: string;
  definition: LabDefinition;
}

/** A lab that cannot be used; the message lists every problem, one a line. */
export class LabError extends Error {
  readonly problems: string[];
  constructor(problems: string[]) {
    super(problems.join('\n'));
    this.name = 'LabError';
    this.problems = problems;
  }
}

/** Ids of the labs below a folder, in order. */
export function listLabs(labs: string): string[] {
  return readdirSync(labs, { withFileTypes: true })
    .filter(entry => entry.isDirectory() && existsSync(join(labs, entry.name, 'lab.yaml')))
    .map(entry => entry.name)
    .sort();
}

/** Reads one lab; throws LabError when it is not there or broken. */
export function loadLab(labs: string, id: string): Lab {
  if (!ID.test(id)) throw new LabError([`"${id}" is no lab id: lower-case words joined by hyphens`]);
  const folder = join(labs, id);
  const file = join(folder, 'lab.yaml');
  if (!existsSync(file)) throw new LabError([`there is no lab ${id}: ${id}/lab.yaml is missing`]);
  const lines = new LineCounter();
  const document = parseDocument(readFileSync(file, 'utf8'), { lineCounter: lines });
  const where = `${id}/lab.yaml`;
  // Those after the first mostly follow from it.
  const [broken] = document.errors;
  if (broken) throw new LabError([`${where}:${broken.linePos?.[0].line ?? 1}: ${yamlProblem(broken)}`]);
  let value: unknown;
  try {
    value = document.toJS();
  } catch (error) {
    // Aliases without end, or to an anchor that is not there.
    throw new LabError([`${where}: ${(error as Error).message}`]);
  }
  const parsed = parseLab(value);
  if (parsed.ok) return { id, folder, definition: parsed.lab };
  const lineOf = ({ path }: LabProblem) => {
    // The problem may be a key that is missing: the nearest thing above it that is written has the line.
    for (let depth = path.length; depth > 0; depth--) {
      const node = document.getIn(path.slice(0, depth), true);
      if (isNode(node) && node.range) return lines.linePos(node.range[0]).line;
    }
    return 1;
  };
  throw new LabError(
    parsed.problems.map(
      problem => `${where}:${lineOf(problem)}: ${showPath(problem.path) || 'the file'}: ${problem.message}`,
    ),
  );
}

/** The first line of what the parser says, without the place, which stands before it. */
export const yamlProblem = (error: Error): string =>
  (error.message.split('\n')[0] ?? '').replace(/ at line \d+, column \d+:?$/, '');
