// An interactive shell: prompt, lines, Ctrl-C, `exit`. Knows neither how a line is typed nor how one is run.

import type { Container, ExecIo } from '../types.ts';
import type { ShellProfile } from './profiles.ts';
import type { ShellSession } from './session.ts';
import type { Terminal } from './terminal.ts';

const KILLED = 137;
/** What a prompt leaves in `$?` after Ctrl-C. */
const INTERRUPTED = 130;

/** Reads lines until `exit` or the end of input; the value is the shell's exit code. */
export async function interact(
  session: ShellSession,
  container: Container,
  profile: ShellProfile,
  io: ExecIo & { terminal: Terminal },
): Promise<number> {
  const home = container.env['HOME'] ?? '/root';
  const shownFolder = () =>
    profile.kind === 'bash' && (session.cwd === home || session.cwd.startsWith(`${home}/`)) && home !== '/'
      ? `~${session.cwd.slice(home.length)}`
      : session.cwd;
  const prompt = () =>
    profile.prompt.replace('{host}', container.env['HOSTNAME'] ?? '').replace('{cwd}', shownFolder());
  const history: string[] = [];
  let code = 0;
  for (;;) {
    const typed = await io.terminal.readLine(prompt(), { history });
    if (io.signal.aborted) return KILLED;
    if (typed === 'interrupt') {
      code = INTERRUPTED;
      continue;
    }
    if (typed === 'end') {
      if (io.tty && profile.kind === 'bash') io.stdout('exit\r\n');
      return code;
    }
    const text = typed.line.trim();
    if (text === '') continue;
    const exit = /^(?:exit|logout)(?:\s+(\d+))?\s*;?$/.exec(text);
    if (exit) return exit[1] === undefined ? code : Number(exit[1]) & 255;
    const heard = io.terminal.onInterrupt(() => session.cancel());
    code = await session.line(typed.line);
    heard();
    if (io.signal.aborted) return KILLED;
    if (session.exited !== undefined) return session.exited;
  }
}
