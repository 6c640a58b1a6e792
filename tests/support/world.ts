// A cluster without a wire for controller tests: the real registry and resources, a clock that is ticked, and a kubelet of a few
// lines that makes every placed pod run, unless told otherwise.

import type { Clock, FakeClock } from '../../server/clock.ts';
import { fakeClock } from '../../server/clock.ts';
import type { ApiClient, GroupVersionResource, KubeObject } from '../../server/kube/index.ts';
import { StatusError, timestamp } from '../../server/kube/index.ts';
import { admissionPlugins } from '../../server/practice/admission/index.ts';
import * as r from '../../server/practice/controllers/index.ts';
import { createRegistry } from '../../server/practice/registry/index.ts';
import { resources } from '../../server/practice/resources/index.ts';
import { createMemoryStore, type Store } from '../../server/practice/store/index.ts';
import { seededRandom } from '../../server/random.ts';

export interface World {
  clock: FakeClock;
  store: Store;
  client: ApiClient;
  /** Creates objects; the namespace `demo` is there already. */
  create(...objects: KubeObject[]): Promise<void>;
  get(resource: GroupVersionResource, name: string, namespace?: string): Promise<KubeObject>;
  /** Undefined instead of an error. */
  find(resource: GroupVersionResource, name: string, namespace?: string): Promise<KubeObject | undefined>;
  list(resource: GroupVersionResource, namespace?: string): Promise<KubeObject[]>;
  change(resource: GroupVersionResource, name: string, patch: object, namespace?: string): Promise<void>;
  /** `reason: message` of events about `kind`, oldest first. */
  events(kind: string, name?: string): Promise<string[]>;
  /** Lets controllers and the little kubelet work until nothing is left to do at this moment. */
  settle(): Promise<void>;
  /** Moves the clock in steps of at most a second, settling after each. */
  pass(seconds: number): Promise<void>;
  /** What reconciles threw, other than conflicts. */
  failures: string[];
  /** What the kubelet does with a pod that has a node (default: it runs and is ready); which nodes send no heartbeats. */
  kubelet: { start(pod: KubeObject): object | undefined; silent: Set<string> };
  /** Runs the same controllers a second time beside the first until they are quiet; what they wrote, as `verb resource text`. */
  another(): Promise<{ writes: string[] }>;
  stop(): Promise<void>;
}

export interface WorldOptions {
  nodes?: KubeObject[];
  controllers?: readonly r.Controller[];
  scheduler?: boolean;
}

export const namespace = (name: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name },
});

export function node(
  name: string,
  allocatable: Record<string, string> = {},
  extra: Partial<KubeObject> = {},
): KubeObject {
  const all = { cpu: '2', memory: '4Gi', 'ephemeral-storage': '50Gi', pods: '110', ...allocatable };
  return {
    apiVersion: 'v1',
    kind: 'Node',
    ...extra,
    metadata: {
      name,
      labels: { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux', ...extra.metadata?.labels },
    },
    status: { capacity: all, allocatable: all, conditions: [{ type: 'Ready', status: 'True' }] },
  };
}

export function pod(name: string, spec: object = {}, metadata: object = {}): KubeObject {
  const container = { name: 'x', image: 'b' };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'demo', ...metadata },
    spec: { containers: [container], ...spec },
  };
}

export const requests = (amounts: Record<string, string>) => ({
  containers: [{ name: 'x', image: 'b', resources: { requests: amounts } }],
});

/** A Running, Ready status with address number `n`. */
export function ready(pod: KubeObject, clock: Clock, n: number): object {
  const at = timestamp(clock.now());
  const condition = (type: string) => ({ type, status: 'True', lastProbeTime: null, lastTransitionTime: at });
  const ip = `10.244.0.${n}`;
  return {
    phase: 'Running',
    podIP: ip,
    podIPs: [{ ip }],
    startTime: at,
    conditions: ['PodReadyToStartContainers', 'Initialized', 'Ready', 'ContainersReady', 'PodScheduled'].map(
      condition,
    ),
    containerStatuses: pod['spec'].containers.map((c: { name: string; image: string }) => ({
      name: c.name,
      image: c.image,
      imageID: '',
      ready: true,
      restartCount: 0,
      state: { running: { startedAt: at } },
    })),
  };
}

/** A finished status with this exit code. */
export function finished(pod: KubeObject, clock: Clock, exitCode: number): object {
  const at = timestamp(clock.now());
  return {
    phase: exitCode === 0 ? 'Succeeded' : 'Failed',
    startTime: at,
    containerStatuses: pod['spec'].containers.map((c: { name: string; image: string }) => ({
      name: c.name,
      image: c.image,
      imageID: '',
      ready: false,
      restartCount: 0,
      state: {
        terminated: {
          exitCode,
          reason: exitCode === 0 ? 'Completed' : 'Error',
          startedAt: at,
          finishedAt: at,
        },
      },
    })),
  };
}

const RESOURCE_BY_KIND = new Map(r.BUILT_IN_RESOURCES.map(k => [k.kind, k.resource]));

export async function startWorld(options: WorldOptions = {}): Promise<World> {
  const clock = fakeClock();
  const random = seededRandom(1);
  const admission = admissionPlugins({ network: () => undefined, clock });
  const store = createMemoryStore();
  const created = createRegistry({
    admission,
    store,
    clock,
    random,
    resources,
    authorization: 'AlwaysAllow',
  });
  const client = created.clientFor({ name: 'admin', groups: ['system:masters'] }, { fieldManager: 'test' });
  const failures: string[] = [];
  const kubelet: World['kubelet'] = { start: pod => ready(pod, clock, ++addresses), silent: new Set() };
  let addresses = 1;

  const create = async (...objects: KubeObject[]) => {
    for (const object of objects) {
      const resource = RESOURCE_BY_KIND.get(object.kind) as GroupVersionResource;
      const made = await client.create(resource, object);
      // A patch: controllers may have written to the node already.
      if (object.kind === 'Node')
        await client.patch(
          resource,
          made.metadata,
          'merge',
          { status: object['status'] },
          { subresource: 'status' },
        );
    }
  };
  await create(namespace('default'), namespace('demo'), ...(options.nodes ?? [node('n1')]));
  const running = r.startControllers({
    clientFor: created.clientFor,
    clock,
    random,
    rootCa: 'ROOT',
    ...(options.controllers ? { controllers: options.controllers } : {}),
    ...(options.scheduler === undefined ? {} : { scheduler: options.scheduler }),
    onError: (controller, key, error) => failures.push(`${controller} ${key}: ${(error as Error).message}`),
  });

  /** One look at all pods; true when it did something. */
  const tick = async () => {
    let acted = false;
    for (const p of (await client.list(r.PODS)).items) {
      if (!p['spec'].nodeName) continue;
      if (p.metadata.deletionTimestamp) {
        if (p.metadata.finalizers?.length && ['Succeeded', 'Failed'].includes(p['status'].phase)) continue;
        await client.delete(r.PODS, p.metadata, { gracePeriodSeconds: 0 }).catch(() => undefined);
        acted = true;
      } else if (p['status'].phase === 'Pending') {
        const status = kubelet.start(p);
        if (!status) continue;
        await client.update(r.PODS, { ...p, status: { ...p['status'], ...status } }, 'status');
        acted = true;
      }
    }
    return acted;
  };
  const beat = async () => {
    const lastHeartbeatTime = timestamp(clock.now());
    for (const n of (await client.list(r.NODES)).items) {
      if (kubelet.silent.has(n.metadata.name)) continue;
      const healthy = {
        type: 'Ready',
        status: 'True',
        reason: 'KubeletReady',
        message: 'kubelet is posting ready status',
      };
      const others = (n['status'].conditions ?? []).filter((c: { type: string }) => c.type !== 'Ready');
      const conditions = [
        ...others,
        { ...healthy, lastHeartbeatTime, lastTransitionTime: lastHeartbeatTime },
      ];
      await client.patch(r.NODES, n.metadata, 'merge', { status: { conditions } }, { subresource: 'status' });
    }
  };
  let beats = 0;
  const settle = async () => {
    do await running.idle();
    while (await tick());
  };

  await running.idle();
  return {
    clock,
    store,
    client,
    create,
    get: (resource, name, ns = 'demo') =>
      client.get(resource, namespaced(resource) ? { namespace: ns, name } : { name }),
    async find(resource, name, ns = 'demo') {
      try {
        return await client.get(resource, namespaced(resource) ? { namespace: ns, name } : { name });
      } catch (error) {
        if (error instanceof StatusError && error.code === 404) return undefined;
        throw error;
      }
    },
    list: async (resource, ns = 'demo') =>
      (await client.list(resource, namespaced(resource) ? { namespace: ns } : {})).items,
    async change(resource, name, patch, ns = 'demo') {
      await client.patch(resource, namespaced(resource) ? { namespace: ns, name } : { name }, 'merge', patch);
    },
    async events(kind, name) {
      const { items } = await client.list(r.EVENTS);
      return items
        .filter(
          e => e['involvedObject'].kind === kind && (name === undefined || e['involvedObject'].name === name),
        )
        .sort((a, b) => Number(a.metadata.resourceVersion) - Number(b.metadata.resourceVersion))
        .map(e => `${e['reason']}: ${e['message']}`);
    },
    settle,
    async pass(seconds) {
      for (let left = seconds; left > 0; left -= 1) {
        await clock.advance(Math.min(left, 1) * 1000);
        if (++beats % 10 === 0) await beat();
        await settle();
      }
    },
    failures,
    kubelet,
    async another() {
      const writes: string[] = [];
      const note = (verb: string, resource: GroupVersionResource, body: unknown) =>
        writes.push(`${verb} ${resource.resource} ${JSON.stringify(body)}`);
      const second = r.startControllers({
        clientFor(user) {
          const real = created.clientFor(user);
          return {
            ...real,
            create: (resource, ...rest) => {
              note('create', resource, rest[0]);
              return real.create(resource, ...rest);
            },
            update: (resource, ...rest) => {
              note('update', resource, rest[0]);
              return real.update(resource, ...rest);
            },
            patch: (resource, ...rest) => {
              note('patch', resource, rest);
              return real.patch(resource, ...rest);
            },
            delete: (resource, ...rest) => {
              note('delete', resource, rest[0]);
              return real.delete(resource, ...rest);
            },
          };
        },
        clock,
        random,
        rootCa: 'ROOT',
      });
      await second.idle();
      await second.stop();
      return { writes };
    },
    stop: () => running.stop(),
  };
}

const clusterScoped = new Set(r.BUILT_IN_RESOURCES.filter(k => !k.namespaced).map(k => k.resource.resource));
const namespaced = (resource: GroupVersionResource) => !clusterScoped.has(resource.resource);
