// Tests of twins and of the blocks in a lesson.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { headingsOf, idsFor } from './heading-ids.ts';
import { blocksOf, excerpt, exchangesOf, replaceBlock } from './lesson-blocks.ts';
import { structureOf, textHash, withTwin } from './twins.ts';

const source =
  '---\ntitle: A\n---\n## One\n```sh run terminal=2\nls\n```\n\n```text output lines=1\na\nb\n```\n## Two\n<Lab id="x" />\n';

test('a file keeps its hash when only its note about the twin changes', () => {
  assert.equal(textHash(withTwin(source, '0123456789ab')), textHash(source));
  assert.notEqual(textHash(source.replace('One', 'Eins')), textHash(source));
  assert.match(withTwin(source, '0123456789ab'), /^---\ntitle: A\ntwin: 0123456789ab\n---/);
  assert.match(withTwin(source, '952539469640'), /^twin: '952539469640'$/m);
});

test('structure is headings, components and code, but not words', () => {
  const other = source.replace('## One', '## 一').replace('## Two', '## 二');
  assert.deepEqual(structureOf(other), structureOf(source));
  assert.notDeepEqual(structureOf(source.replace('## Two', '### Two')), structureOf(source));
  assert.notDeepEqual(structureOf(source.replace('\nls\n', '\nls -l\n')), structureOf(source));
});

test('a command owns the output block that follows it', () => {
  const [exchange] = exchangesOf(source);
  assert.equal(exchange?.command.code, 'ls');
  assert.deepEqual(exchange?.command.meta, { run: true, terminal: '2' });
  assert.equal(exchange?.output?.code, 'a\nb');
});

test('an output block is replaced without touching the rest', () => {
  const block = blocksOf(source).find(one => one.meta.output)!;
  assert.equal(replaceBlock(source, block, 'c'), source.replace('a\nb\n', 'c\n'));
});

test('an excerpt keeps matching lines and says when it stops early', () => {
  assert.equal(excerpt('a 1\nb\na 2\na 3\n', { match: '^a', lines: '2' }), 'a 1\na 2\n…');
  assert.equal(excerpt('x\nEvents:\n  y\n', { from: '^Events' }), 'Events:\n  y');
});

test('headings inside code are no headings, and ids come from English words', () => {
  const headings = headingsOf('## Run `it`\n```sh\n## not me\n```\n### Run it\n');
  assert.deepEqual(idsFor(headings), ['run-it', 'run-it-1']);
});
