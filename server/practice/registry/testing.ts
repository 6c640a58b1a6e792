// A registry over an empty store for tests: the real kinds, a clock that stands still, one namespace. Not for production.

import { fakeClock } from '../../clock.ts';
import type { KubeObject } from '../../kube/index.ts';
import { StatusError } from '../../kube/index.ts';
import { seededRandom } from '../../random.ts';
import { resources } from '../resources/index.ts';
import { createMemoryStore } from '../store/index.ts';
import { type CreatedRegistry, createRegistry, type RegistryOptions } from './index.ts';
import type { RegistryWatchEvent, RequestContext, ResourcePath, WatchRequest } from './types.ts';

export interface TestRegistry extends CreatedRegistry {
  clock: ReturnType<typeof fakeClock>;
  store: ReturnType<typeof createMemoryStore>;
  /** What the last request warned of. */
  warnings: string[];
  context(overrides?: Partial<RequestContext>): RequestContext;
  create(path: ResourcePath, value: object, overrides?: Partial<RequestContext>): Promise<KubeObject>;
  patch(
    path: ResourcePath,
    type: 'json' | 'merge' | 'strategic' | 'apply',
    value: unknown,
    options?: { force?: boolean; manager?: string },
  ): Promise<KubeObject>;
  get(path: ResourcePath): Promise<KubeObject>;
  /** Collects events until stopped. */
  watch(
    path: ResourcePath,
    request?: WatchRequest,
  ): Promise<{ events: RegistryWatchEvent[]; ended(): boolean; stop(): void }>;
}

export function testRegistry(options: Partial<RegistryOptions> = {}): TestRegistry {
  const clock = fakeClock();
  const store = createMemoryStore({ freeze: true, logLength: 64 });
  const created = createRegistry({
    store,
    clock,
    random: seededRandom(1),
    resources,
    authorization: 'AlwaysAllow',
    ...options,
  });
  for (const name of ['default', 'other']) {
    created.seed({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name, labels: { 'kubernetes.io/metadata.name': name } },
      spec: { finalizers: ['kubernetes'] },
      status: { phase: 'Active' },
    });
  }
  const warnings: string[] = [];
  const context = (overrides: Partial<RequestContext> = {}): RequestContext => {
    warnings.length = 0;
    return {
      user: { name: 'tester', groups: ['system:masters', 'system:authenticated'] },
      fieldManager: 'test',
      fieldManagerGiven: true,
      fieldValidation: 'Strict',
      warn: text => warnings.push(text),
      ...overrides,
    };
  };
  const { registry } = created;
  return {
    ...created,
    clock,
    store,
    warnings,
    context,
    create: async (path, value, overrides) =>
      (await registry.create(context(overrides), path, { value })).object,
    patch: async (path, type, value, { manager, ...rest } = {}) =>
      (await registry.patch(context(manager ? { fieldManager: manager } : {}), path, type, { value }, rest))
        .object,
    get: path => registry.get(context(), path),
    async watch(path, request = {}) {
      const events: RegistryWatchEvent[] = [];
      let over = false;
      const handle = await registry.watch(context(), path, request, {
        event: event => events.push(event),
        end: () => {
          over = true;
        },
      });
      return { events, ended: () => over, stop: handle.stop };
    },
  };
}

/** For assert.rejects: the code and the whole message. */
export function refused(code: number, message: string) {
  return (error: unknown): boolean => {
    if (!(error instanceof StatusError)) throw error;
    if (error.code !== code || error.status.message !== message) {
      throw new Error(`refused with ${error.code}: ${error.status.message}`);
    }
    return true;
  };
}

/** `ADDED web 12`, for comparing streams at a glance. */
export function brief(event: RegistryWatchEvent): string {
  if (event.type === 'ERROR') return `ERROR ${event.object.message}`;
  if (event.type === 'BOOKMARK') return 'BOOKMARK';
  return `${event.type} ${event.object.metadata.name}`;
}

export const at = (resource: string, name?: string, subresource?: string): ResourcePath => ({
  group: '',
  version: 'v1',
  resource,
  namespace: 'default',
  ...(name ? { name } : {}),
  ...(subresource ? { subresource } : {}),
});

export const apps = (resource: string, name?: string, subresource?: string): ResourcePath => ({
  ...at(resource, name, subresource),
  group: 'apps',
});

export const configMap = (name: string, data: Record<string, string> = {}, metadata: object = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, ...metadata },
  data,
});

export const deployment = (name: string, replicas = 1) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: {
    replicas,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: { containers: [{ name: 'c', image: 'nginx:1.27' }] },
    },
  },
});

export const pod = (name: string, spec: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, labels: { app: name } },
  spec: { containers: [{ name: 'c', image: 'nginx:1.27' }], ...spec },
});
