// Keeps moments of an attempt that one can go back to: the cluster, the files in the home folder, and what had been reached. Knows
// no page, and nothing of how a step is judged.

import type { AttemptView, Text } from '#common/protocol/index.ts';
import { say } from '../check/index.ts';
import type { AttemptRecord, Progress } from '../progress/index.ts';
import { type KeptHome, keepHome, putBackHome } from './home/index.ts';
import type { Moment, StepState } from './steps.ts';
import type { AttemptOptions } from './types.ts';

/** What an undo goes back to. */
export interface Before {
  moment: Moment;
  what: 'rewind' | 'solution';
  step: string;
  /** Right before this line of the solution; absent: before it was opened. */
  line?: number;
}

/** More are not kept: the oldest goes. */
const MOST_BEFORES = 8;

export class Moments {
  private readonly options: AttemptOptions;
  /** Files that did not change since are shared with the next moment. */
  private files: KeptHome | undefined;
  private befores: Before[] = [];

  constructor(options: AttemptOptions) {
    this.options = options;
  }

  /** Now; undefined where the cluster cannot be kept. */
  async keep(record: AttemptRecord, steps: readonly StepState[]): Promise<Moment | undefined> {
    const { cluster, home, progress } = this.options;
    if (!cluster.snapshot || !cluster.restore) return undefined;
    const reached = {
      completedAt: record.completedAt,
      steps: steps.map(({ id, passedAt, slippedAt, since, kept }) => ({
        id,
        passedAt,
        slippedAt,
        since,
        kept,
      })),
      latches: progress.latches(record.id),
    };
    const [state, files] = await Promise.all([cluster.snapshot(), keepHome(home, this.files)]);
    this.files = files;
    return { ...reached, cluster: state, files };
  }

  /** The files as they were; a sentence where that did not work. */
  async putBack({ files }: Moment): Promise<Text | undefined> {
    try {
      await putBackHome(this.options.home, files);
      return undefined;
    } catch (error) {
      const why = (error as Error).message;
      return say(
        `家目錄裡的檔案沒有全部變回去（${why}）。叢集和關卡已經變回去了。`,
        `Not all files in your home folder could be put back (${why}). The cluster and the checkpoints are back.`,
      );
    }
  }

  /** What an undo would go back to. */
  get before(): Before | undefined {
    return this.befores.at(-1);
  }

  /** The same for a learner to read. */
  get undo(): AttemptView['undo'] {
    const { before } = this;
    if (!before) return undefined;
    const { moment, what, step, line } = before;
    return {
      what,
      step,
      ...(line === undefined ? {} : { line }),
      ...('not' in moment.files ? { files: moment.files.not } : {}),
    };
  }

  /** From now on an undo goes back to there. A line of a solution comes on top of the lines before it; anything else begins anew. */
  remember(before: Before | undefined): void {
    const { before: last } = this;
    const onTop =
      before?.line !== undefined && last?.line !== undefined && last.step === before.step ? this.befores : [];
    this.befores = before ? [...onTop, before].slice(-MOST_BEFORES) : [];
  }

  /** It was gone back to: the one before it is next. */
  forgetLast(): void {
    this.befores = this.befores.slice(0, -1);
  }
}

/** Writes into the record that one went back to a moment. */
export function recordMoment(
  progress: Progress,
  attempt: number,
  { completedAt, latches, steps }: Moment,
  what: 'rewound' | 'undone',
  step: string,
  at: string,
): void {
  const passed = steps.map(({ id, passedAt }) => ({ step: id, passedAt, hints: 0 }));
  progress.turnBack(attempt, { steps: passed, latches, completedAt }, what, step, at);
}

/** The steps as they were then. One that is to be done again wants its commands again; after an undo what was typed counts as before. */
export function reachedAsThen(
  steps: readonly StepState[],
  moment: Moment,
  what: 'rewound' | 'undone',
  now: number,
): void {
  for (const state of steps) {
    const then = moment.steps.find(({ id }) => id === state.id);
    if (!then) continue;
    state.kept = then.kept;
    state.slippedAt = then.slippedAt;
    state.since = what === 'undone' || then.passedAt !== undefined ? then.since : now;
  }
}
