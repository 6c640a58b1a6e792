// What one container wrote, line by line with its time, bounded in memory. Knows no container.

/** Kept per container: enough to read, small enough for a cluster of fifty pods. */
const MAX_BYTES = 256 * 1024;
/** The kubelet's containerLogMaxSize times containerLogMaxFiles. */
const ROTATED_BYTES = 5 * 10 * 1024 * 1024;
/** Longer lines are cut in pieces, as the runtime does. */
const MAX_LINE = 16 * 1024;

export interface LogLine {
  /** Milliseconds since the epoch. */
  at: number;
  stream: 'stdout' | 'stderr';
  /** Without its newline; `partial` when the newline has not come yet. */
  text: string;
  partial?: boolean;
}

export class LogBuffer {
  private lines: LogLine[] = [];
  private bytes = 0;
  private firstIndex = 0;
  private waiters = new Set<() => void>();
  private listeners = new Set<(text: string, stream: LogLine['stream']) => void>();
  private open: Record<LogLine['stream'], LogLine | undefined> = { stdout: undefined, stderr: undefined };
  private ended = false;
  private total = 0;
  private readonly now: () => number;

  constructor(now: () => number) {
    this.now = now;
  }

  /** What its files take on the node's disk: all that was written, as far as rotation keeps it. */
  get diskBytes(): number {
    return Math.min(this.total, ROTATED_BYTES);
  }

  /** Any text, with or without newlines; an unfinished line is continued by the next write to the same stream. */
  write(text: string, stream: LogLine['stream'] = 'stdout'): void {
    if (this.ended || text === '') return;
    this.total += text.length;
    for (const listener of this.listeners) listener(text, stream);
    let rest = text;
    while (rest.length > 0) {
      const newline = rest.indexOf('\n');
      const part = newline < 0 ? rest : rest.slice(0, newline);
      const line = this.open[stream];
      if (line) {
        line.text += part;
        this.bytes += part.length;
      } else this.push({ at: this.now(), stream, text: part, partial: true });
      const current = this.open[stream];
      if (newline < 0) {
        if (current && current.text.length > MAX_LINE) this.finish(stream);
        break;
      }
      this.finish(stream);
      rest = rest.slice(newline + 1);
    }
    this.wake();
  }

  private push(line: LogLine): void {
    this.lines.push(line);
    this.open[line.stream] = line;
    this.bytes += line.text.length + 32;
    while (this.bytes > MAX_BYTES && this.lines.length > 1) {
      const dropped = this.lines.shift()!;
      this.firstIndex++;
      this.bytes -= dropped.text.length + 32;
      if (this.open[dropped.stream] === dropped) this.open[dropped.stream] = undefined;
    }
  }

  private finish(stream: LogLine['stream']): void {
    const line = this.open[stream];
    if (line) delete line.partial;
    this.open[stream] = undefined;
  }

  /** Nothing more will come: followers end. */
  end(): void {
    this.ended = true;
    this.wake();
  }

  /** Live text for attach; returns the way to stop. */
  subscribe(listener: (text: string, stream: LogLine['stream']) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  all(): readonly LogLine[] {
    return this.lines;
  }

  /** The last lines, at most `lines` and `bytes`: what FallbackToLogsOnError puts into the termination message. */
  tail(lines: number, bytes: number): string {
    const text = this.lines
      .slice(-lines)
      .map(l => `${l.text}${l.partial ? '' : '\n'}`)
      .join('');
    return text.slice(-bytes);
  }

  private wake(): void {
    for (const waiter of this.waiters) waiter();
    this.waiters.clear();
  }

  /** Lines as they are read, then (with `follow`) as they come, until the log ends or the signal aborts. */
  async *read(
    options: { follow: boolean; from: (lines: readonly LogLine[]) => number },
    signal: AbortSignal,
  ): AsyncGenerator<LogLine[]> {
    let next = this.firstIndex + options.from(this.lines);
    for (;;) {
      const start = Math.max(0, next - this.firstIndex);
      const ready = this.lines.slice(start);
      // An unfinished line is shown when nothing more can be expected of it now.
      const complete =
        options.follow && !this.ended
          ? ready.filter((l, i) => !(l.partial && i === ready.length - 1))
          : ready;
      if (complete.length > 0) {
        next = this.firstIndex + start + complete.length;
        yield complete;
        continue;
      }
      if (!options.follow || this.ended || signal.aborted) return;
      await new Promise<void>(resolve => {
        const done = () => {
          signal.removeEventListener('abort', done);
          this.waiters.delete(done);
          resolve();
        };
        this.waiters.add(done);
        signal.addEventListener('abort', done, { once: true });
      });
      if (signal.aborted) return;
    }
  }
}
