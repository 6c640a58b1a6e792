// What a terminal is to whoever watches one: commands for checks, a screen for viewers. Knows no sockets.

import type { Text } from '#common/protocol/index.ts';

/** One command line that ran (or runs) at a prompt of one of the session's terminals. */
export interface CommandRun {
  /** Unique within its log. */
  id: string;
  terminal: string;
  /** The line as the shell's history holds it; several lines when it was typed so. */
  line: string;
  /** As the shell sees it, e.g. `/home/learner`. */
  cwd: string;
  /** Milliseconds since the epoch. */
  startedAt: number;
  /** Absent while it runs. */
  endedAt?: number;
  exit?: number;
  /** What it printed so far, without escape sequences; the last 64 KB when it was more. */
  output: string;
}

/** The device under a terminal. Bytes, never text: decoding belongs to whoever needs characters. */
export interface Pty {
  write(data: Uint8Array): void;
  resize(cols: number, rows: number): void;
  pause(): void;
  resume(): void;
  kill(): void;
  onData(listener: (bytes: Uint8Array) => void): void;
  onExit(listener: (code: number) => void): void;
}

export interface PtyOptions {
  file: string;
  args: string[];
  cwd: string;
  env: Record<string, string>;
  cols: number;
  rows: number;
}

/** One page looking at a terminal. Calls arrive in order; none may throw. */
export interface Viewer {
  /** The whole screen; replaces whatever the viewer holds. May come again when the viewer lagged far behind. */
  screen(cols: number, rows: number, serialised: string): void;
  output(bytes: Uint8Array): void;
  /** The size all viewers share, after someone changed it. */
  size(cols: number, rows: number): void;
  command(running: boolean, exitCode?: number): void;
  refused(sentence: Text): void;
  exit(code: number): void;
}

/** What a viewer may do. */
export interface Viewing {
  input(bytes: Uint8Array): void;
  /** How many output bytes were parsed since the last call; false when that cannot be (the caller hangs up). */
  ack(bytes: number): boolean;
  /** False when no terminal can have that size. */
  resize(cols: number, rows: number): boolean;
  /** Runs a text as if typed; refused (with a sentence) unless the shell stands at its prompt. */
  run(text: string): void;
  leave(): void;
}
