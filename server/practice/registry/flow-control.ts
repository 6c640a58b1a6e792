// Priority and fairness, as far as a cluster without load needs it: a request whose priority level has no seats and may borrow
// none is refused with 429. Every other level is taken to have room. Knows no transport.

import { type KubeObject, StatusError } from '../../kube/index.ts';
import type { Registry, RequestContext, ResourcePath, User } from './types.ts';

const GROUP = { group: 'flowcontrol.apiserver.k8s.io', version: 'v1' };
/** Whom flow schema `exempt` lets through before any other is asked. */
const EXEMPT = 'system:masters';
const RETRY_AFTER_SECONDS = 1;
const SELF: RequestContext = {
  user: { name: 'system:apiserver', groups: [EXEMPT, 'system:authenticated'] },
  warn() {},
};

/** The same registry, with flow schemas asked before each request. Costs a look at a flag while no level is without seats. */
export function withFlowControl(registry: Registry): Registry {
  const schemas = follow(registry, 'flowschemas');
  const levels = follow(registry, 'prioritylevelconfigurations');

  function admit({ user }: RequestContext, verb: string, path: ResourcePath): void {
    const jails = [...levels.values()].filter(hasNoSeats);
    if (jails.length === 0 || user.groups.includes(EXEMPT)) return;
    const [schema] = [...schemas.values()]
      .filter(candidate => covers(candidate, user, verb, path))
      .sort((a, b) => precedence(a) - precedence(b) || (a.metadata.name < b.metadata.name ? -1 : 1));
    const level = schema?.['spec']?.priorityLevelConfiguration?.name;
    if (!jails.some(jail => jail.metadata.name === level)) return;
    const asked = `${HTTP_VERBS[verb] ?? verb} ${path.resource}${path.name ? ` ${path.name}` : ''}`;
    throw new StatusError({
      message: `the server has received too many requests and has asked us to try again later (${asked})`,
      reason: 'TooManyRequests',
      code: 429,
      details: { retryAfterSeconds: RETRY_AFTER_SECONDS },
    });
  }

  return {
    ...registry,
    authorizer: registry.authorizer,
    get resourceVersion() {
      return registry.resourceVersion;
    },
    async get(context, path, options) {
      admit(context, 'get', path);
      return registry.get(context, path, options);
    },
    async list(context, path, request) {
      admit(context, 'list', path);
      return registry.list(context, path, request);
    },
    async watch(context, path, request, sink) {
      admit(context, 'watch', path);
      return registry.watch(context, path, request, sink);
    },
    async create(context, path, body) {
      admit(context, 'create', path);
      return registry.create(context, path, body);
    },
    async update(context, path, body) {
      admit(context, 'update', path);
      return registry.update(context, path, body);
    },
    async patch(context, path, type, body, options) {
      admit(context, 'patch', path);
      return registry.patch(context, path, type, body, options);
    },
    async delete(context, path, request) {
      admit(context, 'delete', path);
      return registry.delete(context, path, request);
    },
    async deleteCollection(context, path, request) {
      admit(context, 'deletecollection', path);
      return registry.deleteCollection(context, path, request);
    },
  };
}

const HTTP_VERBS: Record<string, string> = {
  list: 'get',
  watch: 'get',
  create: 'post',
  update: 'put',
  deletecollection: 'delete',
};

const precedence = (schema: KubeObject): number => schema['spec']?.matchingPrecedence ?? 0;

function hasNoSeats(level: KubeObject): boolean {
  const { type, limited } = level['spec'] ?? {};
  return (
    type === 'Limited' && limited?.nominalConcurrencyShares === 0 && limited?.borrowingLimitPercent === 0
  );
}

function covers(schema: KubeObject, user: User, verb: string, path: ResourcePath): boolean {
  const rules: any[] = schema['spec']?.rules ?? [];
  const resource = path.subresource ? `${path.resource}/${path.subresource}` : path.resource;
  return rules.some(
    rule =>
      (rule.subjects ?? []).some((subject: any) => means(subject, user)) &&
      (rule.resourceRules ?? []).some(
        (of: any) =>
          has(of.verbs, verb) &&
          has(of.apiGroups, path.group) &&
          has(of.resources, resource) &&
          (path.namespace === undefined ? of.clusterScope === true : has(of.namespaces, path.namespace)),
      ),
  );
}

const has = (list: string[] | undefined, value: string) =>
  list?.some(item => item === '*' || item === value) ?? false;

function means(subject: any, user: User): boolean {
  switch (subject.kind) {
    case 'User':
      return subject.user?.name === '*' || subject.user?.name === user.name;
    case 'Group':
      return user.groups.some(group => has([subject.group?.name], group));
    case 'ServiceAccount': {
      const { namespace, name } = subject.serviceAccount ?? {};
      const prefix = `system:serviceaccount:${namespace}:`;
      return user.name === prefix + name || (name === '*' && user.name.startsWith(prefix));
    }
    default:
      return false;
  }
}

/** The objects of one resource as they are now. */
function follow(registry: Registry, resource: string): Map<string, KubeObject> {
  const objects = new Map<string, KubeObject>();
  const path = { ...GROUP, resource };
  if (!registry.find(path.group, path.version, resource)) return objects;
  const start = () =>
    registry
      .watch(
        SELF,
        path,
        {},
        {
          event({ type, object }) {
            if (type === 'DELETED') objects.delete((object as KubeObject).metadata.name);
            else if (type === 'ADDED' || type === 'MODIFIED')
              objects.set((object as KubeObject).metadata.name, object as KubeObject);
          },
          end() {
            objects.clear();
            void start();
          },
        },
      )
      .catch(() => undefined);
  void start();
  return objects;
}
