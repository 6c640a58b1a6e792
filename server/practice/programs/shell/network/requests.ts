// What curl and wget have in common: where a URL leads, one request with its time limit, options and answers of commands.

import {
  type ByteStream,
  type HttpAnswer,
  openTls,
  PlainServer,
  requestHttp,
} from '../../../network/index.ts';
import type { ShellTools } from '../types.ts';

export const ok = { stdout: '', stderr: '', exitCode: 0 };
export const fail = (stderr: string, exitCode: number) => ({ stdout: '', stderr, exitCode });
/** Where a name leads from the working directory. */
export const path = (ctx: { cwd: string }, name: string) =>
  name.startsWith('/') ? name : `${ctx.cwd}/${name}`;

/** Splits short options that stand together (`-sSo file`) and options with `=`. */
export function options(args: string[], withValue: string): { flags: Map<string, string[]>; rest: string[] } {
  const flags = new Map<string, string[]>();
  const rest: string[] = [];
  const takes = new Set(withValue.split(' '));
  const add = (name: string, value: string) => flags.set(name, [...(flags.get(name) ?? []), value]);
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (arg === '--') {
      rest.push(...args.slice(i + 1));
      break;
    }
    if (arg.startsWith('--')) {
      const [name = '', value] = arg.slice(2).split(/=(.*)/s);
      if (value !== undefined) add(name, value);
      else if (takes.has(name)) add(name, args[++i] ?? '');
      else add(name, '');
    } else if (arg.startsWith('-') && arg.length > 1) {
      for (let at = 1; at < arg.length; at++) {
        const name = arg[at]!;
        if (!takes.has(name)) {
          add(name, '');
          continue;
        }
        add(name, arg.length > at + 1 ? arg.slice(at + 1) : (args[++i] ?? ''));
        break;
      }
    } else rest.push(arg);
  }
  return { flags, rest };
}

export interface Target {
  scheme: string;
  host: string;
  port: number;
  path: string;
  /** As a Host header: with the port when it is not the scheme's own. */
  authority: string;
}

export function targetOf(url: string): Target | undefined {
  const match = /^(?:(https?):\/\/)?(?:[^@/]*@)?(\[[^\]]+\]|[^:/?#]+)(?::(\d+))?([/?#].*)?$/i.exec(url);
  if (!match) return undefined;
  const scheme = (match[1] ?? 'http').toLowerCase();
  const usual = scheme === 'https' ? 443 : 80;
  const port = match[3] ? Number(match[3]) : usual;
  const rest = (match[4] ?? '/').replace(/#.*/, '');
  const path = rest.startsWith('/') ? rest : `/${rest}`;
  return {
    scheme,
    host: match[2]!,
    port,
    path: path || '/',
    authority: port === usual ? match[2]! : `${match[2]}:${port}`,
  };
}

/** Which certificates are taken: all, or those that these authorities (PEM) signed. */
export interface Trust {
  verify: boolean;
  ca?: string;
}

async function connect(tools: ShellTools, target: Target, trust: Trust): Promise<ByteStream> {
  const dial = () => tools.container.network.dial(target.host, target.port);
  const stream = await dial();
  if (target.scheme !== 'https') return stream;
  try {
    return await openTls(stream, { host: target.host, ...trust });
  } catch (error) {
    // Certificates of what runs in pods are not made here: such a server is spoken to without.
    if (error instanceof PlainServer) return dial();
    throw error;
  }
}

/** One request; `timeoutMs` covers connecting and answering. Rejects with a DialError, 'timeout', or what broke. */
export async function fetchOnce(
  tools: ShellTools,
  target: Target,
  call: { method: string; headers: Record<string, string>; body?: Uint8Array | string },
  timeoutMs: number | undefined,
  trust: Trust,
): Promise<HttpAnswer> {
  const clock = tools.container.clock;
  const work = (async () => {
    const stream = await connect(tools, target, trust);
    tools.signal.addEventListener('abort', () => stream.destroy(), { once: true });
    return requestHttp(stream, {
      method: call.method,
      path: target.path,
      headers: { Host: target.authority, ...call.headers, Connection: 'close' },
      ...(call.body === undefined ? {} : { body: call.body }),
    });
  })();
  if (timeoutMs === undefined) return work;
  work.catch(() => undefined);
  const late = new AbortController();
  const timer = clock.after(timeoutMs, () => late.abort());
  const timeout = new Promise<never>((_resolve, reject) =>
    late.signal.addEventListener('abort', () => reject(new TimeoutError()), { once: true }),
  );
  try {
    return await Promise.race([work, timeout]);
  } finally {
    timer.cancel();
  }
}

export class TimeoutError extends Error {}
