// The contract of an attempt: what a session hands in, and what it may do with the running lab. Knows no sockets.

import type { AttemptView, ClusterKind, Loss, StepView, Text } from '#common/protocol/index.ts';
import type { CommandRun, CommandSource } from '../check/types.ts';
import type { Clock } from '../clock.ts';
import type { Progress } from '../progress/types.ts';

export type { CommandRun, CommandSource };

/** What an attempt needs of the cluster it runs on; a kubeconfig and, where possible, a way back to an empty cluster. */
export interface AttemptCluster {
  kind: ClusterKind;
  /** Path of the kubeconfig file. */
  kubeconfig: string;
  /** Makes the cluster empty again (practice only); without it a reset deletes what the lab's setup made. */
  reset?(): Promise<void>;
  /** With these two a reset goes back to the moment right after setup instead of doing it again: milliseconds. */
  snapshot?(): Promise<unknown>;
  restore?(snapshot: unknown): Promise<void>;
  /** Lets go of a snapshot that nobody goes back to. */
  forget?(snapshot: unknown): Promise<void>;
}

export interface AttemptOptions {
  /** The lab's id: a folder below `labs`. */
  lab: string;
  /** The folder that holds the labs. */
  labs: string;
  cluster: AttemptCluster;
  commands: CommandSource;
  /** The learner's home folder. */
  home: string;
  /** The program that tries what a solution would do, before it is typed. */
  kubectl?: string;
  progress: Progress;
  clock: Clock;
  /** For whoever writes the lab: the view tells how each check looks, and the lab is read again when its files change. */
  author?: boolean;
  /** True when the cluster still is as this lab's earlier attempt left it (a snapshot was restored): no setup then. */
  prepared?: boolean;
}

export type AttemptEvent = { type: 'attempt'; attempt: AttemptView } | { type: 'step'; step: StepView };

/** What a line of a solution would take away; whether that can be undone, and why the files would not come back. */
export interface Comparison {
  loss: Loss;
  undo: boolean;
  files?: Text;
  /** Why the loss could not be told. */
  problem?: Text;
}

/** One learner's run of a lab. Opening returns at once with status `preparing`; what follows comes as events. */
export interface Attempt {
  view(): AttemptView;
  /** `listener` is called after every change, with the whole new state of what changed. Returns what stops it. */
  subscribe(listener: (event: AttemptEvent) => void): () => void;
  /** The learner's answer to a check of kind answer; anything that is not such a check is refused with a sentence. */
  answer(step: string, check: string, value: string): Promise<Text | undefined>;
  /** Reveals the next hint of a step; without one left nothing happens. */
  hint(step: string): void;
  /** Back to the moment at which `step` passed; a sentence where that cannot be done. What was there before can be had again by `undo`. */
  rewind(step: string): Promise<Text | undefined>;
  /** Takes back the last rewind, or all that was done since a solution was opened. */
  undo(): Promise<Text | undefined>;
  /** Opens a step's solution, for good; the cluster is kept as it is now where that is possible. */
  solution(step: string): Promise<Text | undefined>;
  /** What the nth line of an opened solution would take from what the learner made. Before the first line, and before each that would take something, cluster and files are kept where they can be. */
  compare(step: string, line: number): Promise<Comparison>;
  /** Back to the lab's start: the cluster, the steps, the hints. Resolves when the lab runs again. */
  reset(): Promise<void>;
  /** Stops looking. The cluster stays as it is. */
  close(): Promise<void>;
  /** Resolves when setup has ended, well or not. */
  readonly ready: Promise<void>;
}
