// One learner's run of a lab: setup, steps, checkpoints, completion. Knows no sockets and not which cluster it runs on.
//
// In a sequence a step is judged once every step before it has passed; a passed step goes on being watched and says when it
// slips. What is a fact of the past (an answer, a command that ran) holds for the whole attempt, also after a restart.

import type { AttemptView, Text } from '#common/protocol/index.ts';
import { type CheckContext, type KubeWatch, say, whyNot } from '../check/index.ts';
import type { AttemptRecord } from '../progress/index.ts';
import { watchLab } from './author.ts';
import { bringUp } from './bring-up.ts';
import { brokenAttempt } from './broken.ts';
import { Judging } from './judging.ts';
import { type Lab, LabError, loadLab } from './load.ts';
import { lossOfLine, NO_LOSS } from './loss-of-line.ts';
import { type Before, Moments, reachedAsThen, recordMoment } from './moments.ts';
import {
  answersSeen,
  type CheckState,
  type Moment,
  reachedTheSame,
  recordResult,
  type StepState,
  stepsFrom,
  stepView,
  sumOfPoints,
} from './steps.ts';
import type { Attempt, AttemptEvent, AttemptOptions, Comparison } from './types.ts';

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
  private readonly moments: Moments;
  private judging: Judging | undefined;
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
    this.moments = new Moments(options);
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
      undo: this.moments.undo,
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
    if (!step || !state) return say('這一關沒有這個問題。', 'This checkpoint has no such question.');
    if (!step.opened)
      return say('先過前面的關卡，再回答這一題。', 'Pass the checkpoints before this one first.');
    if (value.length > MAX_ANSWER) return say('答案太長了。', 'The answer is too long.');
    if (state.latched) return undefined;
    state.answer = value;
    this.options.progress.latch(
      this.record.id,
      { step: stepId, check: checkId, value, held: false },
      this.now(),
    );
    await state.running?.look();
    await step.confirming;
    this.tellStep(step);
    return undefined;
  }

  hint(stepId: string): void {
    const index = this.steps.findIndex(step => step.id === stepId);
    const step = this.steps[index];
    const all = this.lab.definition.steps[index]?.hints ?? [];
    if (!step || step.hintsTaken >= all.length) return;
    step.hintsTaken++;
    this.options.progress.hint(this.record.id, stepId, step.hintsTaken, this.now());
    this.tellStep(step);
  }

  rewind(stepId: string): Promise<Text | undefined> {
    return this.inTurn(async () => {
      const moment = this.steps.find(({ id }) => id === stepId)?.kept;
      if (!moment || !this.options.cluster.restore) return NOT_KEPT;
      const before = await this.keep();
      // Files that an undo could not bring back are not touched.
      const files = before && 'not' in before.files ? before.files : moment.files;
      const note = await this.turnTo({ ...moment, files }, 'rewound', stepId);
      this.remember(before && { moment: before, what: 'rewind', step: stepId });
      return note;
    });
  }

  undo(): Promise<Text | undefined> {
    return this.inTurn(async () => {
      const { before } = this.moments;
      if (!before) return say('沒有可以復原的。', 'There is nothing to undo.');
      this.moments.forgetLast();
      return this.turnTo(before.moment, 'undone', before.step);
    });
  }

  solution(stepId: string): Promise<Text | undefined> {
    return this.inTurn(async () => {
      const step = this.steps.find(({ id }) => id === stepId);
      if (!step || this.viewOf(step).solution === undefined)
        return say('這一關沒有附解答。', 'This checkpoint comes without a solution.');
      if (!step.opened)
        return say('先過前面的關卡，再看這一關的解答。', 'Pass the checkpoints before this one first.');
      if (step.solutionAt !== undefined) return undefined;
      const before = await this.keep();
      if (this.kube) step.answers = await answersSeen(this.lab, stepId, this.kube);
      step.solutionAt = this.now();
      this.options.progress.solution(this.record.id, stepId, step.solutionAt);
      this.remember(before && { moment: before, what: 'solution', step: stepId });
      return undefined;
    });
  }

  compare(stepId: string, line: number): Promise<Comparison> {
    return this.inTurn(async () => {
      const step = this.steps.find(({ id }) => id === stepId);
      const solution = step && this.viewOf(step).solution;
      const wanted = Array.isArray(solution) ? solution[line] : undefined;
      if (!wanted) return { loss: NO_LOSS, undo: false };
      const found = await lossOfLine(wanted, this.options, this.begunAt);
      const first = this.moments.before?.step !== stepId || this.moments.before.line === undefined;
      // Undo goes back to right before the first line, and to right before any other that takes something away.
      if (first || found.problem || found.loss.objects.length + found.loss.files.length > 0) {
        const moment = await this.keep();
        this.remember(moment && { moment, what: 'solution', step: stepId, line });
      }
      const undo = this.moments.undo;
      return { ...found, undo: undo !== undefined, ...(undo?.files ? { files: undo.files } : {}) };
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

  private keep(): Promise<Moment | undefined> {
    return this.moments.keep(this.record, this.steps);
  }

  private async startOver(): Promise<void> {
    this.halt();
    const { progress, cluster } = this.options;
    progress.end(this.record.id, this.now());
    this.record = progress.begin(this.lab.id, cluster.kind, this.now());
    this.restore();
    this.moments.remember(undefined);
    this.ready = this.prepare(false, true);
    await this.ready;
  }

  /** Cluster, files and what had been reached, as they were then. Hints and solutions that were seen stay seen. */
  private async turnTo(moment: Moment, what: 'rewound' | 'undone', step: string): Promise<Text | undefined> {
    const { progress } = this.options;
    this.halt();
    const note = await this.moments.putBack(moment);
    recordMoment(progress, this.record.id, moment, what, step, this.now());
    this.record = { ...this.record, completedAt: moment.completedAt };
    this.restore();
    reachedAsThen(this.steps, moment, what, this.options.clock.now());
    this.ready = this.prepare(true, false, moment.cluster);
    await this.ready;
    this.emit({ type: 'attempt', attempt: this.view() });
    return note;
  }

  private remember(before: Before | undefined): void {
    this.moments.remember(before);
    this.emit({ type: 'attempt', attempt: this.view() });
  }

  /** The learner forgot this lab, or read in another record. */
  private async recordChanged(): Promise<void> {
    const { progress } = this.options;
    const current = progress.current(this.lab.id);
    if (!current) return this.startOver();
    const same = current.id === this.record.id && current.startedAt === this.record.startedAt;
    if (same && reachedTheSame(this.steps, progress.steps(current.id))) return;
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
    this.moments.remember(undefined);
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
      const begun = await bringUp(this.lab, this.options, {
        prepared,
        again,
        snapshot,
        start: this.start,
        signal,
        opened: kube => {
          this.kube = kube;
        },
        context: () => this.context(),
        note: note => this.become('preparing', note),
      });
      if (begun) {
        this.start = begun.start;
        this.begunAt = begun.at;
      }
      this.begunAt ||= Date.parse(this.record.startedAt);
      if (signal.aborted) return;
      const complete = this.record.completedAt && this.steps.every(step => step.passedAt !== undefined);
      this.become(complete ? 'complete' : 'running', undefined);
      const { kube } = this;
      if (!kube) return;
      for (const step of this.steps)
        if (step.solutionAt !== undefined) step.answers = await answersSeen(this.lab, step.id, kube);
      this.judge(kube);
    } catch (error) {
      if (!signal.aborted) this.become('failed', whyNot(error));
    }
  }

  private judge(kube: KubeWatch): void {
    this.judging = new Judging({
      lab: this.lab,
      steps: this.steps,
      record: this.record.id,
      kube,
      progress: this.options.progress,
      author: this.options.author,
      context: (step, state) => this.context(step, state),
      now: () => this.now(),
      changed: step => this.tellStep(step),
      passed: step => void this.keepStep(step),
      holds: () => this.complete(),
    });
    this.judging.open();
  }

  private context(step?: StepState, state?: CheckState): CheckContext {
    const { clock, commands, home } = this.options;
    return {
      kube: this.kube as KubeWatch,
      clock,
      commands,
      home,
      since: step?.since ?? Date.parse(this.record.startedAt),
      opened: step?.openedAt ?? Date.parse(this.record.startedAt),
      answer: state?.answer,
      labFolder: this.lab.folder,
      signal: this.life.signal,
    };
  }

  /** Keeps the cluster as a step has just passed. */
  private async keepStep(step: StepState): Promise<void> {
    try {
      const moment = await this.keep();
      if (!moment || !this.steps.includes(step)) return;
      const own = moment.steps.find(({ id }) => id === step.id);
      step.kept = moment;
      if (own) own.kept = moment;
      this.tellStep(step);
    } catch {
      // Without it there is no way back to here, and the page does not offer one.
    }
  }

  private complete(): void {
    if (
      this.record.completedAt !== undefined ||
      !this.steps.every(step => step.passedAt !== undefined && step.slippedAt === undefined)
    )
      return;
    const completedAt = this.now();
    recordResult(this.options.progress, this.lab.definition, this.record, this.steps, completedAt);
    this.record = { ...this.record, completedAt };
    this.become('complete', undefined);
  }

  private become(status: AttemptView['status'], note: Text | undefined): void {
    this.status = status;
    this.note = note;
    this.emit({ type: 'attempt', attempt: this.view() });
  }

  /** One message a step and turn of the event loop, however many of its checks spoke. */
  private tellStep(step: StepState): void {
    if (this.told.has(step.id)) return;
    this.told.add(step.id);
    queueMicrotask(() => {
      this.told.delete(step.id);
      if (this.steps.includes(step)) this.emit({ type: 'step', step: this.viewOf(step) });
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
    this.judging?.stop();
    this.judging = undefined;
    this.kube?.close();
    this.kube = undefined;
  }
}

/** Longer answers are refused, in characters. */
const MAX_ANSWER = 500;

const NOT_KEPT = say(
  '過那一關時的叢集沒有留下來，回不去了。',
  'The cluster of that checkpoint was not kept; there is no way back to it.',
);
