import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HIGH_WATER, Ledger, LOW_WATER, shouldPause } from './flow.ts';

test('a ledger takes back what was sent and nothing else', () => {
  const ledger = new Ledger();
  ledger.sent(100);
  assert.equal(ledger.parsed(101), false);
  assert.equal(ledger.parsed(-1), false);
  assert.equal(ledger.parsed(Number.NaN), false);
  assert.equal(ledger.parsed(0.5), false);
  assert.equal(ledger.unparsed, 100);
  assert.equal(ledger.parsed(100), true);
  assert.equal(ledger.unparsed, 0);
});

test('the pty waits above the high mark and goes on below the low one', () => {
  assert.equal(shouldPause(false, 0, [HIGH_WATER]), false);
  assert.equal(shouldPause(false, 0, [HIGH_WATER + 1]), true);
  assert.equal(shouldPause(true, 0, [HIGH_WATER - 1]), true);
  assert.equal(shouldPause(true, 0, [LOW_WATER + 1]), true);
  assert.equal(shouldPause(true, 0, [LOW_WATER]), false);
});

test('the quickest viewer decides, and with none the recorder does', () => {
  assert.equal(shouldPause(false, 0, [HIGH_WATER + 1, 10]), false);
  assert.equal(shouldPause(false, 0, []), false);
  assert.equal(shouldPause(false, HIGH_WATER + 1, []), true);
  assert.equal(shouldPause(false, HIGH_WATER + 1, [0]), true);
});
