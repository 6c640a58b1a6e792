import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  formatLabelSelector,
  labelSelectorMatches,
  parseFieldSelector,
  parseLabelSelector,
  SelectorError,
} from './index.ts';

test('label selectors select as upstream does', () => {
  const labels = { app: 'web', tier: 'b', n: '5', empty: '' };
  for (const [text, expected] of [
    ['', true],
    ['app=web', true],
    ['app==web,tier!=a', true],
    ['app in (api, web)', true],
    ['tier notin (a,b)', false],
    ['missing notin (a)', true],
    ['missing!=a', true],
    ['app', true],
    ['!app', false],
    ['!missing', true],
    ['n>4,n<6', true],
    ['n>5', false],
    ['empty=', true],
    ['empty in ()', true],
  ] as const)
    assert.equal(parseLabelSelector(text).matches(labels), expected, text);
});

test('what is no label selector is refused in upstream words', () => {
  for (const [text, words] of [
    ['a in b', "unable to parse requirement: found 'b' expected: '('"],
    ['a,', "found '', expected: identifier after ','"],
    ['a=b c', "found 'c', expected: ',' or 'end of string'"],
    [
      'a>x',
      "unable to parse requirement: values[0]: Invalid value: \"x\": for 'Gt', 'Lt' operators, the value must be an integer",
    ],
  ] as const)
    assert.throws(
      () => parseLabelSelector(text),
      (error: unknown) => error instanceof SelectorError && error.message === words,
      text,
    );
});

test('a selector object that is absent selects nothing, an empty one everything', () => {
  assert.equal(labelSelectorMatches(undefined, { a: 'b' }), false);
  assert.equal(labelSelectorMatches({}, undefined), true);
  const selector = {
    matchLabels: { app: 'web' },
    matchExpressions: [{ key: 'tier', operator: 'In', values: ['b', 'a'] }],
  };
  assert.equal(labelSelectorMatches(selector, { app: 'web', tier: 'a' }), true);
  assert.equal(labelSelectorMatches(selector, { app: 'web' }), false);
  assert.equal(formatLabelSelector(selector), 'app=web,tier in (a,b)');
  assert.equal(formatLabelSelector({}), '<none>');
});

test('field selectors split at commas that are not escaped', () => {
  assert.deepEqual(parseFieldSelector('a=b\\,c,d!=e,f==g'), [
    { field: 'a', operator: '=', value: 'b,c' },
    { field: 'd', operator: '!=', value: 'e' },
    { field: 'f', operator: '=', value: 'g' },
  ]);
  assert.throws(() => parseFieldSelector('abc'), /invalid selector: 'abc'; can't understand 'abc'/);
});
