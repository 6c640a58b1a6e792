// An interactive shell on a terminal: prompt, line editing, history, Ctrl-C and Ctrl-D. Knows how to read a line, not how
// to run one.

import type { ExecIo } from '../exec.ts';
import type { Container } from '../types.ts';
import type { ShellProfile } from './profiles.ts';
import type { ShellSession } from './session.ts';

const MAX_LINE = 64 * 1024;
const MAX_HISTORY = 500;

/** Reads lines until `exit` or the end of input; the value is the shell's exit code. */
export function interact(
  session: ShellSession,
  container: Container,
  profile: ShellProfile,
  io: ExecIo,
): Promise<number> {
  return new Promise(resolve => {
    const history: string[] = [];
    let line = '';
    let cursor = 0;
    let place = 0;
    let busy = false;
    let code = 0;
    let done = false;
    let queued = '';
    const echo = (text: string) => io.tty && io.stdout(text);
    const home = container.env['HOME'] ?? '/root';
    const shownFolder = () =>
      profile.kind === 'bash' && (session.cwd === home || session.cwd.startsWith(`${home}/`)) && home !== '/'
        ? `~${session.cwd.slice(home.length)}`
        : session.cwd;
    const promptText = () =>
      profile.prompt.replace('{host}', container.env['HOSTNAME'] ?? '').replace('{cwd}', shownFolder());
    const prompt = () => io.tty && io.stdout(promptText());
    const redraw = () => {
      const back = line.length - cursor;
      io.stdout(`\r${promptText()}${line}\x1b[K${back > 0 ? `\x1b[${back}D` : ''}`);
    };
    const finish = (exitCode: number) => {
      if (done) return;
      done = true;
      resolve(exitCode);
    };
    const run = async (text: string) => {
      const trimmed = text.trim();
      if (trimmed === '') return prompt();
      history.push(text);
      if (history.length > MAX_HISTORY) history.shift();
      const exit = /^(?:exit|logout)(?:\s+(\d+))?\s*;?$/.exec(trimmed);
      if (exit) return finish(exit[1] === undefined ? code : Number(exit[1]) & 255);
      busy = true;
      code = await session.line(text);
      busy = false;
      if (done) return;
      if (session.exited !== undefined) return finish(session.exited);
      prompt();
      const rest = queued;
      queued = '';
      if (rest) feed(rest);
    };
    const recall = (step: number) => {
      const next = place + step;
      if (next < 0 || next > history.length) return;
      place = next;
      line = history[place] ?? '';
      cursor = line.length;
      redraw();
    };
    const enter = () => {
      echo('\r\n');
      const text = line;
      line = '';
      cursor = 0;
      place = history.length + (text.trim() ? 1 : 0);
      void run(text);
    };
    const key = (sequence: string) => {
      if (sequence === '\x1b[A') recall(-1);
      else if (sequence === '\x1b[B') recall(1);
      else if (sequence === '\x1b[C' && cursor < line.length) {
        cursor++;
        echo('\x1b[C');
      } else if (sequence === '\x1b[D' && cursor > 0) {
        cursor--;
        echo('\x1b[D');
      } else if (sequence === '\x1b[H' || sequence === '\x1b[1~') {
        cursor = 0;
        redraw();
      } else if (sequence === '\x1b[F' || sequence === '\x1b[4~') {
        cursor = line.length;
        redraw();
      } else if (sequence === '\x1b[3~' && cursor < line.length) {
        line = line.slice(0, cursor) + line.slice(cursor + 1);
        redraw();
      }
    };
    const type = (character: string) => {
      if (character === '\r' || character === '\n') return enter();
      if (character === '\x03') {
        echo('^C\r\n');
        line = '';
        cursor = 0;
        return prompt();
      }
      if (character === '\x04') {
        if (line !== '') return undefined;
        if (io.tty && profile.kind === 'bash') io.stdout('exit\r\n');
        return finish(code);
      }
      if (character === '\x7f' || character === '\b') {
        if (cursor === 0) return undefined;
        line = line.slice(0, cursor - 1) + line.slice(cursor);
        cursor--;
        return redraw();
      }
      if (character === '\x01' || character === '\x05') {
        cursor = character === '\x01' ? 0 : line.length;
        return redraw();
      }
      if (character === '\x15') {
        line = line.slice(cursor);
        cursor = 0;
        return redraw();
      }
      if (character === '\x0c') return io.stdout(`\x1b[H\x1b[2J${promptText()}${line}`);
      if (character < ' ' || line.length > MAX_LINE) return undefined;
      line = line.slice(0, cursor) + character + line.slice(cursor);
      cursor += character.length;
      if (cursor === line.length) echo(character);
      else redraw();
      return undefined;
    };
    const feed = (text: string) => {
      let rest = text;
      while (rest !== '' && !done) {
        if (busy) {
          const interrupt = rest.indexOf('\x03');
          if (interrupt >= 0) {
            echo('^C\r\n');
            session.cancel();
            rest = rest.slice(interrupt + 1);
            continue;
          }
          queued += rest;
          return;
        }
        const sequence = /^\x1b\[[0-9;]*[A-Za-z~]/.exec(rest)?.[0];
        if (sequence) {
          key(sequence);
          rest = rest.slice(sequence.length);
          continue;
        }
        const character = String.fromCodePoint(rest.codePointAt(0)!);
        rest = rest.slice(character.length);
        type(character);
      }
    };
    io.stdin?.onData(feed);
    io.stdin?.onEnd(() => {
      if (!busy) finish(code);
    });
    io.signal.addEventListener('abort', () => finish(137), { once: true });
    prompt();
  });
}
