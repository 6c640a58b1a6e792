// redis-cli in a container's shell: one command, a pipe of them, or a prompt. Knows what a reply looks like, not what a
// command does.

import { type CustomCommand, defineCommand } from 'just-bash';
import { type ByteStream, DialError } from '../../network/index.ts';
import { encode, list, type Reply, takeReply } from '../redis/protocol.ts';
import type { ShellTools } from './types.ts';

const PORT = '6379';
const LOCAL = '127.0.0.1';

export function redisCommands(tools: ShellTools): CustomCommand[] {
  return [defineCommand('redis-cli', (args, ctx) => cli(args, ctx, tools))];
}

interface Call {
  host: string;
  port: string;
  password: string | undefined;
  raw: boolean;
  words: string[];
}

function readCall(args: readonly string[], env: (name: string) => string | undefined): Call {
  const call: Call = { host: LOCAL, port: PORT, password: env('REDISCLI_AUTH'), raw: false, words: [] };
  let at = 0;
  for (; at < args.length && args[at]!.startsWith('-'); at++) {
    const option = args[at]!;
    if (option === '-h') call.host = args[++at] ?? '';
    else if (option === '-p') call.port = args[++at] ?? '';
    else if (option === '-a') call.password = args[++at];
    else if (option === '-n') at++;
    else if (option === '--raw') call.raw = true;
  }
  call.words = args.slice(at);
  return call;
}

class RedisConnection {
  private waiting = '';
  private wake: (() => void) | undefined;
  private over = false;
  private readonly stream: ByteStream;

  constructor(stream: ByteStream) {
    this.stream = stream;
    stream.onData(chunk => {
      this.waiting += Buffer.from(chunk).toString('latin1');
      this.wake?.();
    });
    const ended = () => {
      this.over = true;
      this.wake?.();
    };
    stream.onEnd(ended);
    stream.onClose(ended);
  }

  /** Undefined when the server is gone. */
  async ask(words: readonly string[]): Promise<Reply | undefined> {
    this.stream.write(Buffer.from(encode(list(words.map(toBytes))), 'latin1'));
    for (;;) {
      const taken = takeReply(this.waiting);
      if (taken) {
        this.waiting = this.waiting.slice(taken.length);
        return taken.reply;
      }
      if (this.over) return undefined;
      await new Promise<void>(resolve => {
        this.wake = resolve;
      });
    }
  }

  close(): void {
    this.stream.end();
  }
}

const toBytes = (text: string) => Buffer.from(text, 'utf8').toString('latin1');
const fromBytes = (text: string) => Buffer.from(text, 'latin1').toString('utf8');

/** As redis-cli prints a reply: on a terminal with types, else plain. */
function shown(reply: Reply, raw: boolean, indent = ''): string {
  switch (reply.kind) {
    case 'status':
      return fromBytes(reply.text);
    case 'error':
      return raw ? fromBytes(reply.text) : `(error) ${fromBytes(reply.text)}`;
    case 'number':
      return raw ? String(reply.value) : `(integer) ${reply.value}`;
    case 'text':
      if (reply.text === null) return raw ? '' : '(nil)';
      return raw ? fromBytes(reply.text) : JSON.stringify(fromBytes(reply.text));
    case 'list': {
      if (raw) return reply.items.map(item => shown(item, raw)).join('\n');
      if (reply.items.length === 0) return '(empty array)';
      const width = String(reply.items.length).length;
      return reply.items
        .map((item, index) => {
          const number = `${String(index + 1).padStart(width)}) `;
          return `${index === 0 ? '' : indent}${number}${shown(item, raw, indent + ' '.repeat(number.length))}`;
        })
        .join('\n');
    }
  }
}

/** Words as the prompt takes them: quotes hold spaces together. */
const wordsOf = (line: string) =>
  [...line.matchAll(/"((?:[^"\\]|\\.)*)"|'([^']*)'|(\S+)/g)].map(m => m[1] ?? m[2] ?? m[3] ?? '');

async function cli(args: readonly string[], ctx: any, tools: ShellTools) {
  const call = readCall(args, name => ctx.env.get(name));
  const piped = String(ctx.stdin ?? '');
  const talks = call.words.length === 0 && piped === '' && tools.io.terminal !== undefined;
  const raw = call.raw || !tools.io.tty;
  let connection: RedisConnection;
  try {
    connection = new RedisConnection(await tools.container.network.dial(call.host, Number(call.port)));
  } catch (error) {
    if (!(error instanceof DialError)) throw error;
    return {
      stdout: '',
      stderr: `Could not connect to Redis at ${call.host}:${call.port}: ${why(error)}\n`,
      exitCode: 1,
    };
  }
  tools.signal.addEventListener('abort', () => connection.close(), { once: true });
  try {
    if (call.password !== undefined) {
      tools.printError(
        "Warning: Using a password with '-a' or '-u' option on the command line interface may not be safe.\n",
      );
      const reply = await connection.ask(['AUTH', call.password]);
      if (reply?.kind === 'error') tools.printError(`AUTH failed: ${reply.text}\n`);
    }
    if (talks) return { stdout: '', stderr: '', exitCode: await talk(connection, call, tools) };
    const commands = call.words.length > 0 ? [call.words] : piped.split('\n').map(wordsOf);
    let stdout = '';
    let exitCode = 0;
    for (const words of commands.filter(w => w.length > 0)) {
      const reply = await connection.ask(words);
      if (!reply) return { stdout, stderr: 'Error: Server closed the connection\n', exitCode: 1 };
      stdout += `${shown(reply, raw)}\n${raw && reply.kind === 'error' ? '\n' : ''}`;
      if (reply.kind === 'error') exitCode = 1;
    }
    return { stdout, stderr: '', exitCode };
  } finally {
    connection.close();
  }
}

function why(error: DialError): string {
  if (error.reason === 'no such host') return 'Name or service not known';
  return {
    'connection refused': 'Connection refused',
    'i/o timeout': 'Connection timed out',
    'no route to host': 'No route to host',
  }[error.reason];
}

async function talk(connection: RedisConnection, call: Call, tools: ShellTools): Promise<number> {
  const history: string[] = [];
  while (!tools.signal.aborted) {
    const typed = await tools.io.terminal!.readLine(`${call.host}:${call.port}> `, { history });
    if (typeof typed === 'string') return 0;
    const words = wordsOf(typed.line);
    if (words.length === 0) continue;
    if (/^(exit|quit)$/i.test(words[0]!)) return 0;
    const reply = await connection.ask(words);
    if (!reply) {
      tools.print('Error: Server closed the connection\n');
      return 1;
    }
    tools.print(`${shown(reply, false)}\n`);
  }
  return 0;
}
