// Lets text and style of a built page travel before its scripts, which only bring to life what can be read already.
// Knows no page.

import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AstroIntegration } from 'astro';

/** A module that does nothing but import another, as the bundler leaves them of entries whose code is shared. */
const DOOR = /^import\s*"\.\/([^"]+)";\s*$/;

/** Comes before addresses are made relative: it looks for files by their address from the root. */
export function lateScripts(): AstroIntegration {
  return {
    name: 'late-scripts',
    hooks: {
      'astro:build:done': async ({ dir }) => {
        const site = fileURLToPath(dir);
        const behind = new Map<string, string>();
        for (const file of await readdir(join(site, '_astro'))) {
          const [, target] = file.endsWith('.js')
            ? (DOOR.exec(await readFile(join(site, '_astro', file), 'utf8')) ?? [])
            : [];
          if (target) behind.set(`/_astro/${file}`, `/_astro/${target}`);
        }
        for (const file of await readdir(site, { recursive: true })) {
          if (!file.endsWith('.html')) continue;
          const path = join(site, file);
          await writeFile(path, makeLate(await readFile(path, 'utf8'), behind));
        }
      },
    },
  };
}

/** `html` with its module scripts at low priority, and without a way round for those whose code is `behind` another address. */
export function makeLate(html: string, behind: ReadonlyMap<string, string>): string {
  return html.replace(
    /<script type="module" src="([^"]+)">/g,
    (_, address: string) =>
      `<script type="module" fetchpriority="low" src="${behind.get(address) ?? address}">`,
  );
}
