// Holds a terminal's screen, so that a page that comes (back) can be given it. Knows no ptys and no viewers.
//
// A headless xterm parses all output. It also answers the questions programs ask their terminal (cursor position, device
// attributes): pages must not, or two pages would answer twice.

import serializeAddon from '@xterm/addon-serialize';
import unicode11Addon from '@xterm/addon-unicode11';
import headless from '@xterm/headless';

/** Lines above the screen that a reload brings back. */
const SCROLLBACK = 2000;

export interface Recorder {
  write(bytes: Uint8Array): void;
  /** Bytes written that are not parsed yet. */
  readonly pending: number;
  resize(cols: number, rows: number): void;
  /** Calls back with the screen as it is after everything written before this call and nothing after it. */
  capture(done: (cols: number, rows: number, serialised: string) => void): void;
  /** True when the program asked for bracketed paste (an interactive bash does, at its prompt). */
  readonly bracketedPaste: boolean;
  onParsed(listener: () => void): void;
  onAnswer(listener: (answer: string) => void): void;
  close(): void;
}

export function createRecorder(cols: number, rows: number): Recorder {
  const screen = new headless.Terminal({ cols, rows, scrollback: SCROLLBACK, allowProposedApi: true });
  const serializer = new serializeAddon.SerializeAddon();
  // The add-ons are written for xterm and for its headless twin; their types only name the first.
  screen.loadAddon(serializer as never);
  screen.loadAddon(new unicode11Addon.Unicode11Addon() as never);
  screen.unicode.activeVersion = '11';
  const parsed: (() => void)[] = [];
  let pending = 0;
  let closed = false;
  return {
    write: bytes => {
      if (closed) return;
      pending += bytes.length;
      screen.write(bytes, () => {
        pending -= bytes.length;
        for (const listener of parsed) listener();
      });
    },
    get pending() {
      return pending;
    },
    get bracketedPaste() {
      return screen.modes.bracketedPasteMode;
    },
    resize: (newCols, newRows) => screen.resize(newCols, newRows),
    capture: done => {
      screen.write('', () => {
        if (!closed) done(screen.cols, screen.rows, serializer.serialize({ scrollback: SCROLLBACK }));
      });
    },
    onParsed: listener => parsed.push(listener),
    onAnswer: listener => {
      screen.onData(listener);
    },
    close: () => {
      closed = true;
      screen.dispose();
    },
  };
}
