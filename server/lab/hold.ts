// Waits until checks hold that nobody is asked to fulfil: what setup has caused must have come true. Knows no steps.

import type { Check } from '#common/lab/index.ts';
import { type CheckContext, CouldNotLook, type RunningCheck, runCheck, say } from '../check/index.ts';

/** A cluster that has not reached the lab's start by then will not. Milliseconds. */
const READY_TIMEOUT = 60_000;

/** Resolves when all of them hold at once, or nobody waits any more; rejects with the first that does not come to hold. */
export async function untilHold(
  checks: readonly Check[],
  context: () => CheckContext,
  signal: AbortSignal,
): Promise<void> {
  if (checks.length === 0) return;
  const running: RunningCheck[] = [];
  let late = () => {};
  const timer = context().clock.after(READY_TIMEOUT, () => late());
  try {
    await new Promise<void>((resolve, reject) => {
      const look = () => {
        if (running.length === checks.length && running.every(check => check.verdict().state === 'holds'))
          resolve();
      };
      late = () => {
        const bad = running.map(check => check.verdict()).find(verdict => verdict.state !== 'holds');
        reject(
          new CouldNotLook(
            bad?.said ?? say('叢集沒有到達實作的起點。', 'The cluster did not reach the start of the lab.'),
          ),
        );
      };
      signal.addEventListener('abort', () => resolve());
      for (const check of checks) running.push(runCheck(check, context, look));
      look();
    });
  } finally {
    timer.cancel();
    for (const check of running) check.stop();
  }
}
