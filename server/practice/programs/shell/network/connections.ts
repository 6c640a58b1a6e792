// Commands about ports: nc, netstat, pg_isready, and busybox' httpd.

import { DialError } from '../../../network/index.ts';
import { serveFiles } from '../../static-files.ts';
import type { ShellTools } from '../types.ts';
import { fail, ok, options, path } from './requests.ts';

export async function netcat(args: string[], ctx: any, tools: ShellTools) {
  const { flags, rest } = options(args, 'p w e i s');
  const container = tools.container;
  if (flags.has('l')) {
    const port = Number((flags.get('p') ?? [rest[0] ?? ''])[0]);
    // Without -k the first connection is the only one, and what came is the output; with it, output has no end to wait for.
    const received: Uint8Array[] = [];
    await new Promise<void>((resolve, reject) => {
      let close = () => {};
      try {
        close = container.listen(port, stream => {
          if (!flags.has('k')) close();
          stream.onData(chunk => {
            if (flags.has('k')) tools.print(Buffer.from(chunk).toString('utf8'));
            else received.push(chunk);
          });
          if (ctx.stdin) stream.write(Buffer.from(String(ctx.stdin), 'latin1'));
          stream.onEnd(() => {
            stream.end();
            if (!flags.has('k')) resolve();
          });
        });
      } catch (error) {
        reject(error);
      }
      tools.signal.addEventListener(
        'abort',
        () => {
          close();
          resolve();
        },
        { once: true },
      );
    });
    return { ...ok, stdout: Buffer.concat(received).toString('latin1') };
  }
  const [host, port] = [rest[0], Number(rest[1])];
  if (!host || !port) return fail('nc: too few arguments\n', 1);
  try {
    const stream = await container.network.dial(host, port);
    if (flags.has('z')) {
      stream.destroy();
      return {
        ...ok,
        stderr: flags.has('v') ? `${host} (${container.network.lookup(host)[0] ?? host}:${port}) open\n` : '',
      };
    }
    if (ctx.stdin) stream.write(Buffer.from(String(ctx.stdin), 'latin1'));
    stream.end();
    const received: Uint8Array[] = [];
    await new Promise<void>(resolve => {
      stream.onData(chunk => received.push(chunk));
      stream.onClose(() => resolve());
      tools.signal.addEventListener('abort', () => stream.destroy(), { once: true });
    });
    return { ...ok, stdout: Buffer.concat(received).toString('latin1') };
  } catch (error) {
    if (!(error instanceof DialError)) throw error;
    if (error.reason === 'no such host') return fail(`nc: bad address '${host}'\n`, 1);
    const why = error.reason === 'connection refused' ? 'Connection refused' : 'Operation timed out';
    return fail(`nc: ${host} (${container.network.lookup(host)[0] ?? host}:${port}): ${why}\n`, 1);
  }
}

export async function httpd(args: string[], ctx: any, tools: ShellTools) {
  const { flags } = options(args, 'p h c r u');
  const port = Number(((flags.get('p') ?? ['80'])[0] ?? '80').split(':').pop());
  const root = path(ctx, (flags.get('h') ?? ['.'])[0]!);
  try {
    tools.container.serveHttp(port, request => serveFiles(tools.container.files, root, request, 'busybox'));
  } catch {
    return fail('httpd: bind: Address already in use\n', 1);
  }
  if (!flags.has('f')) return ok;
  await new Promise<void>(resolve => {
    if (tools.signal.aborted) resolve();
    else tools.signal.addEventListener('abort', () => resolve(), { once: true });
  });
  return { ...ok, exitCode: 143 };
}

/** Who listens; connections that are open are not counted here. */
export async function netstat(args: string[], tools: ShellTools) {
  const flags = args.join('');
  const head = `Active Internet connections (${flags.includes('l') ? 'only servers' : 'w/o servers'})\nProto Recv-Q Send-Q Local Address           Foreign Address         State       ${flags.includes('p') ? 'PID/Program name    ' : ''}\n`;
  const program = (tools.container.argv[0] ?? '').split('/').pop();
  const lines = tools.container
    .listening()
    .map(
      port =>
        `tcp        0      0 ${`0.0.0.0:${port}`.padEnd(23)} 0.0.0.0:*               LISTEN      ${flags.includes('p') ? `1/${program}` : ''}\n`,
    );
  return { ...ok, stdout: head + (flags.includes('l') || flags.includes('a') ? lines.join('') : '') };
}

/** Whether a PostgreSQL server takes connections. */
export async function pgIsReady(args: string[], tools: ShellTools) {
  const { flags } = options(args, 'h host p port U username d dbname t timeout');
  const name = (flags.get('h') ?? flags.get('host'))?.[0];
  const port = Number((flags.get('p') ?? flags.get('port') ?? ['5432'])[0]);
  const said = (text: string) => `${name ?? '/var/run/postgresql'}:${port} - ${text}\n`;
  try {
    (await tools.container.network.dial(name ?? '127.0.0.1', port)).destroy();
    return { ...ok, stdout: said('accepting connections') };
  } catch (error) {
    if (!(error instanceof DialError)) throw error;
    return { ...fail('', 2), stdout: said('no response') };
  }
}
