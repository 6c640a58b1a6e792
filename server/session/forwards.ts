// The ports that `kubectl port-forward` and `kubectl proxy` hold open in a session's terminals, read from what they print. Knows
// no HTTP: whoever shows one to a browser gets a socket that leads to it.

import type { ForwardInfo } from '#common/protocol/index.ts';
import type { Clock, Timer } from '../clock.ts';
import type { CommandLog, CommandRun } from '../terminal/index.ts';
import type { Relay } from '../workspace/index.ts';

/** More of a session's ports than this are not offered. */
const MOST_FORWARDS = 8;

/** The verb itself, behind flags at most: a pod may be named `proxy`. */
const FORWARDS =
  /(?:^|[\s;&|(])(?:k|kubectl)(?:\s+(?:(?:-n|--namespace|--context|--kubeconfig)\s+\S+|-\S+))*\s+(?:port-forward|proxy)(?:\s|$)/;
/** What kubectl prints when it listens; on an address that is not loopback it is not offered. */
const SAYS = String.raw`(?:Forwarding from 127\.0\.0\.1:(\d+) -> \d+|Starting to serve on 127\.0\.0\.1:(\d+))$`;
const LISTENS = new RegExp(`^${SAYS}`, 'gm');
/** From the background it says so behind the prompt, or between the lines of another command. */
const LISTENS_ASIDE = new RegExp(SAYS, 'gm');
/** An ampersand that leaves a command behind: neither `&&` nor `2>&1` nor `&>`. */
const LEFT_BEHIND = /(?<![&>])&(?![&>])/;
/** How long after such a line kubectl may take to say where it listens, in milliseconds. */
const PATIENCE = 30_000;
/** A port whose command went to the background is looked at this often, in milliseconds. */
const LOOK_EVERY = 2000;
/** As much of what is heard aside is kept to find a line that comes in pieces, in characters. */
const HEARD = 4096;

export interface Forward extends ForwardInfo {
  /** Path of a unix socket that leads to the port; undefined where the port is on this machine's own loopback. */
  reach(): Promise<string | undefined>;
  /** Resolves when it is held no longer. */
  readonly ended: Promise<void>;
}

export interface Forwards {
  list(): Forward[];
  close(): Promise<void>;
}

export interface ForwardsOptions {
  commands: Pick<CommandLog, 'subscribe' | 'subscribeAside'>;
  /** Whether a program listens on this port of the shells' loopback. */
  listens: (port: number) => Promise<boolean>;
  /** Opens a way into the sandbox; absent where the shells have none. */
  relay?: (port: number) => Promise<Relay>;
  clock: Clock;
  changed: () => void;
}

interface Held extends Forward {
  /** The command that prints of it; undefined once it is in the background, where nothing tells when it ends. */
  run: string | undefined;
  end(): Promise<void>;
}

/** A line that left kubectl in the background of a terminal. */
interface Job {
  run: string;
  until: number;
  heard: string;
}

export function followForwards({ commands, listens, relay, clock, changed }: ForwardsOptions): Forwards {
  const held = new Map<string, Held>();
  const jobs = new Map<string, Job>();
  let timer: Timer | undefined;
  let closed = false;

  const hold = (id: string, port: number, run: string | undefined): void => {
    if (held.has(id) || held.size >= MOST_FORWARDS || port > 65535) return;
    // Whoever had this port before has it no more.
    for (const other of [...held.values()].filter(one => one.port === port)) drop(other);
    const { promise: ended, resolve } = Promise.withResolvers<void>();
    let opened: Promise<Relay> | undefined;
    held.set(id, {
      id,
      port,
      ...(relay ? {} : { direct: true }),
      run,
      reach: async () => {
        opened ??= relay?.(port);
        try {
          return (await opened)?.socketPath;
        } catch (error) {
          opened = undefined;
          throw error;
        }
      },
      ended,
      end: async () => {
        resolve();
        await (await opened?.catch(() => undefined))?.close();
      },
    });
  };

  const drop = (forward: Held): void => {
    held.delete(forward.id);
    void forward.end();
  };

  /** Ends those in the background whose port is let go, and comes back while there are any. */
  const look = async (): Promise<void> => {
    timer?.cancel();
    timer = undefined;
    const before = held.size;
    const behind = () => [...held.values()].filter(one => one.run === undefined);
    for (const forward of behind()) if (!(await listens(forward.port))) drop(forward);
    if (closed) return;
    if (held.size !== before) changed();
    if (behind().length > 0) timer ??= clock.after(LOOK_EVERY, look);
  };

  const hear = async (terminal: string, text: string): Promise<void> => {
    const job = jobs.get(terminal);
    if (!job) return;
    if (clock.now() > job.until) return void jobs.delete(terminal);
    job.heard = (job.heard + text).slice(-HEARD);
    for (const port of portsIn(job.heard, LISTENS_ASIDE)) {
      const id = `${job.run}-${port}`;
      if (held.has(id) || !(await listens(port)) || closed || held.has(id)) continue;
      hold(id, port, undefined);
      changed();
      timer ??= clock.after(LOOK_EVERY, look);
    }
  };

  const onRun = (run: CommandRun): void => {
    if (!FORWARDS.test(run.line)) return void hear(run.terminal, `\n${run.output}`);
    const before = held.size;
    for (const port of portsIn(run.output, LISTENS)) hold(`${run.id}-${port}`, port, run.id);
    if (held.size !== before) changed();
    if (run.endedAt === undefined) return;
    if (LEFT_BEHIND.test(run.line))
      jobs.set(run.terminal, { run: run.id, until: clock.now() + PATIENCE, heard: '' });
    const own = [...held.values()].filter(one => one.run === run.id);
    for (const forward of own) forward.run = undefined;
    if (own.length > 0) void look();
  };

  const stops = [
    commands.subscribe(onRun),
    commands.subscribeAside((terminal, text) => void hear(terminal, text)),
  ];

  return {
    list: () => [...held.values()],
    close: async () => {
      closed = true;
      for (const stop of stops) stop();
      timer?.cancel();
      const all = [...held.values()];
      held.clear();
      await Promise.all(all.map(forward => forward.end()));
    },
  };
}

function portsIn(text: string, says: RegExp): number[] {
  return [...text.matchAll(says)].map(([, forwarded, served]) => Number(forwarded ?? served));
}
