// What a shell and its commands share. Types only.

import type { Container, ExecIo } from '../types.ts';
import type { ShellProfile } from './profiles.ts';
import type { Terminal } from './terminal.ts';

export interface ShellIo extends ExecIo {
  /** Where somebody types; absent: nobody does. */
  terminal?: Terminal;
}

/** What added commands may use besides the library's context. */
export interface ShellTools {
  container: Container;
  io: ShellIo;
  profile: ShellProfile;
  /** Prints at once, past the library's buffering: for commands that run for long. */
  print(text: string): void;
  printError(text: string): void;
  /** Lets others run; awaited now and then by whatever goes on for long. */
  pause(): Promise<void>;
  /** Fires when this shell must stop. */
  signal: AbortSignal;
}
