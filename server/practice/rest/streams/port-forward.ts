// Port-forward: SPDY streams over a WebSocket tunnel or a plain upgrade, and the older WebSocket form with `?ports=`.

import { createHash } from 'node:crypto';
import { badRequest } from '../../../kube/index.ts';
import type { ByteStream } from '../../network/types.ts';
import { requireKubelet } from './logs.ts';
import { type SpdyStream, spdyConnection } from './spdy.ts';
import { acceptSpdy, chooseProtocol, isSpdy } from './spdy-upgrade.ts';
import type { UpgradeExchange } from './types.ts';
import { acceptWebSocket, isWebSocket, type Messages, offeredProtocols } from './websocket.ts';

const TUNNEL = 'SPDY/3.1+portforward.k8s.io';
const SPDY_PROTOCOL = 'portforward.k8s.io';
const CHANNEL_PROTOCOLS = [
  'v5.channel.k8s.io',
  'v4.channel.k8s.io',
  'v3.channel.k8s.io',
  'v2.channel.k8s.io',
  'channel.k8s.io',
];

/** Half of a stream pair is given up when its partner does not come, ms. */
const PAIR_TIMEOUT = 30_000;

type Dial = (port: number) => Promise<ByteStream>;

export async function forwardPorts(exchange: UpgradeExchange): Promise<void> {
  const { parts, request, socket, head, info, pod } = exchange;
  const { name, namespace = '' } = pod.metadata;
  const kubelet = requireKubelet(parts.kubelet, pod, `portForward/${namespace}/${name}`);
  const dial: Dial = port => kubelet.dial(namespace, name, port);
  const forget = parts.track(() => socket.destroy());
  socket.once('close', forget);

  if (isSpdy(request)) {
    const protocol = chooseProtocol(request, [SPDY_PROTOCOL]);
    const pairs = pairing(exchange, dial);
    return acceptSpdy(socket, head, protocol, pairs.add, pairs.close);
  }
  if (!isWebSocket(request)) throw badRequest('Upgrade request required');
  const offered = offeredProtocols(request);
  if (offered.includes(TUNNEL)) {
    const messages = await acceptWebSocket(request, socket, head, TUNNEL);
    const pairs = pairing(exchange, dial);
    const connection = spdyConnection(messages.send, pairs.add, messages.close);
    messages.onMessage(connection.receive);
    messages.onClose(() => {
      connection.closed();
      pairs.close();
    });
    return;
  }
  const protocol = offered.find(item => CHANNEL_PROTOCOLS.includes(item));
  if (protocol === undefined) {
    throw badRequest(`unable to upgrade: no supported WebSocket protocol in [${offered.join(' ')}]`);
  }
  const ports = readPorts(info.query);
  forwardChannels(await acceptWebSocket(request, socket, head, protocol), ports, dial, exchange);
}

/** Joins the error and data stream of each request id, then connects them. */
function pairing(exchange: UpgradeExchange, dial: Dial): { add(stream: SpdyStream): void; close(): void } {
  const halves = new Map<string, { error?: SpdyStream; data?: SpdyStream; expire: { cancel(): void } }>();
  const open = new Set<ByteStream>();
  return {
    add(stream) {
      const { streamtype, port = '', requestid } = stream.headers;
      // Old clients number nothing: the data stream follows its error stream directly.
      const id = requestid ?? String(streamtype === 'error' ? stream.id : stream.id - 2);
      if ((streamtype !== 'error' && streamtype !== 'data') || !/^\d+$/.test(port)) return stream.reset();
      const pair = halves.get(id) ?? {
        expire: exchange.parts.clock.after(PAIR_TIMEOUT, () => {
          halves.get(id)?.error?.reset();
          halves.get(id)?.data?.reset();
          halves.delete(id);
        }),
      };
      halves.set(id, pair);
      pair[streamtype] = stream;
      if (!pair.error || !pair.data) return;
      pair.expire.cancel();
      halves.delete(id);
      void joinStreams(Number(port), pair.error, pair.data, dial, exchange, open);
    },
    close() {
      for (const pair of halves.values()) pair.expire.cancel();
      for (const target of open) target.destroy();
    },
  };
}

async function joinStreams(
  port: number,
  error: SpdyStream,
  data: SpdyStream,
  dial: Dial,
  exchange: UpgradeExchange,
  open: Set<ByteStream>,
): Promise<void> {
  let target: ByteStream;
  try {
    target = await dial(port);
  } catch (reason) {
    error.write(Buffer.from(failure(port, reason, exchange)));
    error.end();
    data.end();
    return;
  }
  open.add(target);
  target.onData(chunk => data.write(chunk));
  target.onEnd(() => data.end());
  target.onClose(() => {
    open.delete(target);
    data.end();
    error.end();
  });
  data.onData(chunk => target.write(chunk));
  data.onEnd(() => target.end());
  data.onClose(() => target.destroy());
}

/** Channel 2i is data of port i, 2i+1 its errors; both begin with the port as two little-endian bytes. */
function forwardChannels(
  messages: Messages,
  ports: readonly number[],
  dial: Dial,
  exchange: UpgradeExchange,
): void {
  const targets: (ByteStream | undefined)[] = [];
  const waiting: Buffer[][] = ports.map(() => []);
  const send = (channel: number, chunk: Uint8Array) =>
    messages.send(Buffer.concat([Buffer.from([channel]), chunk]));
  messages.onMessage(message => {
    const channel = message[0] ?? 0;
    const index = channel >> 1;
    if (channel % 2 === 1 || index >= ports.length || message.length < 2) return;
    const target = targets[index];
    if (target) target.write(message.subarray(1));
    else waiting[index]?.push(message.subarray(1));
  });
  messages.onClose(() => {
    for (const target of targets) target?.destroy();
  });
  ports.forEach((port, index) => {
    const prefix = Buffer.from([port & 0xff, port >> 8]);
    send(2 * index, prefix);
    send(2 * index + 1, prefix);
    dial(port).then(
      target => {
        targets[index] = target;
        target.onData(chunk => send(2 * index, chunk));
        const done = () => {
          if (ports.length === 1) messages.close();
        };
        target.onEnd(done);
        target.onClose(done);
        for (const chunk of waiting[index]?.splice(0) ?? []) target.write(chunk);
      },
      reason => send(2 * index + 1, Buffer.from(failure(port, reason, exchange))),
    );
  });
}

function readPorts(query: URLSearchParams): number[] {
  const ports = query
    .getAll('ports')
    .flatMap(value => value.split(','))
    .filter(value => value !== '')
    .map(Number);
  if (ports.length === 0) throw badRequest('query parameter "ports" is required');
  for (const port of ports) {
    if (!Number.isInteger(port) || port < 1 || port > 65535) throw badRequest(`invalid port "${port}"`);
  }
  return ports;
}

/** What containerd and the kubelet say together when nothing listens. */
function failure(port: number, reason: unknown, { pod }: UpgradeExchange): string {
  const sandbox = createHash('sha256').update(String(pod.metadata.uid)).digest('hex');
  const uuid = String(pod.metadata.uid);
  const why =
    reason instanceof Error && /connection refused/.test(reason.message)
      ? `failed to connect to localhost:${port} inside namespace "${sandbox}", IPv4: dial tcp4 127.0.0.1:${port}: connect: connection refused IPv6 dial tcp6 [::1]:${port}: connect: connection refused `
      : reason instanceof Error
        ? reason.message
        : String(reason);
  return `error forwarding port ${port} to pod ${sandbox}, uid : failed to execute portforward in network namespace "/var/run/netns/cni-${uuid}": ${why}`;
}
