// Keeps which commands ran in a session's terminals, how they ended and what they printed. Knows no ptys and no checks.

import type { Clock, Timer } from '../clock.ts';
import type { CommandRun } from './types.ts';

/** A few hundred are enough for any lab; older ones are forgotten. */
const KEPT_COMMANDS = 300;
/** Enough for `kubectl describe` of a busy node; of a longer output the last part is kept. */
const KEPT_OUTPUT = 64 * 1024;
/** A running command is reported at most this often while it prints, in milliseconds. */
const REPORT_EVERY = 100;

export interface RunningCommand {
  print(bytes: Uint8Array): void;
  end(code: number): void;
}

export interface CommandLog {
  /** Every command seen so far, oldest first. */
  recent(): readonly CommandRun[];
  /** Called when a command starts, prints (throttled) and ends. Returns what stops it. */
  subscribe(listener: (run: CommandRun) => void): () => void;
  begin(terminal: string, line: string, cwd: string): RunningCommand;
  /** What a terminal shows while it stands at its prompt: what is typed, and what runs in the background prints. */
  aside(terminal: string, bytes: Uint8Array): void;
  /** Returns what stops it. */
  subscribeAside(listener: (terminal: string, text: string) => void): () => void;
}

export function createCommandLog(clock: Clock): CommandLog {
  const runs: CommandRun[] = [];
  const listeners = new Set<(run: CommandRun) => void>();
  const asideListeners = new Set<(terminal: string, text: string) => void>();
  let sequence = 0;
  const report = (run: CommandRun) => {
    for (const listener of listeners) listener(run);
  };
  return {
    recent: () => runs,
    subscribe: listener => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    aside: (terminal, bytes) => {
      if (asideListeners.size === 0) return;
      const text = plainText(new TextDecoder().decode(bytes));
      for (const listener of asideListeners) listener(terminal, text);
    },
    subscribeAside: listener => {
      asideListeners.add(listener);
      return () => asideListeners.delete(listener);
    },
    begin: (terminal, line, cwd) => {
      const decoder = new TextDecoder();
      let raw = '';
      let timer: Timer | undefined;
      const run: CommandRun = {
        id: `${++sequence}`,
        terminal,
        line,
        cwd,
        startedAt: clock.now(),
        output: '',
      };
      const keep = (text: string) => {
        raw += text;
        // Trimmed at twice the size, so that a flood does not copy the whole text for each chunk.
        if (raw.length > 2 * KEPT_OUTPUT) raw = raw.slice(-KEPT_OUTPUT);
      };
      const publish = () => {
        run.output = plainText(raw).slice(-KEPT_OUTPUT);
        report(run);
      };
      runs.push(run);
      if (runs.length > KEPT_COMMANDS) runs.shift();
      report(run);
      return {
        print: bytes => {
          keep(decoder.decode(bytes, { stream: true }));
          if (listeners.size === 0) return;
          timer ??= clock.after(REPORT_EVERY, () => {
            timer = undefined;
            publish();
          });
        },
        end: code => {
          timer?.cancel();
          timer = undefined;
          keep(decoder.decode());
          run.exit = code;
          run.endedAt = clock.now();
          publish();
        },
      };
    },
  };
}

// CSI, OSC/DCS/APC/PM up to their terminator, and two-character escapes.
const ESCAPES = /\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)|[ -/]*[0-~])/g;

/** What a reader would see, line by line: no escape sequences, `\r\n` as `\n`, a line rewritten by `\r` as its last version. */
export function plainText(raw: string): string {
  return raw
    .replace(ESCAPES, '')
    .replace(/\r+\n/g, '\n')
    .split('\n')
    .map(line => line.slice(line.lastIndexOf('\r') + 1))
    .join('\n')
    .replace(/[\x00-\x08\x0b-\x1f\x7f]/g, '');
}
