// Indexes the built pages for the search box, each language by itself, with Pagefind. Needs no network: the indexer is a binary
// in a package. Knows no page; what counts as text is marked in the layouts.

import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AstroIntegration } from 'astro';

/** Ready-made interfaces that Pagefind writes beside the index; ours is in src/client/search. */
const UNUSED = ['ui', 'modular-ui', 'component-ui'].flatMap(name => [
  `pagefind-${name}.js`,
  `pagefind-${name}.css`,
]);

export function searchIndex(): AstroIntegration {
  return {
    name: 'search-index',
    hooks: {
      'astro:build:done': async ({ dir, logger }) => {
        const pagefind = await import('pagefind');
        const site = fileURLToPath(dir);
        const { index, errors } = await pagefind.createIndex({});
        if (!index) throw new Error(`The search index could not be begun: ${errors.join('; ')}`);
        const added = await index.addDirectory({ path: site });
        const written = await index.writeFiles({ outputPath: `${site}/pagefind` });
        const wrong = [...added.errors, ...written.errors];
        await pagefind.close();
        if (wrong.length > 0) throw new Error(`The search index is not complete: ${wrong.join('; ')}`);
        for (const file of [...UNUSED, 'pagefind-highlight.js'])
          await rm(join(site, 'pagefind', file), { force: true });
        logger.info(`${added.page_count} pages searched`);
      },
    },
  };
}
