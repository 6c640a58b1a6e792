import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeClock } from '../clock.ts';
import { guardedClock } from './faults.ts';
import type { Network } from './network/types.ts';
import { EvictionManager } from './node/pressure.ts';
import { Prober } from './node/probes.ts';

test('a task that fails is told, and those after it run', async () => {
  const told: string[] = [];
  const time = fakeClock();
  const clock = guardedClock(time, (where, error) => told.push(`${where}: ${(error as Error).message}`));
  const ran: string[] = [];
  clock.after(10, () => {
    throw new Error('at once');
  });
  clock.after(20, async () => {
    await undefined;
    throw new Error('later');
  });
  clock.after(30, () => void ran.push('the third'));
  const slept = clock.sleep(40);
  await time.advance(50);
  await slept;
  assert.deepEqual(told, ['timer: at once', 'timer: later']);
  assert.deepEqual(ran, ['the third']);
  assert.equal(clock.now(), time.now());
});

test('a task that is cancelled does not run', async () => {
  const time = fakeClock();
  const clock = guardedClock(time, () => {});
  let ran = false;
  clock
    .after(10, () => {
      ran = true;
    })
    .cancel();
  await time.advance(20);
  assert.equal(ran, false);
});

test('a probe whose round fails is asked again', async () => {
  const told: string[] = [];
  const time = fakeClock();
  const clock = guardedClock(time, (_where, error) => told.push((error as Error).message));
  let rounds = 0;
  const answers: boolean[] = [];
  const prober = new Prober(
    'readiness',
    { exec: { command: ['true'] }, periodSeconds: 1 },
    {
      target: { exec: async () => ({ code: 0, output: '' }) } as never,
      network: {} as Network,
      clock,
      events: { failed: () => {}, changed: (_kind, ok) => void answers.push(ok) },
      gate: () => {
        if (++rounds === 1) throw new Error('the gate broke');
        return true;
      },
    },
  );
  prober.start();
  await time.advance(3000);
  prober.stop();
  assert.deepEqual(told, ['the gate broke']);
  assert.deepEqual(answers, [true]);
});

test('a node that could not look at its pressure looks again', async () => {
  const told: string[] = [];
  const time = fakeClock();
  const clock = guardedClock(time, (_where, error) => told.push((error as Error).message));
  const manager = new EvictionManager({
    clock,
    pods: () => {
      throw new Error('no pods to be had');
    },
  } as never);
  manager.start();
  await time.advance(60_000);
  manager.stop();
  assert.ok(told.length > 2, `told ${told.length} times`);
  assert.equal(told[0], 'no pods to be had');
});
