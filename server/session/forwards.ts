// The ports that `kubectl port-forward` and `kubectl proxy` hold open in a session's terminals, read from what they print. Knows
// no HTTP: whoever shows one to a browser gets a socket that leads to it.

import type { ForwardInfo } from '#common/protocol/index.ts';
import type { CommandLog, CommandRun } from '../terminal/index.ts';
import type { Relay } from '../workspace/index.ts';

/** More of a session's ports than this are not offered. */
const MOST_FORWARDS = 8;

/** The verb itself, behind flags at most: a pod may be named `proxy`. */
const FORWARDS =
  /(?:^|[\s;&|(])(?:k|kubectl)(?:\s+(?:(?:-n|--namespace|--context|--kubeconfig)\s+\S+|-\S+))*\s+(?:port-forward|proxy)(?:\s|$)/;
/** What kubectl prints when it listens; on an address that is not loopback it is not offered. */
const LISTENS = /^(?:Forwarding from 127\.0\.0\.1:(\d+) -> \d+|Starting to serve on 127\.0\.0\.1:(\d+))$/gm;

export interface Forward extends ForwardInfo {
  /** Path of a unix socket that leads to the port; undefined where the port is on this machine's own loopback. */
  reach(): Promise<string | undefined>;
  /** Resolves when the command that holds it has ended. */
  readonly ended: Promise<void>;
}

export interface Forwards {
  list(): Forward[];
  close(): Promise<void>;
}

export interface ForwardsOptions {
  commands: Pick<CommandLog, 'subscribe'>;
  /** Opens a way into the sandbox; absent where the shells have none. */
  relay?: (port: number) => Promise<Relay>;
  changed: () => void;
}

interface Held extends Forward {
  run: string;
  end(): Promise<void>;
}

export function followForwards({ commands, relay, changed }: ForwardsOptions): Forwards {
  const held = new Map<string, Held>();

  const hold = (run: CommandRun, port: number): Held => {
    const { promise: ended, resolve } = Promise.withResolvers<void>();
    let opened: Promise<Relay> | undefined;
    const open = async () => {
      opened ??= relay?.(port);
      try {
        return (await opened)?.socketPath;
      } catch (error) {
        opened = undefined;
        throw error;
      }
    };
    return {
      id: `${run.id}-${port}`,
      port,
      ...(relay ? {} : { direct: true }),
      run: run.id,
      reach: open,
      ended,
      end: async () => {
        resolve();
        await (await opened?.catch(() => undefined))?.close();
      },
    };
  };

  const stop = commands.subscribe(run => {
    const before = held.size;
    if (run.endedAt !== undefined) {
      for (const forward of [...held.values()].filter(one => one.run === run.id)) {
        held.delete(forward.id);
        void forward.end();
      }
    } else if (FORWARDS.test(run.line)) {
      for (const [, forwarded, served] of run.output.matchAll(LISTENS)) {
        const port = Number(forwarded ?? served);
        if (held.size >= MOST_FORWARDS || held.has(`${run.id}-${port}`) || port > 65535) continue;
        held.set(`${run.id}-${port}`, hold(run, port));
      }
    }
    if (held.size !== before) changed();
  });

  return {
    list: () => [...held.values()],
    close: async () => {
      stop();
      const all = [...held.values()];
      held.clear();
      await Promise.all(all.map(forward => forward.end()));
    },
  };
}
