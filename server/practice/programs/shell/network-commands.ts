// Commands that reach the cluster's network from inside a container: curl, wget, nslookup, nc and busybox' httpd.
// Knows their options and words; names, services and connections are the network's.

import { type CustomCommand, defineCommand } from 'just-bash';
import { DialError, type HttpAnswer, requestHttp } from '../../network/index.ts';
import { serveFiles } from '../static-files.ts';
import type { ShellTools } from './session.ts';

const DNS_SERVER = '10.96.0.10';
/** What busybox' nslookup waits for an answer. */
const NSLOOKUP_MS = 10_000;
const MAX_REDIRECTS = 50;

const ok = { stdout: '', stderr: '', exitCode: 0 };
const fail = (stderr: string, exitCode: number) => ({ stdout: '', stderr, exitCode });

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

/** One request; `timeoutMs` covers connecting and answering. Rejects with a DialError, 'timeout', or what broke. */
async function fetchOnce(
  tools: ShellTools,
  target: Target,
  call: { method: string; headers: Record<string, string>; body?: Uint8Array | string },
  timeoutMs: number | undefined,
): Promise<HttpAnswer> {
  const clock = tools.container.clock;
  const work = (async () => {
    const stream = await tools.container.network.dial(target.host, target.port);
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

class TimeoutError extends Error {}

export function networkCommands(tools: ShellTools): CustomCommand[] {
  return [
    defineCommand('curl', (args, ctx) => curl(args, ctx, tools)),
    defineCommand('wget', (args, ctx) => wget(args, ctx, tools)),
    defineCommand('nslookup', args => nslookup(args, tools)),
    defineCommand('nc', (args, ctx) => netcat(args, ctx, tools)),
    defineCommand('httpd', (args, ctx) => httpd(args, ctx, tools)),
  ];
}

const path = (ctx: { cwd: string }, name: string) => (name.startsWith('/') ? name : `${ctx.cwd}/${name}`);

/** Splits short options that stand together (`-sSo file`) and options with `=`. */
function options(args: string[], withValue: string): { flags: Map<string, string[]>; rest: string[] } {
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

async function curl(args: string[], ctx: any, tools: ShellTools) {
  const { flags, rest } = options(
    args,
    'o output w write-out H header d data data-raw data-binary X request m max-time connect-timeout u user A user-agent b cookie c cookie-jar e retry retry-delay url resolve cacert',
  );
  const has = (...names: string[]) => names.some(n => flags.has(n));
  const values = (...names: string[]) => names.flatMap(n => flags.get(n) ?? []);
  const url = rest[0] ?? values('url')[0];
  if (!url) return fail("curl: try 'curl --help' for more information\n", 2);
  const silent = has('s', 'silent') && !has('S', 'show-error');
  const say = (code: number, text: string) => fail(silent ? '' : `curl: (${code}) ${text}\n`, code);
  const headers: Record<string, string> = {
    'User-Agent': values('A', 'user-agent')[0] ?? 'curl/8.12.1',
    Accept: '*/*',
  };
  for (const header of values('H', 'header')) {
    const [name = '', value = ''] = header.split(/:\s*(.*)/s);
    headers[name] = value;
  }
  const user = values('u', 'user')[0];
  if (user) headers['Authorization'] = `Basic ${Buffer.from(user).toString('base64')}`;
  const cookie = values('b', 'cookie')[0];
  if (cookie) headers['Cookie'] = cookie;
  let body: string | undefined;
  const data = values('d', 'data', 'data-raw', 'data-binary');
  if (data.length > 0) {
    body = data
      .map(part =>
        part.startsWith('@') && !has('data-raw')
          ? (tools.container.files.readText(path(ctx, part.slice(1))) ?? '')
          : part,
      )
      .join('&');
    if (!Object.keys(headers).some(h => h.toLowerCase() === 'content-type'))
      headers['Content-Type'] = 'application/x-www-form-urlencoded';
  }
  let method = values('X', 'request')[0] ?? (has('I', 'head') ? 'HEAD' : body === undefined ? 'GET' : 'POST');
  const seconds = Number(values('m', 'max-time')[0] ?? values('connect-timeout')[0] ?? Number.NaN);
  const began = tools.container.clock.now();
  let current = targetOf(url);
  if (!current) return say(3, 'URL rejected: Malformed input to a URL function');
  let answer: HttpAnswer | undefined;
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    try {
      answer = await fetchOnce(
        tools,
        current,
        { method, headers, ...(body === undefined ? {} : { body }) },
        Number.isFinite(seconds) ? seconds * 1000 : undefined,
      );
    } catch (error) {
      const ms = Math.max(1, Math.round(tools.container.clock.now() - began));
      if (error instanceof TimeoutError) return say(28, `Connection timed out after ${ms} milliseconds`);
      if (error instanceof DialError && error.reason === 'no such host')
        return say(6, `Could not resolve host: ${current.host}`);
      if (error instanceof DialError && /lookup/.test(error.message))
        return say(6, `Could not resolve host: ${current.host}`);
      if (error instanceof DialError)
        return say(
          error.reason === 'i/o timeout' ? 28 : 7,
          `Failed to connect to ${current.host} port ${current.port} after ${ms} ms: Could not connect to server`,
        );
      return say(52, 'Empty reply from server');
    }
    const location = answer.headers['location'];
    if (!has('L', 'location') || answer.status < 300 || answer.status >= 400 || !location) break;
    const next: Target | undefined = location.startsWith('/')
      ? { ...current, path: location }
      : targetOf(location);
    if (!next) break;
    current = next;
    if (answer.status !== 307 && answer.status !== 308 && method === 'POST') {
      method = 'GET';
      body = undefined;
    }
  }
  if (!answer || !current) return say(47, `Maximum (${MAX_REDIRECTS}) redirects followed`);
  if (has('f', 'fail') && answer.status >= 400)
    return say(22, `The requested URL returned error: ${answer.status}`);
  const head = `HTTP/1.1 ${answer.status} ${answer.statusText}\r\n${answer.lines.map(line => `${line}\r\n`).join('')}\r\n`;
  let stderr = '';
  if (has('v', 'verbose')) {
    const sent = [
      `${method} ${current.path} HTTP/1.1`,
      `Host: ${current.authority}`,
      ...Object.entries(headers).map(([k, v]) => `${k}: ${v}`),
    ];
    stderr = `* Connected to ${current.host} port ${current.port}\n${sent.map(l => `> ${l}\n`).join('')}> \n${head
      .trimEnd()
      .split('\r\n')
      .map(l => `< ${l}\n`)
      .join('')}< \n`;
  }
  const content = Buffer.from(answer.body).toString('latin1');
  const shown = (has('i', 'include', 'I', 'head') ? head : '') + (has('I', 'head') ? '' : content);
  const target =
    values('o', 'output')[0] ??
    (has('O', 'remote-name') ? current.path.split('?')[0]!.split('/').pop() : undefined);
  let stdout = shown;
  if (target !== undefined) {
    if (target !== '/dev/null') tools.container.files.write(path(ctx, target), Buffer.from(shown, 'latin1'));
    stdout = '';
  }
  const format = values('w', 'write-out')[0];
  if (format) stdout += written(format, answer, (tools.container.clock.now() - began) / 1000);
  return { stdout, stderr, exitCode: 0, stdoutKind: 'bytes' as const };
}

function written(format: string, answer: HttpAnswer, seconds: number): string {
  const known: Record<string, string> = {
    http_code: String(answer.status).padStart(3, '0'),
    response_code: String(answer.status).padStart(3, '0'),
    size_download: String(answer.body.length),
    time_total: seconds.toFixed(6),
    content_type: answer.headers['content-type'] ?? '',
    redirect_url: answer.headers['location'] ?? '',
  };
  return format
    .replace(/%\{(\w+)\}/g, (_all, name: string) => known[name] ?? '')
    .replaceAll('\\n', '\n')
    .replaceAll('\\t', '\t');
}

async function wget(args: string[], ctx: any, tools: ShellTools) {
  const { flags, rest } = options(
    args,
    'O output-document T timeout header post-data U user-agent Y t tries P',
  );
  const has = (...names: string[]) => names.some(n => flags.has(n));
  const url = rest[0];
  if (!url) return fail('wget: missing URL\n', 1);
  const quiet = has('q', 'quiet');
  const headers: Record<string, string> = { 'User-Agent': 'Wget' };
  for (const header of flags.get('header') ?? []) {
    const [name = '', value = ''] = header.split(/:\s*(.*)/s);
    headers[name] = value;
  }
  const body = (flags.get('post-data') ?? [])[0];
  const seconds = Number((flags.get('T') ?? flags.get('timeout') ?? ['900'])[0]);
  let current = targetOf(url);
  if (!current) return fail(`wget: bad address '${url}'\n`, 1);
  let stderr = '';
  for (let hop = 0; hop < 10; hop++) {
    const address = tools.container.network.lookup(current.host)[0];
    if (!address) return fail(`${stderr}wget: bad address '${current.host}'\n`, 1);
    if (!quiet) stderr += `Connecting to ${current.host} (${address}:${current.port})\n`;
    let answer: HttpAnswer;
    try {
      answer = await fetchOnce(
        tools,
        current,
        { method: body === undefined ? 'GET' : 'POST', headers, ...(body === undefined ? {} : { body }) },
        seconds * 1000,
      );
    } catch (error) {
      if (error instanceof TimeoutError) return fail(`${stderr}wget: download timed out\n`, 1);
      if (error instanceof DialError) {
        const why = {
          'connection refused': 'Connection refused',
          'no route to host': 'Host is unreachable',
          'i/o timeout': 'Operation timed out',
          'no such host': '',
        };
        if (error.reason === 'no such host' || /lookup/.test(error.message))
          return fail(`${stderr}wget: bad address '${current.host}'\n`, 1);
        return fail(`${stderr}wget: can't connect to remote host (${address}): ${why[error.reason]}\n`, 1);
      }
      return fail(`${stderr}wget: error getting response\n`, 1);
    }
    const location = answer.headers['location'];
    if (answer.status >= 300 && answer.status < 400 && location) {
      current = location.startsWith('/') ? { ...current, path: location } : (targetOf(location) ?? current);
      continue;
    }
    if (answer.status >= 400)
      return fail(
        `${stderr}wget: server returned error: HTTP/1.1 ${answer.status} ${answer.statusText}\n`,
        1,
      );
    if (has('spider')) return { ...ok, stderr: quiet ? '' : `${stderr}remote file exists\n` };
    const content = Buffer.from(answer.body).toString('latin1');
    const name = (flags.get('O') ??
      flags.get('output-document') ?? [current.path.split('?')[0]!.split('/').pop() || 'index.html'])[0]!;
    if (name === '-') {
      if (!quiet) stderr += `writing to stdout\n`;
      return {
        stdout: content,
        stderr: quiet
          ? ''
          : `${stderr}-                    100% |********************************|  ${answer.body.length}  0:00:00 ETA\nwritten to stdout\n`,
        exitCode: 0,
        stdoutKind: 'bytes' as const,
      };
    }
    if (name !== '/dev/null') tools.container.files.write(path(ctx, name), Buffer.from(answer.body));
    return {
      ...ok,
      stderr: quiet
        ? ''
        : `${stderr}saving to '${name}'\n${name.padEnd(20)} 100% |********************************|  ${answer.body.length}  0:00:00 ETA\n'${name}' saved\n`,
    };
  }
  return fail('wget: too many redirections\n', 1);
}

async function nslookup(args: string[], tools: ShellTools) {
  const name = args.find(a => !a.startsWith('-'));
  if (!name) return fail('Usage: nslookup [-type=QUERY_TYPE] [-debug] HOST [DNS_SERVER]\n', 1);
  const head = `Server:\t\t${DNS_SERVER}\nAddress:\t${DNS_SERVER}:53\n\n`;
  if (tools.container.network.dnsAnswers?.() === false) {
    await tools.container.clock.sleep(NSLOOKUP_MS, tools.signal);
    return { ...ok, stdout: ';; connection timed out; no servers could be reached\n\n', exitCode: 1 };
  }
  // Unlike other programs, nslookup asks for the name as it is when it has a dot, and along the search list otherwise.
  const found = tools.container.network.lookup(name.includes('.') ? `${name.replace(/\.$/, '')}.` : name);
  if (found.length === 0)
    return { stdout: `${head}** server can't find ${name}: NXDOMAIN\n\n`, stderr: '', exitCode: 1 };
  const namespace = tools.container.pod.metadata.namespace;
  const full = name.includes('.') ? name : `${name}.${namespace}.svc.cluster.local`;
  return { ...ok, stdout: `${head}\n${found.map(a => `Name:\t${full}\nAddress: ${a}\n`).join('')}\n` };
}

async function netcat(args: string[], ctx: any, tools: ShellTools) {
  const { flags, rest } = options(args, 'p w e i s');
  const container = tools.container;
  if (flags.has('l')) {
    const port = Number((flags.get('p') ?? [rest[0] ?? ''])[0]);
    await new Promise<void>((resolve, reject) => {
      try {
        container.listen(port, stream => {
          stream.onData(chunk => tools.print(Buffer.from(chunk).toString('utf8')));
          if (ctx.stdin) stream.write(Buffer.from(String(ctx.stdin), 'latin1'));
          stream.onEnd(() => {
            stream.end();
            if (!flags.has('k')) resolve();
          });
        });
      } catch (error) {
        reject(error);
      }
      tools.signal.addEventListener('abort', () => resolve(), { once: true });
    });
    return ok;
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
    await new Promise<void>(resolve => {
      stream.onData(chunk => tools.print(Buffer.from(chunk).toString('utf8')));
      stream.onClose(() => resolve());
      tools.signal.addEventListener('abort', () => stream.destroy(), { once: true });
    });
    return ok;
  } catch (error) {
    if (!(error instanceof DialError)) throw error;
    if (error.reason === 'no such host') return fail(`nc: bad address '${host}'\n`, 1);
    const why = error.reason === 'connection refused' ? 'Connection refused' : 'Operation timed out';
    return fail(`nc: ${host} (${container.network.lookup(host)[0] ?? host}:${port}): ${why}\n`, 1);
  }
}

async function httpd(args: string[], ctx: any, tools: ShellTools) {
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
