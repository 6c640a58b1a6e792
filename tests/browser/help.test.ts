// What helps on in a lab, against a double of the server: side by side, solution line by line, rewind with what it costs, undo,
// the result and its print, a database in trouble, and what only authors see.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright';
import type { AttemptView, Language, Text } from '../../src/common/protocol/index.ts';
import { type Double, startDouble } from './double.ts';
import {
  axe,
  buildSite,
  findChromium,
  openBrowser,
  openPage,
  overflow,
  picture,
  SIZES,
  type Size,
} from './support.ts';

const chromium = findChromium();
const skip = 'missing' in chromium ? chromium.missing : false;
const both = (zh: string, en: string): Text => ({ 'zh-TW': zh, en });

function attempt(): AttemptView {
  return {
    lab: 'gateway-pending',
    title: both('閘道', 'Gateway'),
    minutes: 20,
    status: 'running',
    startedAt: '2026-01-01T00:00:00Z',
    points: { got: 20, most: 30 },
    steps: [
      {
        id: 'look',
        task: both('看 `Pod`。', 'Look at the `pods`.'),
        state: 'passed',
        passedAt: '2026-01-01T00:01:00Z',
        checks: [{ id: 'c', kind: 'command', state: 'holds' }],
        hints: [],
        hintsLeft: 1,
        points: { got: 10, most: 10 },
        costs: { hint: 1, solution: 5 },
        rewind: true,
        solution: 'hidden',
      },
      {
        id: 'sum',
        task: both('算一算。', 'Add up.'),
        state: 'passed',
        passedAt: '2026-01-01T00:02:00Z',
        checks: [{ id: 'c', kind: 'command', state: 'holds' }],
        hints: [],
        hintsLeft: 0,
        points: { got: 10, most: 10 },
        rewind: true,
      },
      {
        id: 'room',
        task: both('騰出空位。', 'Make room.'),
        state: 'open',
        checks: [
          {
            id: 'gateway',
            kind: 'resource',
            state: 'wrong',
            said: both('閘道還是 Pending。', 'The gateway is still Pending.'),
            findings: [{ path: 'status.phase', expected: 'Running', actual: 'Pending' }],
            compare: [
              { expected: 'status:', seen: 'status:', same: true },
              { expected: '  phase: Running', seen: '  phase: Pending', same: false },
            ],
          },
          { id: 'stays', kind: 'resource', state: 'holds', guard: true, said: both('閘道', 'The gateway') },
          {
            id: 'why',
            kind: 'answer',
            state: 'not-yet',
            prompt: both('缺什麼？', 'What is short?'),
          },
        ],
        hints: [both('看事件', 'Read the event')],
        hintsLeft: 2,
        points: { got: 0, most: 10 },
        costs: { hint: 1, solution: 5 },
        solution: 'hidden',
      },
    ],
  };
}

const site = skip ? '' : buildSite();
let browser: Browser;
before(async () => {
  if (!skip) browser = await openBrowser();
});
after(() => browser?.close());

function story(
  name: string,
  tell: (page: Page, server: Double) => Promise<void>,
  {
    size = 'wide',
    language = 'en',
    view = attempt(),
  }: { size?: Size; language?: Language; view?: AttemptView } = {},
): void {
  test(name, { skip, timeout: 90_000 }, async () => {
    const server = await startDouble(site, view);
    const { page, context, complaints } = await openPage(browser, size);
    try {
      await page.goto(`${server.url}/${language}/troubleshoot/gateway-pending/`);
      if (size === 'narrow') await page.click('[data-show="lab"]');
      await page.click('[data-start]');
      await page.locator('[data-step="room"]').waitFor();
      await tell(page, server);
      assert.deepEqual(complaints, []);
    } catch (error) {
      await picture(page, `failed-${name.replaceAll(/\W+/g, '-').slice(0, 50)}`);
      throw error;
    } finally {
      await context.close();
      await server.close();
    }
  });
}

const room = (page: Page) => page.locator('[data-step="room"]');
const dialog = (page: Page) => page.locator('dialog.ask');
const eventually = async (what: () => boolean | Promise<boolean>, why: string) => {
  for (let i = 0; i < 100; i++) {
    if (await what()) return;
    await new Promise(done => setTimeout(done, 50));
  }
  assert.fail(why);
};

story('expected stands beside seen when it is asked for, and stays open', async (page, server) => {
  const compare = room(page).locator('.compare');
  // A guard that nobody broke is no task: of the three checks two are shown.
  assert.equal(await room(page).locator('.check').count(), 2);
  assert.equal(await compare.locator('table').isVisible(), false);
  await compare.locator('summary').click();
  assert.match(await compare.locator('tr[data-differs]').innerText(), /≠\s+phase: Pending\s+phase: Running/);
  const step = attempt().steps[2]!;
  server.tell({ type: 'step', step: { ...step, hintsLeft: 1 } });
  await room(page)
    .getByRole('button', { name: /1 left/ })
    .waitFor();
  assert.equal(await compare.locator('table').isVisible(), true);
  assert.deepEqual(await axe(page), []);
  await picture(page, 'help-compare');
});

story('a solution is asked about while hints are left, with its price', async (page, server) => {
  const show = room(page).getByRole('button', { name: /Show the solution/ });
  assert.match(await show.innerText(), /−5 points/);
  await show.click();
  assert.match(
    await dialog(page).innerText(),
    /hints you have not seen \(2\)[\s\S]*takes 5 points off[\s\S]*undone/,
  );
  assert.deepEqual(await axe(page), []);
  await picture(page, 'help-solution-ask');
  await dialog(page).getByRole('button', { name: 'Cancel' }).click();
  await show.click();
  await page.click('[data-yes]');
  await eventually(() => server.requests.length === 1, 'no wish arrived');
  assert.deepEqual(server.requests, [{ type: 'solution', step: 'room' }]);
  const steps = attempt().steps;
  server.tell({ type: 'step', step: { ...steps[2]!, hintsLeft: 0 } });
  await room(page)
    .getByRole('button', { name: /Give me a hint/ })
    .waitFor({ state: 'detached' });
  await show.click();
  await eventually(() => server.requests.length === 2, 'without hints left it is not asked about');
});

const opened = (): AttemptView => {
  const view = attempt();
  view.steps[2]!.solution = [
    { kind: 'command', text: 'kubectl scale deployment ml-pipeline -n kubeflow --replicas=0' },
    { kind: 'command', text: 'false' },
    {
      kind: 'answer',
      check: 'why',
      value: 'both',
      prompt: both('缺什麼？', 'What is short?'),
      shown: both('兩種都缺', 'Both'),
    },
  ];
  view.undo = { what: 'solution', step: 'room' };
  return view;
};

for (const [language, size] of [
  ['en', 'wide'],
  ['zh-TW', 'narrow'],
] satisfies [Language, Size][])
  story(
    `a solution runs line by line, each from its own button, in ${language}`,
    async (page, server) => {
      const line = (n: number) => page.locator(`[data-solution-line="${n}"]`);
      const lab = async () => void (size === 'narrow' && (await page.click('[data-show="lab"]')));
      await line(2).waitFor();
      assert.equal(server.typed.get('t1'), undefined, 'nothing runs by itself');
      await line(0).getByRole('button').click();
      await eventually(
        () => server.typed.get('t1') === 'kubectl scale deployment ml-pipeline -n kubeflow --replicas=0\n',
        'the line did not arrive',
      );
      await lab();
      await line(0).getByText('✓').waitFor();
      await line(1).getByRole('button').click();
      await lab();
      await line(1)
        .getByText(language === 'en' ? 'Exit code 1' : '1')
        .waitFor();
      await line(2).getByRole('button').click();
      await eventually(() => server.requests.length > 2, 'no answer arrived');
      assert.deepEqual(server.requests, [
        { type: 'compare', step: 'room', line: 0 },
        { type: 'compare', step: 'room', line: 1 },
        { type: 'answer', step: 'room', check: 'why', value: 'both' },
      ]);
      await picture(page, `help-solution-${language}`);
      const found = await axe(page);
      assert.deepEqual(
        found.filter(one => size === 'wide' || !one.startsWith('page-has-heading-one')),
        [],
      );
      assert.equal(await overflow(page), 0);
      await page.locator('[data-undo] button').click();
      assert.equal(server.requests.length, 3, 'undo is asked about first');
      await page.click('[data-yes]');
      await eventually(() => server.requests.length === 4, 'no undo arrived');
      assert.deepEqual(server.requests[3], { type: 'undo' });
    },
    { language, size, view: opened() },
  );

for (const [language, size] of [
  ['en', 'narrow'],
  ['zh-TW', 'wide'],
] satisfies [Language, Size][])
  story(
    `a line that takes what the learner made is typed only after a yes, in ${language}`,
    async (page, server) => {
      server.loss = {
        objects: [
          {
            name: 'Deployment kubeflow/ml-pipeline',
            deleted: false,
            fields: [{ path: 'spec.replicas', yours: '3', becomes: '0' }],
          },
          { name: 'ConfigMap kubeflow/mine', deleted: true, fields: [] },
        ],
        files: ['~/notes.yaml'],
      };
      if (language === 'zh-TW') server.filesStay = both('檔案太大，沒有留下來。', 'The files are too large.');
      const run = page.locator('[data-solution-line="0"]').getByRole('button');
      const dialog = page.getByRole('dialog');
      await run.click();
      await dialog.waitFor();
      const said = await dialog.innerText();
      const undone =
        language === 'en'
          ? 'The cluster and the files in your home folder are kept'
          : '檔案太大，沒有留下來。';
      for (const word of ['spec.replicas', '3', 'ConfigMap kubeflow/mine', '~/notes.yaml', undone])
        assert.ok(said.includes(word), `${word} is not said: ${said}`);
      await picture(page, `help-loss-${language}`);
      assert.deepEqual(await axe(page), []);
      assert.equal(await overflow(page), 0);
      await dialog.locator('button.plain').click();
      await dialog.waitFor({ state: 'detached' });
      assert.equal(server.typed.get('t1'), undefined, 'a no types nothing');
      await run.click();
      await dialog.locator('[data-yes]').click();
      await eventually(
        () => server.typed.get('t1')?.includes('--replicas=0') === true,
        'a yes types nothing',
      );
    },
    { language, size, view: opened() },
  );

story('a rewind says what will be lost, then can be undone', async (page, server) => {
  await page.locator('[data-step="look"] .step-toggle').click();
  await page
    .locator('[data-step="look"]')
    .getByRole('button', { name: 'Back to just after this checkpoint' })
    .click();
  const said = await dialog(page).innerText();
  assert.match(said, /Back to just after checkpoint 1\?/);
  assert.match(said, /created, changed or deleted since is lost/);
  assert.match(said, /have to be passed again: 2\./);
  assert.match(said, /files in your home folder become what they were then/);
  await picture(page, 'help-rewind-ask');
  await dialog(page).getByRole('button', { name: 'Cancel' }).click();
  await page.locator('[data-step="sum"] .step-toggle').click();
  await page
    .locator('[data-step="sum"]')
    .getByRole('button', { name: /Back to/ })
    .click();
  assert.match(await dialog(page).innerText(), /No later checkpoint has been passed/);
  await page.click('[data-yes]');
  await eventually(() => server.requests.length === 1, 'no wish arrived');
  assert.deepEqual(server.requests, [{ type: 'rewind', step: 'sum' }]);
  server.tell({ type: 'attempt', attempt: { ...attempt(), undo: { what: 'rewind', step: 'sum' } } });
  await page.locator('[data-undo]').getByText('back at just after checkpoint 2').waitFor();
  assert.deepEqual(await axe(page), []);
  const undo = {
    what: 'solution',
    step: 'room',
    line: 1,
    files: both('太大。', 'Too large to keep.'),
  } as const;
  server.tell({ type: 'attempt', attempt: { ...attempt(), undo } });
  await page
    .locator('[data-undo]')
    .getByText(/Line 2 of the solution of checkpoint 3.*Too large to keep\./)
    .waitFor();
  await page.locator('[data-undo] button').click();
  assert.match(
    await dialog(page).innerText(),
    /right before line 2 of the solution of checkpoint 3[\s\S]*Too large to keep\./,
  );
});

const complete = (): AttemptView => {
  const view = attempt();
  view.steps[2] = { ...view.steps[2]!, state: 'passed', passedAt: '2026-01-01T00:10:00Z', checks: [] };
  view.steps[2]!.points = { got: 7, most: 10 };
  return {
    ...view,
    status: 'complete',
    completedAt: '2026-01-01T00:10:00Z',
    result: {
      seconds: 3900,
      tries: 2,
      wrongAnswers: 1,
      hints: 3,
      solutions: 0,
      points: { got: 27, most: 30 },
      learned: [both('Pod 排不進去時看 `Events`。', 'When a pod is not scheduled, read `Events`.')],
    },
  };
};

const longNamed = (): AttemptView => {
  const view = attempt();
  const account = 'system:serviceaccount:kubeflow:kserve-controller-manager-of-a-long-name';
  view.steps[2]!.checks[0]!.said = both(`${account} 還不可以。`, `${account} may not yet.`);
  return view;
};

story(
  'a name without a place to break widens no step on a narrow page',
  async page => {
    const rights = await page
      .locator('[data-lab-steps] .step')
      .evaluateAll(steps => steps.map(step => step.getBoundingClientRect().right));
    assert.ok(Math.max(...rights) <= SIZES.narrow.width, rights.join(' '));
  },
  { size: 'narrow', view: longNamed() },
);

story('whoever passes the last checkpoint is taken up to how it went', async (page, server) => {
  const panel = page.locator('[data-lab-panel]');
  const top = () => panel.evaluate(it => it.scrollTop);
  await panel.evaluate(it => it.scrollTo(0, it.scrollHeight));
  assert.ok((await top()) > 0);
  server.tell({ type: 'attempt', attempt: complete() });
  await page.locator('[data-complete]').waitFor();
  await eventually(async () => (await top()) === 0, 'the end of the lab is out of sight');
});

for (const [language, size, words] of [
  ['en', 'wide', ['27 / 30 points', '1 h 5 min', 'Wrong answers', 'read Events']],
  ['zh-TW', 'narrow', ['27 / 30 分', '1 小時 5 分鐘', '答錯', '看 Events']],
] satisfies [Language, Size, string[]][])
  story(
    `a complete lab shows how it went, and prints that alone, in ${language}`,
    async page => {
      const result = page.locator('[data-complete]');
      const text = await result.innerText();
      for (const word of words) assert.ok(text.includes(word), `${word} is not in ${text}`);
      assert.equal(await overflow(page), 0);
      const found = await axe(page);
      assert.deepEqual(
        found.filter(one => size === 'wide' || !one.startsWith('page-has-heading-one')),
        [],
      );
      await result.scrollIntoViewIfNeeded();
      await picture(page, `help-result-${language}`);
      await page.evaluate(() => {
        window.print = () => {};
      });
      await page.click('[data-print]');
      await page.emulateMedia({ media: 'print' });
      const sheet = page.locator('.print-sheet');
      assert.equal(await sheet.isVisible(), true);
      assert.equal(await page.locator('main').isVisible(), false);
      assert.ok((await sheet.innerText()).includes(words[0]!));
      await picture(page, `help-print-${language}`);
      await page.evaluate(() => dispatchEvent(new Event('afterprint')));
      assert.equal(await sheet.count(), 0);
    },
    { language, size, view: complete() },
  );

story(
  'a database in trouble is told beside the lab, which goes on',
  async page => {
    await page.locator('[data-unsaved]').getByText('disk is full').waitFor();
    assert.ok(await room(page).isVisible());
  },
  { view: { ...attempt(), unsaved: both('磁碟滿了', 'Progress cannot be stored: the disk is full.') } },
);

const authored = (): AttemptView => {
  const view = attempt();
  view.author = {
    problems: ['gateway-pending/lab.yaml:3: title: is missing'],
    loadedAt: '2026-01-01T00:00:00Z',
  };
  view.steps[2]!.checks[0]!.author = {
    spec: 'resource:\n  ref:\n    kind: Pod\n',
    looks: 4,
    lastMs: 2,
    mostMs: 9,
    candidates: [
      {
        name: 'istio-system/gw-1',
        findings: [{ path: 'status.phase', expected: 'Running', actual: 'Pending' }],
      },
    ],
  };
  return view;
};

story(
  'an author sees the check, its objects and why it is not green',
  async (page, server) => {
    await page.locator('[data-author]').getByText('lab.yaml:3').waitFor();
    const author = room(page).locator('details.author');
    await author.locator('summary').click();
    const text = await author.innerText();
    assert.match(text, /0 of 1 match · looked at 4× · last 2 ms, longest 9 ms/);
    assert.match(text, /kind: Pod/);
    assert.match(text, /≠ istio-system\/gw-1\s+status\.phase: Pending, expected Running/);
    assert.deepEqual(await axe(page), []);
    await picture(page, 'help-author');
    const [look, sum, last] = authored().steps;
    const steps = [look!, { ...last!, id: 'renamed' }, sum!];
    server.tell({
      type: 'attempt',
      attempt: { ...authored(), title: both('新名字', 'Another name'), steps },
    });
    await page.locator('[data-step="renamed"]').waitFor();
    assert.deepEqual(
      await page
        .locator('[data-step]')
        .evaluateAll(items => items.map(item => item.getAttribute('data-step'))),
      ['look', 'renamed', 'sum'],
      'a step that the author renamed is where it was, and its old name is gone',
    );
    assert.equal(await page.locator('#lab-title').innerText(), 'Another name');
  },
  { view: authored() },
);

story('a learner sees nothing of an author’s', async page => {
  assert.equal(await page.locator('.author').count(), 0);
});
