import assert from 'node:assert/strict';
import { test } from 'node:test';
import { markQuery } from './excerpt.ts';

const part = (text: string, marked = false) => ({ text, marked });

test('a Chinese word is marked as one, however the index marked it', () => {
  assert.deepEqual(markQuery([part('走進'), part('節', true), part('點。')], '節點'), [
    part('走進'),
    part('節點', true),
    part('。'),
  ]);
});

test('without the words themselves the marks of the index stand, neighbours joined', () => {
  assert.deepEqual(markQuery([part('is '), part('run', true), part('ning', true)], 'runs'), [
    part('is '),
    part('running', true),
  ]);
});

test('letters that a pattern would read are only letters', () => {
  assert.deepEqual(markQuery([part('cost (a+b)')], '(a+b)'), [part('cost '), part('(a+b)', true)]);
});
