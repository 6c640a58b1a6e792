// What the addresses of a page become.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rebase } from './relative-addresses.ts';

test('addresses from the root begin where they are told, all others stay', () => {
  const html =
    '<a class="x" href="/en/a/#b">/en/</a><script src="/x.js"></script><a href="#c"></a><a href="https://e.org/d"></a>' +
    '<a href="//e.org/"></a><section data-next="/en/f/"></section><meta content="0; url=/zh-TW/"><html data-root="/">';
  assert.equal(
    rebase(html, '../../'),
    '<a class="x" href="../../en/a/#b">/en/</a><script src="../../x.js"></script><a href="#c"></a><a href="https://e.org/d"></a>' +
      '<a href="//e.org/"></a><section data-next="../../en/f/"></section><meta content="0; url=../../zh-TW/"><html data-root="../../">',
  );
});

test('an element with several addresses has them all moved', () => {
  assert.equal(rebase('<a data-next="/a/" href="/b/">', './'), '<a data-next="./a/" href="./b/">');
});
