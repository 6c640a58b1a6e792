// The registry: sends each request to the pipeline that serves it. Knows which subresource or question goes where, and
// nothing of what the pipelines do.

import type { KubeObject, PatchType, Status } from '../../kube/index.ts';
import { apiVersionOf, badRequest, methodNotAllowed, notFound } from '../../kube/index.ts';
import { mutate, validate } from './admit.ts';
import { getComponentStatus, isComponentStatus, listComponentStatuses } from './component-statuses.ts';
import { createObject } from './create.ts';
import { decodeBody, matchPath } from './decode.ts';
import { deleteAll, deleteObject } from './delete.ts';
import {
  type Environment,
  noSuchResource,
  readOrThrow,
  servedAt,
  storeKey,
  subjectOf,
} from './environment.ts';
import { patchObject } from './patch.ts';
import { getObject, listObjects } from './read.ts';
import { answerReview, isReview } from './reviews.ts';
import { bind } from './subresources/binding.ts';
import { evict } from './subresources/eviction.ts';
import { PART_RULES, PART_SUBRESOURCES } from './subresources/parts.ts';
import { getScale, writeScale } from './subresources/scale.ts';
import { requestToken } from './subresources/token.ts';
import type { TokenKeys } from './tokens.ts';
import type {
  Registry,
  RequestBody,
  RequestContext,
  ResourcePath,
  ServedResource,
  WriteResult,
} from './types.ts';
import { type UpdateOptions, updateObject } from './update.ts';
import { copyOf, isObject } from './values.ts';
import { watchObjects } from './watch.ts';

export function registryOver(environment: Environment, keys: TokenKeys): Registry {
  const { served: all } = environment;

  return {
    served: () => all.all(),
    find: (group, version, resource) => all.find(group, version, resource),
    findKind: (group, version, kind) => all.findKind(group, version, kind),
    onServedChange: listener => all.onChange(listener),
    authorizer: environment.authorizer,
    get resourceVersion() {
      return String(environment.store.revision);
    },

    async get(_context, path, options) {
      const served = servedAt(environment, path);
      need(served, path.subresource ? undefined : 'get');
      if (isComponentStatus(path)) return getComponentStatus(environment.components(), path.name as string);
      if (path.subresource === 'scale') return getScale(environment, served, path);
      if (path.subresource) needSubresource(served, path.subresource, 'get');
      return getObject(environment, path, options?.resourceVersion);
    },

    async list(_context, path, request) {
      const served = servedAt(environment, path);
      need(served, 'list');
      if (isComponentStatus(path)) return listComponentStatuses(environment.components());
      return listObjects(environment, served, path, request);
    },

    async watch(_context, path, request, sink) {
      const served = servedAt(environment, path);
      need(served, 'watch');
      return watchObjects(environment, served, path, request, sink);
    },

    async create(context, path, body) {
      const served = servedAt(environment, path);
      if (path.subresource) return createSubresource(environment, keys, context, served, path, body);
      need(served, 'create');
      if (isReview(served)) {
        const review = decodeBody(served, body, context);
        if (served.definition.namespaced) matchPath(served, review, path);
        return { object: answerReview(environment, keys, context, served, review), created: true };
      }
      if (served.definition.group === '' && served.definition.resource === 'bindings') {
        const pods = podsOf(environment);
        const binding = decodeBody(served, body, context);
        return { object: asObject(bind(environment, context, pods, path, binding)), created: true };
      }
      const object = decodeBody(served, body, context);
      matchPath(served, object, path);
      return createObject(environment, context, served, object);
    },

    async update(context, path, body) {
      const served = servedAt(environment, path);
      if (path.subresource === 'scale') return writeScale(environment, context, served, path, body, 'put');
      if (path.subresource) needSubresource(served, path.subresource, 'update');
      else need(served, 'update');
      const object = decodeBody(served, body, context);
      matchPath(served, object, path);
      const target = {
        namespace: path.namespace,
        name: path.name as string,
        subresource: path.subresource,
      };
      const { definition } = served;
      const key = storeKey(environment, definition, target.namespace, target.name);
      if (!environment.store.get(key)) {
        if (!definition.allowCreateOnUpdate || path.subresource)
          throw notFound(subjectOf(definition), target.name);
        return createObject(environment, context, served, object);
      }
      return updateObject(environment, context, served, target, () => copyOf(object), {
        ...partOf(served, path),
        replaces: true,
      });
    },

    async patch(context, path, type: PatchType, body, options = {}) {
      const served = servedAt(environment, path);
      if (path.subresource === 'scale') return writeScale(environment, context, served, path, body, type);
      if (path.subresource) needSubresource(served, path.subresource, 'patch');
      else need(served, 'patch');
      return patchObject(environment, context, served, path, type, body, options, partOf(served, path));
    },

    async delete(context, path, request) {
      const served = servedAt(environment, path);
      if (path.subresource) throw methodNotAllowed();
      need(served, 'delete');
      return deleteObject(
        environment,
        context,
        served,
        { namespace: path.namespace, name: path.name as string },
        request,
      );
    },

    async deleteCollection(context, path, request) {
      const served = servedAt(environment, path);
      need(served, 'deletecollection');
      return deleteAll(environment, context, served, path, request);
    },

    async connect(context, path) {
      const served = servedAt(environment, path);
      const object = readOrThrow(environment, served.definition, path.namespace, path.name as string);
      const request = {
        operation: 'CONNECT' as const,
        definition: served.definition,
        version: served.version,
        name: path.name as string,
        user: context.user,
        dryRun: false,
        old: object,
        ...(path.subresource ? { subresource: path.subresource } : {}),
        ...(path.namespace ? { namespace: path.namespace } : {}),
      };
      const changing = mutate(environment, context, request);
      if (changing) await changing;
      const judging = validate(environment, context, request);
      if (judging) await judging;
      return environment.served.toServed(served, object);
    },
  };
}

function need(served: ServedResource, verb: string | undefined): void {
  const { verbs } = served.definition;
  if (verb && verbs && !(verbs as readonly string[]).includes(verb)) throw methodNotAllowed();
}

function needSubresource(served: ServedResource, name: string, verb: string): void {
  const found = served.definition.subresources?.find(subresource => subresource.name === name);
  if (!found) throw noSuchResource();
  if (!(found.verbs as readonly string[]).includes(verb)) throw methodNotAllowed();
}

function partOf(served: ServedResource, path: ResourcePath): UpdateOptions {
  if (!path.subresource) return {};
  const { group, resource } = served.definition;
  const part = `${group}/${resource}/${path.subresource}`;
  const combine = PART_SUBRESOURCES[part];
  const check = PART_RULES[part];
  return { ...(combine ? { combine } : {}), ...(check ? { check } : {}) };
}

function podsOf(environment: Environment): ServedResource {
  const pods = environment.served.find('', 'v1', 'pods');
  if (!pods) throw noSuchResource();
  return pods;
}

/** The wire sends a Status like any object. */
const asObject = (status: Status): KubeObject => status as unknown as KubeObject;

async function createSubresource(
  environment: Environment,
  keys: TokenKeys,
  context: RequestContext,
  served: ServedResource,
  path: ResourcePath,
  body: RequestBody,
): Promise<WriteResult> {
  const { group, resource } = served.definition;
  needSubresource(served, path.subresource as string, 'create');
  const value = isObject(body.value) ? body.value : {};
  switch (`${group}/${resource}/${path.subresource}`) {
    case '/pods/eviction':
      return { object: asObject(await evict(environment, context, served, path, value)), created: true };
    case '/pods/binding':
      return { object: asObject(bind(environment, context, served, path, value)), created: true };
    case '/serviceaccounts/token':
      checkBodyKind(value, { group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest' });
      return {
        object: requestToken(environment, keys, served, path, value as unknown as KubeObject),
        created: true,
      };
    default:
      throw methodNotAllowed();
  }
}

function checkBodyKind(
  value: Record<string, unknown>,
  kind: { group: string; version: string; kind: string },
): void {
  if (value.kind === undefined || value.kind === kind.kind) return;
  throw badRequest(
    `${String(value.kind)} in version "${kind.version}" cannot be handled as a ${kind.kind}: expected ${apiVersionOf(kind)}`,
  );
}
