import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { fakeClock } from '../clock.ts';
import { openProgress } from './index.ts';
import { MIGRATIONS } from './schema.ts';

const AT = '2026-11-24T06:00:00.000Z';
const clock = fakeClock();

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'progress-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

function open(t: TestContext, file: string) {
  const progress = openProgress({ file, clock });
  t.after(() => progress.close());
  return progress;
}

test('an attempt with its steps, hints and answers survives a restart', t => {
  const file = join(folder(t), 'a/progress.db');
  const first = open(t, file);
  const { id } = first.begin('gateway-pending', 'practice', AT);
  first.hint(id, 'look', 2, AT);
  first.passed(id, 'look', AT);
  first.latch(id, { step: 'look', check: 'answer-1', value: 'memory', held: true }, AT);
  first.verdict(id, 'look', 'answer-1', 'holds', AT);
  first.close();
  const second = open(t, file);
  assert.equal(second.problem, undefined);
  assert.equal(second.current('gateway-pending')?.id, id);
  assert.deepEqual(second.steps(id), [{ step: 'look', passedAt: AT, hints: 2 }]);
  assert.deepEqual(second.latches(id), [{ step: 'look', check: 'answer-1', value: 'memory', held: true }]);
});

test('the time a step first passed is kept when it passes again', t => {
  const progress = open(t, ':memory:');
  const { id } = progress.begin('a', 'practice', AT);
  progress.passed(id, 'x', AT);
  progress.passed(id, 'x', '2027-01-01T00:00:00.000Z');
  assert.equal(progress.steps(id)[0]?.passedAt, AT);
});

test('an ended attempt is history, the next begin is a new one', t => {
  const progress = open(t, ':memory:');
  const { id } = progress.begin('a', 'practice', AT);
  progress.end(id, AT);
  assert.equal(progress.current('a'), undefined);
  assert.notEqual(progress.begin('a', 'practice', AT).id, id);
  assert.equal(progress.overview()[0]?.attempts, 2);
});

test('forgetting one lab leaves the others, with everything below it gone', t => {
  const progress = open(t, ':memory:');
  const a = progress.begin('a', 'practice', AT);
  progress.passed(a.id, 'x', AT);
  progress.begin('b', 'minikube', AT);
  progress.forget('a');
  assert.deepEqual(
    progress.overview().map(lab => lab.lab),
    ['b'],
  );
  assert.deepEqual(progress.steps(a.id), []);
});

test('an export comes back whole in another store', t => {
  const from = open(t, ':memory:');
  const { id } = from.begin('a', 'practice', AT);
  from.passed(id, 'x', AT);
  from.completed(id, AT);
  const to = open(t, ':memory:');
  to.begin('old', 'practice', AT);
  to.import(JSON.parse(JSON.stringify(from.export())));
  assert.deepEqual(to.overview(), from.overview());
  assert.deepEqual(to.export(), from.export());
});

test('a file that is no export is refused and nothing is touched', t => {
  const progress = open(t, ':memory:');
  progress.begin('a', 'practice', AT);
  assert.throws(() => progress.import({ hello: 1 }), /not a progress file/);
  assert.throws(
    () => progress.import({ format: 'kubeflow-by-doing/progress', version: 99 }),
    /of version 99/,
  );
  assert.throws(
    () => progress.import({ ...(progress.export() as object), steps: [{ attempt: 7, step: 's', hints: 0 }] }),
    /FOREIGN KEY/i,
  );
  assert.equal(progress.overview().length, 1);
  assert.equal(progress.problem, undefined);
});

test('a corrupt database is set aside with a clear message and recording starts afresh', t => {
  const path = folder(t);
  const file = join(path, 'progress.db');
  writeFileSync(file, 'this is not a database, not at all '.repeat(100));
  const progress = open(t, file);
  assert.match(progress.problem?.en ?? '', /was damaged .* is kept as .*broken-/);
  progress.begin('a', 'practice', AT);
  assert.ok(readdirSync(path).some(name => name.includes('.broken-')));
  progress.close();
  assert.equal(open(t, file).overview().length, 1);
});

test('a database of a newer version is left alone and the labs run in memory', t => {
  const file = join(folder(t), 'progress.db');
  const newer = new DatabaseSync(file);
  newer.exec('PRAGMA user_version = 99');
  newer.close();
  const progress = open(t, file);
  assert.match(progress.problem?.en ?? '', /newer version/);
  progress.begin('a', 'practice', AT);
  assert.equal(progress.overview().length, 1);
  const again = new DatabaseSync(file);
  assert.deepEqual(
    again.prepare('PRAGMA user_version').get(),
    Object.assign(Object.create(null), { user_version: 99 }),
  );
  again.close();
});

test('a full disk is told and what was there is carried on in memory', t => {
  const file = join(folder(t), 'progress.db');
  const small = openProgress({ file, clock });
  const { id } = small.begin('a', 'practice', AT);
  small.close();
  // The file may not grow any more: what SQLite meets on a full disk.
  const progress = openProgress({ file, clock, maxPages: 1 });
  t.after(() => progress.close());
  for (let count = 0; count < 500; count++) progress.verdict(id, 'x', 'y'.repeat(200), 'wrong', AT);
  progress.passed(id, 'x', AT);
  assert.match(progress.problem?.en ?? '', /cannot be stored .* disk is full.*Lessons go on/);
  assert.deepEqual(progress.steps(id), [{ step: 'x', passedAt: AT, hints: 0 }]);
});

test('a result is kept with its points, and the best of a lab is in the overview', t => {
  const progress = open(t, ':memory:');
  const result = {
    seconds: 90,
    tries: 1,
    wrongAnswers: 0,
    hints: 1,
    solutions: 0,
    points: { got: 8, most: 10 },
  };
  const first = progress.begin('a', 'practice', AT);
  progress.result(first.id, result, AT);
  progress.result(first.id, { ...result, points: { got: 1, most: 10 } }, AT);
  const second = progress.begin('a', 'practice', AT);
  progress.result(second.id, { ...result, points: { got: 5, most: 10 } }, AT);
  assert.deepEqual(progress.resultOf(first.id), result);
  assert.deepEqual(progress.overview()[0]?.best, { got: 8, most: 10 });
  assert.equal(progress.overview()[0]?.completedAt, AT);
  assert.equal(progress.tries(first.id), 1);
  assert.equal(progress.tries(second.id), 2);
});

test('wrong answers are counted, right ones and commands are not', t => {
  const progress = open(t, ':memory:');
  const { id } = progress.begin('a', 'practice', AT);
  const answer = { step: 's', check: 'q' };
  progress.latch(id, { ...answer, value: 'cpu', held: false }, AT);
  progress.latch(id, { ...answer, value: 'disk', held: false }, AT);
  progress.latch(id, { ...answer, value: 'memory', held: false }, AT);
  progress.latch(id, { ...answer, value: 'memory', held: true }, AT);
  progress.latch(id, { step: 's', check: 'command-1', value: 'kubectl get pods', held: true }, AT);
  assert.equal(progress.wrongAnswers(id), 2);
});

test('turning back takes away what was passed since, and keeps what help was taken', t => {
  const progress = open(t, ':memory:');
  const { id } = progress.begin('a', 'practice', AT);
  for (const step of ['one', 'two']) progress.passed(id, step, AT);
  progress.hint(id, 'two', 1, AT);
  progress.solution(id, 'two', AT);
  progress.latch(id, { step: 'two', check: 'q', value: 'x', held: true }, AT);
  progress.completed(id, AT);
  const [one] = progress.steps(id);
  progress.turnBack(id, { steps: [one!], latches: [] }, 'rewound', 'one', AT);
  assert.deepEqual(progress.steps(id), [
    { step: 'one', passedAt: AT, hints: 0 },
    { step: 'two', passedAt: undefined, hints: 1, solutionAt: AT },
  ]);
  assert.deepEqual(progress.latches(id), []);
  assert.equal(progress.current('a')?.completedAt, undefined);
});

test('a database of the first version is brought up to date, and its export can still be read', t => {
  const file = join(folder(t), 'progress.db');
  const old = new DatabaseSync(file);
  old.exec(MIGRATIONS[0] as string);
  old.exec(
    `PRAGMA user_version = 1; INSERT INTO attempts (lab, cluster, started_at) VALUES ('a', 'practice', '${AT}')`,
  );
  old.close();
  const progress = open(t, file);
  assert.equal(progress.problem, undefined);
  assert.equal(progress.overview()[0]?.lab, 'a');
  const { results: _, ...first } = progress.export() as Record<string, unknown>;
  progress.import({ ...first, version: 1 });
  assert.equal(progress.overview().length, 1);
  assert.throws(() => progress.import({ ...first, version: 2 }), /no list "results"/);
});

test('whoever builds on what was forgotten or replaced is told', t => {
  const progress = open(t, ':memory:');
  progress.begin('a', 'practice', AT);
  let told = 0;
  const stop = progress.subscribe(() => told++);
  progress.forget('a');
  progress.import(progress.export());
  stop();
  progress.forget();
  assert.equal(told, 2);
});

test('a write to an attempt that another process has forgotten is no fault', t => {
  const progress = open(t, ':memory:');
  const { id } = progress.begin('a', 'practice', AT);
  progress.forget('a');
  progress.passed(id, 'x', AT);
  progress.verdict(id, 'x', 'c', 'wrong', AT);
  assert.equal(progress.problem, undefined);
  assert.deepEqual(progress.steps(id), []);
});
