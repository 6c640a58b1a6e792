// The contract of the progress store: what was tried, passed and asked for, and when. Knows no labs beyond their ids.

import type { CheckState, ClusterKind, LabProgress, LabResult, Text } from '#common/protocol/index.ts';

export interface AttemptRecord {
  id: number;
  lab: string;
  cluster: ClusterKind;
  /** ISO times. */
  startedAt: string;
  completedAt?: string;
  /** Set when the learner reset the lab; such an attempt is history. */
  endedAt?: string;
}

export interface StepRecord {
  step: string;
  passedAt?: string;
  hints: number;
  /** When its solution was opened. */
  solutionAt?: string;
}

/** What is kept of a completed attempt; what was learned is the lab's own text. */
export type ResultRecord = Omit<LabResult, 'learned'>;

export interface LatchRecord {
  step: string;
  check: string;
  /** What was answered, or which command did it. */
  value: string;
  held: boolean;
}

/** Every write outlives the process when it returns. When the database cannot be used, `problem` says why and nothing is stored. */
export interface Progress {
  readonly problem?: Text;
  /** The lab's attempt that has not ended, if any. */
  current(lab: string): AttemptRecord | undefined;
  begin(lab: string, cluster: ClusterKind, at: string): AttemptRecord;
  steps(attempt: number): StepRecord[];
  latches(attempt: number): LatchRecord[];
  passed(attempt: number, step: string, at: string): void;
  hint(attempt: number, step: string, taken: number, at: string): void;
  latch(attempt: number, record: LatchRecord, at: string): void;
  /** The learner looked at a step's solution. */
  solution(attempt: number, step: string, at: string): void;
  /** After a rewind or its undoing: what is passed and latched now. Hints and solutions that were seen stay seen. */
  turnBack(
    attempt: number,
    now: { steps: readonly StepRecord[]; latches: readonly LatchRecord[]; completedAt?: string },
    what: 'rewound' | 'undone',
    step: string,
    at: string,
  ): void;
  /** How a completed attempt went; the first that is said of an attempt is kept. */
  result(attempt: number, result: ResultRecord, at: string): void;
  resultOf(attempt: number): ResultRecord | undefined;
  /** How often a lab was begun up to this attempt, this one included. */
  tries(attempt: number): number;
  wrongAnswers(attempt: number): number;
  verdict(attempt: number, step: string, check: string, state: CheckState, at: string): void;
  completed(attempt: number, at: string): void;
  end(attempt: number, at: string): void;
  /** One line a lab that was ever begun. */
  overview(): LabProgress[];
  /** Forgets a lab, or everything. */
  forget(lab?: string): void;
  /** All of it as plain data, and back (replaces what is there). */
  export(): unknown;
  import(data: unknown): void;
  /** Called after `forget` or `import` changed what attempts that are open build on. Returns what stops it. */
  subscribe(listener: () => void): () => void;
  close(): void;
}
