// curl: its options, its words and its exit codes.

import { CertificateError, DialError, type HttpAnswer } from '../../../network/index.ts';
import type { ShellTools } from '../types.ts';
import { fail, fetchOnce, options, path, type Target, TimeoutError, targetOf } from './requests.ts';

const MAX_REDIRECTS = 50;

export async function curl(args: string[], ctx: any, tools: ShellTools) {
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
  const caFile = values('cacert')[0];
  const ca = caFile === undefined ? undefined : tools.container.files.readText(path(ctx, caFile));
  if (caFile !== undefined && ca === undefined)
    return say(77, `error setting certificate verify locations:  CAfile: ${caFile} CApath: none`);
  const trust = { verify: !has('k', 'insecure'), ...(ca === undefined ? {} : { ca }) };
  let answer: HttpAnswer | undefined;
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    try {
      answer = await fetchOnce(
        tools,
        current,
        { method, headers, ...(body === undefined ? {} : { body }) },
        Number.isFinite(seconds) ? seconds * 1000 : undefined,
        trust,
      );
    } catch (error) {
      const ms = Math.max(1, Math.round(tools.container.clock.now() - began));
      if (error instanceof CertificateError) return say(60, certificateProblem(error, current));
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

const MORE = `More details here: https://curl.se/docs/sslcerts.html

curl failed to verify the legitimacy of the server and therefore could not
establish a secure connection to it. To learn more about this situation and
how to fix it, please visit the webpage mentioned above.`;

/** What curl says of a certificate that it does not take. */
function certificateProblem({ code, message }: CertificateError, { host }: Target): string {
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return `SSL: no alternative certificate subject name matches target host name '${host}'\n${MORE}`;
  const why =
    code === 'SELF_SIGNED_CERT_IN_CHAIN'
      ? 'self-signed certificate in certificate chain'
      : code === 'DEPTH_ZERO_SELF_SIGNED_CERT'
        ? 'self-signed certificate'
        : /^UNABLE_TO/.test(code)
          ? 'unable to get local issuer certificate'
          : message;
  return `SSL certificate problem: ${why}\n${MORE}`;
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
