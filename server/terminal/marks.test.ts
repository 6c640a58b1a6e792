import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMarkReader, type Piece } from './marks.ts';

const bytes = (text: string) => new Uint8Array(Buffer.from(text, 'utf8'));

function read(chunks: string[] | Uint8Array[], nonce = 'n1') {
  const reader = createMarkReader(nonce);
  const pieces: Piece[] = chunks.flatMap(chunk => reader(typeof chunk === 'string' ? bytes(chunk) : chunk));
  const shown = Buffer.concat(pieces.flatMap(piece => ('bytes' in piece ? [piece.bytes] : []))).toString(
    'utf8',
  );
  return { shown, marks: pieces.flatMap(piece => ('mark' in piece ? [piece.mark] : [])) };
}

const STREAM =
  'before\x1b]633;A;n1\x07$ \x1b]633;B;n1\x07ls\r\n\x1b]633;E;ls -l\\x3b echo 中;n1\x07\x1b]633;C;n1\x07out\x1b[31m\r\n\x1b]633;D;2;n1\x1b\\\x1b]633;P;Cwd=/tmp/a\\\\b;n1\x07';

test('marks are read and taken out of what is shown', () => {
  assert.deepEqual(read([STREAM]), {
    shown: 'before$ ls\r\nout\x1b[31m\r\n',
    marks: [
      { kind: 'prompt-begins' },
      { kind: 'prompt' },
      { kind: 'line', line: 'ls -l; echo 中' },
      { kind: 'runs' },
      { kind: 'ended', code: 2 },
      { kind: 'cwd', path: '/tmp/a\\b' },
    ],
  });
});

test('wherever the stream is cut, the result is the same', () => {
  const whole = read([STREAM]);
  const all = bytes(STREAM);
  for (let cut = 1; cut < all.length; cut++) {
    assert.deepEqual(read([all.subarray(0, cut), all.subarray(cut)]), whole, `cut at ${cut}`);
  }
  assert.deepEqual(read([...all].map(byte => new Uint8Array([byte]))), whole);
});

test('a mark with another nonce is no mark and is not shown either', () => {
  assert.deepEqual(read(['a\x1b]633;D;0;other\x07b\x1b]633;D;0\x07c']), { shown: 'abc', marks: [] });
});

test('other sequences pass through', () => {
  const text = '\x1b]0;title\x07\x1b]63;x\x07\x1b[6n\x1b]633';
  assert.equal(read([`${text}\x07`]).shown, `${text}\x07`);
});

test('a sequence that never ends is shown at last, so that nothing waits for ever', () => {
  const long = `\x1b]633;E;${'x'.repeat(70_000)}`;
  assert.equal(read([long]).shown.length, long.length);
});
