// Runs a further command in a running container (kubectl exec, probes, hooks). Knows which commands need the shell, not
// how the shell works.

import { parseReference } from './reference.ts';
import { hasCommand, profileOf } from './shell/profiles.ts';
import type { Container, ContainerStdin, Program } from './types.ts';

/** The command cannot start; the message is the runtime's from `exec: ` on. */
export class ExecStartError extends Error {}

export interface ExecIo {
  stdin?: ContainerStdin;
  stdout(chunk: string | Uint8Array): void;
  stderr(chunk: string | Uint8Array): void;
  /** Fires when the client or the container is gone. */
  signal: AbortSignal;
  tty: boolean;
  onResize?(listener: (size: { cols: number; rows: number }) => void): void;
}

export async function runExec(
  container: Container,
  program: Program,
  command: string[],
  io: ExecIo,
): Promise<number> {
  const executable = command[0] ?? '';
  const profile = profileOf(parseReference(container.image).repository);
  const known = (profile && hasCommand(profile, executable)) || program.has?.(executable);
  if (!profile || (!known && !(executable.includes('/') && container.files.exists(executable)))) {
    const why = executable.includes('/')
      ? `stat ${executable}: no such file or directory`
      : 'executable file not found in $PATH';
    throw new ExecStartError(`exec: "${executable}": ${why}`);
  }
  // The shell is large and most containers are never entered.
  const { runShellCommand } = await import('./shell/index.ts');
  return runShellCommand(container, program, command, io);
}
