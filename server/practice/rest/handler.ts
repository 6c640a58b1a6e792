// The way of one request through the server: who asks, may they, what is it, answer. Knows the order of these steps and
// leaves each to its own file.

import { badRequest, methodNotAllowed } from '../../kube/index.ts';
import type { ServedResource } from '../registry/types.ts';
import { authorize, findServed, identify } from './access.ts';
import { mediaType, type WireRequest } from './body.ts';
import { SERVER_ADDRESS } from './discovery.ts';
import { health, healthPaths } from './health.ts';
import { ISSUER_PATHS, issuerAnswer } from './issuer.ts';
import { METRICS_TYPE } from './metrics.ts';
import { notAcceptable, parseAccept } from './negotiate.ts';
import { V2_PROTOBUF, V2_PROTOBUF_ASKED, v2Document, v2Protobuf } from './openapi/v2.ts';
import { requestContext } from './options.ts';
import type { ServerParts } from './parts.ts';
import { Reply, type WireResponse } from './reply.ts';
import { parseRequest, type RequestInfo } from './request-info.ts';
import { handleResource, resourcePath } from './resource-handler.ts';
import { sendLogs } from './streams/logs.ts';
import { SERVER_VERSION } from './version.ts';

const APPLY_TYPE = 'application/apply-patch+yaml';
const V2_TYPES = new Set([V2_PROTOBUF, V2_PROTOBUF_ASKED, 'application/json', 'application/*', '*/*']);
/** Subresources that only speak other protocols. */
const CONNECTING = new Set(['attach', 'exec', 'portforward']);
/** Every request for these is answered with a warning. */
const DEPRECATED: Record<string, string> = {
  '/v1/componentstatuses': 'v1 ComponentStatus is deprecated in v1.19+',
  '/v1/endpoints': 'v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice',
};
/** Why what a request began is given up: made once, since making an error is dearer than many an answer. */
const GONE = new DOMException('The client has gone, or has its answer.', 'AbortError');
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
  count(parts, request, reply, info);
  const abort = new AbortController();
  reply.response.once('close', () => abort.abort(GONE));
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

/** Adds the answer to what is counted, once it has gone. */
function count(parts: ServerParts, request: WireRequest, reply: Reply, info: RequestInfo): void {
  const { metrics, clock } = parts;
  const since = clock.now();
  const end = metrics.begin(info);
  const method = request.method ?? 'GET';
  const apply = info.verb === 'patch' && mediaType(request.headers['content-type']) === APPLY_TYPE;
  reply.response.once('close', () => {
    end();
    const seconds = (clock.now() - since) / 1000;
    metrics.answered({ info, method, apply, code: reply.response.statusCode, seconds, bytes: reply.bytes });
  });
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
  if (healthy) {
    count(parts, request, reply, info);
    return reply.text(healthy.code, healthy.text);
  }
  if (path === '/metrics') {
    const text = Buffer.from(parts.metrics.text(), 'utf8');
    return reply.body(200, METRICS_TYPE, text);
  }
  const issuer = issuerAnswer(path, parts.issuer, SERVER_ADDRESS);
  if (issuer) {
    reply.response.setHeader('Cache-Control', issuer.cacheControl);
    return reply.body(200, issuer.contentType, Buffer.from(JSON.stringify(issuer.body)));
  }
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
  const paths = new Set([
    '/api',
    '/apis',
    '/metrics',
    '/openapi/v2',
    '/openapi/v3',
    '/openapi/v3/',
    '/version',
    ...ISSUER_PATHS,
    ...healthPaths(),
  ]);
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
