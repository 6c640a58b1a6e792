// One attempt on a practice cluster: hints, answers, slipping, reset, and what a restart of the server leaves.

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openAttempt } from '../../server/lab/index.ts';
import { openProgress } from '../../server/progress/index.ts';
import { CONFIGMAPS, SMALL_LAB, useSmallLab } from '../support/small-lab.ts';

/** How soon a checkpoint follows the state, in milliseconds. */
const GREEN_WITHIN = 200;
const {
  clock,
  folder,
  kubeconfig,
  progress,
  request,
  open,
  keeping,
  there,
  step,
  until,
  make,
  looked,
  remove,
} = useSmallLab();

test('an attempt is carried from its first step to its end, and comes back after a restart', {
  timeout: 60_000,
}, async t => {
  let attempt = open(false);
  await attempt.ready;

  await t.test('unsolved, nothing is green, and a later step waits for its turn', () => {
    assert.equal(attempt.view().status, 'running');
    assert.ok(attempt.view().steps.every(({ state }) => state === 'open'));
    assert.equal(step(attempt, 'keep-it').waiting, true);
  });

  await t.test('hints come one by one', () => {
    attempt.hint('make-it');
    assert.deepEqual(
      step(attempt, 'make-it').hints.map(hint => hint.en),
      ['One'],
    );
    assert.equal(step(attempt, 'make-it').hintsLeft, 1);
  });

  await t.test('a wrong state is refused with what was seen', async () => {
    await looked(attempt);
    await make('greeting', 'bye');
    await until(attempt, () => step(attempt, 'make-it').checks[0]?.state === 'wrong');
    assert.deepEqual(step(attempt, 'make-it').checks[0]?.findings, [
      { path: 'data.text', expected: 'hello', actual: 'bye' },
    ]);
    await remove('greeting');
  });

  await t.test(`a check turns green within ${GREEN_WITHIN} ms of the state`, async () => {
    const times: number[] = [];
    for (let round = 0; round < 5; round++) {
      await until(attempt, () => step(attempt, 'make-it').checks[0]?.state !== 'holds');
      const started = performance.now();
      await make('greeting', 'hello');
      await until(attempt, () => step(attempt, 'make-it').checks[0]?.state === 'holds');
      times.push(performance.now() - started);
      if (round < 4) await remove('greeting');
    }
    // The quickest of some: the machine may be busy with something else, the checker may not.
    assert.ok(Math.min(...times) < GREEN_WITHIN, times.map(time => time.toFixed(0)).join(' '));
  });

  await t.test(
    'an answer is compared with the cluster, and to a question that is not there refused',
    async () => {
      assert.match((await attempt.answer('make-it', 'nope', 'x'))?.en ?? '', /no such question/);
      await attempt.answer('make-it', 'reply', 'bye');
      assert.equal(step(attempt, 'make-it').checks[1]?.state, 'wrong');
      await attempt.answer('make-it', 'reply', 'Hello');
      assert.equal(step(attempt, 'make-it').state, 'passed');
    },
  );

  await t.test('a passed step that stops holding says so and since when', async () => {
    await remove('greeting');
    await until(attempt, () => step(attempt, 'make-it').state === 'slipped');
    assert.ok(step(attempt, 'make-it').slippedAt);
    await make('greeting', 'hello');
    await until(attempt, () => step(attempt, 'make-it').state === 'passed');
  });

  await t.test('after a restart the passed step, its hints and its answer are still there', async () => {
    await attempt.close();
    attempt = open(true);
    await attempt.ready;
    assert.equal(step(attempt, 'make-it').state, 'passed');
    assert.equal(step(attempt, 'make-it').hints.length, 1);
    assert.equal(step(attempt, 'make-it').checks[1]?.answered, 'Hello');
    assert.equal(step(attempt, 'keep-it').state, 'open');
  });

  await t.test('the last step completes the lab', async () => {
    await request(
      'PATCH',
      `${CONFIGMAPS}/greeting`,
      { metadata: { labels: { keep: 'yes' } } },
      'application/merge-patch+json',
    );
    await until(attempt, () => attempt.view().status === 'complete');
    assert.ok(attempt.view().completedAt);
    assert.ok(progress.overview()[0]?.completedAt);
  });

  await t.test('a reset begins afresh and keeps the old attempt in the record', async () => {
    await remove('greeting');
    await attempt.reset();
    assert.equal(attempt.view().status, 'running');
    assert.ok(attempt.view().steps.every(({ state, hints }) => state === 'open' && hints.length === 0));
    assert.equal(progress.overview()[0]?.attempts, 2);
  });

  await attempt.close();
});

test('what differs when a step’s turn comes is not done yet; what differs otherwise later is wrong', {
  timeout: 60_000,
}, async () => {
  await make('greeting', 'bye');
  const attempt = open(true, { cluster: keeping(), progress: openProgress({ file: ':memory:', clock }) });
  await attempt.ready;
  await looked(attempt);
  const check = () => step(attempt, 'make-it').checks[0];
  assert.equal(check()?.state, 'not-yet');
  assert.deepEqual(check()?.findings, [{ path: 'data.text', expected: 'hello', actual: 'bye' }]);
  await remove('greeting');
  await make('greeting', 'good night');
  await until(attempt, () => check()?.state === 'wrong');
  await remove('greeting');
  await attempt.close();
});

test('a lab that is forgotten while it is open begins afresh, and one read in is taken up', {
  timeout: 60_000,
}, async () => {
  const record = openProgress({ file: ':memory:', clock });
  const attempt = open(false, { cluster: keeping(), progress: record });
  await attempt.ready;
  await make('greeting', 'hello');
  await until(attempt, () => step(attempt, 'make-it').checks[0]?.state === 'holds');
  await attempt.answer('make-it', 'reply', 'hello');
  await until(attempt, () => step(attempt, 'make-it').state === 'passed');
  const kept = record.export();
  record.forget('small');
  await until(
    attempt,
    () => step(attempt, 'make-it').state === 'open' && attempt.view().status === 'running',
  );
  assert.equal(await there('greeting'), false);
  record.import(kept);
  await until(attempt, () => step(attempt, 'make-it').passedAt !== undefined);
  await attempt.close();
  record.close();
});

test('for an author the view tells how each check looks, and a saved lab is read again', {
  timeout: 60_000,
}, async () => {
  const file = join(folder, 'labs/small/lab.yaml');
  const attempt = open(false, {
    cluster: keeping(),
    progress: openProgress({ file: ':memory:', clock }),
    author: true,
  });
  await attempt.ready;
  const nearest = () =>
    step(attempt, 'make-it').checks[0]?.author?.candidates.map(({ findings }) => findings[0]);
  await until(attempt, () => nearest() !== undefined);
  assert.deepEqual(nearest()?.[0], { path: 'ref.name', expected: 'greeting', actual: 'kube-root-ca.crt' });
  await make('greeting', 'bye');
  const author = () => step(attempt, 'make-it').checks[0]?.author;
  await until(attempt, () => author()?.candidates.some(({ name }) => name === 'default/greeting') === true);
  assert.match(author()?.spec ?? '', /^resource:\n {2}ref:\n {4}kind: ConfigMap/);
  assert.deepEqual(author()?.candidates[0]?.findings, [
    { path: 'data.text', expected: 'hello', actual: 'bye' },
  ]);
  assert.ok((author()?.looks ?? 0) >= 1);

  writeFileSync(file, SMALL_LAB.replace('text: hello', 'text: bye'));
  await until(attempt, () => step(attempt, 'make-it').checks[0]?.state === 'holds');
  writeFileSync(file, 'title: 3');
  await until(attempt, () => (attempt.view().author?.problems.length ?? 0) > 0);
  assert.match(attempt.view().author?.problems[0] ?? '', /small\/lab.yaml:1: title: /);
  assert.equal(step(attempt, 'make-it').checks[0]?.state, 'holds', 'the last lab that could be read goes on');
  writeFileSync(file, SMALL_LAB);
  await until(attempt, () => attempt.view().author?.problems.length === 0);
  await attempt.reset();
  await attempt.close();
});

test('a file that the lab applied and the learner has too can be changed and applied again', {
  timeout: 60_000,
}, async () => {
  const lab = join(folder, 'labs/applied');
  mkdirSync(join(lab, 'setup'), { recursive: true });
  writeFileSync(
    join(lab, 'lab.yaml'),
    `files: [{ to: ~/theirs.yaml, from: setup/theirs.yaml }]
setup: [{ apply: setup/theirs.yaml }, { apply: setup/other.yaml }]${SMALL_LAB}`,
  );
  for (const name of ['theirs', 'other'])
    writeFileSync(
      join(lab, `setup/${name}.yaml`),
      `{ apiVersion: v1, kind: ConfigMap, metadata: { name: ${name}, namespace: default }, data: { text: a } }\n`,
    );
  const attempt = open(false, { lab: 'applied', progress: openProgress({ file: ':memory:', clock }) });
  await attempt.ready;
  const remembered = async (name: string) =>
    (await request('GET', `${CONFIGMAPS}/${name}`)).body.metadata.annotations?.[
      'kubectl.kubernetes.io/last-applied-configuration'
    ];
  assert.equal(
    await remembered('theirs'),
    '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"annotations":{},"name":"theirs","namespace":"default"},"data":{"text":"a"}}\n',
  );
  assert.equal(await remembered('other'), undefined);
  await remove('theirs');
  await remove('other');
  await attempt.close();
});

test('a lab that is broken or not there opens as failed, with the reason', async () => {
  const attempt = openAttempt({
    lab: 'nowhere',
    labs: join(folder, 'labs'),
    cluster: { kind: 'practice', kubeconfig },
    commands: { recent: () => [], subscribe: () => () => {} },
    home: folder,
    progress,
    clock,
  });
  await attempt.ready;
  assert.equal(attempt.view().status, 'failed');
  assert.match(attempt.view().note?.en ?? '', /there is no lab nowhere/);
});

test('a cluster that does not answer fails the attempt with its address', async () => {
  const lost = join(folder, 'lost');
  writeFileSync(lost, readFileSync(kubeconfig, 'utf8').replace(/https:\S+/, 'https://127.0.0.1:1'));
  const attempt = openAttempt({
    lab: 'small',
    labs: join(folder, 'labs'),
    cluster: { kind: 'practice', kubeconfig: lost },
    commands: { recent: () => [], subscribe: () => () => {} },
    home: folder,
    progress: openProgress({ file: ':memory:', clock }),
    clock,
  });
  await attempt.ready;
  await until(attempt, () => attempt.view().steps[0]?.checks[0]?.state === 'could-not-look');
  assert.match(attempt.view().steps[0]?.checks[0]?.said?.en ?? '', /127\.0\.0\.1:1 does not answer/);
  await attempt.close();
});
