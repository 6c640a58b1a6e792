// How often a container is asked: until it has its answer, and then only by the probes that want to know again.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { fakeClock } from '../../clock.ts';
import type { Network } from '../network/index.ts';
import { type ProbeKind, Prober } from './probes.ts';

/** A prober of a command that has the given exit codes, one after the other, and then the last one again. */
function asking(kind: ProbeKind, codes: number[]) {
  const clock = fakeClock();
  const asked: number[] = [];
  const prober: Prober = new Prober(
    kind,
    { exec: { command: ['true'] }, periodSeconds: 1, failureThreshold: 2 },
    {
      clock,
      network: {} as Network,
      gate: () => true,
      target: {
        podIP: '10.244.0.5',
        hostIP: '192.168.49.2',
        namespace: 'default',
        portNamed: () => undefined,
        exec: async () => {
          const code = codes[Math.min(asked.length, codes.length - 1)] as number;
          asked.push(code);
          return { code, output: '' };
        },
      },
      // All probes of a container are told that it has started, also the one that found out.
      events: { failed: () => {}, changed: () => kind === 'startup' && prober.kick() },
    },
  );
  prober.start();
  return { clock, asked };
}

it('a startup probe that has succeeded asks no more and wakes nobody', async () => {
  const { clock, asked } = asking('startup', [1, 0]);
  await clock.advance(10_000);
  assert.deepEqual(asked, [1, 0]);
  assert.equal(clock.pending, 0);
});

it('a liveness probe that has failed too often leaves the rest to the next life', async () => {
  const { clock, asked } = asking('liveness', [0, 1]);
  await clock.advance(10_000);
  assert.deepEqual(asked, [0, 1, 1]);
  assert.equal(clock.pending, 0);
});

it('a readiness probe asks on, whatever it hears', async () => {
  const { clock, asked } = asking('readiness', [1]);
  await clock.advance(9500);
  assert.ok(asked.length >= 9, `asked ${asked.length} times`);
  assert.equal(clock.pending, 1);
});
