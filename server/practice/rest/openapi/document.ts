// One OpenAPI v3 document: the operations of a group-version and the schemas they need. Knows the registry's list of
// resources and the schemas; nothing of HTTP.

import type { GroupVersionKind, Schema } from '../../../kube/index.ts';
import { apiVersionOf } from '../../../kube/index.ts';
import type { ServedResource } from '../../registry/types.ts';
import { definition, definitionName } from '../../schema/index.ts';
import { SERVER_VERSION } from '../version.ts';
import { Components } from './components.ts';
import { type OperationKinds, resourcePaths } from './paths.ts';

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1';

/** `resources` are those of one group-version. */
export function buildDocument(resources: readonly ServedResource[]): unknown {
  const components = new Components();
  const paths: Record<string, unknown> = {};
  const group = resources[0]?.definition.group ?? '';
  const version = resources[0]?.version ?? 'v1';
  const root = `${group === '' ? '/api' : '/apis'}/${apiVersionOf({ group, version })}/`;
  paths[root] = {
    get: {
      description: 'get available resources',
      operationId: `get${camel(group)}${camel(version)}APIResources`,
      responses: ok(components.meta(`${META}.APIResourceList`)),
    },
  };
  const subresourceKinds: OperationKinds = {
    ref: kind => {
      const name = definitionName(kind);
      return name === undefined ? undefined : components.builtIn(name, kind);
    },
    optionsRef: () => components.meta(`${META}.DeleteOptions`, { group, version, kind: 'DeleteOptions' }),
    patchRef: () => components.meta(`${META}.Patch`),
    statusRef: () => components.meta(`${META}.Status`, { group: '', version: 'v1', kind: 'Status' }),
    watchRef: () => components.meta(`${META}.WatchEvent`, { group, version, kind: 'WatchEvent' }),
  };
  for (const served of resources) {
    const object = served.custom ? customKind(components, served) : builtInKind(components, served);
    Object.assign(paths, resourcePaths(served, root, object, subresourceKinds));
  }
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: SERVER_VERSION.gitVersion },
    paths,
    components: {
      schemas: components.schemas(),
      securitySchemes: {
        BearerToken: {
          type: 'apiKey',
          description: 'Bearer Token authentication',
          name: 'authorization',
          in: 'header',
        },
      },
    },
  };
}

const ok = (ref: unknown) => ({
  '200': { description: 'OK', content: { 'application/json': { schema: ref } } },
  '401': { description: 'Unauthorized' },
});

interface ObjectRefs {
  object: unknown;
  list: unknown;
}

function builtInKind(components: Components, served: ServedResource): ObjectRefs {
  const name = served.schema?.name ?? definitionName(served.kind);
  if (name === undefined) return customKind(components, served);
  const listKind: GroupVersionKind = { ...served.kind, kind: served.listKind };
  const listName = definitionName(listKind) ?? (definition(`${name}List`) ? `${name}List` : undefined);
  return {
    object: components.builtIn(name, served.kind),
    list:
      listName && served.definition.verbs?.includes('list') !== false
        ? components.builtIn(listName, listKind)
        : undefined,
  };
}

/** `example.com` v1 Foo is `com.example.v1.Foo`. */
function customKind(components: Components, served: ServedResource): ObjectRefs {
  const { kind, listKind, schema } = served;
  const prefix = [...kind.group.split('.').reverse(), kind.version].filter(part => part !== '').join('.');
  const whole: Schema = schema ?? { type: 'object', preserveUnknown: true };
  return {
    object: components.custom(`${prefix}.${kind.kind}`, kind, whole),
    list: components.customList(
      `${prefix}.${listKind}`,
      { ...kind, kind: listKind },
      `${prefix}.${kind.kind}`,
    ),
  };
}

/** `networking.k8s.io` to `Networking`, `v1` to `V1`: parts of operation ids. */
function camel(text: string): string {
  if (text === '') return 'Core';
  const first = text.split('.')[0] ?? '';
  return first.charAt(0).toUpperCase() + first.slice(1);
}
