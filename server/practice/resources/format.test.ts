import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scheduleError } from './batch/schedule.ts';
import { humanDuration, joinSome } from './format.ts';

test('durations are shortened as kubectl shortens them', () => {
  const s = 1000;
  const m = 60 * s;
  const h = 60 * m;
  const d = 24 * h;
  for (const [ms, text] of [
    [-5 * s, '<invalid>'],
    [-s / 2, '0s'],
    [0, '0s'],
    [119 * s, '119s'],
    [2 * m, '2m'],
    [2 * m + 5 * s, '2m5s'],
    [10 * m + 5 * s, '10m'],
    [179 * m, '179m'],
    [3 * h, '3h'],
    [7 * h + 5 * m, '7h5m'],
    [47 * h, '47h'],
    [2 * d + 3 * h, '2d3h'],
    [8 * d, '8d'],
    [400 * d, '400d'],
    [3 * 365 * d + 10 * d, '3y10d'],
    [9 * 365 * d, '9y'],
  ] as const)
    assert.equal(humanDuration(ms), text, String(ms));
});

test('long lists are cut with a count of the rest', () => {
  assert.equal(joinSome(['a', 'b', 'c']), 'a,b,c');
  assert.equal(joinSome(['a', 'b', 'c', 'd', 'e']), 'a,b,c + 2 more...');
});

test('schedules are read with the words of the cron parser', () => {
  for (const good of [
    '*/5 * * * *',
    '0 9 * * 1-5',
    '@hourly',
    '@every 1h30m',
    '0 0 1,15 jan SUN',
    '? ? * * *',
  ])
    assert.equal(scheduleError(good), undefined, good);
  assert.equal(scheduleError('bad'), 'expected exactly 5 fields, found 1: [bad]');
  assert.equal(scheduleError('60 * * * *'), 'end of range (60) above maximum (59): 60');
  assert.equal(scheduleError('5-1 * * * *'), 'beginning of range (5) beyond end of range (1): 5-1');
  assert.equal(
    scheduleError('x * * * *'),
    'failed to parse int from x: strconv.Atoi: parsing "x": invalid syntax',
  );
  assert.equal(scheduleError('*/0 * * * *'), 'step of range should be a positive number: */0');
  assert.equal(scheduleError('@sometimes'), 'unrecognized descriptor: @sometimes');
});
