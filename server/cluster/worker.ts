// What the provider uses of a practice cluster's thread, and how one is started. Types only.

import type { PracticeSnapshot } from '../practice/types.ts';

/** What the worker answers; a structural copy of the part that is used here. */
export interface PracticeWorker {
  readonly port?: number;
  kubeconfig(server: string): string;
  snapshot(): Promise<PracticeSnapshot>;
  restore(snapshot: PracticeSnapshot): Promise<void>;
  close(): Promise<void>;
  /** The snapshots that were saved with what it was started from. */
  readonly savedSnapshots?: PracticeSnapshot[];
  save?(snapshots: PracticeSnapshot[]): Promise<Uint8Array>;
  onChange?(listener: () => void): void;
  /** Resolves when it is gone, whatever ended it. */
  readonly ended?: Promise<void>;
}

export type StartPractice = (options: {
  nodes: { name: string; cpus: string; memory: string }[];
  listen: { socketPath: string; port: number; nodeSocketPath: string };
  saved?: Uint8Array;
}) => Promise<PracticeWorker>;
