import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fakeClock } from '../clock.ts';
import { createCommandLog } from './commands.ts';
import { HIGH_WATER } from './flow.ts';
import { openTerminal, runnable, type Terminal } from './terminal.ts';
import type { Pty, Viewer, Viewing } from './types.ts';

/** A pty of which the test is the program. */
function scriptedPty() {
  let onData = (_: Uint8Array) => {};
  let onExit = (_: number) => {};
  const pty = {
    written: '',
    paused: false,
    size: [0, 0] as [number, number],
    killed: false,
    print: (text: string | Uint8Array) => onData(typeof text === 'string' ? Buffer.from(text, 'utf8') : text),
    end: (code: number) => onExit(code),
    write: (data: Uint8Array) => {
      pty.written += Buffer.from(data).toString('utf8');
    },
    resize: (cols: number, rows: number) => {
      pty.size = [cols, rows];
    },
    pause: () => {
      pty.paused = true;
    },
    resume: () => {
      pty.paused = false;
    },
    kill: () => {
      pty.killed = true;
    },
    onData: (listener: (bytes: Uint8Array) => void) => {
      onData = listener;
    },
    onExit: (listener: (code: number) => void) => {
      onExit = listener;
    },
  } satisfies Pty & Record<string, unknown>;
  return pty;
}

/** A page: what it was shown, in order. */
function page(terminal: Terminal) {
  const seen: string[] = [];
  let bytes = 0;
  const viewer: Viewer = {
    screen: (cols, rows, text) => seen.push(`screen ${cols}x${rows} ${text}`),
    output: data => {
      bytes += data.length;
      seen.push(`output ${Buffer.from(data).toString('utf8')}`);
    },
    size: (cols, rows) => seen.push(`size ${cols}x${rows}`),
    command: (running, code) => seen.push(running ? 'running' : `prompt ${code ?? ''}`.trim()),
    refused: sentence => seen.push(`refused ${sentence.en}`),
    exit: code => seen.push(`exit ${code}`),
  };
  const viewing: Viewing = terminal.view(viewer);
  return {
    seen,
    viewing,
    get bytes() {
      return bytes;
    },
    get outputs() {
      return seen.filter(line => line.startsWith('output '));
    },
  };
}

/** Lets the recorder parse and the frames go out. */
const settle = () => sleep(30);

const PROMPT = '\x1b]633;D;0;n\x07\x1b]633;P;Cwd=/home;n\x07\x1b]633;A;n\x07$ \x1b]633;B;n\x07';
const command = (line: string) => `\x1b]633;E;${line};n\x07\x1b]633;C;n\x07`;

let pty: ReturnType<typeof scriptedPty>;
let terminal: Terminal;
let clock: ReturnType<typeof fakeClock>;
let commands: ReturnType<typeof createCommandLog>;

beforeEach(() => {
  pty = scriptedPty();
  clock = fakeClock();
  commands = createCommandLog(clock);
  terminal = openTerminal({
    id: 't',
    title: 'bash',
    pty,
    cols: 80,
    rows: 24,
    nonce: 'n',
    cwd: '/',
    commands,
    clock,
  });
});

describe('a page that comes', () => {
  test('gets the screen as it is, then what follows, without a gap and without a repetition', async () => {
    pty.print('one\r\n');
    const first = page(terminal);
    pty.print('two\r\n');
    await settle();
    pty.print('three\r\n');
    await settle();
    const [screen, ...outputs] = first.seen.filter(line => line !== 'running');
    assert.equal(screen, 'screen 80x24 one\x1b[1B\x1b[3D');
    // Chunks that come close together may travel as one.
    assert.equal(outputs.map(line => line.replace(/^output /, '')).join(''), 'two\r\nthree\r\n');
  });
  test('sees Chinese text and colours as they were, and the alternate screen of an editor', async () => {
    pty.print('\x1b[32m閘道\x1b[0m\r\n\x1b[?1049h\x1b[2;3Hvim');
    await settle();
    const late = page(terminal);
    await settle();
    const screen = late.seen[0]!;
    assert.match(screen, /\x1b\[32m閘道/);
    assert.match(screen, /\x1b\[\?1049h/);
    assert.match(screen, /vim/);
  });
  test('learns whether the shell is at its prompt and how the last command ended', async () => {
    pty.print(`${PROMPT}${command('false')}\x1b]633;D;1;n\x07\x1b]633;A;n\x07$ \x1b]633;B;n\x07`);
    await settle();
    const late = page(terminal);
    await settle();
    assert.equal(late.seen.at(-1), 'prompt 1');
  });
  test('to a shell that has ended sees its last screen and the exit code', async () => {
    pty.print('bye\r\n');
    pty.end(3);
    const late = page(terminal);
    await settle();
    assert.match(late.seen[0]!, /bye/);
    assert.equal(late.seen.at(-1), 'exit 3');
  });
});

describe('questions that programs ask their terminal', () => {
  test('are answered once, however many pages there are and whether or not there is one', async () => {
    pty.print('\x1b[6n');
    await settle();
    assert.equal(pty.written, '\x1b[1;1R');
    page(terminal);
    page(terminal);
    await settle();
    pty.print('\x1b[c');
    await settle();
    assert.equal(pty.written, '\x1b[1;1R\x1b[?1;2c');
  });
  test('are not part of the screen that a reload brings back', async () => {
    pty.print('a\x1b[6n\x1b[c\x1b[>c');
    await settle();
    const late = page(terminal);
    await settle();
    assert.equal(late.seen[0], 'screen 80x24 a');
  });
});

describe('flow control', () => {
  const chunk = Buffer.from('x'.repeat(64 * 1024));
  /** Prints until the pty is paused, or `most` bytes are out. */
  const flood = async (most: number) => {
    let printed = 0;
    while (!pty.paused && printed < most) {
      pty.print(chunk);
      printed += chunk.length;
      await settle();
    }
    return printed;
  };

  test('a page that does not parse stops the shell at the high mark; parsing lets it go on', async () => {
    const only = page(terminal);
    await settle();
    const printed = await flood(4 * HIGH_WATER);
    assert.ok(printed > HIGH_WATER && printed <= HIGH_WATER + 2 * chunk.length, `${printed}`);
    only.viewing.ack(HIGH_WATER / 2);
    await settle();
    assert.equal(pty.paused, true);
    only.viewing.ack(only.bytes - HIGH_WATER / 2);
    await settle();
    assert.equal(pty.paused, false);
  });
  test('without any page the shell runs into the recorder', async () => {
    assert.equal(await flood(4 * HIGH_WATER), 4 * HIGH_WATER);
  });
  test('a page that leaves lets the shell go on', async () => {
    const only = page(terminal);
    await settle();
    await flood(4 * HIGH_WATER);
    only.viewing.leave();
    await settle();
    assert.equal(pty.paused, false);
  });
  test('a page that sleeps does not stop the other, and gets the whole screen when it wakes', async () => {
    const asleep = page(terminal);
    const awake = page(terminal);
    await settle();
    for (let i = 0; i < 24; i++) {
      pty.print(chunk);
      await settle();
      awake.viewing.ack(chunk.length);
      assert.equal(pty.paused, false, `after ${i}`);
    }
    assert.ok(asleep.bytes < awake.bytes);
    pty.print('\r\nlast words');
    await settle();
    asleep.viewing.ack(asleep.bytes);
    await settle();
    assert.match(asleep.seen.filter(line => line.startsWith('screen')).at(-1)!, /last words$/);
  });
  test('a page that has gone without a word stops nothing for long', async () => {
    page(terminal);
    await settle();
    await flood(4 * HIGH_WATER);
    assert.equal(pty.paused, true);
    await clock.advance(5000);
    await settle();
    assert.equal(pty.paused, false);
  });
  test('an acknowledgement of more than was sent is not believed', async () => {
    const only = page(terminal);
    await settle();
    pty.print('abc');
    await settle();
    assert.equal(only.viewing.ack(4), false);
    assert.equal(only.viewing.ack(3), true);
  });
});

describe('a size', () => {
  test('from one page goes to the shell and to the other pages, not back', async () => {
    const one = page(terminal);
    const two = page(terminal);
    await settle();
    assert.equal(one.viewing.resize(120, 40), true);
    assert.deepEqual(pty.size, [120, 40]);
    assert.equal(two.seen.at(-1), 'size 120x40');
    assert.ok(!one.seen.some(line => line.startsWith('size')));
  });
  test('that no terminal can have is refused', () => {
    const one = page(terminal);
    for (const [cols, rows] of [
      [0, 0],
      [80, 0],
      [100_000, 24],
      [80, 9999],
      [Number.NaN, 24],
      [80.5, 24],
    ] as const) {
      assert.equal(one.viewing.resize(cols, rows), false);
    }
    assert.deepEqual(pty.size, [0, 0]);
  });
});

describe('run', () => {
  test('types at the prompt, as one paste, over what stands there half-written', async () => {
    const one = page(terminal);
    pty.print(`\x1b[?2004h${PROMPT}`);
    await settle();
    one.viewing.run('kubectl get pods \\\n  -A\n');
    assert.equal(pty.written, '\x05\x15\x1b[200~kubectl get pods \\\n  -A\x1b[201~\r');
  });
  test('without bracketed paste sends line by line', async () => {
    const one = page(terminal);
    pty.print(PROMPT);
    await settle();
    one.viewing.run('echo a\necho b');
    assert.equal(pty.written, '\x05\x15echo a\recho b\r');
  });
  test('is refused while a command runs, with a sentence, and nothing is typed', async () => {
    const one = page(terminal);
    pty.print(`${PROMPT}${command('sleep 100')}`);
    await settle();
    one.viewing.run('rm -rf .');
    assert.match(one.seen.at(-1)!, /^refused Something is still running/);
    assert.equal(pty.written, '');
  });
  test('twice in a row runs once: the first has left the prompt', async () => {
    const one = page(terminal);
    pty.print(PROMPT);
    await settle();
    one.viewing.run('a');
    one.viewing.run('b');
    assert.equal(pty.written, '\x05\x15a\r');
    assert.match(one.seen.at(-1)!, /^refused/);
  });
  test('is not let in again by a prompt that is only drawn again', async () => {
    const one = page(terminal);
    pty.print(PROMPT);
    await settle();
    one.viewing.run('a');
    pty.print('\x1b]633;A;n\x07$ \x1b]633;B;n\x07');
    await settle();
    one.viewing.run('b');
    assert.equal(pty.written, '\x05\x15a\r');
  });
  test('before the first prompt waits for it', async () => {
    const one = page(terminal);
    one.viewing.run('first');
    assert.equal(pty.written, '');
    pty.print(PROMPT);
    await settle();
    assert.equal(pty.written, '\x05\x15first\r');
  });
  test('carries no control bytes: an escape could end the paste and press keys', () => {
    assert.equal(runnable('echo a\x1b[201~\x03; rm\x00\x7f\u009b'), 'echo a[201~; rm');
    assert.equal(runnable('\r\n\r\nls\r\n\tpwd  \r\n\r\n'), 'ls\n\tpwd');
    assert.equal(runnable('\x1b\x07\n'), '');
  });
  test('of a very long text is refused', async () => {
    const one = page(terminal);
    pty.print(PROMPT);
    await settle();
    one.viewing.run('x'.repeat(20_000));
    assert.match(one.seen.at(-1)!, /^refused This text is too long/);
  });
});

describe('commands', () => {
  test('are logged with line, folder, exit code and output; an empty line is none', async () => {
    pty.print(`${PROMPT}${command('kubectl get ns')}default\r\n${PROMPT}${PROMPT}${PROMPT}`);
    await settle();
    const [run, ...more] = commands.recent();
    assert.equal(more.length, 0);
    assert.equal(run?.line, 'kubectl get ns');
    assert.equal(run?.cwd, '/home');
    assert.equal(run?.exit, 0);
    assert.equal(run?.output, 'default\n');
  });
  test('marks without the nonce count for nothing', async () => {
    pty.print(PROMPT.replaceAll(';n\x07', ';m\x07'));
    pty.print('\x1b]633;E;fake\x07\x1b]633;C\x07\x1b]633;D;0\x07');
    await settle();
    assert.equal(commands.recent().length, 0);
  });
  test('one that still runs when the shell ends is ended with it', async () => {
    pty.print(`${PROMPT}${command('exec false')}`);
    await settle();
    pty.end(1);
    assert.equal(commands.recent()[0]?.exit, 1);
  });
});
