// The operations of one resource as OpenAPI paths, with the parameters and body types that clients look for.

import type { GroupVersionKind } from '../../../kube/index.ts';
import type { ServedResource } from '../../registry/types.ts';
import { ALL_VERBS } from '../../resources/types.ts';
import { subresourceKind } from '../discovery.ts';

export interface OperationKinds {
  /** A reference to a built-in kind, for subresources that speak another kind. */
  ref(kind: GroupVersionKind): unknown;
  optionsRef(): unknown;
  patchRef(): unknown;
  statusRef(): unknown;
  watchRef(): unknown;
}

const WRITE = ['dryRun', 'fieldManager', 'fieldValidation'];
const PATCH = [...WRITE, 'force'];
const DELETE = [
  'dryRun',
  'gracePeriodSeconds',
  'ignoreStoreReadErrorWithClusterBreakingPotential',
  'orphanDependents',
  'propagationPolicy',
];
const LIST = [
  'continue',
  'fieldSelector',
  'labelSelector',
  'limit',
  'resourceVersion',
  'resourceVersionMatch',
  'sendInitialEvents',
  'shardSelector',
  'timeoutSeconds',
];
const READ_LIST = ['allowWatchBookmarks', ...LIST, 'watch'];

const INTEGERS = new Set(['gracePeriodSeconds', 'limit', 'timeoutSeconds']);
const BOOLEANS = new Set([
  'allowWatchBookmarks',
  'force',
  'ignoreStoreReadErrorWithClusterBreakingPotential',
  'orphanDependents',
  'sendInitialEvents',
  'watch',
]);

const PROSE: Record<string, string> = {
  dryRun: 'When present, indicates that modifications should not be persisted; the only value is All.',
  fieldManager:
    'The name of the actor that makes the change; at most 128 characters. Required for apply patches.',
  fieldValidation: 'What to do with unknown and duplicate fields: Ignore, Warn or Strict.',
  force: 'Acquire fields that other managers own. Apply patches only.',
};

/** Connecting subresources take every method and answer with streams. */
const CONNECT = new Set(['attach', 'exec', 'portforward', 'proxy']);

export function resourcePaths(
  served: ServedResource,
  root: string,
  refs: { object: unknown; list: unknown },
  kinds: OperationKinds,
): Record<string, unknown> {
  const { definition, kind } = served;
  const verbs: readonly string[] = definition.verbs ?? ALL_VERBS;
  const paths: Record<string, Record<string, unknown>> = {};
  const scope = definition.namespaced ? 'namespaces/{namespace}/' : '';
  const place = [...(definition.namespaced ? [pathParameter('namespace')] : [])];
  const collection = `${root}${scope}${definition.resource}`;
  const one = `${collection}/{name}`;

  const itemAt = (path: string): Record<string, unknown> => {
    paths[path] ??= parametersOf(place, path);
    return paths[path];
  };
  const add = (path: string, method: string, verb: string, action: string, details: Details) => {
    if (!verbs.includes(verb)) return;
    itemAt(path)[method] = operation(kind, action, details);
  };
  const body = { '*/*': refs.object };
  if (definition.namespaced) {
    // Across namespaces there is nothing but reading, so its parameters stand beside the operation.
    const everywhere = `${root}${definition.resource}`;
    add(everywhere, 'get', 'list', 'list', { query: [], answer: refs.list });
    if (verbs.includes('list')) itemAt(everywhere).parameters = READ_LIST.map(queryParameter);
  }
  add(collection, 'get', 'list', 'list', { query: READ_LIST, answer: refs.list });
  add(collection, 'post', 'create', 'post', { query: WRITE, body, answer: refs.object });
  add(collection, 'delete', 'deletecollection', 'deletecollection', {
    query: [...DELETE, ...LIST],
    body: { '*/*': kinds.optionsRef() },
    answer: kinds.statusRef(),
  });
  add(one, 'get', 'get', 'get', { query: [], answer: refs.object });
  add(one, 'put', 'update', 'put', { query: WRITE, body, answer: refs.object });
  add(one, 'delete', 'delete', 'delete', {
    query: DELETE,
    body: { '*/*': kinds.optionsRef() },
    answer: kinds.statusRef(),
  });
  add(one, 'patch', 'patch', 'patch', {
    query: PATCH,
    body: patchBodies(served, kinds),
    answer: refs.object,
  });
  if (verbs.includes('watch')) kinds.watchRef();

  for (const subresource of definition.subresources ?? []) {
    const path = `${one}/${subresource.name}`;
    const spoken = subresourceKind(served, subresource);
    const own = spoken === kind ? refs.object : (kinds.ref(spoken) ?? refs.object);
    const item = itemAt(path);
    for (const verb of subresource.verbs) {
      const method = METHODS[verb];
      if (!method) continue;
      const action = CONNECT.has(subresource.name) ? 'connect' : method;
      item[method] = operation(
        spoken,
        action,
        action === 'connect'
          ? { query: [], answer: { type: 'string' } }
          : {
              query: verb === 'patch' ? PATCH : verb === 'get' ? [] : WRITE,
              ...(verb === 'patch'
                ? { body: patchBodies(served, kinds) }
                : verb === 'get'
                  ? {}
                  : { body: { '*/*': own } }),
              answer: subresource.name === 'log' ? { type: 'string' } : own,
            },
      );
    }
  }
  return paths;
}

const METHODS: Record<string, string> = {
  get: 'get',
  update: 'put',
  patch: 'patch',
  create: 'post',
  delete: 'delete',
};

interface Details {
  query: readonly string[];
  body?: Record<string, unknown>;
  answer: unknown;
}

function operation(kind: GroupVersionKind, action: string, { query, body, answer }: Details): unknown {
  return {
    ...(query.length > 0 ? { parameters: query.map(queryParameter) } : {}),
    ...(body
      ? {
          requestBody: {
            content: Object.fromEntries(Object.entries(body).map(([type, schema]) => [type, { schema }])),
            required: true,
          },
        }
      : {}),
    responses: {
      '200': { description: 'OK', content: { 'application/json': { schema: answer ?? { type: 'object' } } } },
      '401': { description: 'Unauthorized' },
    },
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': { group: kind.group, version: kind.version, kind: kind.kind },
  };
}

function patchBodies(served: ServedResource, kinds: OperationKinds): Record<string, unknown> {
  const types = [
    'application/apply-patch+yaml',
    'application/json-patch+json',
    'application/merge-patch+json',
  ];
  if (!served.custom) types.push('application/strategic-merge-patch+json');
  return Object.fromEntries(types.map(type => [type, kinds.patchRef()]));
}

function parametersOf(place: unknown[], path: string): Record<string, unknown> {
  const own = path.includes('{namespace}') ? [...place] : [];
  if (path.includes('{name}')) own.unshift(pathParameter('name'));
  return own.length > 0 ? { parameters: own } : {};
}

const pathParameter = (name: string) => ({
  name,
  in: 'path',
  required: true,
  schema: { type: 'string', uniqueItems: true },
});

function queryParameter(name: string): unknown {
  const type = INTEGERS.has(name) ? 'integer' : BOOLEANS.has(name) ? 'boolean' : 'string';
  return {
    name,
    in: 'query',
    ...(PROSE[name] ? { description: PROSE[name] } : {}),
    schema: { type, uniqueItems: true },
  };
}
