// What every check kind passes: it holds, it does not hold and says why, and it says so when it could not look. A library for
// the kinds' tests.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type KindName, KINDS as SCHEMAS } from '#common/lab/index.ts';
import { realClock } from '../../clock.ts';
import { watchThrough } from '../kube-watch.ts';
import { type MemoryApi, memoryApi } from '../memory-api.ts';
import { runCheck } from '../runner.ts';
import type { CheckContext, CommandRun, Verdict } from '../types.ts';
import { kindOf } from './index.ts';

/** A place to look in that a test can change. */
export interface Scene {
  api: MemoryApi;
  context: CheckContext;
  /** Something was typed, or it ended. */
  ran(run: Partial<CommandRun> & { line: string }): void;
}

export interface KindContract {
  kind: KindName;
  spec: unknown;
  /** Brings about that it holds. */
  holds(scene: Scene): void | Promise<void>;
  /** Brings about that it does not. */
  fails(scene: Scene): void | Promise<void>;
  /** What the learner reads then. */
  says: RegExp;
  /** Makes looking impossible; left out for kinds that only look at what was handed to them. */
  breaks?(scene: Scene): void | Promise<void>;
}

export function scene(t: TestContext, home = '/nonexistent', labFolder = '/nonexistent'): Scene {
  const clock = realClock();
  const api = memoryApi();
  const kube = watchThrough(api, clock);
  const runs: CommandRun[] = [];
  const listeners = new Set<(run: CommandRun) => void>();
  const life = new AbortController();
  t.after(() => {
    life.abort();
    kube.close();
  });
  return {
    api,
    context: {
      kube,
      clock,
      home,
      labFolder,
      since: 0,
      opened: 0,
      signal: life.signal,
      commands: {
        recent: () => runs,
        subscribe(listener) {
          listeners.add(listener);
          return () => listeners.delete(listener);
        },
      },
    },
    ran(run) {
      const whole: CommandRun = {
        id: String(runs.length),
        terminal: '1',
        startedAt: runs.length + 1,
        output: '',
        ...run,
      };
      runs.push(whole);
      for (const listener of listeners) listener(whole);
    },
  };
}

/** How soon after a change the new verdict must be told, in milliseconds. */
const GREEN_WITHIN = 200;

export function checkKindContract(contract: KindContract, make: (t: TestContext) => Scene = scene): void {
  const { kind } = contract;
  const spec = SCHEMAS[kind].parse(contract.spec);
  const run = (s: Scene) => kindOf(kind).run(spec, s.context);

  test(`${kind}: holds when it is so`, async t => {
    const s = make(t);
    await contract.holds(s);
    assert.equal((await run(s)).state, 'holds');
  });

  test(`${kind}: does not hold when it is not so, and says what was seen in both languages`, async t => {
    const s = make(t);
    await contract.fails(s);
    const verdict = await run(s);
    assert.equal(verdict.state, 'wrong');
    assert.match(verdict.said?.en ?? '', contract.says);
    assert.ok(verdict.said?.['zh-TW']);
  });

  // An answer is looked at when it is given.
  if (kind !== 'answer') turnsGreenByItself(contract, make);

  if (contract.breaks) {
    test(`${kind}: could not look is told apart from not holding`, async t => {
      const s = make(t);
      await contract.breaks?.(s);
      const verdict = await new Promise<Verdict>(resolve => {
        const check = runCheck({ id: 'x', kind, spec } as never, () => s.context, resolve);
        t.after(() => check.stop());
      });
      assert.equal(verdict.state, 'could-not-look');
      assert.ok(verdict.said?.en);
    });
  }
}

function turnsGreenByItself(
  { kind, spec, holds, fails }: KindContract,
  make: (t: TestContext) => Scene,
): void {
  test(`${kind}: turns green within ${GREEN_WITHIN} ms of the change, without being asked`, async t => {
    const s = make(t);
    await fails(s);
    let told = { state: 'not-yet' } as Verdict;
    let wake = () => {};
    const heard = () =>
      new Promise<void>(resolve => {
        wake = resolve;
      });
    const check = runCheck(
      { id: 'x', kind, spec: SCHEMAS[kind].parse(spec) } as never,
      () => s.context,
      verdict => {
        told = verdict;
        wake();
      },
    );
    t.after(() => check.stop());
    while (told.state !== 'wrong') await heard();
    // The watches may still be on their way; a change before they stand is found by the first look.
    await s.context.clock.sleep(50);
    const started = performance.now();
    await holds(s);
    while ((told as Verdict).state !== 'holds') await heard();
    assert.ok(performance.now() - started < GREEN_WITHIN, `${performance.now() - started} ms`);
  });
}

export const pod = (name: string, more: Record<string, unknown> = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'shop', labels: { app: 'web' } },
  ...more,
});
