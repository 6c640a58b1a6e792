// Every page in both languages, wide and narrow, dark and light: no script error, nothing sticks out, axe finds nothing, and
// what travels stays within its budget. Reads without any server behind it.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { brotliCompressSync } from 'node:zlib';
import type { Browser } from 'playwright';
import { type Double, startDouble } from './double.ts';
import {
  axe,
  buildSite,
  findChromium,
  inScheme,
  openBrowser,
  openPage,
  overflow,
  picture,
  type Scheme,
  SIZES,
  type Size,
  settled,
  withAxe,
} from './support.ts';

const chromium = findChromium();
const skip = 'missing' in chromium ? chromium.missing : false;
const site = buildSite();
const pages = readdirSync(site, { recursive: true, encoding: 'utf8' })
  .filter(file => file.endsWith('index.html') && file !== 'index.html')
  .map(file => `/${file.replaceAll('\\', '/').replace(/index\.html$/, '')}`)
  .sort();

// PAGES=/en/errors/,… looks at those alone.
const looked = process.env['PAGES']?.split(',') ?? [...pages, '/no/such/page/'];

/** Pictures are taken of everything. */
const PICTURES = Boolean(process.env['PICTURES']);

let browser: Browser;
let server: Double;
before(async () => {
  if (skip) return;
  browser = await openBrowser();
  server = await startDouble(site, undefined, false);
});
after(async () => {
  await browser?.close();
  await server?.close();
});

/** What another scheme alone can break. */
const COLOUR_RULES = ['color-contrast', 'link-in-text-block'];

/** What another width alone can break: pages are built alike in both languages, and each is looked at whole in one of them. */
const SIZE_RULES = ['scrollable-region-focusable', 'target-size'];

/** The sizes in the order each language is looked at in: loading on a phone and on a desk, and being resized, all happen. */
const ORDER = { 'zh-TW': ['narrow', 'wide'], en: ['wide', 'narrow'] } satisfies Record<string, Size[]>;

// Side by side: each of them waits for a page of its own.
describe('every page is whole', { concurrency: 2 }, () => {
  for (const [language, sizes] of Object.entries(ORDER))
    test(`${language}, wide and narrow, in light and dark`, { skip, timeout: 480_000 }, async () => {
      const { page, context, complaints } = await openPage(browser, sizes[0]!);
      await withAxe(context);
      for (const path of looked.filter(path => path.startsWith('/en/') === (language === 'en'))) {
        await page.setViewportSize(SIZES[sizes[0]!]);
        await page.goto(server.url + path);
        for (const size of sizes) {
          // Most of what axe looks at does not change with the width, and each language shows it in another one.
          const first = size === sizes[0];
          await page.setViewportSize(SIZES[size]);
          await settled(page);
          assert.equal(await overflow(page), 0, `${path} is wider than the ${size} window`);
          assert.deepEqual(await axe(page, first ? {} : { only: SIZE_RULES }), [], `${path}, ${size}`);
          await picture(page, `${size}-light${path.replaceAll('/', '_')}`);
          if (!first && !PICTURES) continue;
          await inScheme(page, 'dark');
          assert.deepEqual(await axe(page, { only: COLOUR_RULES }), [], `${path}, ${size}, in the dark`);
          await picture(page, `${size}-dark${path.replaceAll('/', '_')}`);
          await inScheme(page, 'light');
        }
        // Names of landmarks are a reader's table of contents; code is none of it.
        assert.equal(await page.locator('pre[role=region]').count(), 0, `${path} makes landmarks of code`);
        assert.deepEqual(complaints, [], path);
      }
      await context.close();
    });
});

test('the look at every page sees what is wrong', { skip }, async () => {
  const { page, context } = await openPage(browser, 'wide');
  await page.goto(`${server.url}/en/`);
  await page.evaluate(() => {
    document.querySelector('h1')?.append(document.createElement('img'));
    document.querySelector('main p')?.setAttribute('style', 'color: #eee; background: #fff');
  });
  assert.match((await axe(page)).join('\n'), /^image-alt: img: /m);
  assert.match(
    (await axe(page, { only: COLOUR_RULES })).join('\n'),
    /^color-contrast: .+insufficient color contrast/s,
  );
  await context.close();
});

test('a page comes in the scheme of the system', { skip }, async () => {
  for (const scheme of ['light', 'dark'] satisfies Scheme[]) {
    const { page, context } = await openPage(browser, 'wide', scheme);
    await page.goto(`${server.url}/en/`);
    assert.equal(await page.getAttribute('html', 'data-theme'), scheme);
    await context.close();
  }
});

test('the bare address leads to Traditional Chinese', { skip }, async () => {
  const { page, context } = await openPage(browser, 'wide');
  await page.goto(server.url);
  await page.waitForURL('**/zh-TW/');
  assert.equal(await page.getAttribute('html', 'lang'), 'zh-TW');
  await context.close();
});

test('the language switch keeps the place in the text', { skip }, async () => {
  const { page, context } = await openPage(browser, 'wide');
  await page.goto(`${server.url}/zh-TW/troubleshoot/gateway-pending/`);
  await page.locator('#make-room').evaluate(heading => heading.scrollIntoView());
  await page.mouse.wheel(0, 300);
  await page.waitForTimeout(200);
  // A click of Playwright's scrolls to the sticky header first; this one does not.
  await page.locator('[data-twin]').evaluate((link: HTMLElement) => link.click());
  await page.waitForURL('**/en/troubleshoot/gateway-pending/');
  const top = await page.locator('#make-room').evaluate(heading => heading.getBoundingClientRect().top);
  const next = await page.locator('#open-the-door').evaluate(heading => heading.getBoundingClientRect().top);
  assert.ok(top < 100 && next > 0, `#make-room is at ${top}, the next section at ${next}`);
  await context.close();
});

test('the theme button switches, and the choice outlives the page', { skip }, async () => {
  const { page, context } = await openPage(browser, 'wide', 'light');
  await page.goto(`${server.url}/en/`);
  await page.click('[data-theme-toggle]');
  assert.equal(await page.getAttribute('html', 'data-theme'), 'dark');
  await page.reload();
  assert.equal(await page.getAttribute('html', 'data-theme'), 'dark');
  await context.close();
});

test('without a server a lesson says how to start one, and offers nothing that cannot work', {
  skip,
}, async () => {
  const { page, context } = await openPage(browser, 'wide');
  await page.goto(`${server.url}/en/troubleshoot/gateway-pending/`);
  await page.getByText('npm start').waitFor();
  assert.equal(await page.locator('.run-bar').count(), 0);
  assert.equal(await page.locator('.terminal-panel').isVisible(), false);
  await context.close();
});

test('in a folder of any host pages read, are searched and complain of nothing', { skip }, async () => {
  const host = await startDouble(site, undefined, false, '/docs/kubeflow/');
  const { page, context } = await openPage(browser, 'wide');
  // Not even of a missing server, which the console of a visitor would hold against us.
  const said: string[] = [];
  page.on('console', message => message.type() === 'error' && said.push(message.text()));
  page.on('pageerror', error => said.push(error.message));
  try {
    await page.goto(`${host.url}/docs/kubeflow/`);
    await page.waitForURL('**/docs/kubeflow/zh-TW/');
    await page.click('[data-start-lab]');
    await page.getByText('npm start').waitFor();
    await page.click('[data-twin]');
    await page.waitForURL('**/docs/kubeflow/en/**');
    await page.getByText('npm start').waitFor();
    await page.click('[popovertarget="course"]');
    await page.locator('.drawer .outline-lessons a').nth(-1).click();
    await page.waitForURL('**/docs/kubeflow/en/decide/**');
    await page.keyboard.press('/');
    await page.fill('dialog.search input', 'CrashLoopBackOff');
    await page.locator('.search-results a').first().click();
    await page.waitForURL('**/docs/kubeflow/en/**');
    for (const path of ['progress', 'errors', 'glossary'])
      await page.goto(`${host.url}/docs/kubeflow/zh-TW/${path}/`).then(() => settled(page));
    assert.deepEqual(said, []);
  } finally {
    await context.close();
    await host.close();
  }
});

test('a lesson reads without scripts', { skip }, async () => {
  const context = await browser.newContext({
    javaScriptEnabled: false,
    viewport: { width: 390, height: 844 },
  });
  const page = await context.newPage();
  await page.goto(`${server.url}/en/troubleshoot/gateway-pending/`);
  assert.ok(await page.getByRole('heading', { level: 1 }).isVisible());
  assert.ok(await page.locator('.lab-panel').isVisible());
  assert.equal(await overflow(page), 0);
  await context.close();
});

test('pages stay within their budgets before a terminal is opened', () => {
  // As the server sends it to every browser of today.
  const sizes = new Map<string, number>();
  const size = (text: string) => {
    // Pages share their scripts.
    if (!sizes.has(text)) sizes.set(text, brotliCompressSync(text).length);
    return sizes.get(text)!;
  };
  const budgets = { html: 10_000, css: 15_000, js: 30_000 };
  for (const path of pages) {
    const html = readFileSync(join(site, path, 'index.html'), 'utf8');
    const sums = { html: size(html), css: 0, js: 0 };
    const seen = new Set<string>();
    const add = (file: string): void => {
      const full = join(site, file);
      if (seen.has(full)) return;
      seen.add(full);
      const text = readFileSync(full, 'utf8');
      sums[file.endsWith('.css') ? 'css' : 'js'] += size(text);
      // Static imports travel with the page; import() waits for the learner.
      if (file.endsWith('.js'))
        for (const [, target = ''] of text.matchAll(/(?:^|[;}\s])(?:import|from)\s*["'](\.[^"']+)["']/g))
          add(relative(site, join(full, '..', target)));
    };
    for (const [, file = ''] of html.matchAll(/(?:href|src)="([^"]+\.(?:css|js))"/g)) add(join(path, file));
    assert.ok(sums.css > 0 && sums.js > 0, `${path}: no style sheet or no script was found`);
    for (const [kind, budget] of Object.entries(budgets))
      assert.ok(
        sums[kind as keyof typeof sums] <= budget,
        `${path}: ${kind} is ${sums[kind as keyof typeof sums]} bytes compressed, budget ${budget}`,
      );
  }
});

test('no page carries an inline script', () => {
  for (const path of [...pages, '/']) {
    const html = readFileSync(join(site, path, 'index.html'), 'utf8');
    assert.deepEqual(html.match(/<script(?![^>]*\ssrc=)[^>]*>/g) ?? [], [], path);
    assert.deepEqual(html.match(/\son[a-z]+="/g) ?? [], [], path);
  }
});
