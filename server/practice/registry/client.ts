// The in-process API client: a user's view of the registry, without a wire. Knows how requests are shaped, nothing of storage.

import type {
  ApiClient,
  DeleteOptions,
  GroupVersionResource,
  KubeObject,
  ObjectKey,
} from '../../kube/index.ts';
import { StatusError } from '../../kube/index.ts';
import { forbiddenFor } from './authorization/index.ts';
import type { Registry, RequestContext, ResourcePath, User } from './types.ts';

export interface ClientOptions {
  /** Shown in managedFields; default: the last part of the user's name. */
  fieldManager?: string;
  /** False for the cluster's own machinery, which RBAC is not meant to stop. Default true. */
  authorize?: boolean;
}

export function createClient(registry: Registry, user: User, options: ClientOptions = {}): ApiClient {
  const authorize = options.authorize ?? true;
  const context: RequestContext = {
    user,
    fieldManager: options.fieldManager ?? (user.name.split(':').at(-1) || 'unknown'),
    fieldManagerGiven: true,
    fieldValidation: 'Ignore',
    warn: () => {},
  };

  function pathOf(
    resource: GroupVersionResource,
    key: Partial<ObjectKey>,
    subresource?: string,
  ): ResourcePath {
    return {
      ...resource,
      ...(key.namespace ? { namespace: key.namespace } : {}),
      ...(key.name ? { name: key.name } : {}),
      ...(subresource ? { subresource } : {}),
    };
  }

  function check(verb: string, path: ResourcePath): void {
    if (!authorize) return;
    const attributes = { user, verb, ...path };
    const decision = registry.authorizer.decide(attributes);
    if (!decision.allowed) throw forbiddenFor(attributes, decision);
  }

  return {
    async get(resource, key) {
      const path = pathOf(resource, key);
      check('get', path);
      return registry.get(context, path);
    },

    async list(resource, { namespace, ...selectors } = {}) {
      const path = pathOf(resource, namespace ? { namespace } : {});
      check('list', path);
      const list = await registry.list(context, path, selectors);
      return { items: list.items, resourceVersion: list.metadata.resourceVersion };
    },

    async create(resource, object, subresource) {
      const path = subresource
        ? pathOf(resource, subresource.of, subresource.name)
        : pathOf(resource, object.metadata.namespace ? { namespace: object.metadata.namespace } : {});
      check('create', path);
      return (await registry.create(context, path, { value: object })).object;
    },

    async update(resource, object, subresource) {
      const { name, namespace } = object.metadata;
      const path = pathOf(resource, { name, ...(namespace ? { namespace } : {}) }, subresource);
      check('update', path);
      return (await registry.update(context, path, { value: object })).object;
    },

    async patch(resource, key, type, patch, { subresource, force } = {}) {
      const path = pathOf(resource, key, subresource);
      check('patch', path);
      const result = await registry.patch(
        context,
        path,
        type,
        { value: patch },
        force === undefined ? {} : { force },
      );
      return result.object;
    },

    async delete(resource, key, request: DeleteOptions = {}) {
      const path = pathOf(resource, key);
      check('delete', path);
      await registry.delete(context, path, request);
    },

    async discover(group, version) {
      return registry
        .served()
        .filter(served => served.definition.group === group && served.version === version)
        .map(({ kind, definition }) => ({ kind: kind.kind, resource: definition.resource }));
    },

    watch(resource, { namespace, ...request }, onEvent, onEnd) {
      const path = pathOf(resource, namespace ? { namespace } : {});
      let stopped = false;
      let stop: (() => void) | undefined;
      const finish = (error?: unknown) => {
        if (stopped) return;
        stopped = true;
        onEnd?.(error);
      };
      let failure: StatusError | undefined;
      const start = async () => {
        check('watch', path);
        const handle = await registry.watch(context, path, request, {
          event(event) {
            if (stopped) return;
            if (event.type === 'ERROR') failure = new StatusError(event.object);
            else if (event.type !== 'BOOKMARK')
              onEvent({ type: event.type, object: event.object as KubeObject });
          },
          end: () => finish(failure),
        });
        stop = handle.stop;
        if (stopped) stop();
      };
      start().catch(finish);
      return {
        stop() {
          stopped = true;
          stop?.();
        },
      };
    },
  };
}
