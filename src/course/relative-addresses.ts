// Makes the built pages indifferent to where they are put: addresses that begin at the root of the site become relative, so
// that any host can serve them, at a domain's root or in a folder of it. Knows no page.

import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AstroIntegration } from 'astro';

/** Shown for any wrong address, at any depth: its own links cannot be relative. */
const ANYWHERE = '404.html';

export function relativeAddresses(): AstroIntegration {
  let root = '/';
  return {
    name: 'relative-addresses',
    hooks: {
      'astro:config:done': ({ config }) => {
        // Whoever says where the site will be published has a page of wrong addresses that finds back.
        if (config.site) root = new URL(config.site).pathname.replace(/\/?$/, '/');
      },
      'astro:build:done': async ({ dir }) => {
        const site = fileURLToPath(dir);
        for (const file of await readdir(site, { recursive: true })) {
          if (!file.endsWith('.html')) continue;
          const path = join(site, file);
          const depth = file.replaceAll('\\', '/').split('/').length - 1;
          const html = await readFile(path, 'utf8');
          await writeFile(path, rebase(html, file === ANYWHERE ? root : '../'.repeat(depth) || './'));
        }
      },
    },
  };
}

/** `html` with every address that began at `/` beginning at `root` instead. */
export function rebase(html: string, root: string): string {
  return html.replace(/<[a-z][^>]*>/g, tag =>
    tag.replace(/(\s(?:href|src|data-next|data-root)="|;\s*url=)\/(?!\/)/g, `$1${root}`),
  );
}
