// Finds the path of a kind by asking the cluster's discovery. Knows a few everyday kinds beforehand to save the question.

import type { Ref } from '#common/lab/index.ts';
import type { KubeApi } from './kube-api.ts';

export interface ResourcePath {
  /** `/api/v1` or `/apis/apps/v1`. */
  base: string;
  plural: string;
  namespaced: boolean;
}

/** Group versions looked into first, in this order, for a kind without apiVersion: what kubectl would mean by the name. */
const FIRST = [
  'v1',
  'apps/v1',
  'batch/v1',
  'networking.k8s.io/v1',
  'rbac.authorization.k8s.io/v1',
  'storage.k8s.io/v1',
];

interface ApiResource {
  name: string;
  kind: string;
  namespaced: boolean;
}

/** `undefined`: this cluster has no such kind (yet). */
export type Discover = (ref: Pick<Ref, 'kind' | 'apiVersion'>) => Promise<ResourcePath | undefined>;

/** What was found is remembered; what was not is asked again, since a CRD may come. */
export function discovery(api: KubeApi): Discover {
  const lists = new Map<string, Promise<ApiResource[] | undefined>>();

  const resourcesOf = (groupVersion: string): Promise<ApiResource[] | undefined> => {
    const known = lists.get(groupVersion);
    if (known) return known;
    const asked = api
      .request('GET', baseOf(groupVersion))
      .then(reply => (reply.status === 200 ? (reply.body.resources as ApiResource[]) : undefined));
    lists.set(groupVersion, asked);
    asked.then(
      found => found ?? lists.delete(groupVersion),
      () => lists.delete(groupVersion),
    );
    return asked;
  };

  const within = async (groupVersion: string, kind: string): Promise<ResourcePath | undefined> => {
    const found = (await resourcesOf(groupVersion))?.find(
      resource => resource.kind === kind && !resource.name.includes('/'),
    );
    return found && { base: baseOf(groupVersion), plural: found.name, namespaced: found.namespaced };
  };

  return async ({ kind, apiVersion }) => {
    if (apiVersion) return within(apiVersion, kind);
    for (const groupVersion of FIRST) {
      const found = await within(groupVersion, kind);
      if (found) return found;
    }
    const groups = await api.request('GET', '/apis');
    if (groups.status !== 200) return undefined;
    const rest: string[] = groups.body.groups
      .map((group: { preferredVersion: { groupVersion: string } }) => group.preferredVersion.groupVersion)
      .filter((groupVersion: string) => !FIRST.includes(groupVersion));
    const found = await Promise.all(rest.map(groupVersion => within(groupVersion, kind)));
    const first = found.find(path => path !== undefined);
    // A group may have gained a kind since it was asked (a second CRD of one group): forget, so that the next look is fresh.
    if (!first) for (const groupVersion of rest) lists.delete(groupVersion);
    return first;
  };
}

export function baseOf(groupVersion: string): string {
  return groupVersion.includes('/') ? `/apis/${groupVersion}` : `/api/${groupVersion}`;
}
