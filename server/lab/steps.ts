// The state of an attempt's steps, and how a learner sees it: views, points, what a solution says. Knows no cluster.

import type { Check, LabDefinition } from '#common/lab/index.ts';
import { compare } from '#common/match/index.ts';
import type {
  AuthorCheck,
  CheckView,
  Finding,
  LabResult,
  Points,
  SolutionLine,
  StepView,
} from '#common/protocol/index.ts';
import {
  expectedValue,
  type KubeWatch,
  type RunningCheck,
  say,
  type Verdict,
  youRan,
} from '../check/index.ts';
import type { AttemptRecord, LatchRecord, Progress, StepRecord } from '../progress/index.ts';
import { solutionOf } from './files.ts';
import type { KeptHome } from './home/index.ts';
import type { Lab } from './load.ts';
import { AS_SEEN, scriptLines } from './script-lines.ts';

export interface CheckState {
  check: Check;
  running?: RunningCheck;
  verdict: Verdict;
  latched: boolean;
  /** What was said of it when its step's turn came, as JSON. */
  atFirst?: string;
  answer?: string;
  author?: AuthorCheck;
}

export interface StepState {
  id: string;
  checks: CheckState[];
  passedAt?: string;
  slippedAt?: string;
  hintsTaken: number;
  solutionAt?: string;
  /** Answers of the opened solution that only the cluster knows, by check. */
  answers?: Record<string, string>;
  opened: boolean;
  /** All its checks hold and look once more. */
  confirming?: Promise<void>;
  /** What ran or was written before does not count for this step. Milliseconds since the epoch. */
  since: number;
  /** When its turn came. Milliseconds since the epoch. */
  openedAt?: number;
  /** The moment at which it passed, where the cluster can be kept. */
  kept?: Moment;
}

/** A moment that one can go back to. */
export interface Moment {
  cluster: unknown;
  files: KeptHome;
  completedAt?: string;
  steps: Pick<StepState, 'id' | 'passedAt' | 'slippedAt' | 'since' | 'kept'>[];
  latches: LatchRecord[];
}

/** The steps of a lab as a record has them. */
export function stepsFrom(
  { steps }: LabDefinition,
  records: readonly StepRecord[],
  latches: readonly LatchRecord[],
  since: number,
): StepState[] {
  return steps.map(({ id, checks }) => {
    const record = records.find(({ step }) => step === id);
    return {
      id,
      opened: false,
      since,
      passedAt: record?.passedAt,
      hintsTaken: record?.hints ?? 0,
      solutionAt: record?.solutionAt,
      checks: checks.map(check => {
        const latch = latches.find(one => one.step === id && one.check === check.id);
        const latched = latch?.held === true;
        return {
          check,
          latched,
          answer: check.kind === 'answer' ? latch?.value : undefined,
          verdict: latched ? heldBefore(check, latch.value) : { state: 'not-yet' },
        };
      }),
    };
  });
}

/** What was latched in an earlier sitting; of a command the record keeps the line. */
const heldBefore = ({ kind }: Check, value: string): Verdict => ({
  state: 'holds',
  ...(kind === 'command' && value !== '' ? { said: youRan(value) } : {}),
});

export function stepView(lab: Lab, state: StepState, canRewind: boolean): StepView {
  const { definition } = lab;
  const step = definition.steps.find(({ id }) => id === state.id) as LabDefinition['steps'][number];
  const { costs } = definition;
  return {
    id: state.id,
    task: step.task,
    state: state.passedAt === undefined ? 'open' : state.slippedAt === undefined ? 'passed' : 'slipped',
    passedAt: state.passedAt,
    slippedAt: state.slippedAt,
    checks: state.checks.map(checkView),
    hints: step.hints.slice(0, state.hintsTaken),
    hintsLeft: step.hints.length - state.hintsTaken,
    waiting: !state.opened || undefined,
    points: pointsOf(definition, state),
    costs: {
      hint: Math.round((step.points * costs.hint) / 100),
      solution: Math.round((step.points * costs.solution) / 100),
    },
    rewind: (canRewind && state.kept !== undefined) || undefined,
    solution: solutionView(lab, step, state),
  };
}

function checkView({ check, verdict, answer, author }: CheckState): CheckView {
  const view: CheckView = { id: check.id, kind: check.kind, state: verdict.state };
  if (verdict.said) view.said = verdict.said;
  if (verdict.state !== 'holds') view.findings = verdict.findings?.filter(found => !isPattern(check, found));
  if (check.guard !== undefined) view.guard = true;
  if (author) view.author = author;
  if (check.kind === 'answer') {
    const { prompt, choices } = (check as Check<'answer'>).spec;
    view.prompt = prompt;
    view.choices = choices?.map(({ id, text }) => ({ id, text }));
    view.answered = answer;
  } else if (verdict.findings && verdict.findings.length > 0 && verdict.seen !== undefined) {
    // What a question asks for is never shown; these two say what they want in the lab's own task.
    const { match, count } = check.spec as { match?: unknown; count?: unknown };
    if ((check.kind === 'resource' || check.kind === 'file') && match !== undefined && count === undefined)
      view.compare = compare(match, verdict.seen);
  }
  return view;
}

/** What a terminal should print is asked for by a pattern, which tells a learner nothing; the sentence tells what it printed. */
const isPattern = ({ kind }: Check, { path }: Finding): boolean => kind === 'command' && path === 'output';

/** What a step has brought so far: the share of its checks that hold, less what help costs. A guard holds by itself and counts for nothing, but nothing counts while one is broken. */
function pointsOf({ steps, costs }: LabDefinition, state: StepState): Points {
  const most = steps.find(({ id }) => id === state.id)?.points ?? 0;
  const counted = state.checks.filter(({ check }) => check.guard === undefined);
  const weight = (checks: readonly CheckState[]) =>
    checks.reduce((sum, { check }) => sum + (check.weight ?? 1), 0);
  const passed = state.passedAt !== undefined && state.slippedAt === undefined;
  const broken = state.checks.some(
    ({ check, verdict }) => check.guard !== undefined && verdict.state === 'wrong',
  );
  const holding = broken ? 0 : weight(counted.filter(({ verdict }) => verdict.state === 'holds'));
  const share = passed ? 1 : holding / Math.max(1, weight(counted));
  const help = state.hintsTaken * costs.hint + (state.solutionAt === undefined ? 0 : costs.solution);
  return { got: Math.max(0, Math.round(most * (share - help / 100))), most };
}

export function sumOfPoints(lab: LabDefinition, states: readonly StepState[]): Points {
  const all = states.map(state => pointsOf(lab, state));
  return {
    got: all.reduce((sum, { got }) => sum + got, 0),
    most: all.reduce((sum, { most }) => sum + most, 0),
  };
}

/** Whether a record has the same steps passed and the same hints taken. */
export function reachedTheSame(states: readonly StepState[], records: readonly StepRecord[]): boolean {
  return states.every(({ id, passedAt, hintsTaken }) => {
    const record = records.find(({ step }) => step === id);
    return record?.passedAt === passedAt && (record?.hints ?? 0) === hintsTaken;
  });
}

/** Writes down that an attempt is complete, and how it went. */
export function recordResult(
  progress: Progress,
  lab: LabDefinition,
  { id, startedAt }: AttemptRecord,
  states: readonly StepState[],
  completedAt: string,
): void {
  progress.completed(id, completedAt);
  const seconds = Math.round((Date.parse(completedAt) - Date.parse(startedAt)) / 1000);
  const counted = { tries: progress.tries(id), wrongAnswers: progress.wrongAnswers(id) };
  progress.result(id, resultOf(lab, states, seconds, counted), completedAt);
}

/** How an attempt that is complete now went. */
function resultOf(
  lab: LabDefinition,
  states: readonly StepState[],
  seconds: number,
  counted: Pick<LabResult, 'tries' | 'wrongAnswers'>,
): Omit<LabResult, 'learned'> {
  return {
    seconds,
    ...counted,
    hints: states.reduce((sum, { hintsTaken }) => sum + hintsTaken, 0),
    solutions: states.filter(({ solutionAt }) => solutionAt !== undefined).length,
    points: sumOfPoints(lab, states),
  };
}

function solutionView(
  lab: Lab,
  step: LabDefinition['steps'][number],
  state: StepState,
): StepView['solution'] {
  const script = solutionOf(lab, step.id);
  if (script === undefined) return undefined;
  if (state.solutionAt === undefined) return 'hidden';
  return scriptLines(script).flatMap((line): SolutionLine[] => {
    if ('type' in line) return [{ kind: 'command', text: line.type }];
    const { check: id } = line.answer;
    const value = line.answer.value === AS_SEEN ? (state.answers?.[id] ?? '') : line.answer.value;
    const check = step.checks.find(one => one.id === id && one.kind === 'answer');
    if (!check) return [];
    const { prompt, choices } = (check as Check<'answer'>).spec;
    const shown = choices?.find(choice => choice.id === value)?.text ?? say(value, value);
    return [{ kind: 'answer', check: id, value, prompt, shown }];
  });
}

/** The answers of a step's solution that only the cluster knows; what cannot be read is left out. */
export async function answersSeen(lab: Lab, step: string, kube: KubeWatch): Promise<Record<string, string>> {
  const checks = lab.definition.steps.find(({ id }) => id === step)?.checks ?? [];
  const found: Record<string, string> = {};
  for (const line of scriptLines(solutionOf(lab, step) ?? '')) {
    if (!('answer' in line) || line.answer.value !== AS_SEEN) continue;
    const check = checks.find(({ id, kind }) => id === line.answer.check && kind === 'answer');
    if (check) found[check.id] = await expectedValue((check as Check<'answer'>).spec, { kube });
  }
  return found;
}
