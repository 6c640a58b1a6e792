import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeClock } from '../../../clock.ts';
import { createQueue } from './queue.ts';
import { createTurns } from './turns.ts';

function queueOf(work: (key: string) => Promise<void>) {
  const clock = fakeClock();
  const errors: string[] = [];
  let quiet!: () => void;
  let calm = Promise.resolve();
  const queue = createQueue({
    clock,
    turns: createTurns(),
    work,
    onError: (key, error) => errors.push(`${key}: ${(error as Error).message}`),
    onQuiet: () => quiet?.(),
  });
  queue.start();
  const settled = async () => {
    while (!queue.quiet) {
      calm = new Promise(resolve => {
        quiet = resolve;
      });
      if (!queue.quiet) await calm;
    }
  };
  return { clock, queue, errors, settled };
}

test('a key added several times is worked on once', async () => {
  const seen: string[] = [];
  const { queue, settled } = queueOf(async key => void seen.push(key));
  for (const key of ['a', 'b', 'a', 'a']) queue.add(key);
  await settled();
  assert.deepEqual(seen, ['a', 'b']);
});

test('a key that changes while it is worked on is worked on again, never twice at once', async () => {
  let busy = 0;
  let most = 0;
  let rounds = 0;
  const { queue, settled } = queueOf(async key => {
    most = Math.max(most, ++busy);
    if (++rounds < 3) queue.add(key);
    // Longer than a turn: whoever begins too early meets the other at work.
    for (let i = 0; i < 3; i++) await new Promise(resolve => setImmediate(resolve));
    busy--;
  });
  queue.add('a');
  await settled();
  assert.deepEqual([rounds, most], [3, 1]);
});

test('different keys are worked on side by side', async () => {
  let go!: () => void;
  const gate = new Promise<void>(resolve => {
    go = resolve;
  });
  const seen: string[] = [];
  const { queue, settled } = queueOf(async key => {
    seen.push(key);
    if (key === 'slow') await gate;
    else go();
  });
  queue.add('slow');
  queue.add('quick');
  await settled();
  assert.deepEqual(seen, ['slow', 'quick']);
});

test('a failure is retried after 5 ms, then 10, then 20, and forgotten after a success', async () => {
  let failing = 3;
  const at: number[] = [];
  const { clock, queue, errors, settled } = queueOf(async () => {
    at.push(clock.now());
    if (failing-- > 0) throw new Error('no');
  });
  const start = clock.now();
  queue.add('a');
  for (let i = 0; i < 60; i++) {
    await settled();
    await clock.advance(1);
  }
  assert.deepEqual(
    at.map(t => t - start),
    [0, 5, 15, 35],
  );
  assert.deepEqual(errors, ['a: no', 'a: no', 'a: no']);
});

test('of several later times for a key the earliest counts', async () => {
  const at: number[] = [];
  const { clock, queue, settled } = queueOf(async () => void at.push(clock.now()));
  const start = clock.now();
  queue.addAfter('a', 500);
  queue.addAfter('a', 100);
  queue.addAfter('a', 900);
  await clock.advance(1000);
  await settled();
  assert.deepEqual(
    at.map(t => t - start),
    [100],
  );
  assert.equal(clock.pending, 0);
});

test('a stopped queue leaves no timer behind', async () => {
  const { clock, queue } = queueOf(async () => {});
  queue.addAfter('a', 500);
  queue.stop();
  assert.equal(clock.pending, 0);
  queue.add('b');
  assert.equal(queue.quiet, true);
});
