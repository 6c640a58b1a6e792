// What a URL and a method ask for, as kube-apiserver's request-info resolver reads them. Knows no resource by heart:
// it splits paths, it does not say whether they exist.

import { badRequest } from '../../kube/index.ts';

export interface RequestInfo {
  path: string;
  query: URLSearchParams;
  /** create, get, list, watch, update, patch, delete, deletecollection; for other paths the method in lower case. */
  verb: string;
  /** Absent for paths that name no resource (/healthz, /api, /openapi/v3 ...). */
  resource?: {
    group: string;
    version: string;
    /** Plural, as in the URL. */
    resource: string;
    namespace?: string;
    name?: string;
    subresource?: string;
    /** What follows a `proxy` subresource, with its leading slash. */
    rest?: string;
  };
}

const VERBS: Record<string, string> = { POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: 'delete' };

/** Subresources of namespaces; every other word after a namespace's name is a resource in it. */
const NAMESPACE_SUBRESOURCES = new Set(['status', 'finalize']);

export function parseRequest(method: string, url: string): RequestInfo {
  const question = url.indexOf('?');
  const path = question < 0 ? url : url.slice(0, question);
  const query = new URLSearchParams(question < 0 ? '' : url.slice(question + 1));
  const other: RequestInfo = { path, query, verb: method.toLowerCase() };

  const parts = path.split('/').filter(part => part !== '');
  let group = '';
  let rest: string[];
  if (parts[0] === 'api' && parts.length >= 3) rest = parts.slice(1);
  else if (parts[0] === 'apis' && parts.length >= 4) {
    group = decode(parts[1] ?? '');
    rest = parts.slice(2);
  } else return other;

  const version = decode(rest[0] ?? '');
  rest = rest.slice(1);
  // The deprecated form /api/v1/watch/... is a watch of what follows.
  const legacyWatch = rest[0] === 'watch' && rest.length > 1;
  if (legacyWatch) rest = rest.slice(1);

  let namespace: string | undefined;
  if (rest[0] === 'namespaces' && rest.length > 1) {
    if (rest.length > 2 && !NAMESPACE_SUBRESOURCES.has(rest[2] ?? '')) {
      namespace = decode(rest[1] ?? '');
      rest = rest.slice(2);
    } else if (group === '') {
      namespace = decode(rest[1] ?? '');
    }
  }
  const resource = decode(rest[0] ?? '');
  const name = rest[1] === undefined ? undefined : decode(rest[1]);
  const subresource = rest[2] === undefined ? undefined : decode(rest[2]);
  const tail = subresource === 'proxy' ? tailOf(path, rest) : undefined;
  // Only a proxy has a path of its own behind it.
  if (rest.length > 3 && subresource !== 'proxy') return other;

  let verb = VERBS[method] ?? (method === 'GET' || method === 'HEAD' ? 'get' : '');
  if (verb === 'get' && legacyWatch) verb = 'watch';
  else if (verb === 'get' && name === undefined) verb = isTrue(query.get('watch')) ? 'watch' : 'list';
  else if (verb === 'delete' && name === undefined) verb = 'deletecollection';
  return {
    path,
    query,
    verb,
    resource: {
      group,
      version,
      resource,
      ...(namespace !== undefined ? { namespace } : {}),
      ...(name !== undefined ? { name } : {}),
      ...(subresource !== undefined ? { subresource } : {}),
      ...(tail !== undefined ? { rest: tail } : {}),
    },
  };
}

/** Go's reading of a boolean query parameter: present and not one of the false words. */
export function isTrue(value: string | null): boolean {
  return value !== null && value !== '' && value !== '0' && value.toLowerCase() !== 'false';
}

/** The name that a list or watch is narrowed to by `fieldSelector=metadata.name=x`, which authorization counts as a name. */
export function nameInFieldSelector(query: URLSearchParams): string | undefined {
  const match = /(?:^|,)metadata\.name==?([^,!=]+)(?:,|$)/.exec(query.get('fieldSelector') ?? '');
  return match?.[1];
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw badRequest(`invalid URL escape "${part.slice(0, 20)}"`);
  }
}

/** Everything after `/proxy`, kept as it was written: encoding and doubled slashes belong to the server behind. */
function tailOf(path: string, rest: string[]): string {
  const head = `/${rest.slice(0, 3).join('/')}`;
  const at = path.indexOf(head);
  return at < 0 ? '' : path.slice(at + head.length);
}
