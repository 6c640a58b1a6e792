// One shell in one container: runs scripts and single commands in the container's files and network, printing as they
// go. Knows just-bash and the commands added to it, not who asked.

import { Bash, type CommandName, type CustomCommand, defineCommand, getCommandNames } from 'just-bash';
import { type FileError, file, plant } from '../files.ts';
import type { Container } from '../types.ts';
import { diskCommands } from './disk-commands.ts';
import { HIDDEN, plantCommands, shellFileSystem } from './file-system.ts';
import { htpasswdCommands } from './htpasswd.ts';
import { instrument } from './instrument.ts';
import { mysqlCommands } from './mysql-commands.ts';
import { networkCommands } from './network/index.ts';
import { isBuiltin, type ShellProfile } from './profiles.ts';
import { pythonCommands } from './python-commands.ts';
import { redisCommands } from './redis-commands.ts';
import { systemCommands } from './system-commands.ts';
import type { ShellIo, ShellTools } from './types.ts';
import { shellWords } from './words.ts';

/** Endless loops are ended by signals, not by counting; the library wants numbers. */
const NO_LIMIT = 1_000_000_000;
/** A variable or a pipe that grows beyond this is memory that a container would use as well. */
const MAX_STRING_BYTES = 32 * 1024 * 1024;
const TOO_LONG = 'string length limit exceeded';
/** Busy scripts make room for everybody else after this many ticks in a row. */
const TICKS_PER_TURN = 20;
/** A script that has not slept for this long is an endless loop: from then on it works in slices and rests between, ms. */
const BURST_MS = 300;
const SLICE_MS = 5;
const REST_MS = 20;
/** A shell and what it started. */
const SHELL_BYTES = 1024 * 1024;
const BUSY_MILLIS = 950;
/** What a command ended by Ctrl-C leaves in `$?`. */
const INTERRUPTED = 130;
/** And one that goes with its container. */
const KILLED = 137;
/** Shells that may run beside each other in one container or exec: more would be a fork bomb. */
const MAX_PROCESSES = 128;

export interface ShellInput {
  /** Text that is there already (a pipe that has ended). */
  text?: string;
}

interface ShellOptions {
  cwd: string;
  /** True for the container's own program. */
  main: boolean;
  /** Shared by a shell and all that it starts. */
  processes?: { running: number };
}

/** What the library lacks, whichever image has it. */
export const addedCommands = (tools: ShellTools): CustomCommand[] =>
  [
    systemCommands,
    diskCommands,
    networkCommands,
    mysqlCommands,
    redisCommands,
    pythonCommands,
    htpasswdCommands,
  ].flatMap(make => make(tools));

export class ShellSession {
  private readonly bash: Bash;
  private readonly container: Container;
  private readonly io: ShellIo;
  /** Error texts as this image's shell words them. */
  private readonly words: (text: string | Uint8Array) => string | Uint8Array;
  private abort = new AbortController();
  private ticks = 0;
  private lastPause = 0;
  /** How long it has been working without a sleep, and since its last rest, ms. */
  private busy = 0;
  private sliced = 0;
  private background: string[] = [];
  private readonly jobs = new Map<number, Promise<number>>();
  private nextJob = 7;
  private variables: Map<string, string> | undefined;
  private trap: string | undefined;
  private functions = '';
  /** True for the container's own program: its loops count as the container's use. */
  private readonly main: boolean;
  private readonly processes: { running: number };
  cwd: string;
  env: Record<string, string>;

  constructor(container: Container, profile: ShellProfile, io: ShellIo, options: ShellOptions) {
    this.processes = options.processes ?? { running: 1 };
    this.container = container;
    this.io = io;
    this.cwd = options.cwd;
    this.main = options.main;
    this.env = { ...container.env };
    const stop = () => this.abort.abort(io.signal.reason);
    if (io.signal.aborted) stop();
    else io.signal.addEventListener('abort', stop, { once: true });
    const session = this;
    const now = container.clock.now();
    for (const [path, content] of Object.entries(profile.files ?? {}))
      if (!container.files.exists(path)) plant(container.files.root, path, file(content, now));
    if (!container.files.exists(`${profile.folder}/${profile.commands[0]}`))
      plantCommands(container.files, profile.folder, [...profile.commands, 'sh'], now);
    let refusal: FileError['code'] = 'ENOENT';
    const words = (text: string | Uint8Array) => shellWords(text, profile.kind, refusal);
    this.words = words;
    const fs = shellFileSystem(
      container.files,
      {
        stdout: chunk => this.io.stdout(chunk),
        stderr: chunk => this.io.stderr(words(chunk)),
        refused: why => {
          refusal = why.code;
        },
      },
      () => this.pause(),
      path => this.virtual(path),
    );
    const tools: ShellTools = {
      container,
      io,
      profile,
      print: text => io.stdout(text),
      printError: text => io.stderr(text),
      pause: () => this.pause(),
      get signal() {
        return session.abort.signal;
      },
    };
    const known = new Set<string>(getCommandNames());
    const added = addedCommands(tools).filter(c => profile.commands.includes(c.name.replace(HIDDEN, '')));
    this.bash = new Bash({
      fs,
      env: this.env,
      cwd: this.cwd,
      commands: profile.commands.filter(c => known.has(c)) as CommandName[],
      customCommands: [...this.driverCommands(profile), ...added],
      sleep: ms => this.sleep(ms),
      // It blocks timers for everything that a script awaits, this cluster's clock included. Scripts here are shell only.
      defenseInDepth: false,
      executionLimits: {
        maxCommandCount: NO_LIMIT,
        maxLoopIterations: NO_LIMIT,
        maxWorkUnits: NO_LIMIT,
        maxStringLength: MAX_STRING_BYTES,
      } as any,
      processInfo: { pid: options.main ? 1 : 20 + container.random.below(80), ppid: 0, uid: 0, gid: 0 },
    });
  }

  /** Runs a script; the value is its exit code. */
  async run(script: string, input: ShellInput = {}): Promise<number> {
    let prepared: ReturnType<typeof instrument>;
    try {
      prepared = instrument(this.functions + script);
    } catch (error) {
      this.io.stderr(`sh: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}\n`);
      return 2;
    }
    return this.execute(prepared, input);
  }

  /** Runs one command with exactly these words. */
  command(argv: readonly string[], input: ShellInput = {}): Promise<number> {
    return this.run(argv.map(quote).join(' '), input);
  }

  private async execute(prepared: ReturnType<typeof instrument>, input: ShellInput): Promise<number> {
    const first = this.background.length;
    this.background.push(...prepared.background);
    const script = prepared.script.replace(/\b__bg (\d+)/g, (_all, n: string) => `__bg ${first + Number(n)}`);
    const { signal } = this.abort;
    const result = await this.bash.exec(script, {
      env: this.env,
      cwd: this.cwd,
      rawScript: true,
      signal,
      ...(input.text === undefined ? {} : { stdin: input.text, stdinKind: 'bytes' as const }),
    });
    if (result.stdout)
      this.io.stdout(result.stdoutKind === 'bytes' ? Buffer.from(result.stdout, 'latin1') : result.stdout);
    // What the library refuses as too long would be in memory twice: as it was, and as it grows.
    if (this.main && result.stderr.includes(TOO_LONG))
      this.container.use({ memoryBytes: SHELL_BYTES + 3 * MAX_STRING_BYTES });
    if (result.stderr && !signal.aborted) this.io.stderr(this.words(result.stderr));
    if (signal.reason === 'SIGINT') return INTERRUPTED;
    return signal.aborted ? KILLED : result.exitCode;
  }

  /** Runs one line of an interactive shell: variables, functions and the working directory stay for the next one. */
  async line(text: string): Promise<number> {
    const definitions = /^\s*(?:function\s+)?[A-Za-z_][\w-]*\s*\(\)\s*\{/.test(text);
    const code = await this.run(`__status ${this.last}\n${text}\n__save $?`);
    this.last = code;
    if (definitions) this.functions += `${text}\n`;
    const { signal } = this.abort;
    if (this.variables) {
      this.env = Object.fromEntries(this.variables);
      this.variables = undefined;
    } else if (/(^|[;&|\s])exit\b/.test(text) && !signal.aborted) this.exited = code;
    return code;
  }

  private last = 0;
  /** Set when a line ended the shell itself (`exit` inside a list). */
  exited: number | undefined;

  /** Ctrl-C: ends the line that runs. */
  cancel(): void {
    this.abort.abort('SIGINT');
    this.abort = new AbortController();
    const stop = () => this.abort.abort(this.io.signal.reason);
    if (this.io.signal.aborted) stop();
    else this.io.signal.addEventListener('abort', stop, { once: true });
  }

  /** What SIGTERM does: a trap, if one is set, is due at the next tick. True when somebody listens. */
  signalled(): boolean {
    this.due = this.trap !== undefined;
    return this.due;
  }
  private due = false;

  private async sleep(ms: number): Promise<void> {
    if (this.main) this.container.use({ cpuMillis: 0 });
    this.busy = 0;
    const wake = AbortSignal.any([this.abort.signal, this.waking.signal]);
    await this.container.clock.sleep(ms, wake);
  }
  private waking = new AbortController();

  /** Ends a running `sleep` or `wait`, so that a trap can run. */
  interrupt(): void {
    this.waking.abort();
    this.waking = new AbortController();
  }

  /** Gives everybody else a turn, at the latest after some ticks; who never sleeps also rests. */
  private async pause(): Promise<void> {
    if (++this.ticks < TICKS_PER_TURN) return;
    this.ticks = 0;
    const { clock } = this.container;
    const now = clock.now();
    const worked = now - this.lastPause;
    this.lastPause = now;
    if (this.main && worked < SLICE_MS) this.container.use({ cpuMillis: BUSY_MILLIS });
    this.busy = worked < BURST_MS ? this.busy + worked : 0;
    this.sliced += worked;
    if (this.busy < BURST_MS || this.sliced < SLICE_MS)
      return new Promise<void>(resolve => setImmediate(resolve));
    this.sliced = 0;
    await clock.sleep(REST_MS, this.abort.signal);
    this.lastPause = clock.now();
  }

  private virtual(path: string): string | undefined {
    if (path === '/proc/1/cmdline') return `${this.container.argv.join('\0')}\0`;
    if (path === '/proc/1/environ' || path === '/proc/self/environ')
      return Object.entries(this.container.env)
        .map(([k, v]) => `${k}=${v}\0`)
        .join('');
    return undefined;
  }

  private driverCommands(profile: ShellProfile): CustomCommand[] {
    const ok = { stdout: '', stderr: '', exitCode: 0 };
    return [
      defineCommand('__tick', async (_args, ctx) => {
        let size = 0;
        for (const value of ctx.env.values()) size += value.length;
        if (this.main && size > SHELL_BYTES) this.container.use({ memoryBytes: SHELL_BYTES + size });
        await this.pause();
        if (!this.due || this.trap === undefined) return ok;
        this.due = false;
        ctx.env.set('__due', this.trap);
        return { ...ok, exitCode: 1 };
      }),
      defineCommand('__save', async (args, ctx) => {
        this.variables = new Map(
          [...ctx.env].filter(([name]) => /^[A-Za-z_]\w*$/.test(name) && name !== 'PWD'),
        );
        this.cwd = ctx.cwd;
        return { ...ok, exitCode: Number(args[0] ?? 0) };
      }),
      defineCommand('__status', async args => ({ ...ok, exitCode: Number(args[0] ?? 0) })),
      defineCommand('__trap', async args => {
        const signals = args.slice(1).map(s => s.toUpperCase().replace(/^SIG/, ''));
        if (signals.some(s => s === 'TERM' || s === '15')) this.trap = args[0] === '-' ? undefined : args[0];
        return ok;
      }),
      defineCommand('__ulimit', async () => ({ ...ok, stdout: 'unlimited\n' })),
      defineCommand('__bg', async (args, ctx) => {
        const script = this.background[Number(args[0])] ?? '';
        const { processes } = this;
        await this.pause();
        if (processes.running >= MAX_PROCESSES)
          return {
            ...ok,
            stderr: `${profile.kind === 'ash' ? "sh: can't fork" : 'bash: fork'}: Resource temporarily unavailable\n`,
            exitCode: 2,
          };
        const job = this.nextJob++;
        const options = { cwd: ctx.cwd, main: false, processes };
        const child = new ShellSession(this.container, profile, this.io, options);
        child.env = Object.fromEntries(ctx.env);
        processes.running++;
        this.jobs.set(
          job,
          child.run(script).finally(() => {
            processes.running--;
          }),
        );
        ctx.env.set('__bgpid', String(job));
        return ok;
      }),
      defineCommand('__wait', async args => {
        const wanted =
          args.length > 0 ? args.map(Number).filter(n => this.jobs.has(n)) : [...this.jobs.keys()];
        const done = Promise.all(wanted.map(n => this.jobs.get(n)!));
        const wake = AbortSignal.any([this.abort.signal, this.waking.signal]);
        const stopped = new Promise<number[]>(resolve =>
          wake.addEventListener('abort', () => resolve([143]), { once: true }),
        );
        const codes = await Promise.race([done, stopped]);
        return { ...ok, exitCode: args.length > 0 ? (codes.at(-1) ?? 127) : 0 };
      }),
      defineCommand('__sh', async (args, ctx) => {
        const child = new ShellSession(this.container, profile, this.io, {
          cwd: ctx.cwd,
          main: this.main,
          processes: this.processes,
        });
        child.env = { ...ctx.exportedEnv } as Record<string, string>;
        const input = Buffer.from(String(ctx.stdin), 'latin1').toString('utf8');
        return { ...ok, exitCode: await child.shell(args.slice(1), input) };
      }),
    ];
  }

  /** `sh` with its arguments: `-c script`, a script file, or a script on standard input. */
  async shell(args: readonly string[], input: string): Promise<number> {
    let index = 0;
    let options = '';
    while (index < args.length && /^-[a-z]+$/.test(args[index]!)) {
      options += args[index]!.slice(1);
      index++;
      if (options.includes('o')) index++;
      if (options.includes('c')) break;
    }
    const flags = options.replace(/[co]/g, '').replace(/[il]/g, '');
    const prefix = flags ? `set -${flags}\n` : '';
    const rest = args.slice(index);
    if (options.includes('c')) {
      const parameters = rest.slice(2).map(quote).join(' ');
      return this.run(`${prefix}${parameters ? `set -- ${parameters}\n` : ''}${rest[0] ?? ''}`, {
        text: input,
      });
    }
    if (rest.length > 0) {
      const path = rest[0]!.startsWith('/') ? rest[0]! : `${this.cwd}/${rest[0]}`;
      const text = this.container.files.readText(path);
      if (text === undefined) {
        this.io.stderr(`sh: can't open '${rest[0]}': No such file or directory\n`);
        return 2;
      }
      const parameters = rest.slice(1).map(quote).join(' ');
      return this.run(`${prefix}${parameters ? `set -- ${parameters}\n` : ''}${text}`, { text: input });
    }
    return this.run(prefix + input);
  }
}

export const quote = (word: string) =>
  /^[\w@%+=:,./-]+$/.test(word) && !isBuiltin(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
