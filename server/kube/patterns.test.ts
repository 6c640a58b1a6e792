import assert from 'node:assert/strict';
import { test } from 'node:test';
import { patternFor } from './patterns.ts';

const matches = (pattern: string, text: string) => patternFor(pattern, text)?.test(text);

test('patterns match as they are written', () => {
  assert.equal(matches('^[a-z]{2}$', 'ab'), true);
  assert.equal(matches('^[a-z]{2}$', 'abc'), false);
  assert.equal(matches('b', 'abc'), true);
  assert.equal(matches('b', 'abc'), true, 'and again');
});

test('a character is a character, however it is stored', () => {
  assert.equal(matches('^.$', '💥'), true);
  assert.equal(matches('^[^a]$', '💥'), true);
  assert.equal(matches('^\\p{L}+$', '叢集'), true);
});

test('what JavaScript cannot read is not checked', () => {
  assert.equal(patternFor('(', 'x'), undefined);
  assert.equal(patternFor('(?P<name>x)', 'x'), undefined);
});

test('no pattern takes long', () => {
  const begun = performance.now();
  assert.equal(matches('^(a+)+$', `${'a'.repeat(60)}!`), false);
  assert.equal(matches('^(\\w+\\s?)*$', `${'word '.repeat(30)}!`), false);
  assert.ok(performance.now() - begun < 2000);
});
