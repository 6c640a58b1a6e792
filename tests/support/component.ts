// A cluster with one component's baseline, faster than a real one, and a few words for working with it. Objects are read and
// written without a wire, which saves a process each; what only kubectl shows is typed. Knows no component.

import { openKubeApi } from '../../server/check/index.ts';
import { realClock } from '../../server/clock.ts';
import {
  type GroupVersionResource,
  type KubeObject,
  parseApiVersion,
  StatusError,
} from '../../server/kube/index.ts';
import { baselineOf } from '../../server/lab/baselines/index.ts';
import { sharedCluster, type TestCluster } from './practice.ts';

/** Delays of the cluster are this much shorter. */
const SPEED = 20;
/** For something to become true, in real milliseconds. */
const PATIENCE = 15_000;
const LOOK_AGAIN = 20;

export interface Component {
  kubeconfig: string;
  /** What a command line printed. */
  sh(command: string): Promise<string>;
  /** Creates objects, in the namespace where they name none. */
  create(...objects: KubeObject[]): Promise<void>;
  /** `get('apps/v1 statefulsets', 'diary')`; undefined when it is not there. */
  get(resource: string, name: string, namespace?: string): Promise<any>;
  list(resource: string, labelSelector?: string, namespace?: string): Promise<any[]>;
  patch(resource: string, name: string, patch: object): Promise<void>;
  delete(resource: string, name: string): Promise<void>;
  /** Looks until the value is there and `holds`; an error with the last value otherwise. */
  until<T>(look: () => Promise<T>, holds: (value: T) => boolean): Promise<T>;
  /** `Type Reason Message` of events about one object. */
  events(kind: string, name: string): Promise<string[]>;
}

/** What a test file uses; the cluster starts at the first call. Everything happens in `namespace`, which is made. */
export function component(baseline: string, namespace: string): () => Promise<Component> {
  const cluster = sharedCluster({
    clock: realClock(SPEED),
    nodes: [{ name: 'minikube', cpus: '8', memory: '16Gi' }],
  });
  let ready: Promise<Component> | undefined;
  return () => {
    ready ??= cluster().then(of => prepare(of, baseline, namespace));
    return ready;
  };
}

function resourceOf(text: string): GroupVersionResource {
  const [apiVersion = '', resource = ''] = text.split(' ');
  return { ...parseApiVersion(apiVersion), resource };
}

async function prepare(of: TestCluster, baseline: string, namespace: string): Promise<Component> {
  const api = await openKubeApi(of.kubeconfig);
  const { signal } = new AbortController();
  await baselineOf(baseline)!.apply(api, { clock: realClock(), signal, note: () => {} });
  api.close();
  const { client } = of.practice!;
  const sh = async (command: string) => (await of.sh(command, { timeout: 60_000 })).text.trim();
  await sh(
    `kubectl create namespace ${namespace}; kubectl config set-context --current --namespace=${namespace}`,
  );
  const plural = (kind: string) => `${kind.toLowerCase()}${kind.endsWith('s') ? 'es' : 's'}`;
  return {
    kubeconfig: of.kubeconfig,
    sh,
    async create(...objects) {
      for (const object of objects) {
        const resource = { ...parseApiVersion(object.apiVersion), resource: plural(object.kind) };
        const scoped = object.kind === 'CustomResourceDefinition' || object.kind.startsWith('Cluster');
        const metadata = { ...(!scoped && { namespace }), ...object.metadata };
        await client.create(resource, { ...object, metadata });
      }
    },
    async get(resource, name, space = namespace) {
      try {
        return await client.get(resourceOf(resource), { namespace: space, name });
      } catch (error) {
        if (error instanceof StatusError && error.code === 404) return undefined;
        throw error;
      }
    },
    list: async (resource, labelSelector, space = namespace) =>
      (await client.list(resourceOf(resource), { namespace: space, ...(labelSelector && { labelSelector }) }))
        .items,
    async patch(resource, name, patch) {
      await client.patch(resourceOf(resource), { namespace, name }, 'merge', patch);
    },
    delete: (resource, name) => client.delete(resourceOf(resource), { namespace, name }),
    async until(look, holds) {
      const end = Date.now() + PATIENCE;
      for (;;) {
        const value = await look();
        if (holds(value)) return value;
        if (Date.now() > end) throw new Error(`still ${JSON.stringify(value, null, 1)}`);
        await new Promise(resolve => setTimeout(resolve, LOOK_AGAIN));
      }
    },
    async events(kind, name) {
      const { items } = await client.list({ group: '', version: 'v1', resource: 'events' }, { namespace });
      return items
        .filter(({ involvedObject }) => involvedObject.kind === kind && involvedObject.name === name)
        .map(({ type, reason, message }) => `${type} ${reason} ${message}`);
    },
  };
}
