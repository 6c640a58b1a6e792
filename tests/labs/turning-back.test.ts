// Going back in an attempt on a practice cluster: to a step that passed, before a solution, with the files of the home folder.

import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openProgress } from '../../server/progress/index.ts';
import { CONFIGMAPS, useSmallLab } from '../support/small-lab.ts';

/** How soon a lab is at its start again. */
const RESET_WITHIN = 100;
const { clock, folder, home, request, open, keeping, there, step, until, make, looked } = useSmallLab();

test('one can go back to a step that passed, and take that back', { timeout: 60_000 }, async t => {
  const attempt = open(false, { cluster: keeping(), progress: openProgress({ file: ':memory:', clock }) });
  await attempt.ready;
  await make('greeting', 'hello');
  await until(attempt, () => step(attempt, 'make-it').checks[0]?.state === 'holds');
  await attempt.answer('make-it', 'reply', 'hello');
  await until(attempt, () => step(attempt, 'make-it').rewind === true);
  const keep = () =>
    request(
      'PATCH',
      `${CONFIGMAPS}/greeting`,
      { metadata: { labels: { keep: 'yes' } } },
      'application/merge-patch+json',
    );
  await keep();
  await until(attempt, () => attempt.view().status === 'complete');
  await make('made-later', 'x');

  await t.test('where nothing was kept the wish is refused with a sentence', async () => {
    assert.match((await attempt.rewind('nowhere'))?.en ?? '', /was not kept/);
  });

  await t.test('the cluster and the steps are as they were then', async () => {
    assert.equal(await attempt.rewind('make-it'), undefined);
    assert.equal(await there('made-later'), false);
    assert.equal(await there('greeting'), true);
    assert.equal(attempt.view().status, 'running');
    assert.equal(step(attempt, 'make-it').state, 'passed');
    assert.equal(step(attempt, 'keep-it').state, 'open');
    assert.deepEqual(attempt.view().undo, { what: 'rewind', step: 'make-it' });
  });

  await t.test('undo brings back what the rewind took', async () => {
    assert.equal(await attempt.undo(), undefined);
    assert.equal(await there('made-later'), true);
    await until(attempt, () => attempt.view().status === 'complete');
    assert.equal(step(attempt, 'keep-it').state, 'passed');
    assert.equal(attempt.view().undo, undefined);
    assert.match((await attempt.undo())?.en ?? '', /nothing to undo/);
  });

  await t.test('one can go back again, and do the rest again', async () => {
    await attempt.rewind('make-it');
    await keep();
    await until(attempt, () => attempt.view().status === 'complete');
  });

  await t.test('starting over goes back to right after setup, within 100 ms', async () => {
    const times: number[] = [];
    for (let round = 0; round < 5; round++) {
      await make(`mess-${round}`, 'x');
      const started = performance.now();
      await attempt.reset();
      times.push(performance.now() - started);
      assert.equal(await there(`mess-${round}`), false);
      assert.equal(await there('greeting'), false);
    }
    assert.ok(Math.min(...times) < RESET_WITHIN, times.map(time => time.toFixed(0)).join(' '));
    assert.ok(attempt.view().steps.every(({ state }) => state === 'open'));
  });
  await attempt.close();
});

test('a solution opens on request, costs points, and what follows it can be undone', {
  timeout: 60_000,
}, async () => {
  const attempt = open(false, { cluster: keeping(), progress: openProgress({ file: ':memory:', clock }) });
  await attempt.ready;
  assert.equal(step(attempt, 'make-it').solution, 'hidden');
  assert.match((await attempt.solution('keep-it'))?.en ?? '', /without a solution/);
  await attempt.solution('make-it');
  const lines = step(attempt, 'make-it').solution;
  assert.deepEqual(lines, [
    { kind: 'command', text: 'kubectl create configmap greeting \\\n  --from-literal=text=hello' },
    {
      kind: 'answer',
      check: 'reply',
      value: 'hello',
      prompt: { 'zh-TW': '是什麼？', en: 'What is it?' },
      shown: { 'zh-TW': 'hello', en: 'hello' },
    },
  ]);
  await make('greeting', 'hello');
  await until(attempt, () => step(attempt, 'make-it').checks[0]?.state === 'holds');
  // Half of the step's checks hold, and the solution took half of the points.
  assert.deepEqual(step(attempt, 'make-it').points, { got: 0, most: 10 });
  await attempt.answer('make-it', 'reply', 'wrong');
  await attempt.answer('make-it', 'reply', 'hello');
  await until(attempt, () => step(attempt, 'make-it').state === 'passed');
  assert.deepEqual(step(attempt, 'make-it').points, { got: 5, most: 10 });

  await attempt.undo();
  assert.equal(await there('greeting'), false);
  assert.equal(step(attempt, 'make-it').state, 'open');
  assert.notEqual(step(attempt, 'make-it').solution, 'hidden', 'what was seen stays seen');

  await make('greeting', 'hello');
  await until(attempt, () => step(attempt, 'make-it').checks[0]?.state === 'holds');
  await attempt.answer('make-it', 'reply', 'hello');
  attempt.hint('keep-it');
  await request(
    'PATCH',
    `${CONFIGMAPS}/greeting`,
    { metadata: { labels: { keep: 'yes' } } },
    'application/merge-patch+json',
  );
  await until(attempt, () => attempt.view().status === 'complete');
  const { seconds: _, ...result } = attempt.view().result!;
  assert.deepEqual(result, {
    tries: 1,
    wrongAnswers: 1,
    hints: 1,
    solutions: 1,
    points: { got: 14, most: 20 },
    learned: [{ 'zh-TW': '學到了', en: 'Learned' }],
  });
  await attempt.reset();
  await attempt.close();
});

test('files in the home folder go back with the cluster, and come again with an undo', {
  timeout: 60_000,
}, async t => {
  const attempt = open(false, { cluster: keeping(), progress: openProgress({ file: ':memory:', clock }) });
  await attempt.ready;
  const mine = join(home, 'mine.yaml');
  const text = () => readFileSync(mine, 'utf8');
  writeFileSync(mine, 'a: 1\n');
  await make('greeting', 'hello');
  await until(attempt, () => step(attempt, 'make-it').checks[0]?.state === 'holds');
  await attempt.answer('make-it', 'reply', 'hello');
  await until(attempt, () => step(attempt, 'make-it').rewind === true);
  writeFileSync(mine, 'a: 2\n');
  writeFileSync(join(home, 'later.yaml'), 'b: 1\n');

  await t.test('back at a passed step they are as they were then', async () => {
    assert.equal(await attempt.rewind('make-it'), undefined);
    assert.equal(text(), 'a: 1\n');
    assert.deepEqual(readdirSync(home), ['mine.yaml']);
    assert.deepEqual(attempt.view().undo, { what: 'rewind', step: 'make-it' });
  });

  await t.test('an undo brings back what the learner had written', async () => {
    assert.equal(await attempt.undo(), undefined);
    assert.equal(text(), 'a: 2\n');
    assert.deepEqual(readdirSync(home), ['later.yaml', 'mine.yaml']);
  });

  await t.test('where the files are too large they stay as they are, and the page is told why', async () => {
    writeFileSync(join(home, 'large'), Buffer.alloc(9 * 1024 * 1024));
    assert.equal(await attempt.rewind('make-it'), undefined);
    assert.equal(text(), 'a: 2\n');
    assert.match(attempt.view().undo?.files?.en ?? '', /more than 8 MiB/);
    await attempt.undo();
    assert.deepEqual(readdirSync(home), ['large', 'later.yaml', 'mine.yaml']);
    rmSync(join(home, 'large'));
  });
  for (const name of readdirSync(home)) rmSync(join(home, name));
  await attempt.reset();
  await attempt.close();
});

test('a solution that writes over a file can be undone, line by line', { timeout: 60_000 }, async () => {
  const lab = join(folder, 'labs/writes');
  mkdirSync(join(lab, 'solution'), { recursive: true });
  writeFileSync(
    join(lab, 'lab.yaml'),
    `
title: { zh-TW: 寫檔案, en: Writes files }
minutes: 1
steps:
  - id: write
    task: { zh-TW: 寫, en: Write }
    hints: [{ zh-TW: 一, en: One }]
    checks: [{ file: { path: ~/b.txt, contains: b } }]
`,
  );
  writeFileSync(join(lab, 'solution/01-write.sh'), 'echo a > ~/a.txt\necho b > ~/b.txt\n');
  const attempt = open(false, {
    lab: 'writes',
    cluster: keeping(),
    progress: openProgress({ file: ':memory:', clock }),
  });
  await attempt.ready;
  const at = (name: string) => join(home, name);
  await attempt.solution('write');

  // A file system dates its files by a clock that ticks a few milliseconds apart.
  await new Promise(resolve => setTimeout(resolve, 30));
  writeFileSync(at('a.txt'), 'mine');
  const first = await attempt.compare('write', 0);
  assert.deepEqual(first, { loss: { objects: [], files: ['~/a.txt'] }, undo: true });
  writeFileSync(at('a.txt'), 'a');
  // Made between two lines: an undo of the second line must not take it away.
  writeFileSync(at('b.txt'), 'mine too');
  const second = await attempt.compare('write', 1);
  assert.deepEqual(second, { loss: { objects: [], files: ['~/b.txt'] }, undo: true });
  assert.deepEqual(attempt.view().undo, { what: 'solution', step: 'write', line: 1 });
  writeFileSync(at('b.txt'), 'b');

  await attempt.undo();
  assert.equal(readFileSync(at('b.txt'), 'utf8'), 'mine too');
  assert.equal(readFileSync(at('a.txt'), 'utf8'), 'a');
  assert.deepEqual(attempt.view().undo, { what: 'solution', step: 'write', line: 0 });
  await attempt.undo();
  assert.equal(readFileSync(at('a.txt'), 'utf8'), 'mine');
  assert.deepEqual(readdirSync(home), ['a.txt']);

  writeFileSync(at('large'), Buffer.alloc(9 * 1024 * 1024));
  const { files } = await attempt.compare('write', 0);
  assert.match(files?.en ?? '', /more than 8 MiB/);
  for (const name of readdirSync(home)) rmSync(join(home, name));
  await attempt.close();
});

test('a state that differs can be seen side by side, an answer cannot', { timeout: 60_000 }, async () => {
  const attempt = open(false, { cluster: keeping(), progress: openProgress({ file: ':memory:', clock }) });
  await attempt.ready;
  await looked(attempt);
  await make('greeting', 'bye');
  await until(attempt, () => step(attempt, 'make-it').checks[0]?.state === 'wrong');
  await attempt.answer('make-it', 'reply', 'hello');
  const [object, answer] = step(attempt, 'make-it').checks;
  assert.deepEqual(object?.compare, [
    { expected: 'data:', seen: 'data:', same: true },
    { expected: '  text: hello', seen: '  text: bye', same: false },
  ]);
  assert.equal(answer?.state, 'wrong');
  assert.equal(answer?.compare, undefined);
  await attempt.reset();
  await attempt.close();
});
