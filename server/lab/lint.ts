// Finds what is wrong with a lab without running it. Knows no cluster.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { type Check, labJsonSchema, mistakeJsonSchema } from '#common/lab/index.ts';
import { BASELINES, baselineOf, MANIFESTS, manifestOf } from './baselines/index.ts';
import { mistakeNames, mistakeOf, solutionName, solutionOf } from './files.ts';
import { textProblems } from './lint-texts.ts';
import { type Lab, LabError, loadLab } from './load.ts';
import { AS_SEEN, scriptLines } from './script-lines.ts';
import { manifests } from './setup.ts';

/** Every problem of one lab, as lines `file: what`. */
export function lintLab(labs: string, id: string): string[] {
  let lab: Lab;
  try {
    lab = loadLab(labs, id);
  } catch (error) {
    if (error instanceof LabError) return error.problems;
    throw error;
  }
  const { definition } = lab;
  const problems: string[] = [];
  const say = (file: string, what: string) => problems.push(`${id}/${file}: ${what}`);
  const used = new Set(['lab.yaml']);

  schemaNamed(lab, 'lab.yaml', '../lab.schema.json', say);
  for (const problem of textProblems(definition)) say('lab.yaml', problem);
  if (!baselineOf(definition.cluster.baseline))
    say(
      'lab.yaml',
      `cluster.baseline: there is no baseline ${definition.cluster.baseline}; there are ${BASELINES.map(({ name }) => name).join(', ')}`,
    );

  const missing = (path: string, file: string) => {
    used.add(file);
    if (existsSync(join(lab.folder, file))) return false;
    say('lab.yaml', `${path}: names ${file}, which is not there`);
    return true;
  };
  const lines = [
    ...definition.setup.map((line, at) => ({ path: `setup[${at}]`, line })),
    ...definition.files.map((line, at) => ({ path: `files[${at}]`, line })),
  ];
  for (const { path, line } of lines) {
    if ('manifest' in line && !manifestOf(line.manifest))
      say(
        'lab.yaml',
        `${path}.manifest: there is no manifest ${line.manifest}; there are ${MANIFESTS.map(({ name }) => name).join(', ')}`,
      );
    if ('from' in line) missing(`${path}.from`, line.from);
    if (!('apply' in line)) continue;
    const { apply } = line;
    if (missing(`${path}.apply`, apply)) continue;
    try {
      if (manifests(lab, apply).length === 0) say(apply, 'has no object');
    } catch (error) {
      say(apply, (error as Error).message);
    }
  }
  for (const step of definition.steps) {
    for (const check of step.checks) {
      if (check.kind !== 'script') continue;
      missing(`step ${step.id}, check ${check.id}`, (check.spec as { file: string }).file);
    }
    const sentences = step.hints.map(hint => hint.en);
    if (new Set(sentences).size < sentences.length)
      say('lab.yaml', `step ${step.id} gives the same hint twice`);
    const name = `solution/${solutionName(lab, step.id)}`;
    used.add(name);
    const script = solutionOf(lab, step.id);
    if (script === undefined) say(name, `is missing: each step has what completes it`);
    else answersExist(lab, step.id, name, script, say);
  }

  const mistakes = mistakeNames(lab);
  if (mistakes.length === 0)
    say('mistakes', 'is empty; a lab shows at least one wrong end state that it refuses');
  for (const name of mistakes) {
    const folder = `mistakes/${name}`;
    used.add(`${folder}/do.sh`).add(`${folder}/expect.yaml`);
    try {
      const mistake = mistakeOf(lab, name);
      const step = definition.steps.find(({ id: candidate }) => candidate === mistake.step);
      if (!step)
        say(
          `${folder}/expect.yaml`,
          `names the step ${mistake.step}, which this lab does not have; it has ${definition.steps.map(({ id: own }) => own).join(', ')}`,
        );
      else if (mistake.check && !step.checks.some(check => check.id === mistake.check)) {
        say(
          `${folder}/expect.yaml`,
          `names the check ${mistake.check}, which step ${step.id} does not have; it has ${step.checks.map(({ id: own }) => own).join(', ')}`,
        );
      } else answersExist(lab, mistake.step, `${folder}/do.sh`, mistake.script, say);
    } catch (error) {
      if (!(error instanceof LabError)) throw error;
      problems.push(...error.problems.map(problem => `${id}/${problem}`));
    }
    if (existsSync(join(lab.folder, folder, 'expect.yaml')))
      schemaNamed(lab, `${folder}/expect.yaml`, '../../../expect.schema.json', say);
  }

  for (const entry of readdirSync(lab.folder, { recursive: true, withFileTypes: true })) {
    const path = relative(lab.folder, join(entry.parentPath, entry.name));
    if (entry.isDirectory()) continue;
    if (!entry.isFile()) say(path, 'is a link; a lab holds its files itself');
    else if (!used.has(path)) say(path, 'is not referred to by anything');
  }
  return problems;
}

/** Editors know the fields by the schema named in line one. */
function schemaNamed(
  lab: Lab,
  file: string,
  schema: string,
  say: (file: string, what: string) => void,
): void {
  const [first = ''] = readFileSync(join(lab.folder, file), 'utf8').split(/\r?\n/);
  const right = `# yaml-language-server: $schema=${schema}`;
  if (first !== right) say(`${file}:1`, `line one must be "${right}", so that editors know the fields`);
}

function answersExist(
  lab: Lab,
  stepId: string,
  file: string,
  script: string,
  say: (file: string, what: string) => void,
): void {
  const step = lab.definition.steps.find(({ id }) => id === stepId);
  const lines = scriptLines(script);
  if (lines.length === 0) say(file, 'is empty: it types nothing and answers nothing');
  for (const [at, text] of script.split('\n').entries())
    if (/^\s*#\s*answer\b/i.test(text) && !/^# answer: [a-z0-9-]+ = ./.test(text))
      say(
        `${file}:${at + 1}`,
        `"${text.trim()}" gives no answer; the right form is "# answer: CHECK = VALUE"`,
      );
  for (const line of lines) {
    if (!('answer' in line)) continue;
    const { check, value } = line.answer;
    const asked = step?.checks.find(({ id, kind }) => id === check && kind === 'answer');
    if (value === AS_SEEN && asked && typeof (asked as Check<'answer'>).spec.equals !== 'object')
      say(
        file,
        `answers ${check} with "${AS_SEEN}", but that question does not read its answer from the cluster`,
      );
    if (!step?.checks.some(candidate => candidate.id === check && candidate.kind === 'answer')) {
      const known = step?.checks.filter(({ kind }) => kind === 'answer').map(({ id }) => id);
      say(
        file,
        `answers ${check}, which is no question of step ${stepId}; it has ${known?.join(', ') || 'none'}`,
      );
    }
  }
}

/** The files editors read, with what they must hold. */
export const EDITOR_SCHEMAS: Record<string, () => unknown> = {
  'lab.schema.json': labJsonSchema,
  'expect.schema.json': mistakeJsonSchema,
};

export const printed = (schema: unknown) => `${JSON.stringify(schema, null, 2)}\n`;

/** Whether the printed schemas are those of the code. */
export function lintSchemas(labs: string): string[] {
  return Object.entries(EDITOR_SCHEMAS)
    .filter(
      ([name, schema]) =>
        !existsSync(join(labs, name)) || readFileSync(join(labs, name), 'utf8') !== printed(schema()),
    )
    .map(([name]) => `${name}: is not what the code says; run "npm run labs -- schema"`);
}
