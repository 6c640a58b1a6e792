// The proxy subresources of pods and services: sends a request on to a port inside the cluster and brings the answer back.
// Knows how a target is named in the URL; connecting is the kubelet's and the network's business.

import { request as httpRequest, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import { Duplex } from 'node:stream';
import { badRequest, type KubeObject, notFound, StatusError } from '../../../kube/index.ts';
import type { ByteStream } from '../../network/types.ts';
import type { RequestContext, User } from '../../registry/types.ts';
import type { WireRequest } from '../body.ts';
import { connectContext } from '../options.ts';
import type { ServerParts } from '../parts.ts';
import type { Reply } from '../reply.ts';
import type { RequestInfo } from '../request-info.ts';
import { resourcePath } from '../resource-handler.ts';
import { containerOf, requireKubelet } from './logs.ts';

type ResourceInfo = RequestInfo & { resource: NonNullable<RequestInfo['resource']> };

/** Headers that belong to one connection, not to the request. */
const HOP_HEADERS = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'host',
  'authorization',
  'http2-settings',
]);

/** Only plain targets are reachable: nothing in the cluster's network speaks TLS. */
interface Target {
  host: string;
  connect(): Promise<ByteStream>;
}

export async function proxyRequest(
  parts: ServerParts,
  request: WireRequest,
  reply: Reply,
  info: ResourceInfo,
  context: RequestContext,
): Promise<void> {
  const target = await resolveTarget(parts, info, context);
  const stream = await connect(target);
  const headers: OutgoingHttpHeaders = { host: target.host };
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined && !name.startsWith(':') && !HOP_HEADERS.has(name)) headers[name] = value;
  }
  await new Promise<void>((resolve, reject) => {
    const outgoing = httpRequest(
      {
        method: request.method,
        path: pathOf(info),
        headers,
        createConnection: () => asSocket(stream) as never,
      },
      answer => {
        for (const [name, value] of Object.entries(answer.headers)) {
          if (value !== undefined && !HOP_HEADERS.has(name)) reply.response.setHeader(name, value);
        }
        reply.response.writeHead(answer.statusCode ?? 502);
        answer.pipe(reply.response as unknown as NodeJS.WritableStream);
        answer.once('end', resolve);
        answer.once('error', reject);
      },
    );
    outgoing.once('error', error => reject(unreachable(error)));
    reply.response.once('close', () => {
      outgoing.destroy();
      resolve();
    });
    request.pipe(outgoing);
  });
}

/** The client wants another protocol (WebSocket): from here on bytes are passed both ways. */
export async function proxyUpgrade(
  parts: ServerParts,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  info: ResourceInfo,
  user: User,
): Promise<void> {
  const context = connectContext(request, socket, info.query, user);
  const target = await resolveTarget(parts, info, context);
  const stream = await connect(target);
  const lines = [`${request.method} ${pathOf(info)} HTTP/1.1`, `Host: ${target.host}`];
  for (let i = 0; i < request.rawHeaders.length; i += 2) {
    const name = request.rawHeaders[i] ?? '';
    if (/^(host|authorization)$/i.test(name)) continue;
    lines.push(`${name}: ${request.rawHeaders[i + 1] ?? ''}`);
  }
  stream.write(Buffer.from(`${lines.join('\r\n')}\r\n\r\n`));
  if (head.length > 0) stream.write(head);
  const forget = parts.track(() => socket.destroy());
  const backend = asSocket(stream);
  backend.on('error', () => socket.destroy());
  socket.once('close', () => {
    forget();
    backend.destroy();
  });
  backend.pipe(socket).pipe(backend);
}

/** `[scheme:]name[:port]` */
function splitName(text: string): { scheme: string; name: string; port: string } {
  const parts = text.split(':');
  if (parts.length === 1) return { scheme: '', name: text, port: '' };
  if (parts.length === 2) return { scheme: '', name: parts[0] ?? '', port: parts[1] ?? '' };
  if (parts.length === 3 && /^https?$|^$/.test(parts[0] ?? '')) {
    return { scheme: parts[0] ?? '', name: parts[1] ?? '', port: parts[2] ?? '' };
  }
  throw badRequest(`invalid service request ${JSON.stringify(text)}`);
}

async function resolveTarget(
  parts: ServerParts,
  info: ResourceInfo,
  context: RequestContext,
): Promise<Target> {
  const { resource } = info;
  const { name, port } = splitName(resource.name ?? '');
  const object = await parts.registry.connect(context, { ...resourcePath(resource), name });
  if (resource.resource === 'pods') return podTarget(parts, object, port);
  if (resource.resource === 'services') return serviceTarget(parts, object, port);
  const address = (object['status']?.addresses ?? []).find(
    (a: { type: string }) => a.type === 'InternalIP',
  )?.address;
  const { network } = parts;
  if (address && network) return { host: `${address}:10250`, connect: () => network.dial(address, 10250) };
  throw unreachable(new Error(`dial tcp ${object.metadata.name}:10250: connect: connection refused`));
}

function podTarget(parts: ServerParts, pod: KubeObject, asked: string): Target {
  const { name, namespace = '' } = pod.metadata;
  const kubelet = requireKubelet(parts.kubelet, pod, `portForward/${namespace}/${name}`);
  const first = pod.spec?.containers?.find(
    (container: { name: string }) => container.name === containerOf(pod, pod.spec.containers[0].name),
  );
  const port = Number(asked) || Number(first?.ports?.[0]?.containerPort) || 80;
  return { host: `${pod.status?.podIP ?? name}:${port}`, connect: () => kubelet.dial(namespace, name, port) };
}

function serviceTarget(parts: ServerParts, service: KubeObject, asked: string): Target {
  const ports = (service.spec?.ports ?? []) as { name?: string; port: number }[];
  const port =
    asked === '' && ports.length === 1
      ? ports[0]
      : ports.find(item => item.name === asked || String(item.port) === asked);
  const { name, namespace = '' } = service.metadata;
  if (!port) {
    throw new StatusError({
      message: `no service port ${JSON.stringify(asked)} found for service ${JSON.stringify(name)}`,
      reason: 'ServiceUnavailable',
      code: 503,
    });
  }
  const { network } = parts;
  if (!network) throw notFound({ group: '', resource: 'endpoints' }, name);
  const host = `${name}.${namespace}.svc.cluster.local`;
  const address =
    service.spec?.clusterIP && service.spec.clusterIP !== 'None' ? String(service.spec.clusterIP) : host;
  return { host: `${host}:${port.port}`, connect: () => network.dial(address, port.port) };
}

async function connect(target: Target): Promise<ByteStream> {
  try {
    return await target.connect();
  } catch (error) {
    throw unreachable(error instanceof Error ? error : new Error(String(error)));
  }
}

const unreachable = (error: Error) =>
  new StatusError({
    message: `error trying to reach service: ${error.message}`,
    reason: 'ServiceUnavailable',
    code: 503,
  });

function pathOf(info: ResourceInfo): string {
  const query = info.query.toString();
  return `${info.resource.rest || '/'}${query ? `?${query}` : ''}`;
}

/** A ByteStream as Node's HTTP client wants it. */
function asSocket(stream: ByteStream): Duplex {
  const socket = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      stream.write(chunk);
      done();
    },
    final(done) {
      stream.end();
      done();
    },
    destroy(error, done) {
      stream.destroy(error ?? undefined);
      done(error);
    },
  });
  stream.onData(chunk => socket.push(chunk));
  stream.onEnd(() => socket.push(null));
  stream.onClose(error => (error ? socket.destroy(error) : socket.readableEnded || socket.push(null)));
  return socket;
}
