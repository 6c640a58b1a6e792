// One attempt on a practice cluster: hints, answers, slipping, reset, and what a restart of the server leaves.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import type { StepView } from '#common/protocol/index.ts';
import { type KubeApi, openKubeApi } from '../../server/check/index.ts';
import { realClock } from '../../server/clock.ts';
import { type Attempt, type AttemptOptions, openAttempt } from '../../server/lab/index.ts';
import { startPracticeWorker, type WorkerCluster } from '../../server/practice/index.ts';
import { openProgress } from '../../server/progress/index.ts';

const LAB = `
title: { zh-TW: 小實驗, en: A small lab }
minutes: 1
steps:
  - id: make-it
    task: { zh-TW: 做, en: Make it }
    hints: [{ zh-TW: 一, en: One }, { zh-TW: 二, en: Two }]
    checks:
      - resource: { ref: { kind: ConfigMap, namespace: default, name: greeting }, match: { data: { text: hello } } }
      - id: reply
        answer: { prompt: { zh-TW: 是什麼？, en: What is it? }, equals: { from: { kind: ConfigMap, name: greeting }, path: data.text } }
  - id: keep-it
    task: { zh-TW: 留, en: Keep it }
    hints: [{ zh-TW: 一, en: One }]
    checks:
      - resource: { ref: { kind: ConfigMap, namespace: default, name: greeting }, match: { metadata: { labels: { keep: 'yes' } } } }
learned: [{ zh-TW: 學到了, en: Learned }]
`;

const CONFIGMAPS = '/api/v1/namespaces/default/configmaps';
/** How soon a checkpoint follows the state, in milliseconds. */
const GREEN_WITHIN = 200;
/** How soon a lab is at its start again. */
const RESET_WITHIN = 100;
const clock = realClock();
const folder = mkdtempSync(join(tmpdir(), 'attempt-'));
const kubeconfig = join(folder, 'kubeconfig');
const home = join(folder, 'home');
const progress = openProgress({ file: join(folder, 'progress.db'), clock });
let cluster: WorkerCluster;
let api: KubeApi;

before(async () => {
  const file = join(folder, 'labs/small/lab.yaml');
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, LAB);
  mkdirSync(home);
  mkdirSync(join(folder, 'labs/small/solution'));
  writeFileSync(
    join(folder, 'labs/small/solution/01-make-it.sh'),
    'kubectl create configmap greeting \\\n  --from-literal=text=hello\n# answer: reply = hello\n',
  );
  cluster = await startPracticeWorker({
    nodes: [{ name: 'minikube', cpus: '2', memory: '4Gi' }],
    listen: { port: 0 },
  });
  writeFileSync(kubeconfig, cluster.kubeconfig(`https://127.0.0.1:${cluster.port}`));
  api = await openKubeApi(kubeconfig);
});
after(async () => {
  api.close();
  progress.close();
  await cluster.close();
  rmSync(folder, { recursive: true, force: true });
});

function open(prepared: boolean, more: Partial<AttemptOptions> = {}): Attempt {
  return openAttempt({
    lab: 'small',
    labs: join(folder, 'labs'),
    cluster: { kind: 'practice', kubeconfig },
    commands: { recent: () => [], subscribe: () => () => {} },
    home,
    progress,
    clock,
    prepared,
    ...more,
  });
}

/** A cluster that can be kept, as the practice provider gives it to a session. */
const keeping = (): AttemptOptions['cluster'] => ({
  kind: 'practice',
  kubeconfig,
  snapshot: () => cluster.snapshot(),
  restore: snapshot => cluster.restore(snapshot),
});
const there = async (name: string) => (await api.request('GET', `${CONFIGMAPS}/${name}`)).status === 200;

const step = (attempt: Attempt, id: string) =>
  attempt.view().steps.find(candidate => candidate.id === id) as StepView;

/** Resolves once the attempt looks so; told by its events, not by looking again and again. */
function until(attempt: Attempt, holds: () => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    if (holds()) return resolve();
    const timer = setTimeout(() => reject(new Error(JSON.stringify(attempt.view(), null, 1))), 20_000);
    const stop = attempt.subscribe(() => {
      if (!holds()) return;
      clearTimeout(timer);
      stop();
      resolve();
    });
  });
}

const make = (name: string, text: string) =>
  api.request('POST', CONFIGMAPS, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name },
    data: { text },
  });
/** The first look at a step tells what was so before anything was done for it. */
const looked = (attempt: Attempt) =>
  until(attempt, () => step(attempt, 'make-it').checks[0]?.said !== undefined);
const remove = (name: string) => api.request('DELETE', `${CONFIGMAPS}/${name}`);

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
    await api.request(
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

test('one can go back to a step that passed, and take that back', { timeout: 60_000 }, async t => {
  const attempt = open(false, { cluster: keeping(), progress: openProgress({ file: ':memory:', clock }) });
  await attempt.ready;
  await make('greeting', 'hello');
  await until(attempt, () => step(attempt, 'make-it').checks[0]?.state === 'holds');
  await attempt.answer('make-it', 'reply', 'hello');
  await until(attempt, () => step(attempt, 'make-it').rewind === true);
  const keep = () =>
    api.request(
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
  await api.request(
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

  writeFileSync(file, LAB.replace('text: hello', 'text: bye'));
  await until(attempt, () => step(attempt, 'make-it').checks[0]?.state === 'holds');
  writeFileSync(file, 'title: 3');
  await until(attempt, () => (attempt.view().author?.problems.length ?? 0) > 0);
  assert.match(attempt.view().author?.problems[0] ?? '', /small\/lab.yaml:1: title: /);
  assert.equal(step(attempt, 'make-it').checks[0]?.state, 'holds', 'the last lab that could be read goes on');
  writeFileSync(file, LAB);
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
setup: [{ apply: setup/theirs.yaml }, { apply: setup/other.yaml }]${LAB}`,
  );
  for (const name of ['theirs', 'other'])
    writeFileSync(
      join(lab, `setup/${name}.yaml`),
      `{ apiVersion: v1, kind: ConfigMap, metadata: { name: ${name}, namespace: default }, data: { text: a } }\n`,
    );
  const attempt = open(false, { lab: 'applied', progress: openProgress({ file: ':memory:', clock }) });
  await attempt.ready;
  const remembered = async (name: string) =>
    (await api.request('GET', `${CONFIGMAPS}/${name}`)).body.metadata.annotations?.[
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
  writeFileSync(lost, cluster.kubeconfig('https://127.0.0.1:1'));
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
