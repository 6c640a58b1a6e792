// Proves a lab: unsolved it fails at every step, its solution passes step by step and no later step by accident, twice, and each
// mistake is refused with its words. Knows no page.

import { milliseconds } from '#common/lab/index.ts';
import type { CheckView, StepView } from '#common/protocol/index.ts';
import { type CheckContext, kindOf, openKubeWatch } from '../check/index.ts';
import type { Clock } from '../clock.ts';
import { type MistakeFiles, mistakeNames, mistakeOf, solutionOf } from './files.ts';
import { callsOf } from './losses/index.ts';
import { everything, survivors, unneeded } from './mutants/index.ts';
import { openRehearsal, type Rehearsal, type RehearsalOptions } from './rehearsal.ts';
import { type ScriptLine, scriptLines } from './script-lines.ts';

/** After its solution was typed, a step may need this much longer than its checks' `within`. Milliseconds. */
const STEP_TIMEOUT = 30_000;
/** A wrong end state must go on being refused this long. Milliseconds. */
const REFUSED_FOR = 1_500;
/** How long the words of a refusal may take. Milliseconds. */
const WORDS_TIMEOUT = 20_000;
const LOOK_AGAIN = 25;

export interface ProofOptions extends RehearsalOptions {
  /** Nobody waits for the proof any more: it ends at the next thing to show. */
  signal?: AbortSignal;
  /** Told what has been shown so far. */
  progress?(line: string): void;
}

export interface Proof {
  /** Sentences; empty when the lab is proven. */
  failures: string[];
  /** What was shown, in order. */
  shown: string[];
}

export async function proveLab(options: ProofOptions): Promise<Proof> {
  const { lab } = options;
  const failures: string[] = [];
  const shown: string[] = [];
  const fail = (what: string) => {
    failures.push(what);
    options.progress?.(`✖ ${what}`);
  };
  const show = (what: string) => {
    shown.push(what);
    options.progress?.(`✔ ${what}`);
  };
  const stage = await openRehearsal(options);
  try {
    await stage.attempt.ready;
    const begun = stage.attempt.view();
    if (begun.status !== 'running') {
      fail(`the lab does not begin: ${begun.note?.en ?? begun.status}`);
      return { failures, shown };
    }
    const early = await stepsThatHold(stage, options, 0);
    if (early.length > 0) for (const step of early) fail(`unsolved, step ${step} holds already`);
    else show('unsolved, every step fails');

    for (const round of ['once', 'twice']) {
      options.signal?.throwIfAborted();
      const done = await solve(stage, options, fail, undefined, round === 'once' ? show : undefined);
      // Each mistake begins with a part of the solution: without one that works there is nothing more to learn.
      if (!done) return { failures, shown };
      show(`the solution passes, ${round}`);
      await reset(stage);
    }
    // Those of one step after each other: what comes before them is done once.
    const order = lab.definition.steps.map(({ id }) => id);
    const mistakes = mistakeNames(lab)
      .map(name => mistakeOf(lab, name))
      .sort((one, other) => order.indexOf(one.step) - order.indexOf(other.step));
    let reached: string | undefined;
    for (const mistake of mistakes) {
      options.signal?.throwIfAborted();
      if (await refuses(stage, options, mistake, reached, fail)) show(`mistake ${mistake.name} is refused`);
      reached = mistake.step;
    }
  } catch (error) {
    fail(`${(error as Error).message}\n${stage.transcript.slice(-1500)}`);
  } finally {
    await stage.close();
  }
  return { failures, shown };
}

/** Back to where the mistake before was made, where the cluster was kept then; false where it was not. */
async function backTo({ attempt }: Rehearsal, step: string, reached: string | undefined): Promise<boolean> {
  const { steps } = attempt.view();
  const before = steps[steps.findIndex(({ id }) => id === step) - 1];
  if (reached !== step || !before?.rewind) return false;
  const note = await attempt.rewind(before.id);
  if (note) throw new Error(note.en);
  const { status } = attempt.view();
  if (status !== 'running') throw new Error(`after going back to ${before.id} the lab is ${status}`);
  return true;
}

async function reset({ attempt }: Rehearsal): Promise<void> {
  await attempt.reset();
  const { status, note } = attempt.view();
  if (status !== 'running') throw new Error(`the lab does not begin again: ${note?.en ?? status}`);
}

/** Types the solution up to (not including) the step `until`; true when each step passed in its turn. */
async function solve(
  stage: Rehearsal,
  options: ProofOptions,
  fail: (what: string) => void,
  until?: string,
  show?: (what: string) => void,
): Promise<boolean> {
  const { lab, clock } = options;
  for (const [index, step] of lab.definition.steps.entries()) {
    if (step.id === until) return true;
    const script = solutionOf(lab, step.id);
    if (script === undefined) {
      fail(`step ${step.id} has no solution`);
      return false;
    }
    const before = stage.transcript.length;
    const begunAt = clock.now();
    const writes = show && stage.cluster.restore && scriptLines(script).some(writesObjects);
    const objects = writes
      ? await withContext(stage, options, ({ kube }) => everything(kube.api))
      : undefined;
    await stage.perform(script, step.id);
    const patience =
      STEP_TIMEOUT +
      Math.max(
        0,
        ...step.checks.map(check => (milliseconds(check.within) ?? 0) + (milliseconds(check.stays) ?? 0)),
      );
    const passed = await waitFor(clock, patience, () => viewOf(stage, step.id).state === 'passed');
    if (!passed) {
      fail(
        `the solution of step ${step.id} does not pass it: ${sayOpen(viewOf(stage, step.id))}\n${stage.transcript.slice(before).slice(-1500)}`,
      );
      return false;
    }
    if (show) {
      const { tried, survived } = await withContext(stage, options, context => survivors(step, context));
      for (const what of survived) fail(`step ${step.id} is too loose: ${what}`);
      if (tried > 0 && survived.length === 0)
        show(`step ${step.id} refuses ${tried} wrong states made from the right one`);
    }
    if (show && objects) {
      const { tried, survived } = await withContext(stage, options, context =>
        unneeded(step, objects, begunAt, stage.cluster, context),
      );
      for (const what of survived) fail(`step ${step.id} is too loose: ${what}`);
      if (tried > 0 && survived.length === 0)
        show(`step ${step.id} misses each of the ${tried} objects that its solution makes`);
    }
    const early = await stepsThatHold(stage, options, index + 1);
    if (early.length > 0) {
      fail(`the solution of step ${step.id} also makes ${early.join(', ')} hold`);
      return false;
    }
  }
  const done = await waitFor(clock, STEP_TIMEOUT, () => stage.attempt.view().status === 'complete');
  if (!done)
    fail(
      `every step passed, but the lab is ${stage.attempt.view().status}: ${stage.attempt
        .view()
        .steps.map(step => `${step.id} ${step.state}`)
        .join(', ')}`,
    );
  return done;
}

async function refuses(
  stage: Rehearsal,
  options: ProofOptions,
  mistake: MistakeFiles,
  /** The step at which the mistake before this one was made. */
  reached: string | undefined,
  fail: (what: string) => void,
): Promise<boolean> {
  const { name } = mistake;
  if (!(await backTo(stage, mistake.step, reached))) {
    if (reached !== undefined) await reset(stage);
    if (!(await solve(stage, options, what => fail(`before mistake ${name}: ${what}`), mistake.step)))
      return false;
  }
  await stage.perform(mistake.script, mistake.step);
  const words = () =>
    viewOf(stage, mistake.step).checks.filter(
      check => mistake.check === undefined || check.id === mistake.check,
    );
  const said = (check: CheckView) =>
    check.said?.en.includes(mistake.says.en) === true && check.said['zh-TW'].includes(mistake.says['zh-TW']);
  const spoken = await waitFor(options.clock, WORDS_TIMEOUT, () => words().some(said));
  // Passed for a moment is passed: points and the way back to that moment are given.
  const wrong = () => viewOf(stage, mistake.step).state !== 'open';
  if (!spoken) {
    const heard = words().map(
      check =>
        `${check.id} ${check.state}: ${check.said?.en ?? '(nothing)'} / ${check.said?.['zh-TW'] ?? ''}`,
    );
    fail(
      wrong()
        ? `mistake ${name} passes step ${mistake.step}`
        : `mistake ${name} is not answered with "${mistake.says.en}" but with\n  ${heard.join('\n  ')}`,
    );
    return false;
  }
  if (await waitFor(options.clock, REFUSED_FOR, wrong)) {
    fail(`mistake ${name} passes step ${mistake.step} after all`);
    return false;
  }
  return true;
}

const writesObjects = (line: ScriptLine) => 'type' in line && callsOf(line.type).kubectl.length > 0;

/** Judges steps from `first` on as they would be judged if it were their turn now; ids of those whose checks all hold. */
function stepsThatHold(stage: Rehearsal, options: ProofOptions, first: number): Promise<string[]> {
  return withContext(stage, options, async context => {
    const holding: string[] = [];
    for (const step of options.lab.definition.steps.slice(first)) {
      const states = await Promise.all(
        step.checks.map(async check => {
          // A guard holds from the start on purpose; what it guards must not.
          if (check.guard !== undefined) return 'holds';
          return (await kindOf(check.kind).run(check.spec, context)).state;
        }),
      );
      if (states.every(state => state === 'holds')) holding.push(step.id);
    }
    return holding;
  });
}

async function withContext<T>(
  stage: Rehearsal,
  { lab, clock }: ProofOptions,
  task: (context: CheckContext) => Promise<T>,
): Promise<T> {
  const kube = await openKubeWatch(stage.cluster.kubeconfig, clock);
  try {
    return await task({
      kube,
      clock,
      commands: stage.commands,
      home: stage.home,
      since: Date.parse(stage.attempt.view().startedAt),
      opened: Date.parse(stage.attempt.view().startedAt),
      labFolder: lab.folder,
      signal: AbortSignal.timeout(STEP_TIMEOUT),
    });
  } finally {
    kube.close();
  }
}

function viewOf(stage: Rehearsal, step: string): StepView {
  return stage.attempt.view().steps.find(({ id }) => id === step) as StepView;
}

function sayOpen(step: StepView): string {
  return step.checks
    .filter(check => check.state !== 'holds')
    .map(check => `${check.id} ${check.state}: ${check.said?.en ?? '(nothing)'}`)
    .join('; ');
}

async function waitFor(clock: Clock, ms: number, holds: () => boolean): Promise<boolean> {
  const end = clock.now() + ms;
  while (!holds()) {
    if (clock.now() > end) return false;
    await clock.sleep(LOOK_AGAIN);
  }
  return true;
}
