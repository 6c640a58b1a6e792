// Judges the steps of an attempt as long as one looks at one state of the cluster: which steps' turn has come, which have passed,
// which have slipped. Knows no page and no way back.

import type { CheckContext, KubeWatch, Verdict } from '../check/index.ts';
import { kindOf, runCheck } from '../check/index.ts';
import { authorCheck } from './author.ts';
import type { Lab } from './load.ts';
import type { CheckState, StepState } from './steps.ts';
import type { AttemptOptions } from './types.ts';

export interface JudgingOptions extends Pick<AttemptOptions, 'progress' | 'author'> {
  lab: Lab;
  steps: readonly StepState[];
  /** The attempt's id in the record. */
  record: number;
  kube: KubeWatch;
  context(step: StepState, state: CheckState): CheckContext;
  /** ISO time. */
  now(): string;
  /** Something a learner sees of this step has changed. */
  changed(step: StepState): void;
  /** The step passed just now, and for the first time. */
  passed(step: StepState): void;
  /** All checks of a step hold. */
  holds(): void;
}

export class Judging {
  private readonly options: JudgingOptions;
  private stopped = false;

  constructor(options: JudgingOptions) {
    this.options = options;
  }

  /** Starts looking at every step whose turn has come. */
  open(): void {
    const { lab, steps } = this.options;
    const sequence = lab.definition.order === 'sequence';
    for (const step of steps) {
      if (!step.opened) {
        step.opened = true;
        step.openedAt = Date.parse(this.options.now());
        if (step.passedAt !== undefined) this.letGo(step);
        for (const state of step.checks) if (!state.latched) this.look(step, state);
        this.options.changed(step);
        this.settle(step);
      }
      if (sequence && step.passedAt === undefined) return;
    }
  }

  stop(): void {
    this.stopped = true;
    for (const step of this.options.steps) for (const state of step.checks) state.running?.stop();
  }

  /** A passed step that later steps undo is not watched any more. */
  private letGo(step: StepState): void {
    const { steps } = this.options.lab.definition;
    if (steps.find(({ id }) => id === step.id)?.lasting !== false) return;
    for (const state of step.checks) {
      state.latched = true;
      state.verdict = { state: 'holds' };
      state.running?.stop();
      state.running = undefined;
    }
  }

  private look(step: StepState, state: CheckState): void {
    state.atFirst = undefined;
    state.running = runCheck(
      state.check,
      () => this.options.context(step, state),
      verdict => this.heard(step, state, verdict),
    );
  }

  private heard(step: StepState, state: CheckState, told: Verdict): void {
    const { author, changed, now, progress, record } = this.options;
    const verdict: Verdict = this.isUntried(state, told) ? { ...told, state: 'not-yet' } : told;
    if (verdict.state !== state.verdict.state)
      progress.verdict(record, step.id, state.check.id, verdict.state, now());
    state.verdict = verdict;
    if (verdict.state === 'holds' && kindOf(state.check.kind).latches) {
      state.latched = true;
      const value = state.answer ?? (verdict.seen as { line?: string } | undefined)?.line ?? '';
      progress.latch(record, { step: step.id, check: state.check.id, value, held: true }, now());
      state.running?.stop();
      state.running = undefined;
    }
    this.settle(step);
    changed(step);
    if (author) void this.tellAuthor(step, state);
  }

  /** What still is as it was when the step's turn came is not wrong: it is not done yet. */
  private isUntried(state: CheckState, { state: verdict, said }: Verdict): boolean {
    if (state.check.guard !== undefined || kindOf(state.check.kind).latches) return false;
    const text = JSON.stringify(said ?? '');
    state.atFirst ??= text;
    return verdict === 'wrong' && text === state.atFirst;
  }

  private async tellAuthor(step: StepState, state: CheckState): Promise<void> {
    state.author = await authorCheck(state.check, state.running?.timing(), this.options.kube);
    this.options.changed(step);
  }

  /** Turns a step's verdicts into passed or slipped, and opens what follows. */
  private settle(step: StepState): void {
    const states = step.checks.map(({ verdict }) => verdict.state);
    if (allHold(step)) {
      step.slippedAt = undefined;
      if (step.passedAt === undefined) step.confirming ??= this.confirm(step);
      else this.options.holds();
    } else if (
      step.passedAt !== undefined &&
      states.some(state => state === 'wrong' || (state === 'not-yet' && looked(step)))
    ) {
      step.slippedAt ??= this.options.now();
    }
  }

  /**
   * Checks look each for itself: what one has just seen to hold may already be too much for another that has not looked since. So
   * all look once more before the step passes.
   */
  private async confirm(step: StepState): Promise<void> {
    await Promise.all(step.checks.map(({ running }) => running?.look()));
    step.confirming = undefined;
    if (this.stopped || step.passedAt !== undefined || !allHold(step)) return;
    this.pass(step);
    this.options.holds();
    this.options.changed(step);
  }

  private pass(step: StepState): void {
    const { now, passed, progress, record } = this.options;
    step.passedAt = now();
    progress.passed(record, step.id, step.passedAt);
    this.letGo(step);
    passed(step);
    // Told apart from the step's own message so that the next step's first view follows it.
    queueMicrotask(() => this.stopped || this.open());
  }
}

const allHold = ({ checks }: StepState): boolean => checks.every(({ verdict }) => verdict.state === 'holds');

/** Whether each check has looked at least once: before that, "not yet" says nothing. */
const looked = (step: StepState): boolean =>
  step.checks.every(({ verdict }) => verdict.state !== 'not-yet' || verdict.said !== undefined);
