// Runs a further command in a running container (kubectl exec, probes, hooks). Knows which commands need the shell, not
// how the shell works.

import { startRefusal } from './executable.ts';
import { parseReference } from './reference.ts';
import { hasCommand, profileOf } from './shell/profiles.ts';
import type { Container, ExecIo, Program } from './types.ts';

/** The command cannot start; the message is the runtime's from `exec: ` on. */
export class ExecStartError extends Error {}

export async function runExec(
  container: Container,
  program: Program,
  command: string[],
  io: ExecIo,
): Promise<number> {
  const executable = command[0] ?? '';
  const profile = profileOf(parseReference(container.image).repository);
  const refusal = startRefusal(
    executable,
    container.files,
    name => profile !== undefined && hasCommand(profile, name),
  );
  if (refusal !== undefined) throw new ExecStartError(refusal);
  // Whatever lies in an image without a shell is nothing that anybody here could run.
  if (!profile) throw new ExecStartError(`exec: "${executable}": exec format error`);
  // The shell is large and most containers are never entered.
  const { runShellCommand } = await import('./shell/index.ts');
  return runShellCommand(container, program, command, io);
}
