// The contract of the progress store: what was tried, passed and asked for, and when. Knows no labs beyond their ids.

import type { CheckState, ClusterKind, Text } from '#common/protocol/index.ts';

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
}

export interface LatchRecord {
  step: string;
  check: string;
  /** What was answered, or which command did it. */
  value: string;
  held: boolean;
}

export interface LabSummary {
  lab: string;
  attempts: number;
  /** Steps passed in the attempt that is open or was the last. */
  passed: string[];
  completedAt?: string;
  lastAt: string;
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
  verdict(attempt: number, step: string, check: string, state: CheckState, at: string): void;
  completed(attempt: number, at: string): void;
  end(attempt: number, at: string): void;
  /** One line a lab that was ever begun. */
  overview(): LabSummary[];
  /** Forgets a lab, or everything. */
  forget(lab?: string): void;
  /** All of it as plain data, and back (replaces what is there). */
  export(): unknown;
  import(data: unknown): void;
  close(): void;
}
