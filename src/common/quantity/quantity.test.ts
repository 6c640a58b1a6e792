import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  addQuantity,
  compareQuantity,
  formatQuantity,
  milliValue,
  parseQuantity,
  wholeValue,
} from './index.ts';

const q = (text: string) => {
  const quantity = parseQuantity(text);
  assert.ok(quantity, `${text} is a quantity`);
  return quantity;
};

test('the canonical form drops fractions and takes the largest suffix', () => {
  for (const [given, canonical] of [
    ['1000m', '1'],
    ['0.5', '500m'],
    ['1.5Gi', '1536Mi'],
    ['4194304Ki', '4Gi'],
    ['1024', '1024'],
    ['1000', '1k'],
    ['100e-3', '100e-3'],
    ['1e3', '1e3'],
    ['1E3', '1e3'],
    ['12E', '12E'],
    ['0.1Ki', '102400m'],
    ['512Ki', '512Ki'],
    ['0', '0'],
    ['-500m', '-500m'],
    ['0.0000000001', '1n'],
    ['.5', '500m'],
    ['5.', '5'],
    ['264212084Ki', '264212084Ki'],
  ]) {
    assert.equal(formatQuantity(q(given as string)), canonical, given);
  }
});

test('what is no quantity is undefined, whatever its type', () => {
  for (const bad of [
    '',
    '.',
    'm',
    '1 Gi',
    '1gi',
    '1K',
    'Infinity',
    '0x10',
    '1e',
    '1e999',
    '1'.repeat(65),
    null,
    {},
    Number.NaN,
  ]) {
    assert.equal(parseQuantity(bad), undefined, String(bad));
  }
});

test('amounts compare by value, whatever they are written in', () => {
  assert.equal(compareQuantity(q('1'), q('1000m')), 0);
  assert.ok(compareQuantity(q('4G'), q('4Gi')) < 0);
  assert.ok(compareQuantity(q('9007199254740993'), q('9007199254740992')) > 0);
});

test('a sum keeps the first format, a zero takes the other', () => {
  assert.equal(formatQuantity(addQuantity(q('70Mi'), q('100Mi'))), '170Mi');
  assert.equal(formatQuantity(addQuantity(q('0'), q('100Mi'))), '100Mi');
  assert.equal(formatQuantity(addQuantity(q('250m'), q('1'))), '1250m');
});

test('counts are rounded up', () => {
  assert.equal(milliValue(q('1500u')), 2);
  assert.equal(wholeValue(q('1Gi')), 1073741824);
  assert.equal(wholeValue(q('1m')), 1);
  assert.equal(milliValue(q('-1500u')), -1);
});
