// What the API server serves, told in the three forms that clients ask for: aggregated v2, aggregated v2beta1 and the plain
// lists. Everything is computed from the registry's list of served resources, and again when that list changes.

import { createHash } from 'node:crypto';
import { apiVersionOf, type GroupVersionKind } from '../../kube/index.ts';
import type { Registry, ServedResource } from '../registry/types.ts';
import { ALL_VERBS, type SubresourceDefinition } from '../resources/types.ts';
import { parseAccept } from './negotiate.ts';

interface Group {
  name: string;
  /** Preferred first. */
  versions: { version: string; resources: ServedResource[] }[];
}

export interface DiscoveryAnswer {
  contentType: string;
  body: unknown;
  /** Of the aggregated forms. */
  etag?: string;
}

export interface Discovery {
  /** The answer for /api, /apis and the paths below them down to a version; undefined when nothing is served there. */
  answer(path: string, accept: string | undefined): DiscoveryAnswer | undefined;
  /** `apps/v1`, `v1` ... */
  groupVersions(): string[];
}

/** Where clients in the cluster's network find this server. */
export const SERVER_ADDRESS = '192.168.49.2:8443';
/** Whom `/api` names as the server to all clients. */
const SERVER_ADDRESSES = [{ clientCIDR: '0.0.0.0/0', serverAddress: SERVER_ADDRESS }];

export function createDiscovery(registry: Registry): Discovery {
  let groups: Group[] | undefined;
  const answers = new Map<string, DiscoveryAnswer>();
  registry.onServedChange(() => {
    groups = undefined;
    answers.clear();
  });
  const current = () => (groups ??= groupsOf(registry.served()));

  return {
    groupVersions: () =>
      current().flatMap(group =>
        group.versions.map(({ version }) => apiVersionOf({ group: group.name, version })),
      ),
    answer(path, accept) {
      const trimmed = path.endsWith('/') ? path.slice(0, -1) : path;
      if (trimmed !== '/api' && trimmed !== '/apis') {
        const body = plainAnswer(current(), trimmed);
        return body === undefined ? undefined : { contentType: 'application/json', body };
      }
      const version = aggregatedVersion(accept);
      const key = `${trimmed} ${version ?? ''}`;
      let answer = answers.get(key);
      if (!answer) {
        answer = version ? aggregated(current(), trimmed, version) : plainRoot(current(), trimmed);
        answers.set(key, answer);
      }
      return answer;
    },
  };
}

/** The aggregated version a client takes, if it asks for one before plain JSON. */
function aggregatedVersion(accept: string | undefined): 'v2' | 'v2beta1' | undefined {
  for (const { type, parameters } of parseAccept(accept)) {
    if (type !== 'application/json' && type !== '*/*') continue;
    if (parameters.g === 'apidiscovery.k8s.io' && parameters.as === 'APIGroupDiscoveryList') {
      if (parameters.v === 'v2' || parameters.v === 'v2beta1') return parameters.v;
      continue;
    }
    return undefined;
  }
  return undefined;
}

function groupsOf(served: readonly ServedResource[]): Group[] {
  const byName = new Map<string, Map<string, ServedResource[]>>();
  for (const resource of served) {
    const versions = byName.get(resource.definition.group) ?? new Map<string, ServedResource[]>();
    byName.set(resource.definition.group, versions);
    versions.set(resource.version, [...(versions.get(resource.version) ?? []), resource]);
  }
  return [...byName].map(([name, versions]) => ({
    name,
    versions: [...versions]
      .map(([version, resources]) => ({
        version,
        resources: resources.toSorted((a, b) => (a.definition.resource < b.definition.resource ? -1 : 1)),
      }))
      .sort((a, b) => compareVersions(a.version, b.version)),
  }));
}

/** Kubernetes' version priority: GA before beta before alpha, newer first; other words last, alphabetically. */
function compareVersions(a: string, b: string): number {
  const [x, y] = [rank(a), rank(b)];
  if (!x || !y) return x ? -1 : y ? 1 : a < b ? -1 : a > b ? 1 : 0;
  for (let i = 0; i < 3; i++) {
    const difference = (y[i] ?? 0) - (x[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function rank(version: string): [number, number, number] | undefined {
  const match = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version);
  if (!match) return undefined;
  const stage = match[2] === 'alpha' ? 0 : match[2] === 'beta' ? 1 : 2;
  return [stage, Number(match[1]), Number(match[3] ?? 0)];
}

function aggregated(groups: readonly Group[], path: string, version: 'v2' | 'v2beta1'): DiscoveryAnswer {
  const wanted = groups.filter(group => (path === '/api') === (group.name === ''));
  const body = {
    kind: 'APIGroupDiscoveryList',
    apiVersion: `apidiscovery.k8s.io/${version}`,
    metadata: {},
    items: wanted.map(group => ({
      metadata: group.name === '' ? {} : { name: group.name },
      versions: group.versions.map(({ version: name, resources }) => ({
        version: name,
        resources: resources.map(aggregatedResource),
        freshness: 'Current',
      })),
    })),
  };
  const etag = createHash('sha512').update(JSON.stringify(body)).digest('hex').toUpperCase();
  return {
    contentType: `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`,
    body,
    etag: `"${etag}"`,
  };
}

function aggregatedResource(served: ServedResource): unknown {
  const { definition } = served;
  return {
    resource: definition.resource,
    responseKind: responseKind(served.kind, served),
    scope: definition.namespaced ? 'Namespaced' : 'Cluster',
    singularResource: definition.singular,
    verbs: verbsOf(served),
    ...(definition.shortNames?.length ? { shortNames: definition.shortNames } : {}),
    ...(definition.categories?.length ? { categories: definition.categories } : {}),
    ...(definition.subresources?.length
      ? {
          subresources: sortedSubresources(served).map(subresource => ({
            subresource: subresource.name,
            responseKind: responseKind(subresourceKind(served, subresource), served),
            verbs: subresource.verbs.toSorted(),
          })),
        }
      : {}),
  };
}

/** A subresource that speaks the resource's own kind speaks it in the version asked for. */
export function subresourceKind(served: ServedResource, { kind }: SubresourceDefinition): GroupVersionKind {
  return kind.group === served.kind.group && kind.kind === served.kind.kind ? served.kind : kind;
}

/** Built-in kinds leave out what the list around them already says. */
function responseKind(kind: GroupVersionKind, served: ServedResource): GroupVersionKind {
  // A kind served in several versions names one of them for its subresources and means all.
  const own = kind.kind === served.kind.kind || kind.version === served.version;
  const same = kind.group === served.definition.group && own;
  return same && !served.custom ? { group: '', version: '', kind: kind.kind } : { ...kind };
}

const verbsOf = (served: ServedResource) => (served.definition.verbs ?? ALL_VERBS).toSorted();

const sortedSubresources = (served: ServedResource) =>
  (served.definition.subresources ?? []).toSorted((a, b) => (a.name < b.name ? -1 : 1));

function plainRoot(groups: readonly Group[], path: string): DiscoveryAnswer {
  const body =
    path === '/api'
      ? { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: SERVER_ADDRESSES }
      : {
          kind: 'APIGroupList',
          apiVersion: 'v1',
          groups: groups.filter(group => group.name !== '').map(apiGroup),
        };
  return { contentType: 'application/json', body };
}

function apiGroup(group: Group): Record<string, unknown> {
  const versions = group.versions.map(({ version }) => ({
    groupVersion: `${group.name}/${version}`,
    version,
  }));
  return { name: group.name, versions, preferredVersion: versions[0] };
}

function plainAnswer(groups: readonly Group[], path: string): unknown | undefined {
  const [root, name = '', version, ...more] = path.split('/').slice(1);
  if (more.length > 0) return undefined;
  if (root === 'api') {
    const core = groups.find(group => group.name === '');
    const resources = core?.versions.find(item => item.version === name)?.resources;
    return version === undefined && resources ? resourceList(name, resources) : undefined;
  }
  if (root !== 'apis') return undefined;
  const group = groups.find(item => item.name === name);
  if (!group || name === '') return undefined;
  if (version === undefined) return { kind: 'APIGroup', apiVersion: 'v1', ...apiGroup(group) };
  const resources = group.versions.find(item => item.version === version)?.resources;
  return resources && resourceList(`${name}/${version}`, resources);
}

function resourceList(groupVersion: string, resources: readonly ServedResource[]): unknown {
  return {
    kind: 'APIResourceList',
    ...(groupVersion === 'v1' ? {} : { apiVersion: 'v1' }),
    groupVersion,
    resources: resources.flatMap(served => {
      const { definition } = served;
      const own = (kind: GroupVersionKind) =>
        kind.group === definition.group && (kind.kind === served.kind.kind || kind.version === served.version)
          ? {}
          : { group: kind.group, version: kind.version };
      const verbs = verbsOf(served);
      return [
        {
          name: definition.resource,
          singularName: definition.singular,
          namespaced: definition.namespaced,
          kind: served.kind.kind,
          verbs,
          ...(definition.shortNames?.length ? { shortNames: definition.shortNames } : {}),
          ...(definition.categories?.length ? { categories: definition.categories } : {}),
          // Only what is stored has a storage version.
          ...(verbs.includes('list') ? { storageVersionHash: storageVersionHash(served) } : {}),
        },
        ...sortedSubresources(served).map(subresource => {
          const kind = subresourceKind(served, subresource);
          return {
            name: `${definition.resource}/${subresource.name}`,
            singularName: '',
            namespaced: definition.namespaced,
            ...own(kind),
            kind: kind.kind,
            verbs: subresource.verbs.toSorted(),
          };
        }),
      ];
    }),
  };
}

/** Eight bytes of a digest over the stored kind: clients compare it to see whether storage changed. */
function storageVersionHash(served: ServedResource): string {
  const { group, versions, kind } = served.definition;
  const stored = versions[0] ?? served.version;
  return createHash('sha256').update(`${group}/${stored}/${kind}`).digest().subarray(0, 8).toString('base64');
}
