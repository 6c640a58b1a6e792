// The plain verbs on resources: get, list, watch, create, update, patch, delete. Translates between the wire and the
// registry; what a verb means is the registry's business.

import type { Clock } from '../../clock.ts';
import { badRequest, type KubeObject, methodNotAllowed, type Status } from '../../kube/index.ts';
import type { Registry, RequestContext, ResourcePath, ServedResource } from '../registry/types.ts';
import { decodeObject, decodePatch, patchTypeOf, readBody, type WireRequest } from './body.ts';
import { negotiate } from './negotiate.ts';
import { deleteRequest, includeObject, listRequest, watchRequest } from './options.ts';
import type { Reply } from './reply.ts';
import { isTrue, type RequestInfo } from './request-info.ts';
import { formOf, listFormOf } from './table.ts';
import { watchStream } from './watch-stream.ts';

/** A watch without timeoutSeconds ends after 30 to 60 minutes, so that clients spread their reconnects. */
const MIN_WATCH_MS = 30 * 60 * 1000;

export interface ResourceExchange {
  request: WireRequest;
  reply: Reply;
  info: RequestInfo & { resource: NonNullable<RequestInfo['resource']> };
  context: RequestContext;
  served: ServedResource;
  registry: Registry;
  clock: Clock;
  /** Registers an open stream, so that closing the server ends it; gives the function that forgets it. */
  track(end: () => void): () => void;
}

/** Answers one request; every rejection is turned into a Status by the caller. */
export async function handleResource(exchange: ResourceExchange): Promise<void> {
  const { info, request, reply, context, served, registry, clock } = exchange;
  const path = resourcePath(info.resource);
  const { query } = info;
  reply.accepted = negotiate(request.headers.accept);
  const form = () => ({ now: clock.now(), includeObject: includeObject(query) });
  const object = (code: number, value: KubeObject | Status) =>
    reply.object(code, isStatus(value) ? value : formOf(value, served, reply.accepted, form()));

  switch (info.verb) {
    case 'get': {
      const resourceVersion = query.get('resourceVersion');
      return object(200, await registry.get(context, path, resourceVersion ? { resourceVersion } : {}));
    }
    case 'list': {
      const list = await registry.list(context, path, listRequest(query));
      return reply.object(200, listFormOf(list, served, reply.accepted, form()));
    }
    case 'watch':
      return watch(exchange, path);
    case 'create': {
      const result = await registry.create(context, path, await objectBody(exchange));
      return object(result.created ? 201 : 200, result.object);
    }
    case 'update': {
      const result = await registry.update(context, path, await objectBody(exchange));
      return object(result.created ? 201 : 200, result.object);
    }
    case 'patch': {
      const type = patchTypeOf(request.headers['content-type'], served.custom);
      const body = await decodePatch(await readBody(request), type);
      const force = isTrue(query.get('force'));
      const result = await registry.patch(context, path, type, body, type === 'apply' ? { force } : {});
      return object(result.created ? 201 : 200, result.object);
    }
    case 'delete':
    case 'deletecollection': {
      const bytes = await readBody(request);
      const body =
        bytes.length > 0
          ? await decodeObject(bytes, request.headers['content-type'], 'DeleteOptions')
          : undefined;
      const { dryRun, ...options } = deleteRequest(query, body?.value);
      const how = dryRun ? { ...context, dryRun } : context;
      if (info.verb === 'deletecollection') {
        const list = await registry.deleteCollection(how, path, { ...listRequest(query), ...options });
        return reply.object(200, listFormOf(list, served, reply.accepted, form()));
      }
      const result = await registry.delete(how, path, options);
      return object(result.code, result.object);
    }
    default:
      throw methodNotAllowed();
  }
}

export function resourcePath(resource: NonNullable<RequestInfo['resource']>): ResourcePath {
  const { rest: _rest, ...path } = resource;
  return path;
}

async function objectBody(exchange: ResourceExchange) {
  const { served, info, request } = exchange;
  const subresource = served.definition.subresources?.find(item => item.name === info.resource.subresource);
  const kind = subresource?.kind.kind ?? served.kind.kind;
  return decodeObject(await readBody(request), request.headers['content-type'], kind);
}

async function watch(exchange: ResourceExchange, path: ResourcePath): Promise<void> {
  const { reply, info, served, registry, context, clock } = exchange;
  const { timeoutSeconds, ...watchOptions } = watchRequest(info.query);
  if (path.subresource) throw badRequest('watch is not supported on subresources');
  // The legacy /watch/ path may name one object.
  const { name, ...collection } = path;
  if (name !== undefined && !watchOptions.fieldSelector) watchOptions.fieldSelector = `metadata.name=${name}`;
  const include = includeObject(info.query);
  let handle: { stop(): void } | undefined;
  let over = false;
  const forget = exchange.track(() => stream.end());
  const stream = watchStream(
    reply,
    {
      clock,
      served,
      accepted: reply.accepted,
      includeObject: include,
      timeout: timeoutSeconds ? timeoutSeconds * 1000 : MIN_WATCH_MS * (1 + (clock.now() % 1000) / 1000),
    },
    () => {
      over = true;
      forget();
      handle?.stop();
    },
  );
  try {
    handle = await registry.watch(context, collection, watchOptions, stream);
  } catch (error) {
    forget();
    throw error;
  }
  if (over) handle.stop();
  else stream.start();
}

function isStatus(value: KubeObject | Status): value is Status {
  return value.kind === 'Status' && value.apiVersion === 'v1' && 'code' in value;
}
