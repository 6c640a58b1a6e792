import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeLate } from './late-scripts.ts';

test('module scripts wait for text and style, and are asked for where their code is', () => {
  const html =
    '<script src="/theme.js"></script><script type="module" src="/_astro/door.js"></script><script type="module" src="/_astro/ec.js"></script>';
  assert.equal(
    makeLate(html, new Map([['/_astro/door.js', '/_astro/page.js']])),
    '<script src="/theme.js"></script><script type="module" fetchpriority="low" src="/_astro/page.js"></script><script type="module" fetchpriority="low" src="/_astro/ec.js"></script>',
  );
});
