// The workbench beside a lesson: terminals, lab panel, consent, lost lines and keyboard, against a double of the server.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright';
import type { AttemptView, Text } from '../../src/common/protocol/index.ts';
import { type Double, startDouble } from './double.ts';
import {
  axe,
  buildSite,
  findChromium,
  openBrowser,
  openPage,
  overflow,
  picture,
  type Size,
} from './support.ts';

const chromium = findChromium();
const skip = 'missing' in chromium ? chromium.missing : false;
const LESSON = '/en/troubleshoot/gateway-pending/';
const both = (zh: string, en: string): Text => ({ 'zh-TW': zh, en });

function attempt(): AttemptView {
  return {
    lab: 'gateway-pending',
    title: both('閘道', 'Gateway'),
    minutes: 20,
    status: 'running',
    startedAt: '2026-01-01T00:00:00Z',
    steps: [
      {
        id: 'look',
        task: both('看 `Pod`。', 'Look at the `pods`.'),
        state: 'passed',
        passedAt: '2026-01-01T00:01:00Z',
        checks: [{ id: 'c', kind: 'command', state: 'holds', said: both('看到了', 'Seen.') }],
        hints: [],
        hintsLeft: 1,
      },
      {
        id: 'room',
        task: both('騰出空位。', 'Make room.'),
        state: 'slipped',
        slippedAt: '2026-01-01T00:02:00Z',
        checks: [
          {
            id: 'c',
            kind: 'resource',
            state: 'wrong',
            said: both('閘道還是 Pending。', 'The gateway is still Pending.'),
            findings: [{ path: 'status.phase', expected: 'Running', actual: 'Pending' }],
          },
          {
            id: 'h',
            kind: 'http',
            state: 'could-not-look',
            said: both('叢集沒有回應。', 'The cluster did not answer.'),
          },
        ],
        hints: [both('看事件', 'Read the event')],
        hintsLeft: 1,
      },
      {
        id: 'sum',
        task: both('算一算。', 'Add up.'),
        state: 'open',
        checks: [
          { id: 'text', kind: 'answer', state: 'not-yet', prompt: both('多少？', 'How much?') },
          {
            id: 'choice',
            kind: 'answer',
            state: 'not-yet',
            prompt: both('缺什麼？', 'What is short?'),
            choices: [
              { id: 'cpu', text: both('CPU', 'CPU') },
              { id: 'image', text: both('映像檔', 'The image') },
            ],
          },
        ],
        hints: [],
        hintsLeft: 0,
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
  { size = 'wide', prepare }: { size?: Size; prepare?: (server: Double) => void } = {},
): void {
  test(name, { skip, timeout: 90_000 }, async () => {
    const server = await startDouble(site, attempt());
    prepare?.(server);
    const { page, context, complaints } = await openPage(browser, size);
    try {
      await page.goto(server.url + LESSON);
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

const open = async (page: Page) => {
  await page.click('[data-start]');
  await page.locator('.term-tab').first().waitFor();
};
const screen = (page: Page) => page.locator('.xterm-rows:visible');
const eventually = async (what: () => boolean | Promise<boolean>, why: string) => {
  for (let i = 0; i < 100; i++) {
    if (await what()) return;
    await new Promise(done => setTimeout(done, 50));
  }
  assert.fail(why);
};

story('a run button opens the lab and runs its command', async (page, server) => {
  await page.locator('.run-bar button').nth(1).click();
  await eventually(() => server.typed.get('t1') === 'kubectl get pods -A\n', 'the command did not arrive');
  await screen(page).getByText('ran in t1').waitFor();
  await page.locator('.run-bar').nth(1).getByText('Done').waitFor();
  assert.match(
    (await page.locator('[data-cluster-badge]').textContent()) ?? '',
    /Practice cluster v1\.36\.2/,
  );
});

story('a command for the second terminal opens one, beside a first that is busy', async (page, server) => {
  await page.locator('.run-bar button', { hasText: 'Run' }).first().click();
  await eventually(() => (server.typed.get('t1') ?? '').includes('port-forward'), 'no port-forward');
  await page.locator('.run-bar button').nth(2).click();
  await page.getByText('This terminal is busy').waitFor();
  await page.getByRole('button', { name: /Run in terminal 2/ }).click();
  await eventually(() => (server.typed.get('t2') ?? '').includes('curl'), 'no curl in terminal 2');
  assert.equal(await page.locator('.term-tab [aria-pressed]').count(), 2);
});

story('each state of a check looks and reads differently', async page => {
  await open(page);
  const slipped = page.locator('[data-step="room"]');
  assert.equal(await slipped.getAttribute('data-state'), 'slipped');
  assert.match(await slipped.innerText(), /≠ differs/);
  assert.match(await slipped.innerText(), /\? we could not look/);
  assert.match(await slipped.locator('.findings').innerText(), /status\.phase\s+Pending\s+Running/);
  await page.locator('[data-step="sum"] .step-toggle').click();
  assert.match(await page.locator('[data-step="sum"]').innerText(), /○ not yet/);
  assert.deepEqual(await axe(page), []);
  await picture(page, 'workbench-states');
});

story('answers, hints and a confirmed reset become wishes', async (page, server) => {
  await open(page);
  await page.locator('[data-step="room"]').getByRole('button', { name: /hint/ }).click();
  await page.locator('[data-step="sum"] .step-toggle').click();
  await page.getByLabel('How much?').fill('128Mi');
  await page.keyboard.press('Enter');
  await page.locator('[data-step="sum"]').getByLabel('The image').check();
  await page.locator('[data-step="sum"] form').nth(1).getByRole('button').click();
  await page.click('[data-reset]');
  await page
    .getByRole('button', { name: 'Not now' })
    .or(page.getByRole('button', { name: 'Cancel' }))
    .click();
  await page.click('[data-reset]');
  await page.click('[data-yes]');
  await eventually(() => server.requests.length >= 4, 'not all wishes arrived');
  assert.deepEqual(server.requests, [
    { type: 'hint', step: 'room' },
    { type: 'answer', step: 'sum', check: 'text', value: '128Mi' },
    { type: 'answer', step: 'sum', check: 'choice', value: 'image' },
    { type: 'reset' },
  ]);
});

story('a step that passes turns green by itself, and what is being typed stays', async (page, server) => {
  await open(page);
  await page.locator('[data-step="sum"] .step-toggle').click();
  await page.locator('[data-step="sum"]').getByLabel('The image').check();
  await page.getByLabel('How much?').fill('12');
  const { steps } = attempt();
  server.tell({ type: 'step', step: { ...steps[1]!, state: 'passed' } });
  await page.locator('[data-step="room"][data-state="passed"]').waitFor();
  server.tell({ type: 'step', step: { ...steps[2]!, hintsLeft: 3 } });
  await page.locator('[data-step="sum"]').getByRole('button', { name: /hint/ }).waitFor();
  await page.keyboard.type('8Mi');
  assert.equal(await page.getByLabel('How much?').inputValue(), '128Mi');
  assert.equal(await page.locator('[data-step="sum"]').getByLabel('The image').isChecked(), true);
  assert.equal(await page.locator('[data-announce]').innerText(), 'Step 2 passed');
});

story('a reload and the other language come back to the same terminal', async (page, server) => {
  await open(page);
  await screen(page).getByText('$').first().waitFor();
  await page.locator('.xterm-helper-textarea').first().focus();
  await page.keyboard.type('echo hi');
  await eventually(() => server.typed.get('t1') === 'echo hi', 'typing did not arrive');
  await page.reload();
  await screen(page).getByText('welcome back').waitFor();
  await page.click('[data-twin]');
  await page.waitForURL('**/zh-TW/**');
  await screen(page).getByText('welcome back').waitFor();
  assert.match(await page.locator('.term-tab').first().innerText(), /終端機 1/);
});

story('a lost line says so and comes back by itself', async (page, server) => {
  await open(page);
  await screen(page).getByText('$').first().waitFor();
  server.cut();
  await page.locator('.term-state:visible').waitFor();
  await page.locator('.term-state').waitFor({ state: 'hidden' });
  await page.locator('.xterm-helper-textarea').first().focus();
  await page.keyboard.type('x');
  await eventually(
    () => (server.typed.get('t1') ?? '').endsWith('x'),
    'typing did not arrive after the line was back',
  );
});

story('Esc, then Tab leaves the terminal; Tab alone goes to the shell', async (page, server) => {
  await open(page);
  await screen(page).getByText('$').first().waitFor();
  await page.locator('.xterm-helper-textarea').first().focus();
  await page.keyboard.press('Tab');
  await eventually(() => server.typed.get('t1') === '\t', 'Tab did not reach the shell');
  await page.keyboard.press('Escape');
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement?.closest('.xterm') !== null), false);
  await page.keyboard.press('Shift+Tab');
  assert.equal(await page.evaluate(() => document.activeElement?.closest('.xterm') !== null), true);
});

story('every output byte is acknowledged, and queries are not answered by the page', async (page, server) => {
  await open(page);
  await screen(page).getByText('$').first().waitFor();
  const flood = Buffer.from('叢集 '.repeat(40_000));
  // Cut without regard to characters, as a pty does.
  for (let at = 0; at < flood.length; at += 32_000) server.output('t1', flood.subarray(at, at + 32_000));
  server.output('t1', Buffer.from('\x1b[c\x1b[6n\x1b]11;?\x07'));
  const sum = flood.length + '\x1b[c\x1b[6n\x1b]11;?\x07'.length;
  await eventually(() => server.acked.get('t1') === sum, `acked ${server.acked.get('t1')} of ${sum} bytes`);
  assert.equal(server.typed.get('t1'), undefined);
});

story('a shell that ended says so and offers a new one', async (page, server) => {
  await open(page);
  await screen(page).getByText('$').first().waitFor();
  server.exit('t1', 3);
  await page.getByText('exit code 3').waitFor();
  await page.getByRole('button', { name: 'Open a new one' }).click();
  await eventually(() => server.requests.length === 2, 'no wish arrived');
  assert.deepEqual(server.requests, [{ type: 'open-terminal' }, { type: 'close-terminal', terminal: 't1' }]);
});

story(
  'a shell without a sandbox opens only after a yes',
  async page => {
    await page.click('[data-start]');
    await page.getByText('outside any sandbox').waitFor();
    assert.deepEqual(await axe(page), []);
    await page.click('[data-yes]');
    await page.locator('.term-tab').first().waitFor();
  },
  {
    prepare: server => {
      server.refuseOnce = {
        ok: false,
        reason: 'needs-consent',
        note: both('這個 shell 不在沙箱裡。', 'This shell runs outside any sandbox.'),
      };
    },
  },
);

story(
  'without kubectl the lab offers to fetch it, and starts afterwards',
  async page => {
    await page.getByText('There is no kubectl.').waitFor();
    assert.equal(await page.locator('[data-start]').isDisabled(), true);
    await page.getByRole('button', { name: 'Fetch the official kubectl' }).click();
    await eventually(() => page.locator('[data-start]').isEnabled(), 'the lab cannot be started');
  },
  {
    prepare: server => {
      server.status.kubectl = { state: 'missing', note: both('找不到 kubectl。', 'There is no kubectl.') };
    },
  },
);

story('the borders can be moved by keyboard, and stay moved', async page => {
  const handle = page.locator('[data-splitter="columns"]');
  await handle.focus();
  for (let i = 0; i < 5; i++) await page.keyboard.press('ArrowLeft');
  assert.equal(await handle.getAttribute('aria-valuenow'), '40');
  await page.reload();
  assert.equal(await handle.getAttribute('aria-valuenow'), '40');
});

story(
  'on a phone one pane shows at a time and nothing sticks out',
  async page => {
    assert.equal(await page.locator('.terminal-panel').isVisible(), false);
    await page.locator('.run-bar button').nth(1).click();
    await screen(page).getByText('ran in t1').waitFor();
    assert.equal(await page.locator('.prose').isVisible(), false);
    assert.equal(await overflow(page), 0);
    await picture(page, 'phone-terminal');
    await page.locator('[data-show="lab"]').click();
    assert.match(await page.locator('[data-show="lab"]').innerText(), /1\/3/);
    // The page's heading belongs to the pane that is put away.
    const found = await axe(page);
    assert.deepEqual(
      found.filter(one => !one.startsWith('page-has-heading-one')),
      [],
    );
    assert.equal(await overflow(page), 0);
    await picture(page, 'phone-lab');
    await page.locator('[data-show="text"]').click();
    await page.locator('.prose').waitFor();
  },
  { size: 'narrow' },
);
