import assert from 'node:assert/strict';
import { test } from 'node:test';
import { realClock } from './clock.ts';

const LONG = 1000;

/** Does something with the processor between two timers, as a busy cluster does. */
function busyFor(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

for (const speed of [1, 4]) {
  test(`a task never runs before its time, at speed ${speed}`, async () => {
    const clock = realClock(speed);
    let early = 0;
    const waiting: Promise<void>[] = [];
    for (let index = 0; index < 300; index++) {
      const ms = 5 + (index % 37);
      const due = clock.now() + ms;
      waiting.push(
        clock.sleep(ms).then(() => {
          if (clock.now() < due) early++;
        }),
      );
      busyFor(0.37);
      if (index % 10 === 0) await new Promise(resolve => setTimeout(resolve, 1));
    }
    // What waits does not keep the process alive.
    const alive = setTimeout(() => {}, LONG);
    await Promise.all(waiting);
    clearTimeout(alive);
    assert.equal(early, 0);
  });
}

test('a task is not called after it was cancelled, however often it was put off', async () => {
  const clock = realClock();
  let called = 0;
  const timers = Array.from({ length: 50 }, (_, index) => clock.after(1 + (index % 5), () => called++));
  for (const timer of timers) timer.cancel();
  await new Promise(resolve => setTimeout(resolve, 20));
  assert.equal(called, 0);
});
