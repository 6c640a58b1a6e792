// exec and attach: connects the streams of a WebSocket (v5, v4) or SPDY (v4) client to the kubelet, and reports how it ended.

import { badRequest, internalError, type Status, StatusError, toStatus } from '../../../kube/index.ts';
import type { ExecStreams } from '../kubelet-api.ts';
import { isTrue } from '../request-info.ts';
import { containerOf, requireKubelet } from './logs.ts';
import type { SpdyStream } from './spdy.ts';
import { acceptSpdy, chooseProtocol, isSpdy } from './spdy-upgrade.ts';
import type { UpgradeExchange } from './types.ts';
import { acceptWebSocket, isWebSocket, offeredProtocols } from './websocket.ts';

/** Channel numbers of the WebSocket protocols. */
const STDIN = 0;
const STDOUT = 1;
const STDERR = 2;
const ERROR = 3;
const RESIZE = 4;
const CLOSE = 255;

const WEBSOCKET_PROTOCOLS = ['v5.channel.k8s.io', 'v4.channel.k8s.io'];
const SPDY_PROTOCOLS = ['v5.channel.k8s.io', 'v4.channel.k8s.io'];

/** A SPDY client must open its streams within this, ms. */
const STREAM_TIMEOUT = 30_000;

/**
 * From its first reading, a WebSocket client needs a moment to make its streams: until kubectl 1.33 it drops what comes for them
 * before ("Unknown stream id", mended in kubernetes/kubernetes#131203). No container runtime starts a command faster, ms.
 */
const CLIENT_READY = 30;
/** A client that answers no ping is served all the same, after this, ms. */
const NO_PONG = 2000;

interface Options {
  container: string;
  command: string[];
  stdin: boolean;
  stdout: boolean;
  stderr: boolean;
  tty: boolean;
}

/** Where the kubelet's output goes before and after the client's streams are there. */
interface Client {
  stdout(chunk: Uint8Array): void;
  stderr(chunk: Uint8Array): void;
  /** Says how it ended, then closes. */
  finish(status: Status | { metadata: object; status: string }): void;
}

export async function runRemoteCommand(exchange: UpgradeExchange, verb: 'exec' | 'attach'): Promise<void> {
  const { parts, request, socket, pod } = exchange;
  const webSocket = isWebSocket(request);
  if (!webSocket && !isSpdy(request)) throw badRequest('Upgrade request required');
  const options = readOptions(exchange, verb);
  const { name, namespace = '' } = pod.metadata;
  const kubelet = requireKubelet(parts.kubelet, pod, `${verb}/${namespace}/${name}/${options.container}`);
  const protocol = webSocket
    ? offeredProtocols(request).find(item => WEBSOCKET_PROTOCOLS.includes(item))
    : chooseProtocol(request, SPDY_PROTOCOLS);
  if (protocol === undefined) {
    throw badRequest(
      `unable to upgrade: no supported WebSocket protocol in [${offeredProtocols(request).join(' ')}]`,
    );
  }

  const abort = new AbortController();
  const forget = parts.track(() => socket.destroy());
  socket.once('close', () => {
    forget();
    abort.abort();
  });
  const session = createSession(abort.signal);
  const run =
    verb === 'exec'
      ? kubelet.exec(namespace, name, options, session.streams)
      : // Whoever attaches is told that the streams ended, not with which code.
        kubelet.attach(namespace, name, options, session.streams).then(() => 0);
  const outcome = run.then(
    code => ({ code }),
    (error: unknown) => ({ error }),
  );
  // What the kubelet refuses before anything runs is an HTTP answer, not the end of a session.
  const early = await Promise.race([outcome, afterTurns(4)]);
  if (early && 'error' in early && early.error instanceof StatusError && early.error.code < 500)
    throw early.error;

  const client = webSocket
    ? await webSocketClient(exchange, protocol, options, session)
    : await spdyClient(exchange, protocol, options, session);
  session.attach(client);
  void outcome.then(end => client.finish(finalStatus(end, webSocket)));
}

function readOptions({ info, pod }: UpgradeExchange, verb: string): Options {
  const { query } = info;
  const flag = (name: string) => isTrue(query.get(name));
  const options: Options = {
    container: containerOf(pod, query.get('container') ?? ''),
    command: query.getAll('command'),
    stdin: flag('stdin'),
    stdout: flag('stdout'),
    stderr: flag('stderr'),
    tty: flag('tty'),
  };
  if (!options.stdin && !options.stdout && !options.stderr) {
    throw badRequest('you must specify at least 1 of stdin, stdout, stderr');
  }
  if (verb === 'exec' && options.command.length === 0)
    throw badRequest('you must specify at least one command');
  return options;
}

interface Session {
  streams: ExecStreams;
  /** Output that came before is delivered first. */
  attach(client: Client): void;
  stdin(chunk: Uint8Array): void;
  stdinEnd(): void;
  resize(text: string): void;
}

/** Holds input until the kubelet listens, and output until the client is there. */
function createSession(signal: AbortSignal): Session {
  let client: Client | undefined;
  const early: ((client: Client) => void)[] = [];
  const input = queue<Uint8Array>();
  const ended = queue<void>();
  const sizes = queue<{ cols: number; rows: number }>();
  const output = (write: (client: Client) => void) => {
    if (client) write(client);
    else early.push(write);
  };
  return {
    streams: {
      signal,
      onStdin: input.listen,
      onStdinEnd: listener => ended.listen(() => listener()),
      onResize: sizes.listen,
      stdout: chunk => output(to => to.stdout(chunk)),
      stderr: chunk => output(to => to.stderr(chunk)),
    },
    attach(to) {
      client = to;
      for (const write of early.splice(0)) write(to);
    },
    stdin: input.push,
    stdinEnd: () => ended.push(),
    resize(text) {
      // Several sizes may arrive in one piece.
      for (const part of text.split(/(?<=\})\s*(?=\{)/)) {
        try {
          const { Width, Height } = JSON.parse(part) as { Width?: number; Height?: number };
          if (Width && Height) sizes.push({ cols: Width, rows: Height });
        } catch {
          // A broken size is no reason to end a session.
        }
      }
    },
  };
}

function queue<Item>(): { push(item: Item): void; listen(listener: (item: Item) => void): void } {
  const waiting: Item[] = [];
  let listener: ((item: Item) => void) | undefined;
  return {
    push(item) {
      if (listener) listener(item);
      else waiting.push(item);
    },
    listen(next) {
      listener = next;
      for (const item of waiting.splice(0)) next(item);
    },
  };
}

async function webSocketClient(
  { parts, request, socket, head }: UpgradeExchange,
  protocol: string,
  options: Options,
  session: Session,
): Promise<Client> {
  const messages = await acceptWebSocket(request, socket, head, protocol);
  messages.onMessage(message => {
    const payload = message.subarray(1);
    switch (message[0]) {
      case STDIN:
        if (options.stdin && payload.length > 0) session.stdin(payload);
        break;
      case RESIZE:
        session.resize(payload.toString('utf8'));
        break;
      case CLOSE:
        if (payload[0] === STDIN) session.stdinEnd();
        break;
      default:
    }
  });
  const send = (channel: number, chunk: Uint8Array) =>
    messages.send(Buffer.concat([Buffer.from([channel]), chunk]));
  // v4 clients learn which channels exist from one empty message each.
  if (protocol.startsWith('v4'))
    for (const channel of [STDOUT, STDERR, ERROR]) send(channel, new Uint8Array(0));
  const moment = (millis: number) => new Promise<void>(over => parts.clock.after(millis, over));
  await Promise.race([messages.reads(), moment(NO_PONG)]);
  await moment(CLIENT_READY);
  return {
    stdout: chunk => options.stdout && send(STDOUT, chunk),
    stderr: chunk => options.stderr && !options.tty && send(STDERR, chunk),
    finish(status) {
      send(ERROR, Buffer.from(JSON.stringify(status)));
      messages.close();
    },
  };
}

/** Resolves when the client has opened every stream it announced in the query. */
function spdyClient(
  { parts, socket, head }: UpgradeExchange,
  protocol: string,
  options: Options,
  session: Session,
): Promise<Client> {
  const expected = new Set<string>(['error']);
  if (options.stdin) expected.add('stdin');
  if (options.stdout) expected.add('stdout');
  if (options.stderr && !options.tty) expected.add('stderr');
  if (options.tty) expected.add('resize');
  const found = new Map<string, SpdyStream>();
  return new Promise((resolve, reject) => {
    const timer = parts.clock.after(STREAM_TIMEOUT, () => socket.destroy());
    acceptSpdy(
      socket,
      head,
      protocol,
      stream => {
        const type = stream.headers.streamtype ?? '';
        found.set(type, stream);
        if (type === 'stdin') {
          stream.onData(session.stdin);
          stream.onEnd(session.stdinEnd);
        } else if (type === 'resize') stream.onData(chunk => session.resize(chunk.toString('utf8')));
        expected.delete(type);
        if (expected.size > 0) return;
        timer.cancel();
        resolve({
          stdout: chunk => found.get('stdout')?.write(chunk),
          stderr: chunk => found.get('stderr')?.write(chunk),
          finish(status) {
            const error = found.get('error');
            error?.write(Buffer.from(JSON.stringify(status)));
            for (const each of found.values()) each.end();
            // The client closes the connection when it has read the streams; one that does not is cut.
            parts.clock.after(STREAM_TIMEOUT, () => socket.destroy());
          },
        });
      },
      () => {
        timer.cancel();
        reject(new Error('The client went away.'));
      },
    );
  });
}

function finalStatus(
  end: { code: number } | { error: unknown },
  translated: boolean,
): Status | { metadata: object; status: string } {
  if ('error' in end) {
    const status = toStatus(end.error);
    // The API server translates a kubelet's SPDY for WebSocket clients, and wraps its failure once more.
    return translated ? internalError(status.message ?? '').status : status;
  }
  if (end.code === 0) return { metadata: {}, status: 'Success' };
  return {
    metadata: {},
    status: 'Failure',
    message: `command terminated with non-zero exit code: exit status ${end.code}`,
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: String(end.code) }] },
  } as { metadata: object; status: string };
}

async function afterTurns(turns: number): Promise<undefined> {
  for (let i = 0; i < turns; i++) await new Promise(resolve => setImmediate(resolve));
  return undefined;
}
