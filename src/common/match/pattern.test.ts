import assert from 'node:assert/strict';
import { test } from 'node:test';
import { patternProblem, searchPattern } from './index.ts';

test('agrees with the language on everyday patterns', () => {
  const texts = [
    '',
    'Running',
    'kubectl get pods -A',
    '0/1 nodes are available: 1 Insufficient memory.',
    'a\nbb\nccc',
    'x=12; y=[3]',
    'tab\there',
    '映像檔',
  ];
  const patterns = [
    '^Run',
    'ing$',
    'pods?( -A)?$',
    '\\d+/\\d+ nodes',
    'Insufficient (cpu|memory)',
    '^b+$',
    '[^a-z ]',
    '[\\d;]+ y',
    '\\bget\\b',
    'a|b|c{3}',
    '^$',
    '.{5,7}',
    'x*',
    '\\[3\\]',
    '[a\\-z]',
    '映像.',
    'c{2,}',
    'c{4}',
    '(?:ab)*c',
    'p.*?s',
  ];
  for (const pattern of patterns)
    for (const text of texts)
      assert.equal(
        searchPattern(pattern, text),
        new RegExp(pattern, 'm').test(text),
        `${pattern} in ${JSON.stringify(text)}`,
      );
  assert.equal(searchPattern('(?i)insufficient MEMORY', texts[3] as string), true);
});

test('a pattern made to explode takes no time', () => {
  const started = performance.now();
  assert.equal(searchPattern('(a+)+$', `${'a'.repeat(20000)}b`), false);
  assert.equal(searchPattern('(.*)(.*)(.*)(.*)x', 'y'.repeat(20000)), false);
  assert.ok(performance.now() - started < 3000);
});

test('what it does not understand is refused with the reason', () => {
  for (const bad of ['(?=a)', '\\1', '(', 'a)', '[b-a]', '*a', 'a{3,1}', '[', 'a**', '(a{999}){999}'])
    assert.ok(patternProblem(bad), bad);
  assert.equal(patternProblem('^kubectl\\s+get'), undefined);
});
