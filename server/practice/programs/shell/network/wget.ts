// busybox' wget: its options, its words and its exit codes.

import { DialError, type HttpAnswer } from '../../../network/index.ts';
import type { ShellTools } from '../types.ts';
import { fail, fetchOnce, ok, options, path, TimeoutError, targetOf } from './requests.ts';

const MAX_REDIRECTS = 10;

export async function wget(args: string[], ctx: any, tools: ShellTools) {
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
  for (let hop = 0; hop < MAX_REDIRECTS; hop++) {
    const address = tools.container.network.lookup(current.host)[0];
    if (!address) return fail(`${stderr}wget: bad address '${current.host}'\n`, 1);
    if (current.scheme === 'https')
      tools.printError('wget: note: TLS certificate validation not implemented\n');
    if (!quiet) stderr += `Connecting to ${current.host} (${address}:${current.port})\n`;
    let answer: HttpAnswer;
    try {
      answer = await fetchOnce(
        tools,
        current,
        { method: body === undefined ? 'GET' : 'POST', headers, ...(body === undefined ? {} : { body }) },
        seconds * 1000,
        { verify: false },
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
