// What browser stories share: chromium, a freshly built site, screenshots and axe. Knows no story.

import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright';

export const root = join(import.meta.dirname, '../..');

/** Where stories leave pictures for people to look at; ignored by git. */
const PICTURES = join(root, '.cache/screenshots');

/** Sizes that every page must bear. */
export const SIZES = { wide: { width: 1440, height: 900 }, narrow: { width: 390, height: 844 } } as const;
export type Size = keyof typeof SIZES;
export type Scheme = 'light' | 'dark';

/** Path of a chromium, or why the stories cannot run. */
export function findChromium(): { path: string } | { missing: string } {
  for (const name of ['chromium', 'chromium-browser', 'google-chrome']) {
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

/** Builds the site into .cache unless that is newer than everything it is made of. */
export function buildSite(): string {
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
  const complaints: string[] = [];
  page.on('pageerror', error => complaints.push(error.message));
  page.on('console', message => {
    // A static site answers /api/status with 404, and the page is meant to cope.
    if (message.type() === 'error' && !message.text().includes('404')) complaints.push(message.text());
  });
  return { page, context, complaints };
}

export async function picture(page: Page, name: string): Promise<void> {
  mkdirSync(PICTURES, { recursive: true });
  await page.screenshot({ path: join(PICTURES, `${name}.png`) });
}

/** Accessibility findings as sentences; xterm's own inner workings are xterm's. */
export async function axe(page: Page): Promise<string[]> {
  const results = await new AxeBuilder({ page }).exclude('.xterm').analyze();
  return results.violations.flatMap(violation =>
    violation.nodes.map(
      node => `${violation.id}: ${node.target.join(' ')}: ${node.failureSummary ?? violation.help}`,
    ),
  );
}

/** Pixels by which the page is wider than its window: 0 when nothing sticks out. */
export function overflow(page: Page): Promise<number> {
  return page.evaluate(() => Math.max(0, document.documentElement.scrollWidth - window.innerWidth));
}
