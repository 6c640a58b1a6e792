// The whole gateway lab as a learner does it: real server, real shell, real kubectl, practice cluster; both languages, wide and
// narrow. Every command comes from the lesson's own run buttons.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright';
import { readConfig } from '../../server/config.ts';
import { type RunningServer, startServer } from '../../server/main.ts';
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
const hasKubectl = spawnSync('kubectl', ['version', '--client']).status === 0;
const skip = 'missing' in chromium ? chromium.missing : hasKubectl ? false : 'no kubectl on the PATH';

/** How long a checkpoint may take on a busy machine, in ms. */
const PATIENCE = 90_000;
const PATH = 'troubleshoot/gateway-pending/';

const labels = {
  'zh-TW': { both: 'CPU 和記憶體都缺', done: '全部過關' },
  en: { both: 'Both CPU and memory', done: 'All checkpoints passed' },
};

let browser: Browser;
before(async () => {
  if (!skip) browser = await openBrowser();
});
after(() => browser?.close());

for (const [language, size] of [
  ['zh-TW', 'wide'],
  ['en', 'narrow'],
] satisfies [Language, Size][]) {
  test(`the whole lab in ${language}, ${size}`, { skip, timeout: 400_000 }, async () => {
    const data = await mkdtemp(join(tmpdir(), 'lab-story-'));
    const config = { ...readConfig(root, ['--port', '0', '--data', data], {}), site: buildSite() };
    let server: RunningServer | undefined = await startServer(config);
    const { page, context, complaints } = await openPage(browser, size);
    page.setDefaultTimeout(PATIENCE);
    try {
      const origin = new URL(server.link()).origin;
      await enter(page, server.link());
      await page.goto(`${origin}/${language}/${PATH}`);
      await doLab(page, language, size);
      assert.deepEqual(complaints, []);
    } catch (error) {
      await picture(page, `failed-lab-${language}-${size}`);
      throw error;
    } finally {
      await context.close();
      await server?.close();
      server = undefined;
      await rm(data, { recursive: true, force: true });
    }
  });
}

async function doLab(page: Page, language: Language, size: Size): Promise<void> {
  const words = labels[language];
  const show = async (pane: 'text' | 'terminal' | 'lab') => {
    if (size === 'narrow') await page.click(`[data-show="${pane}"]`);
  };
  const run = async (command: string, nth = 0) => {
    await show('text');
    const block = page
      .locator('.expressive-code', { has: page.locator(`[data-run=${JSON.stringify(command)}]`) })
      .nth(nth);
    await block.locator('xpath=following-sibling::div[contains(@class,"run-bar")][1]//button').click();
  };
  const passed = (step: string) =>
    page
      .locator(`[data-step="${step}"][data-state="passed"]`)
      .waitFor({ state: 'attached', timeout: PATIENCE });

  await show('lab');
  await page.click('[data-start]');
  const consent = page.locator('[data-yes]');
  await consent.or(page.locator('.term-tab').first()).first().waitFor({ state: 'attached' });
  if (await consent.isVisible()) await consent.click();
  await page.locator('[data-step="look-around"][data-open]').waitFor({ state: 'attached' });
  assert.equal(
    await page.locator('[data-state="passed"]').count(),
    0,
    'nothing is green before anything was done',
  );

  await run('kubectl get pods -A');
  await passed('look-around');
  await picture(page, `lab-${language}-${size}-1-pods`);

  // The map shows the full node, and a click on a pod types without running.
  await page.click(size === 'narrow' ? '[data-show="map"]' : '[data-lower="map"]');
  await page.locator('.map-meter[data-full]').first().waitFor();
  await picture(page, `lab-${language}-${size}-map`);
  assert.deepEqual(await axeOf(page, size), []);
  await page.locator('.map-pod', { hasText: 'istio-ingressgateway' }).first().click();
  await page.locator('.xterm-rows:visible').getByText('kubectl describe pod istio-ingressgateway').waitFor();
  if (size === 'wide') await page.click('[data-lower="lab"]');

  await run('kubectl describe pod -n istio-system -l app=istio-ingressgateway');
  await show('lab');
  await page.getByLabel(words.both).check();
  await page.locator('[data-step="read-the-event"] form button[type=submit]').click();
  await passed('read-the-event');

  // What was reached outlives a reload, and the shell with it.
  await page.reload();
  await passed('read-the-event');
  await page.locator('.xterm-rows').first().waitFor({ state: 'attached' });

  await show('lab');
  const answers = page.locator('[data-step="compare"] form');
  await answers.nth(0).locator('input').fill('4194300Ki');
  await answers.nth(0).locator('button').click();
  await answers.nth(1).locator('input').fill('1Gi');
  await answers.nth(1).locator('button').click();
  await page.locator('[data-step="compare"] [data-state="wrong"]').first().waitFor();
  await picture(page, `lab-${language}-${size}-2-wrong`);
  await answers.nth(1).locator('input').fill('128Mi');
  await answers.nth(1).locator('button').click();
  await passed('compare');

  await run('kubectl scale deployment ml-pipeline -n kubeflow --replicas=0');
  await passed('make-room');

  await run('kubectl port-forward svc/istio-ingressgateway -n istio-system 8080:80', 1);
  await passed('open-the-door');
  await run(String.raw`curl -sS -o /dev/null -w '%{http_code}\n' http://localhost:8080/`);
  await page.locator('.xterm-rows:visible').getByText('404').waitFor();
  await picture(page, `lab-${language}-${size}-3-door`);

  await show('lab');
  await page.locator('[data-complete]').getByText(words.done).waitFor();
  assert.deepEqual(await axeOf(page, size), []);
  assert.equal(await overflow(page), 0);
  await picture(page, `lab-${language}-${size}-4-complete`);
}

/** On a narrow screen the text, and with it the heading, is behind another pane. */
async function axeOf(page: Page, size: Size): Promise<string[]> {
  const found = await axe(page);
  return found.filter(one => size === 'wide' || !one.startsWith('page-has-heading-one'));
}
