// The only door of the shell folder: commands, scripts and interactive shells in a container.

import type { ExecIo } from '../exec.ts';
import { parseReference } from '../reference.ts';
import type { Container, Program } from '../types.ts';
import { interact } from './interactive.ts';
import { profileOf, type ShellProfile } from './profiles.ts';
import { ShellSession } from './session.ts';

const SHELLS = new Set(['sh', 'bash', 'ash']);
/** Commands whose point is what comes on standard input: for these the whole input is awaited. */
const READERS =
  /(^|[\s/;|&(])(ash|awk|base64|bash|cat|dd|grep|gunzip|head|md5sum|mysql|psql|read|sed|sh|sha256sum|sort|tail|tar|tee|tr|wc|xargs)\b/;

const nameOf = (executable: string) => executable.slice(executable.lastIndexOf('/') + 1);

/** Everything on standard input until its end, as latin1 bytes. */
function wholeInput(io: ExecIo): Promise<string> {
  return new Promise(resolve => {
    if (!io.stdin) return resolve('');
    let text = '';
    io.stdin.onData(chunk => {
      text += chunk;
    });
    io.stdin.onEnd(() => resolve(Buffer.from(text, 'utf8').toString('latin1')));
    io.signal.addEventListener('abort', () => resolve(''), { once: true });
  });
}

function profile(container: Container): ShellProfile {
  const found = profileOf(parseReference(container.image).repository);
  if (!found) throw new Error(`the image ${container.image} has no shell`);
  return found;
}

/** A terminal driver turns each newline of the output into carriage return and newline. */
function onTerminal(io: ExecIo): ExecIo {
  const lines = (chunk: string | Uint8Array) =>
    (typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8')).replace(/\r?\n/g, '\r\n');
  return { ...io, stdout: chunk => io.stdout(lines(chunk)), stderr: chunk => io.stdout(lines(chunk)) };
}

export interface ShellRun {
  /** The container's own program (PID 1): its use is the container's. */
  main?: boolean;
  onSession?(session: ShellSession): void;
}

/** Runs a command line in a container; the value is its exit code. */
export async function runCommandLine(
  container: Container,
  command: readonly string[],
  io: ExecIo,
  how: ShellRun = {},
): Promise<number> {
  const own = container.pod['spec'];
  const spec = [...(own.containers ?? []), ...(own.initContainers ?? [])].find(
    (c: any) => c.name === container.name,
  );
  const session = new ShellSession(container, profile(container), io.tty ? onTerminal(io) : io, {
    cwd: spec?.workingDir ?? '/',
    main: how.main ?? false,
  });
  how.onSession?.(session);
  const isShell = SHELLS.has(nameOf(command[0] ?? ''));
  const scripted = isShell && command.slice(1).some(a => !/^-[il]+$/.test(a));
  if (isShell && !scripted) {
    if (io.tty || command.includes('-i')) return interact(session, container, profile(container), io);
    return session.shell([], Buffer.from(await wholeInput(io), 'latin1').toString('utf8'));
  }
  const input = io.stdin && READERS.test(command.join(' ')) ? await wholeInput(io) : '';
  if (isShell) return session.shell(command.slice(1), input);
  return session.command(command, { text: input });
}

/** What `kubectl exec` runs. */
export function runShellCommand(
  container: Container,
  _program: Program,
  command: string[],
  io: ExecIo,
): Promise<number> {
  return runCommandLine(container, command, io);
}
