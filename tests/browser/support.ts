// What browser stories share: chromium, a freshly built site, screenshots and axe. Knows no story.

import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import axeCore from 'axe-core';
import { type Browser, type BrowserContext, chromium, type Page, type Request } from 'playwright';

export const root = join(import.meta.dirname, '../..');

/** Where stories leave pictures for people to look at; ignored by git. */
const PICTURES = join(root, '.cache/screenshots');

/** Sizes that every page must bear. */
export const SIZES = { wide: { width: 1440, height: 900 }, narrow: { width: 390, height: 844 } } as const;
export type Size = keyof typeof SIZES;
export type Scheme = 'light' | 'dark';

/** Path of a chromium, or why the stories cannot run. */
export function findChromium(): { path: string } | { missing: string } {
  for (const name of ['chromium-headless-shell', 'chromium', 'chromium-browser', 'google-chrome']) {
    const found = spawnSync('which', [name], { encoding: 'utf8' });
    if (found.status === 0) return { path: found.stdout.trim() };
  }
  return { missing: 'no chromium on the PATH' };
}

export async function openBrowser(): Promise<Browser> {
  const found = findChromium();
  if ('missing' in found) throw new Error(found.missing);
  // chromium refuses its sandbox to root, which is what a container usually is.
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  return chromium.launch({ executablePath: found.path, args });
}

/** Builds the site into .cache unless that is newer than everything it is made of, or `npm test` has built it already. */
export function buildSite(): string {
  if (process.env['KBD_SITE']) return process.env['KBD_SITE'];
  const folder = join(root, '.cache/test-site');
  const marker = join(folder, '.built');
  const sources = ['src', 'content', 'labs', 'astro.config.mjs', 'package.json'].map(name =>
    join(root, name),
  );
  if (existsSync(marker) && newest(sources) < statSync(marker).mtimeMs) return folder;
  const lock = `${folder}.lock`;
  // Test files run at the same time; the first builds, the others wait.
  for (let waited = 0; waited < 120; waited++) {
    try {
      mkdirSync(lock, { recursive: false });
      break;
    } catch {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500);
      if (existsSync(marker) && newest(sources) < statSync(marker).mtimeMs) return folder;
    }
  }
  try {
    const started = new Date();
    execFileSync(
      process.execPath,
      [join(root, 'node_modules/astro/bin/astro.mjs'), 'build', '--outDir', folder],
      {
        cwd: root,
        env: { ...process.env, ASTRO_TELEMETRY_DISABLED: '1' },
        stdio: 'pipe',
      },
    );
    writeFileSync(marker, '');
    utimesSync(marker, started, started);
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
  return folder;
}

function newest(paths: string[]): number {
  let latest = 0;
  for (const path of paths) {
    const stat = statSync(path);
    latest = Math.max(latest, stat.mtimeMs);
    if (stat.isDirectory())
      latest = Math.max(latest, newest(readdirSync(path).map(name => join(path, name))));
  }
  return latest;
}

/** A page that fails its story on any script error or policy violation. */
export async function openPage(
  browser: Browser,
  size: Size,
  scheme: Scheme = 'light',
): Promise<{ page: Page; context: BrowserContext; complaints: string[] }> {
  const context = await browser.newContext({
    viewport: SIZES[size],
    colorScheme: scheme,
    reducedMotion: 'reduce',
  });
  context.setDefaultTimeout(15_000);
  const page = await context.newPage();
  watchRequests(page);
  const complaints: string[] = [];
  page.on('pageerror', error => complaints.push(error.message));
  page.on('console', message => {
    // A static site answers /api/status with 404, and the page is meant to cope.
    if (message.type() === 'error' && !message.text().includes('404')) complaints.push(message.text());
  });
  return { page, context, complaints };
}

/** Opens the printed link as a learner does, to the page it leads to: until then whatever is opened next may be overtaken. */
export async function enter(page: Page, link: string): Promise<void> {
  await page.goto(link);
  await page.waitForURL(/\/zh-TW\/$/);
}

/** Taken when PICTURES=1 asks for them, and of what failed. */
export async function picture(page: Page, name: string): Promise<void> {
  if (!process.env['PICTURES'] && !name.startsWith('failed-')) return;
  mkdirSync(PICTURES, { recursive: true });
  await page.screenshot({ path: join(PICTURES, `${name}.png`) });
}

/** For pages that are all looked at: axe comes with each, which takes less than to hand it over. Others are spared its start. */
export const withAxe = (context: BrowserContext): Promise<unknown> =>
  context.addInitScript({ content: axeCore.source });

/** Accessibility findings as sentences; xterm's own inner workings are xterm's. All of axe's rules unless `only` some. */
export async function axe(page: Page, { only }: { only?: string[] } = {}): Promise<string[]> {
  // Code that scrolls can be reached by keyboard, which is done a moment after it was measured.
  await page.waitForFunction(() =>
    [...document.querySelectorAll('.expressive-code pre')].every(
      code => code.scrollWidth > code.clientWidth === code.hasAttribute('tabindex'),
    ),
  );
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(axeCore.source);
  return page.evaluate(
    async asked => {
      const { axe } = window as unknown as { axe: typeof axeCore };
      // No rule asks for the style sheets themselves, nor anyone for what is well.
      const settings = { resultTypes: ['violations' as const], preload: false, ...asked };
      const { violations } = await axe.run({ exclude: ['.xterm'] }, settings);
      return violations.flatMap(({ id, help, nodes }) =>
        nodes.map(({ target, failureSummary }) => `${id}: ${target.join(' ')}: ${failureSummary ?? help}`),
      );
    },
    only ? { runOnly: only } : {},
  );
}

/** Requests on their way, page by page. */
const pending = new WeakMap<Page, Set<Request>>();

function watchRequests(page: Page): void {
  const open = new Set<Request>();
  pending.set(page, open);
  page.on('request', request => open.add(request));
  for (const end of ['requestfinished', 'requestfailed'] as const)
    page.on(end as 'requestfinished', request => open.delete(request));
  // What a page left behind asked for is not told of any more.
  page.on('framenavigated', frame => frame === page.mainFrame() && open.clear());
}

/** Resolves when the page has all it asked for, in two looks with a frame drawn between them. */
export async function settled(page: Page): Promise<void> {
  await page.waitForLoadState('load');
  for (let quiet = 0; quiet < 2; ) {
    await page.evaluate(async () => {
      await document.fonts.ready;
      await new Promise(done => requestAnimationFrame(() => setTimeout(done)));
    });
    quiet = pending.get(page)?.size === 0 ? quiet + 1 : 0;
  }
}

/** Shows the page as loaded in the other scheme would be. */
export async function inScheme(page: Page, scheme: Scheme): Promise<void> {
  await page.emulateMedia({ colorScheme: scheme });
  await page.evaluate(async theme => {
    document.documentElement.dataset['theme'] = theme;
    // A page that was asked for less motion has the new colours at once.
    await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
  }, scheme);
}

/** Pixels by which the page is wider than its window: 0 when nothing sticks out. */
export function overflow(page: Page): Promise<number> {
  return page.evaluate(() => Math.max(0, document.documentElement.scrollWidth - window.innerWidth));
}
