// Reads a lab's definition and explains what is wrong with it: path, what was found, the right form. Knows no files.

import type { z } from 'zod';
import { KNOWN_KEYS, type LabDefinition, labSchema } from './schema.ts';

export interface LabProblem {
  /** Keys and indices from the top of the file. */
  path: (string | number)[];
  /** A sentence that names what was found and the right form. */
  message: string;
}

export type ParsedLab = { ok: true; lab: LabDefinition } | { ok: false; problems: LabProblem[] };

/** The right form of a field, by its name; for the fields authors get wrong most. */
const FORM: Record<string, string> = {
  title: '{ zh-TW: 標題, en: Title }',
  task: '{ zh-TW: 要做什麼, en: What to do }',
  say: '{ zh-TW: 看到了什麼, en: What was seen }',
  otherwise: '{ zh-TW: 看到了什麼, en: What was seen }',
  prompt: '{ zh-TW: 問題, en: Question }',
  hints: '[{ zh-TW: 提示, en: Hint }]',
  minutes: '15',
  cluster: '{ baseline: kubeflow-seed, cpus: 2, memory: 4Gi }',
  ref: '{ kind: Pod, namespace: istio-system, selector: { app: web } }',
  from: '{ kind: Node }',
  steps: '[{ id: look, task: …, hints: […], checks: […] }]',
  checks: '[{ resource: { ref: …, match: … } }]',
  equals: '4, "memory" or { from: { kind: Node }, path: status.allocatable.memory }',
};

/** The lab, with ids given to checks that have none; or every problem. `value` is the parsed YAML. */
export function parseLab(value: unknown): ParsedLab {
  const parsed = labSchema.safeParse(value);
  if (!parsed.success)
    return { ok: false, problems: parsed.error.issues.flatMap(issue => explainIssue(issue, value)) };
  const lab = parsed.data;
  const problems: LabProblem[] = [];
  const steps = new Set<string>();
  lab.steps.forEach((step, stepIndex) => {
    if (steps.has(step.id))
      problems.push({
        path: ['steps', stepIndex, 'id'],
        message: `there already is a step ${step.id}; ids are unique`,
      });
    steps.add(step.id);
    const checks = new Set<string>();
    step.checks.forEach((check, index) => {
      check.id ||= `${check.kind}-${index + 1}`;
      if (checks.has(check.id))
        problems.push({
          path: ['steps', stepIndex, 'checks', index, 'id'],
          message: `there already is a check ${check.id} in this step`,
        });
      checks.add(check.id);
    });
  });
  lab.cluster.ready.forEach((check, index) => {
    check.id ||= `ready-${index + 1}`;
  });
  return problems.length > 0 ? { ok: false, problems } : { ok: true, lab };
}

/** `steps[2].checks[0].resource`, as an author would point at it. */
export function showPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (text, key) =>
      typeof key === 'number' ? `${text}[${key}]` : text ? `${text}.${String(key)}` : String(key),
    '',
  );
}

/** What is wrong, found and right, of one finding of a schema in `root`. */
export function explainIssue(
  issue: z.core.$ZodIssue,
  root: unknown,
  known: Readonly<Record<string, readonly string[]>> = KNOWN_KEYS,
): LabProblem[] {
  const path = issue.path.filter((key): key is string | number => typeof key !== 'symbol');
  const names = path.filter(key => typeof key === 'string').reverse();
  const name = names[0] === 'zh-TW' || names[0] === 'en' ? names[1] : names[0];
  const form = name !== undefined && FORM[name] ? `; the right form is ${name}: ${FORM[name]}` : '';
  const found = at(root, path);
  if (issue.code === 'unrecognized_keys') {
    const keys = known[name ?? ''];
    const right = keys ? `; known are ${keys.join(', ')}` : form;
    return issue.keys.map(key => ({
      path: [...path, key],
      message: `the key ${key} is not known here${right}`,
    }));
  }
  if (issue.code === 'too_small' && issue.origin === 'number')
    return [{ path, message: `must be at least ${issue.minimum}, found ${brief(found)}` }];
  if (issue.code === 'too_big' && issue.origin === 'number')
    return [{ path, message: `must be at most ${issue.maximum}, found ${brief(found)}` }];
  if (issue.code === 'invalid_type') {
    const message =
      found === undefined
        ? `is missing (${issue.expected})`
        : `must be ${issue.expected}, found ${brief(found)}`;
    return [{ path, message: message + form }];
  }
  if (issue.code === 'invalid_union')
    return [{ path, message: `found ${brief(found)}, which has none of the allowed forms${form}` }];
  if (issue.code === 'invalid_value')
    return [{ path, message: `found ${brief(found)}; allowed are ${issue.values.map(String).join(', ')}` }];
  return [
    {
      path,
      message:
        found === undefined || typeof found === 'object'
          ? `${issue.message}${form}`
          : `${brief(found)} ${issue.message}${form}`,
    },
  ];
}

function at(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (current, key) => (current as Record<PropertyKey, unknown> | undefined)?.[key],
    value,
  );
}

function brief(value: unknown): string {
  const text = typeof value === 'string' ? `"${value}"` : JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}
