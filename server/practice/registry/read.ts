// Reading: one object, or a page of many, now or in the past. Knows neither tables nor transports.

import type { KubeObject } from '../../kube/index.ts';
import { apiVersionOf, badRequest, expired, invalid, notFound, StatusError } from '../../kube/index.ts';
import { StoreError } from '../store/index.ts';
import { type Environment, servedAt, storeKey, subjectOf } from './environment.ts';
import { selectionOf } from './selection.ts';
import type { ListRequest, ListResult, ResourcePath, ServedResource } from './types.ts';

export async function getObject(
  environment: Environment,
  path: ResourcePath,
  resourceVersion?: string,
): Promise<KubeObject> {
  const served = servedAt(environment, path);
  if (resourceVersion) parseVersion(environment, resourceVersion);
  const name = path.name as string;
  const stored = environment.store.get(storeKey(environment, served.definition, path.namespace, name));
  if (!stored) throw notFound(subjectOf(served.definition), name);
  await environment.served.ready(served, [stored]);
  return environment.served.toServed(served, stored);
}

interface Continuation {
  v: 'meta.k8s.io/v1';
  rv: number;
  start: string;
}

export async function listObjects(
  environment: Environment,
  served: ServedResource,
  path: Pick<ResourcePath, 'namespace'>,
  request: ListRequest,
): Promise<ListResult> {
  const { definition } = served;
  const selection = selectionOf(definition, request);
  const storage = environment.served.storageOf(definition);
  const prefix =
    path.namespace && definition.namespaced ? `${storage.prefix}${path.namespace}/` : storage.prefix;
  const start = startOf(environment, request, storage.prefix);
  const limit = request.limit && request.limit > 0 ? request.limit : undefined;

  const items: KubeObject[] = [];
  let afterKey = start.afterKey;
  let remaining = 0;
  let nextKey: string | undefined;
  let revision = start.atRevision ?? environment.store.revision;
  for (;;) {
    const page = readPage(environment, prefix, {
      ...(afterKey === undefined ? {} : { afterKey }),
      ...(limit === undefined ? {} : { limit: limit - items.length }),
      ...(start.atRevision === undefined ? {} : { atRevision: start.atRevision }),
    });
    revision = page.revision;
    remaining = page.remaining;
    nextKey = page.nextKey;
    const converting = environment.served.ready(served, page.items);
    if (converting) await converting;
    for (const stored of page.items) {
      if (selection && !selection(environment.served.toServed(served, stored))) continue;
      items.push(environment.served.toServed(served, stored));
    }
    if (nextKey === undefined || limit === undefined || items.length >= limit) break;
    afterKey = nextKey;
  }
  const token: Continuation | undefined =
    nextKey === undefined
      ? undefined
      : { v: 'meta.k8s.io/v1', rv: revision, start: nextKey.slice(storage.prefix.length) };
  return {
    apiVersion: apiVersionOf(served.kind),
    kind: served.listKind,
    metadata: {
      resourceVersion: String(revision),
      ...(token ? { continue: Buffer.from(JSON.stringify(token)).toString('base64url') } : {}),
      ...(token && !selection ? { remainingItemCount: remaining } : {}),
    },
    items,
  };
}

function readPage(
  environment: Environment,
  prefix: string,
  options: { afterKey?: string; limit?: number; atRevision?: number },
) {
  try {
    return environment.store.list(prefix, options);
  } catch (error) {
    if (error instanceof StoreError && error.code === 'expired') {
      throw expired(
        options.afterKey === undefined
          ? `The resourceVersion for the provided list is too old.`
          : 'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter.',
      );
    }
    if (error instanceof StoreError && error.code === 'too-large-version') {
      throw tooLargeVersion(options.atRevision ?? 0, environment.store.revision);
    }
    throw error;
  }
}

function startOf(
  environment: Environment,
  request: ListRequest,
  prefix: string,
): { atRevision?: number; afterKey?: string } {
  const { resourceVersion, resourceVersionMatch } = request;
  checkMatch(request);
  if (request.continue) {
    if (resourceVersion && resourceVersion !== '0') {
      throw badRequest('specifying resource version is not allowed when using continue');
    }
    const token = decodeToken(request.continue);
    return { atRevision: token.rv, afterKey: prefix + token.start };
  }
  if (!resourceVersion || resourceVersion === '0') return {};
  const version = parseVersion(environment, resourceVersion);
  if (resourceVersionMatch === 'Exact') return { atRevision: version };
  // A limited list without a match reads exactly that version, as upstream's storage does.
  if (!resourceVersionMatch && request.limit) return { atRevision: version };
  return {};
}

function checkMatch(
  request: Pick<ListRequest, 'resourceVersion' | 'resourceVersionMatch' | 'continue'>,
): void {
  const { resourceVersion, resourceVersionMatch: match } = request;
  if (!match) return;
  const refuse = (message: string, type: 'Forbidden' | 'NotSupported' = 'Forbidden') =>
    invalid({ group: 'meta.k8s.io', kind: 'ListOptions' }, '', [
      {
        field: 'resourceVersionMatch',
        type,
        message: type === 'Forbidden' ? `Forbidden: ${message}` : message,
      },
    ]);
  if (request.continue) throw refuse('resourceVersionMatch is forbidden when continue is provided');
  if (!resourceVersion) throw refuse('resourceVersionMatch is forbidden unless resourceVersion is provided');
  if (match !== 'Exact' && match !== 'NotOlderThan') {
    throw refuse(
      `Unsupported value: "${match}": supported values: "Exact", "NotOlderThan", ""`,
      'NotSupported',
    );
  }
  if (match === 'Exact' && resourceVersion === '0') {
    throw refuse('resourceVersionMatch "exact" is forbidden for resourceVersion "0"');
  }
}

function decodeToken(text: string): Continuation {
  try {
    const token = JSON.parse(Buffer.from(text, 'base64url').toString()) as Continuation;
    if (token.v === 'meta.k8s.io/v1' && Number.isSafeInteger(token.rv) && typeof token.start === 'string')
      return token;
  } catch {
    // Falls through to the refusal.
  }
  throw badRequest('continue key is not valid: unable to decode the token');
}

/** A version a client sent: a whole number, not from the future. */
export function parseVersion(environment: Environment, text: string): number {
  if (!/^\d{1,20}$/.test(text)) {
    throw badRequest(`Invalid value: "${text}": strconv.ParseUint: parsing "${text}": invalid syntax`);
  }
  const version = Number(text);
  if (version > environment.store.revision) throw tooLargeVersion(version, environment.store.revision);
  return version;
}

function tooLargeVersion(asked: number, current: number): StatusError {
  return new StatusError({
    message: `Timeout: Too large resource version: ${asked}, current: ${current}`,
    reason: 'Timeout',
    details: {
      causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
      retryAfterSeconds: 1,
    },
    code: 504,
  });
}
