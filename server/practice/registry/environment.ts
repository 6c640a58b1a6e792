// What every pipeline of the registry shares: the store, what is served, admission, time. Knows no single request.

import type { Clock } from '../../clock.ts';
import type { ApiClient, KubeObject } from '../../kube/index.ts';
import { notFound, StatusError } from '../../kube/index.ts';
import type { Random } from '../../random.ts';
import { NAME_ALPHABET } from '../../random.ts';
import type { AdmissionContext, AdmissionPlugin } from '../admission/types.ts';
import type { HookContext, ResourceDefinition } from '../resources/types.ts';
import type { Store } from '../store/index.ts';
import type { ComponentHealth } from './component-statuses.ts';
import { keyOf, type ServedSet } from './served.ts';
import type { Authorizer, RequestContext, ResourcePath, ServedResource } from './types.ts';

/** Fewer subjects need this than the rest: handlers look it up by subresource name or by resource. */
export interface Environment {
  store: Store;
  clock: Clock;
  random: Random;
  served: ServedSet;
  admission: readonly AdmissionPlugin[];
  authorizer: Authorizer;
  /** How the rest of the control plane feels. */
  components(): readonly ComponentHealth[];
  /** Acts as system:apiserver. */
  client: ApiClient;
}

export type ResourceName = { group: string; resource: string };

/** The definition behind a URL, or the 404 that upstream gives for an unknown one. */
export function servedAt(environment: Environment, path: ResourcePath): ServedResource {
  const served = environment.served.find(path.group, path.version, path.resource);
  if (!served) throw noSuchResource();
  return served;
}

export function noSuchResource(): StatusError {
  return new StatusError({
    message: 'the server could not find the requested resource',
    reason: 'NotFound',
    details: {},
    code: 404,
  });
}

/** An error that upstream never gave a reason: code 500, the bare text. */
export function plainError(message: string): StatusError {
  return new StatusError({ message, code: 500 });
}

export function subjectOf(definition: ResourceDefinition): ResourceName {
  return { group: definition.group, resource: definition.resource };
}

export function storeKey(
  environment: Environment,
  definition: ResourceDefinition,
  namespace: string | undefined,
  name: string,
): string {
  return keyOf(environment.served.storageOf(definition), definition.namespaced ? namespace : undefined, name);
}

/** The stored object, or upstream's 404. */
export function readOrThrow(
  environment: Environment,
  definition: ResourceDefinition,
  namespace: string | undefined,
  name: string,
): KubeObject {
  const object = environment.store.get(storeKey(environment, definition, namespace, name));
  if (!object) throw notFound(subjectOf(definition), name);
  return object;
}

/** Any object by resource, undefined when the object or the whole resource is absent. */
export function readAny(
  environment: Environment,
  resource: ResourceName,
  namespace: string | undefined,
  name: string,
): KubeObject | undefined {
  const served = environment.served.findResource(resource);
  if (!served) return undefined;
  return environment.store.get(storeKey(environment, served.definition, namespace, name));
}

export function listAny(environment: Environment, resource: ResourceName, namespace?: string): KubeObject[] {
  const served = environment.served.findResource(resource);
  if (!served) return [];
  const { prefix } = environment.served.storageOf(served.definition);
  return environment.store.list(namespace ? `${prefix}${namespace}/` : prefix).items;
}

export function randomText(environment: Environment, length: number): string {
  return environment.random.text(length, NAME_ALPHABET);
}

export function hookContext(environment: Environment, context: RequestContext): HookContext {
  return {
    now: environment.clock.now(),
    user: context.user,
    randomText: length => randomText(environment, length),
    randomUuid: () => environment.random.uuid(),
    read: (resource, namespace, name) => readAny(environment, resource, namespace, name),
    listAll: resource => listAny(environment, resource),
    warn: text => context.warn(text),
  };
}

export function admissionContext(environment: Environment, context: RequestContext): AdmissionContext {
  return {
    now: () => environment.clock.now(),
    randomText: length => randomText(environment, length),
    read: (resource, namespace, name) => readAny(environment, resource, namespace, name),
    listAll: (resource, namespace) => listAny(environment, resource, namespace),
    resourceOf: ({ group, kind }) =>
      environment.served.all().find(served => served.kind.group === group && served.kind.kind === kind)
        ?.definition,
    authorize: (user, { path, ...question }) =>
      environment.authorizer.decide(
        path === undefined
          ? { user, ...question, group: question.group ?? '', resource: question.resource ?? '' }
          : { user, verb: question.verb, path },
      ),
    client: environment.client,
    warn: text => context.warn(text),
  };
}
