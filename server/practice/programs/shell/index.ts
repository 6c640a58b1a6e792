// The only door of the shell folder: commands, scripts and interactive shells in a container.

import { specOf } from '../general.ts';
import { parseReference } from '../reference.ts';
import type { Container, ExecIo, Program } from '../types.ts';
import { interact } from './interactive.ts';
import { isShellName, profileOf, type ShellProfile } from './profiles.ts';
import { ShellSession } from './session.ts';
import { Terminal } from './terminal.ts';
import type { ShellIo } from './types.ts';

/** What a command ended by Ctrl-C comes to. */
const INTERRUPTED = 130;
/** Commands that may read standard input, and how many words they take before the names of files. */
const READERS: Readonly<Record<string, number>> = {
  ...Object.fromEntries(
    ['base64', 'cat', 'gunzip', 'head', 'md5sum', 'sha256sum', 'sort', 'tail', 'tee', 'wc', 'xargs'].map(
      name => [name, 0],
    ),
  ),
  awk: 1,
  grep: 1,
  sed: 1,
  tr: 2,
};
/** Commands that talk with whoever types, line by line. */
const TALKERS = ['mysql', 'redis-cli'];
const READER_IN_SCRIPT = new RegExp(
  `(^|[\\s/;|&(])(ash|bash|dd|read|sh|tar|${[...Object.keys(READERS), ...TALKERS].join('|')})\\b`,
);

/** Whether this command (no shell) waits for what comes on standard input. */
function readsInput([executable = '', ...args]: readonly string[]): boolean {
  const name = nameOf(executable);
  if (name === 'tar') return args.some(arg => /^-?[a-zA-Z]*x/.test(arg)) && args.includes('-');
  if (name === 'dd') return !args.some(arg => arg.startsWith('if='));
  if (name === 'tee' || name === 'xargs') return true;
  const taken = READERS[name];
  if (taken === undefined) return false;
  // A bare number belongs to an option (`head -n 1`).
  const operands = args.filter(arg => (!arg.startsWith('-') && !/^\d+$/.test(arg)) || arg === '-');
  return operands.length <= taken || operands.includes('-');
}

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
  const spec = specOf(container);
  const isShell = isShellName(nameOf(command[0] ?? ''));
  const scripted = isShell && command.slice(1).some(a => !/^-[il]+$/.test(a));
  const interactive = isShell && !scripted && (io.tty || command.includes('-i'));
  const terminal = io.stdin && (io.tty || interactive) ? new Terminal(io) : undefined;
  const own: ShellIo = { ...(io.tty ? onTerminal(io) : io), ...(terminal ? { terminal } : {}) };
  const session = new ShellSession(container, profile(container), own, {
    cwd: spec?.workingDir ?? '/',
    main: how.main ?? false,
  });
  how.onSession?.(session);
  if (interactive)
    return terminal ? interact(session, container, profile(container), { ...own, terminal }) : 0;
  if (terminal && !isShell && readsInput(command)) {
    const typed = await terminal.readAll();
    if (typed === undefined) return INTERRUPTED;
    return session.command(command, { text: Buffer.from(typed, 'utf8').toString('latin1') });
  }
  const heard = terminal?.onInterrupt(() => session.cancel());
  try {
    const reads = isShell
      ? !scripted || READER_IN_SCRIPT.test(command.slice(1).join(' '))
      : readsInput(command) || TALKERS.includes(nameOf(command[0] ?? ''));
    const input = reads && !terminal ? await wholeInput(io) : '';
    if (!isShell) return await session.command(command, { text: input });
    if (scripted) return await session.shell(command.slice(1), input);
    return await session.shell([], Buffer.from(input, 'latin1').toString('utf8'));
  } finally {
    heard?.();
  }
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
