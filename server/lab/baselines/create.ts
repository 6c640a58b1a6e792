// Creates objects over an API, many at a time, and takes namespaces away again. Knows no baseline.

import { baseOf, CouldNotLook, discovery, type KubeApi, say } from '../../check/index.ts';
import type { Clock } from '../../clock.ts';
import type { KubeObject } from '../../kube/index.ts';

/** Requests under way at once; more than the connections there are would only queue. */
const WIDTH = 8;
/** Paths of the kinds baselines use, so that no discovery is needed first. */
const PLURAL: Record<string, string> = {
  Namespace: 'namespaces',
  ServiceAccount: 'serviceaccounts',
  ConfigMap: 'configmaps',
  Secret: 'secrets',
  Service: 'services',
  PersistentVolumeClaim: 'persistentvolumeclaims',
  Pod: 'pods',
  Deployment: 'deployments',
  ReplicaSet: 'replicasets',
  StatefulSet: 'statefulsets',
};

export interface Made {
  object: KubeObject;
  /** False when it had been there before; `object` then is what is there. */
  created: boolean;
}

/** Creates one object; one that is there already is left as it is. */
export async function create(api: KubeApi, object: KubeObject): Promise<Made> {
  const path = await pathOf(api, object);
  const reply = await api.request('POST', `${path}?fieldManager=kubectl-client-side-apply`, object);
  if (reply.status < 300) return { object: reply.body, created: true };
  if (reply.status === 409 && reply.body?.reason === 'AlreadyExists') {
    return { object: (await api.request('GET', `${path}/${object.metadata.name}`)).body, created: false };
  }
  const why = reply.body?.message ?? `HTTP ${reply.status}`;
  throw new CouldNotLook(
    say(
      `準備叢集時，${object.kind} ${object.metadata.name} 建立失敗：${why}`,
      `While preparing the cluster, ${object.kind} ${object.metadata.name} could not be created: ${why}`,
    ),
  );
}

/** Brings an object that is there to what is written, which may be a part of it; creates it when it is not there. */
export async function put(api: KubeApi, object: KubeObject): Promise<void> {
  const path = `${await pathOf(api, object)}/${object.metadata.name}`;
  let reply = await api.request('PATCH', path, object, 'application/strategic-merge-patch+json');
  // Kinds that a CustomResourceDefinition brings have no merge keys, so only the plain merge is known for them.
  if (reply.status === 415) reply = await api.request('PATCH', path, object, 'application/merge-patch+json');
  if (reply.status < 300) return;
  if (reply.status === 404) {
    await create(api, object);
    return;
  }
  const why = reply.body?.message ?? `HTTP ${reply.status}`;
  throw new CouldNotLook(
    say(
      `準備叢集時，${object.kind} ${object.metadata.name} 改不動：${why}`,
      `While preparing the cluster, ${object.kind} ${object.metadata.name} could not be changed: ${why}`,
    ),
  );
}

/** Creates many objects in no particular order. */
export async function createAll(
  api: KubeApi,
  objects: readonly KubeObject[],
  signal: AbortSignal,
): Promise<Made[]> {
  const made: Made[] = [];
  let next = 0;
  const worker = async () => {
    while (next < objects.length && !signal.aborted) {
      const at = next++;
      made[at] = await create(api, objects[at] as KubeObject);
    }
  };
  await Promise.all(Array.from({ length: WIDTH }, worker));
  return made;
}

export async function pathOf(api: KubeApi, object: KubeObject): Promise<string> {
  const { apiVersion, kind, metadata } = object;
  let plural = PLURAL[kind];
  let namespaced = kind !== 'Namespace';
  if (!plural) {
    const found = await discovery(api)({ apiVersion, kind });
    if (!found)
      throw new CouldNotLook(
        say(`這個叢集沒有 ${kind}（${apiVersion}）。`, `This cluster has no ${kind} (${apiVersion}).`),
      );
    ({ plural, namespaced } = found);
  }
  const namespace = namespaced ? `/namespaces/${metadata.namespace ?? 'default'}` : '';
  return `${baseOf(apiVersion)}${namespace}/${plural}`;
}

/** How long a namespace may take to go. Milliseconds. */
const GONE_TIMEOUT = 120_000;
const LOOK_AGAIN = 250;

/** Deletes objects that live in no namespace and waits until they are gone; one that is not there is fine. */
export async function removeClusterScoped(
  api: KubeApi,
  objects: readonly { apiVersion: string; kind: string; name: string }[],
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  for (const { apiVersion, kind, name } of objects) {
    const found = await discovery(api)({ apiVersion, kind });
    if (!found) continue;
    const path = `${baseOf(apiVersion)}/${found.plural}/${name}`;
    await api.request('DELETE', path);
    const end = clock.now() + GONE_TIMEOUT;
    while (!signal.aborted && clock.now() < end && (await api.request('GET', path)).status !== 404)
      await clock.sleep(LOOK_AGAIN, signal);
  }
}

/** Deletes namespaces and waits until they are gone. */
export async function removeNamespaces(
  api: KubeApi,
  names: readonly string[],
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  const paths = names.map(name => `/api/v1/namespaces/${name}`);
  await Promise.all(paths.map(path => api.request('DELETE', path)));
  const end = clock.now() + GONE_TIMEOUT;
  for (const path of paths) {
    while (!signal.aborted && (await api.request('GET', path)).status !== 404) {
      if (clock.now() > end)
        throw new CouldNotLook(
          say(
            `命名空間 ${path.split('/').pop()} 刪不掉。`,
            `Namespace ${path.split('/').pop()} does not go away.`,
          ),
        );
      await clock.sleep(LOOK_AGAIN, signal);
    }
  }
}
