// The files beside a lab.yaml: solutions, mistakes, setup, checks. Knows what belongs where, and nothing of what they do.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseDocument } from 'yaml';
import { explainIssue, MISTAKE_KEYS, type Mistake, mistakeSchema, showPath } from '#common/lab/index.ts';
import { type Lab, LabError, yamlProblem } from './load.ts';

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

/** Reads one mistake; throws LabError with lines `file: what`, below the lab's folder. */
export function mistakeOf(lab: Lab, name: string): MistakeFiles {
  const folder = `mistakes/${name}`;
  const missing = ['do.sh', 'expect.yaml'].filter(file => !existsSync(join(lab.folder, folder, file)));
  if (missing.length > 0)
    throw new LabError(
      missing.map(file => `${folder}/${file}: is missing; a mistake is do.sh and expect.yaml`),
    );
  const where = `${folder}/expect.yaml`;
  const document = parseDocument(readFileSync(join(lab.folder, where), 'utf8'));
  const [broken] = document.errors;
  if (broken) throw new LabError([`${where}:${broken.linePos?.[0].line ?? 1}: ${yamlProblem(broken)}`]);
  const value = document.toJS() as unknown;
  const parsed = mistakeSchema.safeParse(value);
  if (!parsed.success)
    throw new LabError(
      parsed.error.issues
        .flatMap(issue => explainIssue(issue, value, MISTAKE_KEYS))
        .map(({ path, message }) => `${where}: ${showPath(path) || 'the file'}: ${message}`),
    );
  return { name, script: readFileSync(join(lab.folder, folder, 'do.sh'), 'utf8'), ...parsed.data };
}
