// The files beside a lab.yaml: solutions, mistakes, setup, checks. Knows what belongs where, and nothing of what they do.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { type Mistake, mistakeSchema, showPath } from '#common/lab/index.ts';
import type { Lab } from './load.ts';

/** What is typed to complete a step; undefined when the lab has no such file. */
export function solutionOf(lab: Lab, step: string): string | undefined {
  const name = solutionName(lab, step);
  const path = join(lab.folder, 'solution', name);
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}

/** `04-make-room.sh`: the number is the step's place, so that a folder lists in order. */
export function solutionName(lab: Lab, step: string): string {
  const index = lab.definition.steps.findIndex(({ id }) => id === step);
  return `${String(index + 1).padStart(2, '0')}-${step}.sh`;
}

export interface MistakeFiles extends Mistake {
  name: string;
  script: string;
}

export function mistakeNames(lab: Lab): string[] {
  const folder = join(lab.folder, 'mistakes');
  return existsSync(folder) ? readdirSync(folder).sort() : [];
}

/** Reads one mistake; throws with what is wrong with it. */
export function mistakeOf(lab: Lab, name: string): MistakeFiles {
  const folder = join(lab.folder, 'mistakes', name);
  const parsed = mistakeSchema.safeParse(parse(readFileSync(join(folder, 'expect.yaml'), 'utf8')));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new Error(`${showPath(issue?.path ?? [])}: ${issue?.message}`);
  }
  return { name, script: readFileSync(join(folder, 'do.sh'), 'utf8'), ...parsed.data };
}
