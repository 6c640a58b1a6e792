// From Ingresses to nginx' servers and locations, and which location a request falls into. Pure; knows no endpoints.

import type { KubeObject } from '../../../kube/index.ts';

export const DEFAULT_UPSTREAM = 'upstream-default-backend';
/** The server for requests whose host no Ingress names. */
const DEFAULT_HOST = '_';
const PREFIX = 'nginx.ingress.kubernetes.io';

/** A service and one of its ports: by number, or by name. */
export interface Upstream {
  name: string;
  namespace: string;
  service: string;
  port: string;
}

export interface Location {
  path: string;
  kind: 'exact' | 'prefix' | 'regex';
  upstream: string;
  /** Replaces the whole path; `$1` is what the path's first group took. */
  rewrite?: string;
  redirect: 'never' | 'with tls' | 'always';
}

export interface Server {
  host: string;
  tls: boolean;
  /** In nginx' order. */
  locations: Location[];
}

export interface Configuration {
  servers: Server[];
  upstreams: Upstream[];
}

interface Draft {
  path: string;
  exact: boolean;
  upstream: string;
  isDefault: boolean;
  annotations: Record<string, string>;
}

/** What nginx does for these Ingresses; of two for the same path the older one counts. */
export function configurationOf(ingresses: readonly KubeObject[]): Configuration {
  const upstreams = new Map<string, Upstream>();
  const drafts = new Map([[DEFAULT_HOST, [rootOf(DEFAULT_UPSTREAM)]]]);
  const secure = new Set<string>();
  const upstreamOf = (ingress: KubeObject, backend: any): string | undefined => {
    if (!backend?.service) return undefined;
    const { name: service, port } = backend.service;
    const namespace = ingress.metadata.namespace ?? '';
    const of = { namespace, service, port: String(port?.name || port?.number) };
    const name = `${namespace}-${service}-${of.port}`;
    upstreams.set(name, { name, ...of });
    return name;
  };

  for (const ingress of [...ingresses].sort(older)) {
    const { defaultBackend, rules = [], tls = [] } = ingress['spec'] ?? {};
    const annotations = ingress.metadata.annotations ?? {};
    const fallback = upstreamOf(ingress, defaultBackend) ?? DEFAULT_UPSTREAM;
    if (rules.length === 0 && fallback !== DEFAULT_UPSTREAM) {
      const root = drafts.get(DEFAULT_HOST)![0]!;
      if (root.isDefault) Object.assign(root, { upstream: fallback, isDefault: false, annotations });
    }
    for (const { hosts = [] } of tls) for (const host of hosts) secure.add(host);
    for (const { host = '', http } of rules) {
      const name = host || DEFAULT_HOST;
      const locations = drafts.get(name) ?? [rootOf(fallback)];
      drafts.set(name, locations);
      for (const { path, pathType, backend } of http?.paths ?? []) {
        const upstream = upstreamOf(ingress, backend);
        if (!upstream) continue;
        const draft = {
          path: path || '/',
          exact: pathType === 'Exact',
          upstream,
          isDefault: false,
          annotations,
        };
        const known = locations.find(other => other.path === draft.path && other.exact === draft.exact);
        if (!known) locations.push(draft);
        else if (known.isDefault) Object.assign(known, draft);
      }
    }
  }
  const servers = [...drafts].map(([host, locations]) => ({
    host,
    tls: secure.has(host),
    locations: located(locations),
  }));
  return { servers, upstreams: [...upstreams.values()] };
}

const rootOf = (upstream: string): Draft => ({
  path: '/',
  exact: false,
  upstream,
  isDefault: true,
  annotations: {},
});

function older(a: KubeObject, b: KubeObject): number {
  const [at, bt] = [a, b].map(({ metadata }) => metadata.creationTimestamp ?? '') as [string, string];
  const [an, bn] = [a, b].map(({ metadata: { namespace, name } }) => `${namespace}/${name}`) as [
    string,
    string,
  ];
  return at < bt ? -1 : at > bt ? 1 : an > bn ? -1 : 1;
}

const annotation = (draft: Draft, name: string): string => draft.annotations[`${PREFIX}/${name}`] ?? '';
const rewrites = (draft: Draft) => {
  const target = annotation(draft, 'rewrite-target');
  return target !== '' && target !== draft.path;
};
const isRegex = (draft: Draft) => rewrites(draft) || annotation(draft, 'use-regex') === 'true';

/** Longest path first. Once one of a server's paths is a regular expression, all are. */
function located(drafts: Draft[]): Location[] {
  const regex = drafts.some(isRegex);
  const sorted = [...drafts].sort(
    (a, b) => b.path.length - a.path.length || (a.path < b.path ? 1 : a.path > b.path ? -1 : 0),
  );
  const exact = new Set(drafts.filter(draft => draft.exact).map(({ path }) => path));
  return sorted.flatMap(draft => {
    const redirect: Location['redirect'] =
      annotation(draft, 'force-ssl-redirect') === 'true'
        ? 'always'
        : annotation(draft, 'ssl-redirect') === 'false'
          ? 'never'
          : 'with tls';
    const rewrite = rewrites(draft) ? { rewrite: annotation(draft, 'rewrite-target') } : {};
    const of = (path: string, isExact: boolean): Location => ({
      path,
      kind: regex ? 'regex' : isExact ? 'exact' : 'prefix',
      upstream: draft.upstream,
      ...rewrite,
      redirect,
    });
    if (draft.path === '/' || draft.exact || isRegex(draft)) return [of(draft.path, draft.exact)];
    // A prefix ends where a segment ends: `/v2` is `/v2/…` and `/v2` itself.
    const folder = of(draft.path.endsWith('/') ? draft.path : `${draft.path}/`, false);
    return exact.has(draft.path) ? [folder] : [folder, of(draft.path, true)];
  });
}

/** Throws a SyntaxError for a path that is no regular expression where it must be one. */
export function checkPaths({ servers }: Configuration): void {
  for (const { locations } of servers)
    for (const { kind, path } of locations) if (kind === 'regex') new RegExp(`^${path}`, 'i');
}

/** `host` as the request names it, port or not; `path` without its query. */
export function locate(config: Configuration, host: string, path: string): [Server, Location] | undefined {
  const name = host.replace(/:\d+$/, '').toLowerCase();
  const wild = `*${name.slice(name.indexOf('.'))}`;
  const server = [name, wild, DEFAULT_HOST]
    .map(wanted => config.servers.find(candidate => candidate.host === wanted))
    .find(found => found !== undefined);
  const location =
    server?.locations.find(({ kind, path: own }) => kind === 'exact' && own === path) ??
    server?.locations.find(({ kind, path: own }) =>
      kind === 'regex' ? new RegExp(`^${own}`, 'i').test(path) : kind === 'prefix' && path.startsWith(own),
    );
  return server && location && [server, location];
}

/** Without its query, decoded, and with single slashes: what nginx compares. */
export function plainPath(target: string): string {
  const path = target.split('?')[0]!.replace(/\/{2,}/g, '/');
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** What the upstream is asked for. */
export function rewritten({ path, rewrite }: Location, target: string): string {
  if (rewrite === undefined) return target;
  const found = new RegExp(path, 'i').exec(plainPath(target));
  if (!found) return target;
  const query = target.includes('?') ? target.slice(target.indexOf('?')) : '';
  const replaced = rewrite.replace(/\$(\d)/g, (_all, group: string) => found[Number(group)] ?? '');
  return `${replaced.startsWith('/') ? '' : '/'}${replaced}${query}`;
}
