// The line discipline of a terminal in a container: who reads gets whole lines, edited as they are typed, with history,
// Ctrl-C and Ctrl-D. What comes while nobody reads waits. Knows no shell.

import type { ExecIo } from '../types.ts';

const MAX_LINE = 64 * 1024;
const MAX_HISTORY = 500;

/** What a read came to. */
export type Typed = { line: string } | 'interrupt' | 'end';

interface Read {
  prompt: string;
  history: string[];
  /** Nothing is shown of what is typed (a password). */
  silent: boolean;
  resolve(typed: Typed): void;
}

export class Terminal {
  private readonly io: ExecIo;
  private read: Read | undefined;
  private queued = '';
  private ended = false;
  private line = '';
  private cursor = 0;
  /** Where in the history Up and Down have led. */
  private place = 0;
  private readonly interrupted: (() => void)[] = [];

  constructor(io: ExecIo) {
    this.io = io;
    io.stdin?.onData(text => this.feed(text));
    const end = () => {
      this.ended = true;
      this.endRead();
    };
    io.stdin?.onEnd(end);
    io.signal.addEventListener('abort', end, { once: true });
  }

  /** The next line. A reader that keeps a `history` list offers it by the arrow keys. */
  readLine(prompt: string, options: { history?: string[]; silent?: boolean } = {}): Promise<Typed> {
    return new Promise(resolve => {
      const history = options.history ?? [];
      this.read = { prompt, history, silent: options.silent ?? false, resolve };
      this.line = '';
      this.cursor = 0;
      this.place = history.length;
      if (this.io.tty) this.io.stdout(prompt);
      const rest = this.queued;
      this.queued = '';
      this.feed(rest);
      if (this.ended) this.endRead();
    });
  }

  /** Everything up to Ctrl-D, as a program that reads its input gets it; undefined after Ctrl-C. */
  async readAll(): Promise<string | undefined> {
    let text = '';
    for (;;) {
      const typed = await this.readLine('');
      if (typed === 'end') return text;
      if (typed === 'interrupt') return undefined;
      text += `${typed.line}\n`;
    }
  }

  /** Called for a Ctrl-C while nobody reads; what it gives takes the listener away. */
  onInterrupt(listener: () => void): () => void {
    this.interrupted.push(listener);
    return () => {
      this.interrupted.splice(this.interrupted.indexOf(listener), 1);
    };
  }

  private endRead(): void {
    if (!this.read || this.queued) return;
    this.settle(this.line && !this.io.signal.aborted ? { line: this.line } : 'end');
  }

  private settle(typed: Typed): void {
    const { read } = this;
    this.read = undefined;
    if (!read) return;
    if (typeof typed === 'object' && typed.line.trim() !== '' && !read.silent) {
      read.history.push(typed.line);
      if (read.history.length > MAX_HISTORY) read.history.shift();
    }
    read.resolve(typed);
  }

  private echo(text: string): void {
    if (this.io.tty && !this.read?.silent) this.io.stdout(text);
  }

  private feed(text: string): void {
    let rest = text;
    while (rest !== '') {
      if (!this.read) {
        const at = this.io.tty ? rest.indexOf('\x03') : -1;
        if (at < 0 || this.interrupted.length === 0) {
          this.queued += rest;
          return;
        }
        this.io.stdout('^C\r\n');
        for (const listener of [...this.interrupted]) listener();
        rest = rest.slice(at + 1);
        continue;
      }
      const sequence = /^\x1b\[[0-9;]*[A-Za-z~]/.exec(rest)?.[0];
      const taken = sequence ?? String.fromCodePoint(rest.codePointAt(0)!);
      rest = rest.slice(taken.length);
      if (sequence) this.key(sequence);
      else this.type(taken);
    }
  }

  private redraw(): void {
    const back = this.line.length - this.cursor;
    this.echo(`\r${this.read?.prompt ?? ''}${this.line}\x1b[K${back > 0 ? `\x1b[${back}D` : ''}`);
  }

  private edit(line: string, cursor: number): void {
    this.line = line;
    this.cursor = cursor;
    this.redraw();
  }

  private recall(step: number): void {
    const history = this.read?.history ?? [];
    const next = this.place + step;
    if (next < 0 || next > history.length) return;
    this.place = next;
    const line = history[next] ?? '';
    this.edit(line, line.length);
  }

  private key(sequence: string): void {
    const { line, cursor } = this;
    if (sequence === '\x1b[A') this.recall(-1);
    else if (sequence === '\x1b[B') this.recall(1);
    else if (sequence === '\x1b[C' && cursor < line.length) {
      this.cursor++;
      this.echo('\x1b[C');
    } else if (sequence === '\x1b[D' && cursor > 0) {
      this.cursor--;
      this.echo('\x1b[D');
    } else if (sequence === '\x1b[H' || sequence === '\x1b[1~') this.edit(line, 0);
    else if (sequence === '\x1b[F' || sequence === '\x1b[4~') this.edit(line, line.length);
    else if (sequence === '\x1b[3~' && cursor < line.length)
      this.edit(line.slice(0, cursor) + line.slice(cursor + 1), cursor);
  }

  private type(character: string): void {
    const { line, cursor } = this;
    if (character === '\r' || character === '\n') {
      if (this.io.tty) this.io.stdout('\r\n');
      this.settle({ line });
    } else if (character === '\x03') {
      if (this.io.tty) this.io.stdout('^C\r\n');
      this.settle('interrupt');
    } else if (character === '\x04') {
      if (line === '') this.settle('end');
    } else if (character === '\x7f' || character === '\b') {
      if (cursor > 0) this.edit(line.slice(0, cursor - 1) + line.slice(cursor), cursor - 1);
    } else if (character === '\x01') this.edit(line, 0);
    else if (character === '\x05') this.edit(line, line.length);
    else if (character === '\x15') this.edit(line.slice(cursor), 0);
    else if (character === '\x0c') this.echo(`\x1b[H\x1b[2J${this.read?.prompt ?? ''}${line}`);
    else if (character >= ' ' && line.length <= MAX_LINE) {
      this.line = line.slice(0, cursor) + character + line.slice(cursor);
      this.cursor += character.length;
      if (this.cursor === this.line.length) this.echo(character);
      else this.redraw();
    }
  }
}
