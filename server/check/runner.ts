// Keeps one check judged while somebody waits for it: looks when something changed, holds back flapping, adds the diagnosis.
// Knows no steps and no labs beyond the check's own lines.

import { type Check, milliseconds } from '#common/lab/index.ts';
import { match } from '#common/match/index.ts';
import type { Timer } from '../clock.ts';
import { commandFits } from './command-line.ts';
import { whyNot } from './could-not-look.ts';
import { kindOf } from './kinds/index.ts';
import type { CheckContext, Verdict } from './types.ts';
import { both, say } from './words.ts';

/** A check that could not look tries again after this long, doubling up to the second number. Milliseconds. */
const RETRY_FIRST = 500;
const RETRY_MOST = 5_000;

/** What was done longer ago than this many commands is not what the learner is trying now. */
const LATEST = 5;

/** How often a check was looked at, and how long a look took, in milliseconds. */
export interface CheckTiming {
  looks: number;
  lastMs: number;
  mostMs: number;
}

export interface RunningCheck {
  /** The last verdict; `not-yet` until the first look is done. */
  verdict(): Verdict;
  /** Looks now (an answer came) and resolves with the verdict. */
  look(): Promise<Verdict>;
  timing(): CheckTiming;
  stop(): void;
}

/** Judges `check` now and whenever what it depends on changes; `told` hears of each verdict that differs from the last. */
export function runCheck(
  check: Check,
  context: () => CheckContext,
  told: (verdict: Verdict) => void,
): RunningCheck {
  const kind = kindOf(check.kind);
  const stays = milliseconds(check.stays) ?? 0;
  const within = milliseconds(check.within) ?? 0;
  const { clock } = context();
  let stopped = false;
  let current: Verdict = { state: 'not-yet' };
  let looking: Promise<void> | undefined;
  let lookAgain = false;
  let retry = RETRY_FIRST;
  let holdsSince: number | undefined;
  let badSince = clock.now();
  let lastBad = '';
  const timing: CheckTiming = { looks: 0, lastMs: 0, mostMs: 0 };
  const timers = new Map<string, Timer>();

  const later = (name: string, ms: number, task: () => void) => {
    timers.get(name)?.cancel();
    timers.set(name, clock.after(ms, task));
  };

  const changed = () => {
    if (stopped) return;
    if (looking) {
      lookAgain = true;
      return;
    }
    looking = once().finally(() => {
      looking = undefined;
      if (lookAgain && !stopped) {
        lookAgain = false;
        changed();
      }
    });
  };

  const once = async () => {
    let seen: Verdict;
    const begun = clock.now();
    try {
      seen = await kind.run(check.spec, context());
      retry = RETRY_FIRST;
      if (seen.state !== 'holds') seen = await explain(check, seen, context());
    } catch (error) {
      seen = { state: 'could-not-look', said: whyNot(error) };
      later('retry', retry, changed);
      retry = Math.min(retry * 2, RETRY_MOST);
    }
    timing.looks++;
    timing.lastMs = clock.now() - begun;
    timing.mostMs = Math.max(timing.mostMs, timing.lastMs);
    if (!stopped) settle(seen);
  };

  const settle = (seen: Verdict) => {
    if (seen.state === 'holds') {
      holdsSince ??= clock.now();
      const left = holdsSince + stays - clock.now();
      if (left <= 0) return tell(seen);
      later('stays', left, changed);
      return tell({
        ...seen,
        state: 'not-yet',
        said: say(
          '看起來對了，再看它能不能維持一會兒。',
          'This looks right; watching whether it stays so for a moment.',
        ),
      });
    }
    holdsSince = undefined;
    timers.get('stays')?.cancel();
    if (seen.state !== 'wrong' || within === 0) return tell(seen);
    // What keeps changing is still on its way; only what stands still for `within` is called wrong.
    const now = JSON.stringify(seen.findings ?? seen.said);
    if (now !== lastBad) [lastBad, badSince] = [now, clock.now()];
    const left = badSince + within - clock.now();
    if (left <= 0) return tell(seen);
    later('within', left, changed);
    tell({ ...seen, state: 'not-yet' });
  };

  const tell = (verdict: Verdict) => {
    const differs = shown(verdict) !== shown(current);
    current = verdict;
    if (differs) told(verdict);
  };

  const stops = [kind.watch(check.spec, context(), changed)];
  for (const line of check.diagnose ?? []) {
    if (line.ref) stops.push(context().kube.watch(line.ref, changed));
    if (line.ran) {
      const ran = line.ran;
      // Other commands matter as well once they have ended: they follow it until it is long ago.
      stops.push(
        context().commands.subscribe(
          run => void ((run.endedAt !== undefined || commandFits(ran, run.line)) && changed()),
        ),
      );
    }
  }
  changed();

  return {
    verdict: () => current,
    timing: () => ({ ...timing }),
    async look() {
      changed();
      while (looking) await looking;
      return current;
    },
    stop() {
      stopped = true;
      for (const stop of stops) stop();
      for (const timer of timers.values()) timer.cancel();
    },
  };
}

/** Puts the lab's own words to a bad verdict: a diagnosis that fits instead of what was seen, `otherwise` before it. */
async function explain(check: Check, verdict: Verdict, context: CheckContext): Promise<Verdict> {
  for (const line of check.diagnose ?? []) {
    const { ran } = line;
    if (
      ran &&
      !context.commands
        .recent()
        .slice(-LATEST)
        .some(run => run.startedAt >= context.since && commandFits(ran, run.line))
    )
      continue;
    if (line.when !== undefined || line.ref) {
      const candidates = line.ref
        ? await context.kube.list(line.ref)
        : verdict.seen === undefined
          ? []
          : [verdict.seen];
      if (!candidates.some(candidate => match(line.when ?? {}, candidate).length === 0)) continue;
    }
    return {
      ...verdict,
      state: verdict.state === 'could-not-look' ? verdict.state : 'wrong',
      said: line.say,
    };
  }
  // Where nothing was tried yet there is nothing to say.
  return check.otherwise && verdict.said
    ? { ...verdict, said: both(check.otherwise, verdict.said) }
    : verdict;
}

const shown = ({ state, said, findings }: Verdict) => JSON.stringify([state, said, findings]);
