// One learner's run of a lab: setup, steps, checkpoints, completion. Knows no sockets and not which cluster it runs on.
//
// In a sequence a step is judged once every step before it has passed; a passed step goes on being watched and says when it
// slips. What is a fact of the past (an answer, a command that ran) holds for the whole attempt, also after a restart.

import type { Check } from '#common/lab/index.ts';
import type { AttemptView, CheckView, StepView, Text } from '#common/protocol/index.ts';
import {
  type CheckContext,
  CouldNotLook,
  type KubeWatch,
  kindOf,
  openKubeWatch,
  type RunningCheck,
  runCheck,
  say,
  type Verdict,
  whyNot,
} from '../check/index.ts';
import type { AttemptRecord } from '../progress/index.ts';
import { type Lab, LabError, loadLab } from './load.ts';
import { layOut, setUp } from './setup.ts';
import type { Attempt, AttemptEvent, AttemptOptions } from './types.ts';

interface CheckState {
  check: Check;
  running?: RunningCheck;
  verdict: Verdict;
  latched: boolean;
  answer?: string;
}

interface StepState {
  id: string;
  checks: CheckState[];
  passedAt?: string;
  slippedAt?: string;
  hintsTaken: number;
  opened: boolean;
}

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
  private readonly lab: Lab;
  private readonly listeners = new Set<(event: AttemptEvent) => void>();
  private record: AttemptRecord;
  private steps: StepState[] = [];
  private status: AttemptView['status'] = 'preparing';
  private note: Text | undefined;
  private kube: KubeWatch | undefined;
  private life = new AbortController();
  /** The cluster right after setup, where it can be kept. */
  private start: unknown;
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
  }

  view(): AttemptView {
    const { definition, id } = this.lab;
    return {
      lab: id,
      title: definition.title,
      minutes: definition.minutes,
      status: this.status,
      note: this.note,
      startedAt: this.record.startedAt,
      completedAt: this.record.completedAt,
      steps: this.steps.map((_, index) => this.stepView(index)),
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

  async reset(): Promise<void> {
    await this.ready;
    this.halt();
    const { progress, cluster } = this.options;
    progress.end(this.record.id, this.now());
    this.record = progress.begin(this.lab.id, cluster.kind, this.now());
    this.restore();
    this.ready = this.prepare(false, true);
    await this.ready;
  }

  async close(): Promise<void> {
    this.halt();
    this.listeners.clear();
    await this.ready;
  }

  private now(): string {
    return new Date(this.options.clock.now()).toISOString();
  }

  /** The steps as the record has them. */
  private restore(): void {
    const { progress } = this.options;
    const passed = new Map(progress.steps(this.record.id).map(record => [record.step, record]));
    const latches = progress.latches(this.record.id);
    this.steps = this.lab.definition.steps.map(({ id, checks }) => ({
      id,
      opened: false,
      passedAt: passed.get(id)?.passedAt,
      hintsTaken: passed.get(id)?.hints ?? 0,
      checks: checks.map(check => {
        const latch = latches.find(record => record.step === id && record.check === check.id);
        const latched = latch?.held === true;
        return {
          check,
          latched,
          answer: check.kind === 'answer' ? latch?.value : undefined,
          verdict: { state: latched ? 'holds' : 'not-yet' },
        };
      }),
    }));
  }

  private async prepare(prepared: boolean, again = false): Promise<void> {
    this.life = new AbortController();
    const { signal } = this.life;
    this.become('preparing', say('正在準備叢集。', 'Preparing the cluster.'));
    try {
      const { cluster, clock } = this.options;
      const rewound = again && this.start !== undefined && cluster.restore !== undefined;
      if (rewound) await cluster.restore?.(this.start);
      else if (again) await cluster.reset?.();
      this.kube = await openKubeWatch(cluster.kubeconfig, clock);
      if (signal.aborted) return this.kube.close();
      if (!prepared) await layOut(this.lab, this.options.home);
      if (!prepared && !rewound) {
        await setUp(this.lab, this.kube.api, {
          clock,
          signal,
          fresh: again && !cluster.reset,
          hold: checks => this.untilHold(checks, signal),
          note: note => this.become('preparing', note),
        });
        await this.untilHold(this.lab.definition.cluster.ready, signal);
        if (!signal.aborted) this.start = await cluster.snapshot?.();
      }
      if (signal.aborted) return;
      this.become(this.record.completedAt ? 'complete' : 'running', undefined);
      this.openSteps();
    } catch (error) {
      if (!signal.aborted) this.become('failed', whyNot(error));
    }
  }

  /** What setup has caused must have come true before it goes on, and before a step is judged. */
  private async untilHold(checks: readonly Check[], signal: AbortSignal): Promise<void> {
    if (checks.length === 0) return;
    const running: RunningCheck[] = [];
    const { clock } = this.options;
    let late = () => {};
    const timer = clock.after(READY_TIMEOUT, () => late());
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
              bad?.said ?? say('叢集沒有到達實驗的起點。', 'The cluster did not reach the start of the lab.'),
            ),
          );
        };
        signal.addEventListener('abort', () => resolve());
        for (const check of checks) running.push(runCheck(check, () => this.context(), look));
        look();
      });
    } finally {
      timer.cancel();
      for (const check of running) check.stop();
    }
  }

  private context(state?: CheckState): CheckContext {
    const { clock, commands, home } = this.options;
    return {
      kube: this.kube as KubeWatch,
      clock,
      commands,
      home,
      // What was typed or written before this attempt does not count.
      since: Date.parse(this.record.startedAt),
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
      () => this.context(state),
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
    this.options.progress.completed(this.record.id, this.record.completedAt as string);
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
      if (this.steps[index] === step) this.emit({ type: 'step', step: this.stepView(index) });
    });
  }

  private emit(event: AttemptEvent): void {
    for (const listener of [...this.listeners]) listener(event);
  }

  private stepView(index: number): StepView {
    const step = this.steps[index] as StepState;
    const definition = this.lab.definition.steps[index];
    const hints = definition?.hints ?? [];
    return {
      id: step.id,
      task: definition?.task as Text,
      state: step.passedAt === undefined ? 'open' : step.slippedAt === undefined ? 'passed' : 'slipped',
      passedAt: step.passedAt,
      slippedAt: step.slippedAt,
      checks: step.checks.map(checkView),
      hints: hints.slice(0, step.hintsTaken),
      hintsLeft: hints.length - step.hintsTaken,
      waiting: !step.opened || undefined,
    };
  }

  private halt(): void {
    this.life.abort();
    for (const step of this.steps) for (const state of step.checks) state.running?.stop();
    this.kube?.close();
    this.kube = undefined;
  }
}

/** A cluster that has not reached the lab's start by then will not. Milliseconds. */
const READY_TIMEOUT = 60_000;
/** Longer answers are refused, in characters. */
const MAX_ANSWER = 500;

function checkView({ check, verdict, answer }: CheckState): CheckView {
  const view: CheckView = { id: check.id, kind: check.kind, state: verdict.state };
  if (verdict.state !== 'holds') Object.assign(view, { said: verdict.said, findings: verdict.findings });
  if (check.kind === 'answer') {
    const spec = (check as Check<'answer'>).spec;
    view.prompt = spec.prompt;
    view.choices = spec.choices?.map(({ id, text }) => ({ id, text }));
    view.answered = answer;
  }
  return view;
}

/** A lab that cannot be read: everything is refused with the reason. */
function brokenAttempt(options: AttemptOptions, error: LabError): Attempt {
  const [first = ''] = error.problems;
  const note = say(
    `這個實驗的定義有問題，不是你的錯：${first}`,
    `This lab is broken, which is not your doing: ${first}`,
  );
  const at = new Date(options.clock.now()).toISOString();
  return {
    view: () => ({
      lab: options.lab,
      title: say(options.lab, options.lab),
      minutes: 0,
      status: 'failed',
      note,
      startedAt: at,
      steps: [],
    }),
    subscribe: () => () => {},
    answer: async () => note,
    hint: () => {},
    reset: async () => {},
    close: async () => {},
    ready: Promise.resolve(),
  };
}
