// The way of one request through the server: who asks, may they, what is it, answer. Knows the order of these steps and
// leaves each to its own file.

import type { TLSSocket } from 'node:tls';
import type { Clock } from '../../clock.ts';
import { badRequest, methodNotAllowed } from '../../kube/index.ts';
import type { Network } from '../network/types.ts';
import { forbiddenFor } from '../registry/index.ts';
import type { AccessAttributes, Registry, ServedResource, User } from '../registry/types.ts';
import { authenticate, impersonate, type TokenAuthenticator } from './authentication.ts';
import type { WireRequest } from './body.ts';
import type { Discovery } from './discovery.ts';
import { health } from './health.ts';
import type { KubeletApi } from './kubelet-api.ts';
import { notAcceptable, parseAccept } from './negotiate.ts';
import type { OpenApi } from './openapi/index.ts';
import { V2_PROTOBUF, V2_PROTOBUF_ASKED, v2Document, v2Protobuf } from './openapi/v2.ts';
import { requestContext } from './options.ts';
import { Reply, type WireResponse } from './reply.ts';
import { nameInFieldSelector, parseRequest, type RequestInfo } from './request-info.ts';
import { handleResource, resourcePath } from './resource-handler.ts';
import { sendLogs } from './streams/logs.ts';
import { SERVER_VERSION } from './version.ts';

export interface ServerParts {
  registry: Registry;
  clock: Clock;
  discovery: Discovery;
  openApi: OpenApi;
  kubelet: KubeletApi | undefined;
  /** Behind the proxy of services. */
  network: Network | undefined;
  tokens: readonly TokenAuthenticator[];
  track(end: () => void): () => void;
}

const V2_TYPES = new Set([V2_PROTOBUF, V2_PROTOBUF_ASKED, 'application/json', 'application/*', '*/*']);
/** Subresources that only speak other protocols. */
const CONNECTING = new Set(['attach', 'exec', 'portforward']);
/** Every request for these is answered with a warning. */
const DEPRECATED: Record<string, string> = {
  '/v1/componentstatuses': 'v1 ComponentStatus is deprecated in v1.19+',
  '/v1/endpoints': 'v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice',
};
/** Longer requests than any client builds; guards the parser. */
const MAX_URL_LENGTH = 64 * 1024;

export async function handle(
  parts: ServerParts,
  request: WireRequest,
  response: WireResponse,
): Promise<void> {
  const url = request.url ?? '/';
  const reply = new Reply(request, response, queryOf(url));
  // A client that leaves early is not an error of ours.
  request.on('error', () => {});
  response.on('error', () => {});
  try {
    await answer(parts, request, reply, url);
  } catch (error) {
    reply.error(error);
  }
}

async function answer(parts: ServerParts, request: WireRequest, reply: Reply, url: string): Promise<void> {
  if (url.length > MAX_URL_LENGTH) return reply.text(414, '414 URI Too Long');
  const user = await identify(parts, request);
  const info = parseRequest(request.method ?? 'GET', url);
  authorize(parts, user, info);
  if (!info.resource) return answerPath(parts, request, reply, info);

  const served = findServed(parts.registry, info.resource);
  if (!served) return reply.text(404, '404 page not found\n');
  const abort = new AbortController();
  reply.response.once('close', () => abort.abort());
  const context = requestContext(
    info.verb,
    info.query,
    request.headers['user-agent'],
    user,
    reply.warn,
    abort.signal,
  );
  const { resource } = info;
  const deprecation = DEPRECATED[`${resource.group}/${resource.version}/${resource.resource}`];
  if (deprecation) reply.warn(deprecation);
  if (resource.subresource === 'log' && info.verb === 'get') {
    return sendLogs({ parts, reply, context, path: resourcePath(resource), query: info.query });
  }
  if (resource.subresource === 'proxy') {
    // Loads Node's HTTP client, which is megabytes and milliseconds of each cluster: only when asked.
    const { proxyRequest } = await import('./streams/proxy.ts');
    return proxyRequest(parts, request, reply, { ...info, resource }, context);
  }
  if (!allowsVerb(served, info.verb, resource.subresource)) throw methodNotAllowed();
  // Across all namespaces one can only read.
  const everywhere = served.definition.namespaced && resource.namespace === undefined;
  if (everywhere && info.verb !== 'list' && info.verb !== 'watch') throw methodNotAllowed();
  if (CONNECTING.has(resource.subresource ?? '')) throw badRequest('Upgrade request required');
  await handleResource({
    request,
    reply,
    info: { ...info, resource },
    context,
    served,
    registry: parts.registry,
    clock: parts.clock,
    track: parts.track,
  });
}

/** The user who acts, impersonation included. */
export async function identify(parts: ServerParts, request: WireRequest): Promise<User> {
  const socket = ('stream' in request && request.stream?.session?.socket) || request.socket;
  const user = await authenticate(socket as TLSSocket, request.headers, parts.tokens);
  return impersonate(user, request.headers, parts.registry.authorizer);
}

/** Throws Forbidden in upstream's words. */
export function authorize(parts: ServerParts, user: User, info: RequestInfo, verb = info.verb): void {
  const { resource } = info;
  const name = resource?.name ?? (resource ? nameInFieldSelector(info.query) : undefined);
  const attributes: AccessAttributes = resource
    ? {
        user,
        verb,
        group: resource.group,
        version: resource.version,
        resource: resource.resource,
        ...(resource.subresource !== undefined ? { subresource: resource.subresource } : {}),
        ...(resource.namespace !== undefined ? { namespace: resource.namespace } : {}),
        ...(name !== undefined ? { name } : {}),
      }
    : { user, verb, path: info.path };
  const decision = parts.registry.authorizer.decide(attributes);
  if (!decision.allowed) throw forbiddenFor(attributes, decision);
}

/** The resource behind a URL, when the URL's shape fits its scope. */
export function findServed(
  registry: Registry,
  resource: NonNullable<RequestInfo['resource']>,
): ServedResource | undefined {
  const served = registry.find(resource.group, resource.version, resource.resource);
  if (!served) return undefined;
  const { definition } = served;
  const inNamespace = resource.namespace !== undefined && definition.resource !== 'namespaces';
  if (inNamespace && !definition.namespaced) return undefined;
  if (definition.namespaced && !inNamespace && resource.name !== undefined) return undefined;
  if (resource.subresource !== undefined) {
    return definition.subresources?.some(item => item.name === resource.subresource) ? served : undefined;
  }
  return served;
}

function allowsVerb(served: ServedResource, verb: string, subresource: string | undefined): boolean {
  if (subresource !== undefined) {
    const definition = served.definition.subresources?.find(item => item.name === subresource);
    return definition?.verbs.includes(verb as 'get') ?? false;
  }
  const verbs: readonly string[] | undefined = served.definition.verbs;
  return verbs === undefined || verbs.includes(verb);
}

async function answerPath(
  parts: ServerParts,
  request: WireRequest,
  reply: Reply,
  info: RequestInfo,
): Promise<void> {
  const { path } = info;
  if (request.method !== 'GET' && request.method !== 'HEAD') throw methodNotAllowed();
  if (path === '/version' || path === '/version/') {
    return reply.body(200, 'application/json', Buffer.from(JSON.stringify(SERVER_VERSION, null, 2)));
  }
  const healthy = health(path, info.query);
  if (healthy) return reply.text(healthy.code, healthy.text);
  if (path === '/openapi/v2') {
    const wanted = parseAccept(request.headers.accept).find(({ type }) => V2_TYPES.has(type));
    if (!wanted) throw notAcceptable([V2_PROTOBUF, 'application/json']);
    if (wanted.type.endsWith('+protobuf')) return reply.body(200, V2_PROTOBUF, v2Protobuf());
    return reply.object(200, v2Document());
  }
  if (path.startsWith('/openapi/v3')) return parts.openApi.answer(path, info.query, request, reply);
  if (path === '/') return reply.object(200, { paths: rootPaths(parts) });

  const accept = request.headers.accept;
  const discovered = parts.discovery.answer(path, accept);
  if (!discovered) return reply.text(404, '404 page not found\n');
  reply.response.setHeader('Vary', 'Accept');
  if (discovered.etag) {
    reply.response.setHeader('ETag', discovered.etag);
    if (request.headers['if-none-match'] === discovered.etag) {
      reply.response.writeHead(304);
      return void reply.response.end();
    }
  }
  const pretty = info.query.has('pretty')
    ? JSON.stringify(discovered.body, null, 2)
    : `${JSON.stringify(discovered.body)}\n`;
  reply.body(200, discovered.contentType, Buffer.from(pretty));
}

function rootPaths(parts: ServerParts): string[] {
  const paths = new Set(['/api', '/apis', '/healthz', '/livez', '/openapi/v3', '/readyz', '/version']);
  for (const groupVersion of parts.discovery.groupVersions()) {
    if (!groupVersion.includes('/')) paths.add(`/api/${groupVersion}`);
    else {
      paths.add(`/apis/${groupVersion.split('/')[0]}`);
      paths.add(`/apis/${groupVersion}`);
    }
  }
  return [...paths].sort();
}

function queryOf(url: string): URLSearchParams {
  const question = url.indexOf('?');
  return new URLSearchParams(question < 0 ? '' : url.slice(question + 1));
}
