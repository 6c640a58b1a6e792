// The registry's only door.

import type { Clock } from '../../clock.ts';
import type { ApiClient, KubeObject } from '../../kube/index.ts';
import { parseApiVersion, timestamp } from '../../kube/index.ts';
import type { Random } from '../../random.ts';
import type { WebhookTransport } from '../admission/index.ts';
import type { AdmissionPlugin } from '../admission/types.ts';
import type { ResourceDefinition } from '../resources/types.ts';
import { schemaFor } from '../schema/index.ts';
import type { Store } from '../store/index.ts';
import { followServed } from './api-services.ts';
import { allowAll, escalationGuard, type RbacSource, rbacAuthorizer } from './authorization/index.ts';
import { createClient } from './client.ts';
import type { ComponentHealth } from './component-statuses.ts';
import { followDefinitions } from './custom/index.ts';
import { type Environment, listAny, readAny, storeKey } from './environment.ts';
import { withFlowControl } from './flow-control.ts';
import { followFlowSchemas } from './flow-schemas.ts';
import { registryOver } from './registry.ts';
import { ServedSet } from './served.ts';
import { authenticateToken, createTokenKeys, type TokenKeys } from './tokens.ts';
import type { Registry, User } from './types.ts';

export * from './authorization/index.ts';
export { createClient } from './client.ts';
export { noSuchResource } from './environment.ts';
export { createTokenKeys, type TokenIssuer, type TokenKeys, tokenIssuer } from './tokens.ts';
export * from './types.ts';

export interface RegistryOptions {
  store: Store;
  clock: Clock;
  random: Random;
  resources: readonly ResourceDefinition[];
  admission?: readonly AdmissionPlugin[];
  authorization?: 'RBAC' | 'AlwaysAllow';
  /** How the rest of the control plane feels; default: only the store is there. */
  components?: () => readonly ComponentHealth[];
  /** How conversion webhooks are reached; without it they are not. */
  webhooks?: WebhookTransport;
  /** Of an earlier cluster, so that its tokens stay good; default: new ones. */
  tokenKeys?: TokenKeys;
}

export interface CreatedRegistry {
  registry: Registry;
  /** Stops following what is served. */
  stop(): void;
  /** Undefined when the token is no service account token of this cluster, expired, or its object is gone. */
  authenticateToken(token: string): User | undefined;
  /** Puts an object there as it is: no admission, no validation, no owners of fields. For what the server starts with. */
  seed(object: KubeObject): void;
  /** An in-process client; see `createClient`. */
  clientFor(user: User, options?: { fieldManager?: string; authorize?: boolean }): ApiClient;
}

export function createRegistry(options: RegistryOptions): CreatedRegistry {
  const keys = options.tokenKeys ?? createTokenKeys();
  const served = new ServedSet(options.resources, schemaFor);
  const source: RbacSource = {
    listAll: (resource, namespace) => listAny(environment, resource, namespace),
    read: (resource, namespace, name) => readAny(environment, resource, namespace, name),
  };
  const authorizer = options.authorization === 'AlwaysAllow' ? allowAll : rbacAuthorizer(source);
  const environment: Environment = {
    store: options.store,
    clock: options.clock,
    random: options.random,
    served,
    admission: [...(options.admission ?? []), escalationGuard(source, authorizer)],
    authorizer,
    components: options.components ?? (() => [{ name: 'etcd-0' }]),
    client: undefined as unknown as ApiClient,
  };
  const registry = withFlowControl(registryOver(environment, keys));
  const apiserver: User = { name: 'system:apiserver', groups: ['system:masters', 'system:authenticated'] };
  environment.client = createClient(registry, apiserver, {
    fieldManager: 'kube-apiserver',
    authorize: false,
  });
  const stopServices = followServed(environment);
  const stopDefinitions = followDefinitions(environment, options.webhooks);
  const stopFlowSchemas = followFlowSchemas(environment);
  return {
    registry,
    stop() {
      stopFlowSchemas();
      stopDefinitions();
      stopServices();
    },
    authenticateToken: token => authenticateToken(environment, keys, token)?.user,
    seed(object) {
      const { group, version } = parseApiVersion(object.apiVersion);
      const kind = served.findKind(group, version, object.kind);
      if (!kind) return;
      const { name, namespace } = object.metadata;
      const metadata = {
        ...object.metadata,
        uid: options.random.uuid(),
        creationTimestamp: timestamp(options.clock.now()),
      };
      options.store.create(storeKey(environment, kind.definition, namespace, name), { ...object, metadata });
    },
    clientFor: (user, clientOptions) => createClient(registry, user, clientOptions),
  };
}
