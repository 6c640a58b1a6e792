// Finding things without a server: the search box in both languages, and the error index with a pasted message.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright';
import { type Double, startDouble } from './double.ts';
import { axe, buildSite, findChromium, openBrowser, openPage, overflow, picture } from './support.ts';

const chromium = findChromium();
const skip = 'missing' in chromium ? chromium.missing : false;

let browser: Browser;
let server: Double;
before(async () => {
  if (skip) return;
  browser = await openBrowser();
  server = await startDouble(buildSite(), undefined, false);
});
after(async () => {
  await browser?.close();
  await server?.close();
});

for (const { language, query, size } of [
  { language: 'zh-TW', query: '讀事件', size: 'narrow' },
  { language: 'en', query: 'Read the event', size: 'wide' },
] as const) {
  test(`the search box finds a section in ${language} and leads to it`, {
    skip,
    timeout: 120_000,
  }, async () => {
    const { page, context, complaints } = await openPage(browser, size);
    await page.goto(`${server.url}/${language}/`);
    await page.keyboard.press('/');
    await page.locator('dialog.search input').fill(query);
    const section = page.locator('.search-results a[href*="#read-the-event"]').first();
    await section.waitFor();
    assert.equal(await overflow(page), 0);
    assert.deepEqual(await axe(page), []);
    await picture(page, `search-${language}-${size}`);
    await section.click();
    await page.waitForURL(`**/${language}/troubleshoot/gateway-pending/#read-the-event`);
    assert.deepEqual(complaints, []);
    await context.close();
  });
}

test('a slash where one writes is a slash', { skip, timeout: 120_000 }, async () => {
  const { page, context } = await openPage(browser, 'wide');
  await page.goto(`${server.url}/en/errors/`);
  await page.locator('#errors-text').pressSequentially('a/b');
  assert.equal(await page.locator('#errors-text').inputValue(), 'a/b');
  assert.equal(await page.locator('dialog.search').count(), 0);
  await context.close();
});

test('a pasted message leads to its lesson, and an unknown one to the method', {
  skip,
  timeout: 120_000,
}, async () => {
  const { page, context, complaints } = await openPage(browser, 'narrow', 'dark');
  await page.goto(`${server.url}/zh-TW/errors/`);
  await page.fill(
    '#errors-text',
    'error: unable to forward port because pod is not running. Current status=Pending',
  );
  const link = page.locator('[data-errors] a').first();
  assert.match((await link.getAttribute('href')) ?? '', /\/zh-TW\/troubleshoot\/gateway-pending\/$/);
  assert.equal(await overflow(page), 0);
  assert.deepEqual(await axe(page), []);
  await page.fill('#errors-text', '今天天氣很好');
  assert.equal(await page.locator('[data-errors] > li').count(), 0);
  assert.ok(await page.locator('[data-errors-none] a').isVisible());
  assert.deepEqual(complaints, []);
  await context.close();
});

test('a first touch of a glossary word shows its card, a second one follows it', {
  skip,
  timeout: 120_000,
}, async () => {
  const context = await browser.newContext({
    viewport: { width: 390, height: 844 },
    hasTouch: true,
    isMobile: true,
  });
  const page = await context.newPage();
  await page.goto(`${server.url}/en/troubleshoot/gateway-pending/`);
  await page.waitForLoadState('networkidle');
  const word = page.locator('article a.term').nth(1);
  await word.tap();
  assert.ok(await word.locator('.term-tip').isVisible());
  const card = await word.locator('.term-tip').boundingBox();
  assert.ok(card && card.x >= 0 && card.x + card.width <= 390, JSON.stringify(card));
  assert.match(page.url(), /gateway-pending/);
  await word.tap();
  await page.waitForURL('**/en/glossary/#namespace');
  await context.close();
});
