// The progress page against the real server: read in, shown, forgotten after asking, taken away; a damaged database is told; and
// home leads back to where the learner was.

import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright';
import { realClock } from '../../server/clock.ts';
import { readConfig } from '../../server/config.ts';
import { startServer } from '../../server/main.ts';
import { openProgress } from '../../server/progress/index.ts';
import type { Language } from '../../src/common/protocol/index.ts';
import {
  axe,
  buildSite,
  enter,
  findChromium,
  openBrowser,
  openPage,
  overflow,
  picture,
  root,
  type Size,
} from './support.ts';

const chromium = findChromium();
const skip = 'missing' in chromium ? chromium.missing : false;
const AT = '2026-01-01T00:00:00.000Z';
const POINTS = {
  seconds: 60,
  tries: 1,
  wrongAnswers: 0,
  hints: 0,
  solutions: 0,
  points: { got: 41, most: 50 },
};

const site = skip ? '' : buildSite();
let browser: Browser;
before(async () => {
  if (!skip) browser = await openBrowser();
});
after(() => browser?.close());

function story(
  name: string,
  tell: (page: Page, origin: string, data: string) => Promise<void>,
  { size = 'wide', before }: { size?: Size; before?: (data: string) => Promise<void> } = {},
): void {
  test(name, { skip, timeout: 120_000 }, async () => {
    const data = await mkdtemp(join(tmpdir(), 'progress-story-'));
    await before?.(data);
    const server = await startServer(
      { ...readConfig(root, ['--port', '0', '--data', data], {}), site },
      { providers: [], kubectl: { state: 'found', path: '/bin/true', version: 'v1.36.2', source: 'path' } },
    );
    const { page, context, complaints } = await openPage(browser, size);
    try {
      await enter(page, server.link());
      await tell(page, new URL(server.link()).origin, data);
      // The browser itself notes a refused request; that is no fault of the page.
      assert.deepEqual(
        complaints.filter(one => !one.includes('status of 400')),
        [],
      );
    } catch (error) {
      await picture(page, `failed-${name.replaceAll(/\W+/g, '-').slice(0, 50)}`);
      throw error;
    } finally {
      await context.close();
      await server.close();
      await rm(data, { recursive: true, force: true });
    }
  });
}

/** A file as another machine would have exported it. */
async function exported(folder: string): Promise<string> {
  const other = openProgress({ file: ':memory:', clock: realClock() });
  const first = other.begin('gateway-pending', 'practice', AT);
  other.end(first.id, AT);
  const second = other.begin('gateway-pending', 'practice', AT);
  for (const step of ['look-around', 'read-the-event']) other.passed(second.id, step, AT);
  other.completed(second.id, AT);
  other.result(second.id, POINTS, AT);
  const path = join(folder, 'progress.json');
  await writeFile(path, JSON.stringify(other.export()));
  other.close();
  return path;
}

const row = (page: Page) => page.locator('[data-row-lab="gateway-pending"]');
const words = {
  en: {
    steps: '2 of 5',
    done: '✓ Done',
    best: 'Best: 41 / 50 points',
    times: 'Begun 2 times',
    none: 'Not begun',
  },
  'zh-TW': {
    steps: '2 / 5',
    done: '✓ 已完成',
    best: '最佳 41 / 50 分',
    times: '做過 2 次',
    none: '還沒開始',
  },
};

for (const [language, size] of [
  ['en', 'wide'],
  ['zh-TW', 'narrow'],
] satisfies [Language, Size][])
  story(
    `progress comes in from a file, is shown, goes out and is cleared, in ${language}`,
    async (page, origin, data) => {
      const said = words[language];
      await page.goto(`${origin}/${language}/progress/`);
      await row(page).getByText(said.none).waitFor();
      assert.equal(await page.locator('[data-export]').isDisabled(), true);

      await page.locator('input[type=file]').setInputFiles(await exported(data));
      await page.click('[data-yes]');
      await row(page).getByText(said.best).waitFor();
      const text = await row(page).innerText();
      for (const word of [said.steps, said.done, said.times])
        assert.ok(text.includes(word), `${word}: ${text}`);
      assert.deepEqual(await axe(page), []);
      assert.equal(await overflow(page), 0);
      await picture(page, `progress-${language}`);

      const download = page.waitForEvent('download');
      await page.click('[data-export]');
      const file = await (await download).path();
      const { attempts } = JSON.parse(await readFile(file, 'utf8')) as { attempts: unknown[] };
      assert.equal(attempts.length, 2);

      await page.click('[data-forget="gateway-pending"]');
      await page.locator('dialog.ask button').first().click();
      await row(page).getByText(said.best).waitFor();
      await page.click('[data-forget="gateway-pending"]');
      assert.deepEqual(await axe(page), []);
      await page.click('[data-yes]');
      await row(page).getByText(said.none).waitFor();

      await page.locator('input[type=file]').setInputFiles(file);
      await page.click('[data-yes]');
      await row(page).getByText(said.best).waitFor();
      await page.click('[data-forget-all]');
      await page.click('[data-yes]');
      await row(page).getByText(said.none).waitFor();
    },
    { size },
  );

story('a file that is no progress file is refused with the server’s sentence', async (page, origin, data) => {
  await page.goto(`${origin}/en/progress/`);
  await page.locator('[data-import]').waitFor();
  const wrong = join(data, 'wrong.json');
  await writeFile(wrong, '{"hello": 1}');
  await page.locator('input[type=file]').setInputFiles(wrong);
  await page.click('[data-yes]');
  await page.getByText('not a progress file of this project').waitFor();
});

story(
  'a damaged database is told, with where the old file is',
  async (page, origin) => {
    await page.goto(`${origin}/en/progress/`);
    await page.getByText(/database was damaged.*kept as/).waitFor();
    assert.deepEqual(await axe(page), []);
    await picture(page, 'progress-damaged');
  },
  {
    before: data =>
      writeFile(join(data, 'progress.sqlite'), 'this is not a database, not at all '.repeat(100)),
  },
);

story('home leads back to the lesson that was open last', async (page, origin) => {
  await page.goto(`${origin}/en/`);
  assert.equal(await page.locator('[data-continue]').isVisible(), false);
  await page.goto(`${origin}/en/troubleshoot/method/`);
  const title = await page.locator('h1').innerText();
  await page.goto(`${origin}/en/`);
  assert.deepEqual(await axe(page), []);
  await picture(page, 'home-continue');
  await page.locator('[data-continue]').getByRole('link', { name: title }).click();
  await page.waitForURL('**/en/troubleshoot/method/');
});
