import assert from 'node:assert/strict';
import { test } from 'node:test';
import { labJsonSchema, milliseconds, parseLab, showPath } from './index.ts';

const text = { 'zh-TW': '看', en: 'Look' };
const step = (id: string, ...checks: unknown[]) => ({ id, task: text, hints: [text], checks });
const resource = { resource: { ref: { kind: 'Pod' }, match: { status: { phase: 'Running' } } } };
const lab = (extra: Record<string, unknown> = {}) => ({
  title: text,
  minutes: 5,
  steps: [step('look', resource)],
  ...extra,
});

const problems = (value: unknown) => {
  const parsed = parseLab(value);
  assert.ok(!parsed.ok, 'the lab is refused');
  return parsed.problems.map(problem => `${showPath(problem.path)}: ${problem.message}`);
};

test('a small lab is accepted and gets its defaults', () => {
  const parsed = parseLab(lab());
  assert.ok(parsed.ok);
  assert.equal(parsed.lab.cluster.baseline, 'empty');
  assert.equal(parsed.lab.order, 'sequence');
  assert.deepEqual(parsed.lab.steps[0]?.checks[0], {
    id: 'resource-1',
    kind: 'resource',
    spec: resource.resource,
  });
});

test('an unknown key is named where it stands', () => {
  assert.match(
    problems(lab({ minuts: 3 }))[0] ?? '',
    /^minuts: the key minuts is not known here; known are title, summary, minutes,/,
  );
  assert.match(
    problems(lab({ steps: [step('a', { ...resource, witin: '2s' })] }))[0] ?? '',
    /^steps\[0\]\.checks\[0\]\.witin: the key witin/,
  );
});

test('a missing language is missed with the right form beside it', () => {
  assert.deepEqual(problems(lab({ title: { en: 'Only' } })), [
    'title.zh-TW: is missing (string); the right form is title: { zh-TW: 標題, en: Title }',
  ]);
  assert.match(
    problems(lab({ title: 'Only' }))[0] ?? '',
    /must be object, found "Only"; the right form is title: \{ zh-TW/,
  );
});

test('a check has exactly one kind', () => {
  assert.match(
    problems(lab({ steps: [step('a', { ...resource, absent: { ref: { kind: 'Pod' } } })] }))[0] ?? '',
    /has resource and absent; a check has exactly one of/,
  );
  assert.match(
    problems(lab({ steps: [step('a', { assert: {} })] }))[0] ?? '',
    /has assert; a check has exactly one of/,
  );
});

test('a broken match tree is explained at its place', () => {
  const broken = { resource: { ref: { kind: 'Pod' }, match: { spec: { x: { $equals: 1 } } } } };
  assert.match(
    problems(lab({ steps: [step('a', broken)] }))[0] ?? '',
    /^steps\[0\]\.checks\[0\]\.resource\.match\.spec\.x\.\$equals: .*is no operator/,
  );
});

test('ids are unique and well formed', () => {
  assert.match(
    problems(lab({ steps: [step('a', resource), step('a', resource)] }))[0] ?? '',
    /there already is a step a/,
  );
  assert.match(problems(lab({ steps: [step('Not Good', resource)] }))[0] ?? '', /lower-case words/);
});

test('an answer wants a right answer', () => {
  assert.match(
    problems(lab({ steps: [step('a', { answer: { prompt: text } })] }))[0] ?? '',
    /either equals or choices/,
  );
  const choices = [
    { id: 'a', text, right: false },
    { id: 'b', text, right: false },
  ];
  assert.match(
    problems(lab({ steps: [step('a', { answer: { prompt: text, choices } })] }))[0] ?? '',
    /none of the choices is right/,
  );
});

test('paths that leave their folder are refused', () => {
  assert.ok(problems(lab({ setup: [{ apply: 'setup/../../x.yaml' }] })).length > 0);
  assert.ok(problems(lab({ steps: [step('a', { file: { path: '~/../x' } })] })).length > 0);
});

test('the JSON Schema knows every kind', () => {
  const printed = JSON.stringify(labJsonSchema());
  for (const kind of ['resource', 'absent', 'access', 'http', 'command', 'file', 'answer', 'script'])
    assert.ok(printed.includes(`"${kind}":`), kind);
});

test('durations are milliseconds', () => {
  assert.deepEqual(['500ms', '2s', '1m', undefined].map(milliseconds), [500, 2000, 60_000, undefined]);
});
