import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatQuantity } from '#common/quantity/index.ts';
import { typedNumber, typedQuantity } from './typed.ts';

/** As the binary suffixes write it, whichever it was written with. */
const quantity = (text: string) => {
  const typed = typedQuantity(text);
  return typed && formatQuantity({ ...typed, format: 'BinarySI' });
};

test('a number is read with separators, units and full-width digits', () => {
  for (const text of [
    '262144',
    '262,144',
    '262 144',
    '262_144',
    "262'144",
    '262144.0',
    '２６２１４４',
    '２６２，１４４',
    '262144 bytes',
    '262,144 bytes.',
    '262144B',
    '262144 位元組',
    '「262144」',
    '`262144`',
    '262144。',
  ])
    assert.equal(typedNumber(text), 262144, text);
  assert.equal(typedNumber('3 個'), 3);
  assert.equal(typedNumber('0 endpoints'), 0);
  assert.equal(typedNumber('零'), 0);
  assert.equal(typedNumber('三個'), 3);
  assert.equal(typedNumber('-1'), -1);
  assert.equal(typedNumber('1e3'), 1000);
});

test('what is a multiple of a number, or several, is not that number', () => {
  for (const text of [
    '',
    'x',
    '256Ki',
    '256 KiB',
    '256k',
    '256 KB',
    '0.25 MiB',
    '26 萬',
    '十二',
    '三百',
    '一些',
    '50%',
    '3 or 4',
    '1,5',
    '26,2144',
    '262,144,1',
    '1/2',
    '1.2.3',
    '0x40000',
    '<none>',
    'Infinity',
  ])
    assert.equal(typedNumber(text), undefined, text);
});

test('a quantity is read however its unit is spelt', () => {
  for (const text of [
    '4Gi',
    '4 Gi',
    '4GiB',
    '4 GiB',
    '4gi',
    '4096Mi',
    '4194304Ki',
    '4,194,304Ki',
    '4294967296',
    '４Gi',
  ])
    assert.equal(quantity(text), '4Gi', text);
  assert.equal(quantity('4G'), '3906250Ki');
  assert.equal(quantity('4GB'), '3906250Ki');
  assert.equal(quantity('128MB'), '125000Ki');
  assert.equal(quantity('500m'), '500m');
  assert.equal(quantity('0.5'), '500m');
  assert.equal(quantity('2 cores'), '2');
  for (const text of ['', 'four', '4 Gi or so', '4x', '1 2']) assert.equal(quantity(text), undefined, text);
});
