// One learner's run of a lab: setup, steps, checkpoints, completion. Knows no sockets and not which cluster it runs on.
//
// In a sequence a step is judged once every step before it has passed; a passed step goes on being watched and says when it
// slips. What is a fact of the past (an answer, a command that ran) holds for the whole attempt, also after a restart.

import type { AttemptView, Text } from '#common/protocol/index.ts';
import {
  type CheckContext,
  type KubeWatch,
  kindOf,
  openKubeWatch,
  runCheck,
  say,
  type Verdict,
  whyNot,
} from '../check/index.ts';
import type { AttemptRecord } from '../progress/index.ts';
import { authorCheck, watchLab } from './author.ts';
import { brokenAttempt } from './broken.ts';
import { untilHold } from './hold.ts';
import { type Lab, LabError, loadLab } from './load.ts';
import { lossesOf } from './losses/index.ts';
import { layOut, setUp } from './setup.ts';
import {
  answersSeen,
  type CheckState,
  type Moment,
  resultOf,
  type StepState,
  stepsFrom,
  stepView,
  sumOfPoints,
} from './steps.ts';
import type { Attempt, AttemptEvent, AttemptOptions } from './types.ts';

export function openAttempt(options: AttemptOptions): Attempt {
  let lab: Lab;
  try {
    lab = loadLab(options.labs, options.lab);
  } catch (error) {
    if (!(error instanceof LabError)) throw error;
    return brokenAttempt(options, error);
  }
  return new RunningAttempt(options, lab);
}

class RunningAttempt implements Attempt {
  ready: Promise<void>;
  private readonly options: AttemptOptions;
  private lab: Lab;
  private readonly listeners = new Set<(event: AttemptEvent) => void>();
  private record: AttemptRecord;
  private steps: StepState[] = [];
  private status: AttemptView['status'] = 'preparing';
  private note: Text | undefined;
  private kube: KubeWatch | undefined;
  private life = new AbortController();
  /** The cluster right after setup, where it can be kept. */
  private start: unknown;
  /** What undo goes back to. */
  private before: { moment: Moment; what: 'rewind' | 'solution'; step: string } | undefined;
  /** The step whose solution is being performed, once a line of it was. */
  private performing: string | undefined;
  /** When setup had ended: what was written later is the learner's. Milliseconds since the epoch. */
  private begunAt = 0;
  /** Resets, rewinds and the like come one after the other. */
  private queue: Promise<unknown> = Promise.resolve();
  private authoring: AttemptView['author'];
  private closing: (() => void)[] = [];
  private told = new Set<string>();

  constructor(options: AttemptOptions, lab: Lab) {
    this.options = options;
    this.lab = lab;
    const earlier = options.progress.current(lab.id);
    this.record = earlier ?? options.progress.begin(lab.id, options.cluster.kind, this.now());
    this.restore();
    // A real cluster outlives the server, and with it what an earlier sitting has done; a practice cluster is new each time.
    const prepared = options.prepared ?? (earlier !== undefined && options.cluster.kind === 'minikube');
    this.ready = this.prepare(prepared);
    this.closing.push(options.progress.subscribe(() => void this.inTurn(() => this.recordChanged())));
    if (options.author) {
      this.authoring = { problems: [], loadedAt: this.now() };
      this.closing.push(watchLab(lab.folder, options.clock, () => void this.inTurn(() => this.reload())));
    }
  }

  view(): AttemptView {
    const { definition, id } = this.lab;
    const { progress } = this.options;
    const result = this.status === 'complete' ? progress.resultOf(this.record.id) : undefined;
    return {
      lab: id,
      title: definition.title,
      minutes: definition.minutes,
      status: this.status,
      note: this.note,
      startedAt: this.record.startedAt,
      completedAt: this.record.completedAt,
      steps: this.steps.map(state => this.viewOf(state)),
      points: sumOfPoints(definition, this.steps),
      result: result && { ...result, learned: definition.learned },
      undo: this.before && { what: this.before.what, step: this.before.step },
      keeps: this.options.cluster.restore !== undefined,
      unsaved: progress.problem,
      author: this.authoring,
    };
  }

  subscribe(listener: (event: AttemptEvent) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  async answer(stepId: string, checkId: string, value: string): Promise<Text | undefined> {
    const step = this.steps.find(candidate => candidate.id === stepId);
    const state = step?.checks.find(
      candidate => candidate.check.id === checkId && candidate.check.kind === 'answer',
    );
    if (!step || !state) return say('這個步驟沒有這個問題。', 'This step has no such question.');
    if (!step.opened)
      return say('先完成前面的步驟，再回答這一題。', 'Finish the steps before this one first.');
    if (value.length > MAX_ANSWER) return say('答案太長了。', 'The answer is too long.');
    if (state.latched) return undefined;
    state.answer = value;
    this.options.progress.latch(
      this.record.id,
      { step: stepId, check: checkId, value, held: false },
      this.now(),
    );
    await state.running?.look();
    this.tellStep(this.steps.indexOf(step));
    return undefined;
  }

  hint(stepId: string): void {
    const index = this.steps.findIndex(step => step.id === stepId);
    const step = this.steps[index];
    const all = this.lab.definition.steps[index]?.hints ?? [];
    if (!step || step.hintsTaken >= all.length) return;
    step.hintsTaken++;
    this.options.progress.hint(this.record.id, stepId, step.hintsTaken, this.now());
    this.tellStep(index);
  }

  rewind(stepId: string): Promise<Text | undefined> {
    return this.inTurn(async () => {
      const moment = this.steps.find(({ id }) => id === stepId)?.kept;
      if (!moment || !this.options.cluster.restore) return NOT_KEPT;
      const before = await this.keep();
      await this.turnTo(moment, 'rewound', stepId);
      this.setBefore(before && { moment: before, what: 'rewind', step: stepId });
      return undefined;
    });
  }

  undo(): Promise<Text | undefined> {
    return this.inTurn(async () => {
      const { before } = this;
      if (!before) return say('沒有可以復原的。', 'There is nothing to undo.');
      this.before = undefined;
      await this.turnTo(before.moment, 'undone', before.step);
      return undefined;
    });
  }

  solution(stepId: string): Promise<Text | undefined> {
    return this.inTurn(async () => {
      const step = this.steps.find(({ id }) => id === stepId);
      if (!step || this.viewOf(step).solution === undefined)
        return say('這個步驟沒有附解答。', 'This step comes without a solution.');
      if (!step.opened)
        return say('先完成前面的步驟，再看這一步的解答。', 'Finish the steps before this one first.');
      if (step.solutionAt !== undefined) return undefined;
      const before = await this.keep();
      if (this.kube) step.answers = await answersSeen(this.lab, stepId, this.kube);
      step.solutionAt = this.now();
      this.options.progress.solution(this.record.id, stepId, step.solutionAt);
      this.setBefore(before && { moment: before, what: 'solution', step: stepId });
      return undefined;
    });
  }

  compare(stepId: string, line: number): ReturnType<Attempt['compare']> {
    return this.inTurn(async () => {
      const step = this.steps.find(({ id }) => id === stepId);
      const solution = step && this.viewOf(step).solution;
      const wanted = Array.isArray(solution) ? solution[line] : undefined;
      // Undo goes back to right before the first line, not to where the solution was opened.
      if (step && wanted && this.performing !== stepId) {
        const before = await this.keep();
        this.performing = stepId;
        this.setBefore(before && { moment: before, what: 'solution', step: stepId });
      }
      const answer = { loss: { objects: [], files: [] }, undo: this.before?.what === 'solution' };
      if (wanted?.kind !== 'command') return answer;
      const { cluster, home, kubectl } = this.options;
      try {
        const place = { kubectl, kubeconfig: cluster.kubeconfig, home, since: this.begunAt };
        return { ...answer, loss: await lossesOf(wanted.text, place) };
      } catch (error) {
        return { ...answer, problem: whyNot(error) };
      }
    });
  }

  reset(): Promise<void> {
    return this.inTurn(() => this.startOver());
  }

  async close(): Promise<void> {
    for (const close of this.closing.splice(0)) close();
    this.halt();
    this.listeners.clear();
    await this.ready;
  }

  private inTurn<T>(task: () => Promise<T>): Promise<T> {
    const turn = this.queue.then(async () => {
      await this.ready;
      return task();
    });
    this.queue = turn.catch(() => {});
    return turn;
  }

  private async startOver(): Promise<void> {
    this.halt();
    this.performing = undefined;
    const { progress, cluster } = this.options;
    progress.end(this.record.id, this.now());
    this.record = progress.begin(this.lab.id, cluster.kind, this.now());
    this.restore();
    this.before = undefined;
    this.ready = this.prepare(false, true);
    await this.ready;
  }

  /** This moment; undefined where the cluster cannot be kept. */
  private async keep(): Promise<Moment | undefined> {
    const { cluster, progress } = this.options;
    if (!cluster.snapshot || !cluster.restore) return undefined;
    const moment = {
      completedAt: this.record.completedAt,
      steps: this.steps.map(({ id, passedAt, slippedAt, since, kept }) => ({
        id,
        passedAt,
        slippedAt,
        since,
        kept,
      })),
      latches: progress.latches(this.record.id),
    };
    return { ...moment, cluster: await cluster.snapshot() };
  }

  /** The cluster and what had been reached, as they were then. Hints and solutions that were seen stay seen. */
  private async turnTo(moment: Moment, what: 'rewound' | 'undone', step: string): Promise<void> {
    const { progress } = this.options;
    this.halt();
    this.performing = undefined;
    const { completedAt, latches } = moment;
    progress.turnBack(
      this.record.id,
      {
        steps: moment.steps.map(({ id, passedAt }) => ({ step: id, passedAt, hints: 0 })),
        latches,
        completedAt,
      },
      what,
      step,
      this.now(),
    );
    this.record = { ...this.record, completedAt };
    this.restore();
    for (const state of this.steps) {
      const then = moment.steps.find(({ id }) => id === state.id);
      if (!then) continue;
      state.kept = then.kept;
      state.slippedAt = then.slippedAt;
      // A step that is to be done again wants its commands again; after an undo what was typed counts as before.
      state.since = what === 'undone' || then.passedAt !== undefined ? then.since : this.options.clock.now();
    }
    this.ready = this.prepare(true, false, moment.cluster);
    await this.ready;
    this.emit({ type: 'attempt', attempt: this.view() });
  }

  private setBefore(before: typeof this.before): void {
    this.before = before;
    this.emit({ type: 'attempt', attempt: this.view() });
  }

  /** The learner forgot this lab, or read in another record. */
  private async recordChanged(): Promise<void> {
    const { progress } = this.options;
    const current = progress.current(this.lab.id);
    if (!current) return this.startOver();
    const shape = (steps: readonly { passedAt?: string; hints: number }[]) =>
      JSON.stringify(steps.map(({ passedAt, hints }) => [passedAt, hints]));
    const ours = this.steps.map(({ passedAt, hintsTaken }) => ({ passedAt, hints: hintsTaken }));
    const theirs = stepsFrom(this.lab.definition, progress.steps(current.id), [], 0);
    if (
      current.id === this.record.id &&
      current.startedAt === this.record.startedAt &&
      shape(ours) === shape(theirs.map(({ passedAt, hintsTaken }) => ({ passedAt, hints: hintsTaken })))
    )
      return;
    this.record = current;
    await this.resume();
  }

  /** An author saved a file of the lab. */
  private async reload(): Promise<void> {
    const loadedAt = this.now();
    try {
      this.lab = loadLab(this.options.labs, this.lab.id);
      this.authoring = { problems: [], loadedAt };
      // The setup may be another one: the next reset does it again.
      this.start = undefined;
      await this.resume();
    } catch (error) {
      if (!(error instanceof LabError)) throw error;
      this.authoring = { problems: error.problems, loadedAt };
      this.emit({ type: 'attempt', attempt: this.view() });
    }
  }

  /** Looks afresh at a cluster that stays, with the steps as the record has them. */
  private async resume(): Promise<void> {
    this.halt();
    this.before = undefined;
    this.restore();
    this.ready = this.prepare(true);
    await this.ready;
  }

  private now(): string {
    return new Date(this.options.clock.now()).toISOString();
  }

  /** The steps as the record has them. */
  private restore(): void {
    const { progress } = this.options;
    this.steps = stepsFrom(
      this.lab.definition,
      progress.steps(this.record.id),
      progress.latches(this.record.id),
      // What was typed or written before this attempt does not count.
      Date.parse(this.record.startedAt),
    );
  }

  private async prepare(prepared: boolean, again = false, snapshot?: unknown): Promise<void> {
    this.life = new AbortController();
    const { signal } = this.life;
    this.become('preparing', say('正在準備叢集。', 'Preparing the cluster.'));
    try {
      const { cluster, clock } = this.options;
      const rewound = again && this.start !== undefined && cluster.restore !== undefined;
      if (snapshot !== undefined) await cluster.restore?.(snapshot);
      else if (rewound) await cluster.restore?.(this.start);
      else if (again) await cluster.reset?.();
      this.kube = await openKubeWatch(cluster.kubeconfig, clock);
      if (signal.aborted) return this.kube.close();
      if (!prepared) await layOut(this.lab, this.options.home);
      if (!prepared && !rewound) {
        await setUp(this.lab, this.kube.api, {
          clock,
          signal,
          fresh: again && !cluster.reset,
          hold: checks => untilHold(checks, () => this.context(), signal),
          note: note => this.become('preparing', note),
        });
        await untilHold(this.lab.definition.cluster.ready, () => this.context(), signal);
        if (!signal.aborted) this.start = await cluster.snapshot?.();
        this.begunAt = clock.now();
      }
      this.begunAt ||= Date.parse(this.record.startedAt);
      if (signal.aborted) return;
      const complete = this.record.completedAt && this.steps.every(step => step.passedAt !== undefined);
      this.become(complete ? 'complete' : 'running', undefined);
      for (const step of this.steps)
        if (step.solutionAt !== undefined) step.answers = await answersSeen(this.lab, step.id, this.kube);
      this.openSteps();
    } catch (error) {
      if (!signal.aborted) this.become('failed', whyNot(error));
    }
  }

  private context(step?: StepState, state?: CheckState): CheckContext {
    const { clock, commands, home } = this.options;
    return {
      kube: this.kube as KubeWatch,
      clock,
      commands,
      home,
      since: step?.since ?? Date.parse(this.record.startedAt),
      answer: state?.answer,
      labFolder: this.lab.folder,
      signal: this.life.signal,
    };
  }

  /** Starts looking at every step whose turn has come. */
  private openSteps(): void {
    const sequence = this.lab.definition.order === 'sequence';
    for (const [index, step] of this.steps.entries()) {
      if (!step.opened) {
        step.opened = true;
        if (step.passedAt !== undefined) this.letGo(index);
        for (const state of step.checks) if (!state.latched) this.look(index, state);
        this.tellStep(index);
        this.settle(index);
      }
      if (sequence && step.passedAt === undefined) return;
    }
  }

  /** A passed step that later steps undo is not watched any more. */
  private letGo(index: number): void {
    if (this.lab.definition.steps[index]?.lasting !== false) return;
    for (const state of this.steps[index]?.checks ?? []) {
      state.latched = true;
      state.verdict = { state: 'holds' };
      state.running?.stop();
      state.running = undefined;
    }
  }

  private look(index: number, state: CheckState): void {
    state.running = runCheck(
      state.check,
      () => this.context(this.steps[index], state),
      verdict => this.heard(index, state, verdict),
    );
  }

  private heard(index: number, state: CheckState, verdict: Verdict): void {
    const step = this.steps[index] as StepState;
    const { progress } = this.options;
    if (verdict.state !== state.verdict.state)
      progress.verdict(this.record.id, step.id, state.check.id, verdict.state, this.now());
    state.verdict = verdict;
    if (verdict.state === 'holds' && kindOf(state.check.kind).latches) {
      state.latched = true;
      const value = state.answer ?? (verdict.seen as { line?: string } | undefined)?.line ?? '';
      progress.latch(this.record.id, { step: step.id, check: state.check.id, value, held: true }, this.now());
      state.running?.stop();
      state.running = undefined;
    }
    this.settle(index);
    this.tellStep(index);
    if (this.options.author) void this.tellAuthor(index, state);
  }

  private async tellAuthor(index: number, state: CheckState): Promise<void> {
    const { kube } = this;
    if (!kube) return;
    state.author = await authorCheck(state.check, state.running?.timing(), kube);
    this.tellStep(index);
  }

  /** Turns a step's verdicts into passed or slipped, and opens what follows. */
  private settle(index: number): void {
    const step = this.steps[index] as StepState;
    const states = step.checks.map(({ verdict }) => verdict.state);
    const holds = states.every(state => state === 'holds');
    if (holds) {
      step.slippedAt = undefined;
      if (step.passedAt === undefined) {
        step.passedAt = this.now();
        this.options.progress.passed(this.record.id, step.id, step.passedAt);
        this.letGo(index);
        void this.keepStep(step);
        // Told apart from the step's own message so that the next step's first view follows it.
        queueMicrotask(() => this.life.signal.aborted || this.openSteps());
      }
      this.complete();
    } else if (
      step.passedAt !== undefined &&
      states.some(state => state === 'wrong' || (state === 'not-yet' && this.looked(step)))
    ) {
      step.slippedAt ??= this.now();
    }
  }

  /** Keeps the cluster as a step has just passed. */
  private async keepStep(step: StepState): Promise<void> {
    try {
      const moment = await this.keep();
      if (!moment || !this.steps.includes(step)) return;
      const own = moment.steps.find(({ id }) => id === step.id);
      step.kept = moment;
      if (own) own.kept = moment;
      this.tellStep(this.steps.indexOf(step));
    } catch {
      // Without it there is no way back to here, and the page does not offer one.
    }
  }

  /** Whether each check has looked at least once: before that, "not yet" says nothing. */
  private looked(step: StepState): boolean {
    return step.checks.every(({ verdict }) => verdict.state !== 'not-yet' || verdict.said !== undefined);
  }

  private complete(): void {
    if (
      this.record.completedAt !== undefined ||
      !this.steps.every(step => step.passedAt !== undefined && step.slippedAt === undefined)
    )
      return;
    this.record = { ...this.record, completedAt: this.now() };
    const { progress } = this.options;
    const { id, startedAt, completedAt = this.now() } = this.record;
    progress.completed(id, completedAt);
    const seconds = Math.round((Date.parse(completedAt) - Date.parse(startedAt)) / 1000);
    const counted = { tries: progress.tries(id), wrongAnswers: progress.wrongAnswers(id) };
    progress.result(id, resultOf(this.lab.definition, this.steps, seconds, counted), completedAt);
    this.become('complete', undefined);
  }

  private become(status: AttemptView['status'], note: Text | undefined): void {
    this.status = status;
    this.note = note;
    this.emit({ type: 'attempt', attempt: this.view() });
  }

  /** One message a step and turn of the event loop, however many of its checks spoke. */
  private tellStep(index: number): void {
    const step = this.steps[index];
    if (!step || this.told.has(step.id)) return;
    this.told.add(step.id);
    queueMicrotask(() => {
      this.told.delete(step.id);
      if (this.steps[index] === step) this.emit({ type: 'step', step: this.viewOf(step) });
    });
  }

  private emit(event: AttemptEvent): void {
    for (const listener of [...this.listeners]) listener(event);
  }

  private viewOf(state: StepState) {
    return stepView(this.lab, state, this.options.cluster.restore !== undefined);
  }

  private halt(): void {
    this.life.abort();
    for (const step of this.steps) for (const state of step.checks) state.running?.stop();
    this.kube?.close();
    this.kube = undefined;
  }
}

/** Longer answers are refused, in characters. */
const MAX_ANSWER = 500;

const NOT_KEPT = say(
  '這個步驟當時的叢集沒有留下來，回不去了。',
  'The cluster of that step was not kept; there is no way back to it.',
);
