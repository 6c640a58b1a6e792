// One shell on one pty with its recorder, seen by any number of viewers. Knows no sockets and no sandbox.

import type { Text } from '#common/protocol/index.ts';
import type { Clock, Timer } from '../clock.ts';
import type { CommandLog, RunningCommand } from './commands.ts';
import { HIGH_WATER, Ledger, shouldPause } from './flow.ts';
import { createMarkReader, type Mark } from './marks.ts';
import { createRecorder } from './recorder.ts';
import type { Pty, Viewer, Viewing } from './types.ts';

/** A viewer that parses nothing for so long is left behind until it does, in milliseconds. */
const STALLED_AFTER = 4000;
/** The longest text a `run` may carry, in characters; longer ones belong in a file. */
const LONGEST_RUN = 16 * 1024;
const SMALLEST = { cols: 10, rows: 3 };
const LARGEST = { cols: 500, rows: 300 };

const BUSY: Text = {
  'zh-TW': '終端機裡還有指令在執行。先讓它結束（Ctrl-C 或 exit），或另開一個終端機。',
  en: 'Something is still running in this terminal. End it first (Ctrl-C, or exit), or open another terminal.',
};
const TOO_LONG: Text = {
  'zh-TW': '這段文字太長，無法直接執行。',
  en: 'This text is too long to be run from the page.',
};
const ENDED: Text = { 'zh-TW': '這個 shell 已經結束。', en: 'This shell has ended.' };

export interface Terminal {
  readonly id: string;
  readonly title: string;
  view(viewer: Viewer): Viewing;
  readonly viewers: number;
  onExit(listener: (code: number) => void): void;
  /** Ends the shell. */
  close(): void;
}

export interface TerminalOptions {
  id: string;
  title: string;
  pty: Pty;
  cols: number;
  rows: number;
  /** What the shell's marks carry. */
  nonce: string;
  /** The shell's folder before its first prompt. */
  cwd: string;
  commands: CommandLog;
  clock: Clock;
}

interface Seat {
  viewer: Viewer;
  ledger: Ledger;
  /** `joining`: output waits in `held` for the screen; `behind`: gets nothing until it has parsed all it was sent. */
  state: 'joining' | 'live' | 'behind';
  held: Uint8Array[];
  stalled?: Timer;
}

export function openTerminal(options: TerminalOptions): Terminal {
  const { pty, clock, commands } = options;
  const recorder = createRecorder(options.cols, options.rows);
  const readMarks = createMarkReader(options.nonce);
  const seats = new Set<Seat>();
  const exitListeners: ((code: number) => void)[] = [];
  let size = { cols: options.cols, rows: options.rows };
  let paused = false;
  let exited: number | undefined;
  let outbox: Uint8Array[] = [];
  let flushing = false;

  // What the shell is doing, from its marks.
  let cwd = options.cwd;
  let line = '';
  let running: RunningCommand | undefined;
  let prompted = false;
  let promptDue = false;
  let atPrompt = false;
  let lastExit: number | undefined;
  let waitingRun: string | undefined;

  const balance = () => {
    const live = [...seats].filter(seat => seat.state === 'live').map(seat => seat.ledger.unparsed);
    const wait = shouldPause(paused, recorder.pending, live);
    if (wait === paused || exited !== undefined) return;
    paused = wait;
    if (wait) pty.pause();
    else pty.resume();
  };

  const leaveBehind = (seat: Seat) => {
    seat.stalled?.cancel();
    seat.stalled = undefined;
    seat.state = 'behind';
    balance();
  };

  const join = (seat: Seat) => {
    // What is out already belongs to the screen, not to what follows it.
    flush();
    seat.state = 'joining';
    seat.held = [];
    recorder.capture((cols, rows, serialised) => {
      if (!seats.has(seat) || seat.state !== 'joining') return;
      seat.state = 'live';
      seat.viewer.screen(cols, rows, serialised);
      seat.viewer.command(!atPrompt, atPrompt ? lastExit : undefined);
      for (const bytes of seat.held) send(seat, bytes);
      seat.held = [];
      if (exited !== undefined) seat.viewer.exit(exited);
      balance();
    });
  };

  const send = (seat: Seat, bytes: Uint8Array) => {
    seat.ledger.sent(bytes.length);
    seat.viewer.output(bytes);
    if (seat.ledger.unparsed > HIGH_WATER && !seat.stalled) {
      seat.stalled = clock.after(STALLED_AFTER, () => leaveBehind(seat));
    }
  };

  const flush = () => {
    flushing = false;
    if (outbox.length === 0) return;
    const bytes = outbox.length === 1 ? outbox[0]! : Buffer.concat(outbox);
    outbox = [];
    recorder.write(bytes);
    for (const seat of seats) {
      if (seat.state === 'joining') seat.held.push(bytes);
      // Far over the mark while others keep up: this one gets the screen again when it is through.
      else if (seat.state === 'live' && seat.ledger.unparsed > 4 * HIGH_WATER) leaveBehind(seat);
      else if (seat.state === 'live') send(seat, bytes);
    }
    balance();
  };

  const onMark = (mark: Mark) => {
    switch (mark.kind) {
      case 'cwd':
        cwd = mark.path;
        break;
      case 'line':
        line = mark.line;
        break;
      case 'runs':
        atPrompt = false;
        running?.end(0);
        running = commands.begin(options.id, line, cwd);
        tellState();
        break;
      case 'ended':
        promptDue = true;
        // An empty line and Ctrl-C also say how the command before them ended; only a running one ends.
        if (!running) break;
        lastExit = mark.code;
        running.end(mark.code);
        running = undefined;
        break;
      case 'prompt-begins':
        break;
      case 'prompt':
        // Drawn again (a new size, a list of completions) it is no news.
        if (!promptDue) break;
        promptDue = false;
        prompted = true;
        atPrompt = true;
        tellState();
        if (waitingRun !== undefined) {
          const text = waitingRun;
          waitingRun = undefined;
          type(text);
        }
        break;
    }
  };

  const tellState = () => {
    flush();
    for (const seat of seats) {
      if (seat.state !== 'joining') seat.viewer.command(!atPrompt, atPrompt ? lastExit : undefined);
    }
  };

  /** Types a text at the prompt: what stood there half-written goes, several lines arrive as one paste. */
  const type = (text: string) => {
    atPrompt = false;
    const clean = runnable(text);
    // End of line, kill to its start: readline keeps it for Ctrl-Y.
    const clear = '\x05\x15';
    const paste = recorder.bracketedPaste ? `\x1b[200~${clean}\x1b[201~` : clean.replace(/\n/g, '\r');
    pty.write(Buffer.from(`${clear}${paste}\r`, 'utf8'));
  };

  pty.onData(chunk => {
    for (const piece of readMarks(chunk)) {
      if ('mark' in piece) onMark(piece.mark);
      else {
        if (running) running.print(piece.bytes);
        else commands.aside(options.id, piece.bytes);
        outbox.push(piece.bytes);
      }
    }
    if (!flushing && outbox.length > 0) {
      flushing = true;
      // Whatever else arrives in this turn of the loop goes in the same frame.
      setImmediate(flush);
    }
  });
  pty.onExit(code => {
    flush();
    exited = code;
    running?.end(code);
    running = undefined;
    for (const seat of seats) if (seat.state !== 'joining') seat.viewer.exit(code);
    for (const listener of exitListeners) listener(code);
  });
  recorder.onParsed(balance);
  recorder.onAnswer(answer => pty.write(Buffer.from(answer, 'binary')));

  return {
    id: options.id,
    title: options.title,
    get viewers() {
      return seats.size;
    },
    onExit: listener => exitListeners.push(listener),
    close: () => {
      pty.kill();
      for (const seat of seats) seat.stalled?.cancel();
      seats.clear();
      recorder.close();
    },
    view: viewer => {
      const seat: Seat = { viewer, ledger: new Ledger(), state: 'behind', held: [] };
      seats.add(seat);
      join(seat);
      return {
        input: bytes => {
          if (exited === undefined) pty.write(bytes);
        },
        ack: bytes => {
          if (!seat.ledger.parsed(bytes)) return false;
          if (seat.ledger.unparsed <= HIGH_WATER) {
            seat.stalled?.cancel();
            seat.stalled = undefined;
          }
          if (seat.state === 'behind' && seat.ledger.unparsed === 0) join(seat);
          balance();
          return true;
        },
        resize: (cols, rows) => {
          if (!Number.isInteger(cols) || !Number.isInteger(rows)) return false;
          if (cols < 1 || rows < 1 || cols > LARGEST.cols || rows > LARGEST.rows) return false;
          const wanted = { cols: Math.max(cols, SMALLEST.cols), rows: Math.max(rows, SMALLEST.rows) };
          if (wanted.cols === size.cols && wanted.rows === size.rows) return true;
          size = wanted;
          flush();
          recorder.resize(size.cols, size.rows);
          if (exited === undefined) pty.resize(size.cols, size.rows);
          for (const other of seats) if (other !== seat) other.viewer.size(size.cols, size.rows);
          return true;
        },
        run: text => {
          if (exited !== undefined) viewer.refused(ENDED);
          else if (text.length > LONGEST_RUN) viewer.refused(TOO_LONG);
          else if (runnable(text) === '') return;
          else if (atPrompt) type(text);
          // The page is quicker than the shell's first prompt: the first click waits for it.
          else if (!prompted && waitingRun === undefined) waitingRun = text;
          else viewer.refused(BUSY);
        },
        leave: () => {
          seat.stalled?.cancel();
          seats.delete(seat);
          balance();
        },
      };
    },
  };
}

/** The text without control bytes (an escape could end the paste and press keys) and without blank lines around it. */
export function runnable(text: string): string {
  return text
    .replace(/\r\n?/g, '\n')
    .replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/g, '')
    .replace(/^\n+|\s+$/g, '');
}
