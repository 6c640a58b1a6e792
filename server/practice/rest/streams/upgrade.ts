// Connections that leave HTTP: exec, attach and port-forward over WebSocket or SPDY. Authenticates, authorizes and admits
// like any request, then picks the protocol.

import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { badRequest, toStatus } from '../../../kube/index.ts';
import { noSuchResource } from '../../registry/index.ts';
import { authorize, findServed, identify } from '../access.ts';
import { connectContext } from '../options.ts';
import type { ServerParts } from '../parts.ts';
import { parseRequest } from '../request-info.ts';
import { resourcePath } from '../resource-handler.ts';
import { forwardPorts } from './port-forward.ts';
import { proxyUpgrade } from './proxy.ts';
import { runRemoteCommand } from './remote-command.ts';
import type { UpgradeExchange } from './types.ts';

export async function handleUpgrade(
  parts: ServerParts,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): Promise<void> {
  try {
    await upgrade(parts, request, socket, head);
  } catch (error) {
    refuse(socket, error);
  }
}

async function upgrade(
  parts: ServerParts,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): Promise<void> {
  const user = await identify(parts, request);
  const info = parseRequest(request.method ?? 'GET', request.url ?? '/');
  const verb = info.resource && request.method === 'GET' ? 'get' : info.verb;
  authorize(parts, user, info, verb);
  const { resource } = info;
  const served = resource && findServed(parts.registry, resource);
  if (!resource || !served) {
    throw noSuchResource();
  }
  const { subresource = '' } = resource;
  if (subresource === 'proxy') return proxyUpgrade(parts, request, socket, head, { ...info, resource }, user);
  if (!['exec', 'attach', 'portforward'].includes(subresource)) {
    throw badRequest('the connection cannot be upgraded for this resource');
  }
  // Since 1.35 a WebSocket's GET is as good as a POST and needs the same permission.
  if (request.method === 'GET') authorize(parts, user, { ...info, resource }, 'create');
  const context = connectContext(request, socket, info.query, user);
  const pod = await parts.registry.connect(context, resourcePath(resource));
  const exchange: UpgradeExchange = { parts, request, socket, head, info: { ...info, resource }, pod, user };
  if (!pod.spec?.nodeName) throw badRequest(`pod ${pod.metadata.name} does not have a host assigned`);
  if (subresource === 'portforward') return forwardPorts(exchange);
  return runRemoteCommand(exchange, subresource as 'exec' | 'attach');
}

/** An answer on a connection that is not upgraded. */
export function refuse(socket: Duplex, error: unknown): void {
  if (socket.destroyed) return;
  const status = toStatus(error);
  const body = `${JSON.stringify(status)}\n`;
  socket.end(
    [
      `HTTP/1.1 ${status.code} ${REASONS[status.code] ?? 'Error'}`,
      'Content-Type: application/json',
      'Cache-Control: no-cache, private',
      `Content-Length: ${Buffer.byteLength(body)}`,
      'Connection: close',
      '',
      body,
    ].join('\r\n'),
  );
}

const REASONS: Record<number, string> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  409: 'Conflict',
  422: 'Unprocessable Entity',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
};
