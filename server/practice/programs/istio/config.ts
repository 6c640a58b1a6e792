// What istiod tells a proxy, computed from Istio's objects: listeners, routes, policies. Pure; knows no connections.

import type { JsonWebKey } from 'node:crypto';
import type { KubeObject } from '../../../kube/index.ts';
import { type Policy, policiesFor, type Rule } from './authorization.ts';
import type { Issuer } from './jwks.ts';
import type { JwtRule } from './jwt.ts';

export interface ProxyNode {
  role: 'router' | 'sidecar';
  namespace: string;
  labels: Record<string, string>;
}

export interface Route {
  /** Where it comes from, for the access log: `kubeflow/centraldashboard`. */
  name: string;
  match: { kind: 'prefix' | 'exact' | 'regex' | 'any'; value: string };
  hosts: string[];
  headers: { name: string; exact?: string; prefix?: string; regex?: string }[];
  destination?: { host: string; port: number };
  redirect?: { path?: string; status: number };
  rewrite?: string;
  addHeaders: Record<string, string>;
}

export interface ProxyConfig {
  version: number;
  /** Ports of the pod that the proxy opens; a port without routes answers 404. */
  listeners: { port: number; routes: Route[] }[];
  /** The external authorizer that a CUSTOM policy names, and which requests it is asked about. */
  authorizer?: { host: string; port: number; rules: Rule[] };
  /** Whose tokens are accepted. */
  jwtRules?: JwtRule[];
  /** What is denied and allowed once it is known who asks. */
  policies?: Policy[];
}

export interface MeshObjects {
  /** Undefined while the kind is not served. */
  gateways: KubeObject[] | undefined;
  virtualServices: KubeObject[];
  authorizationPolicies: KubeObject[];
  requestAuthentications: KubeObject[];
  /** The keys of a token issuer, as far as they are known. */
  keysOf(issuer: Issuer): JsonWebKey[];
  services: KubeObject[];
  meshConfig?: string;
}

/** Policies here are about the whole mesh. */
const ROOT_NAMESPACE = 'istio-system';

const fitsLabels = (selector: Record<string, string> | undefined, labels: Record<string, string>) =>
  Object.entries(selector ?? {}).every(([key, value]) => labels[key] === value);

const hostFits = (pattern: string, host: string) =>
  pattern === '*' || pattern === host || (pattern.startsWith('*.') && host.endsWith(pattern.slice(1)));

/** Service ports to pod ports, as the gateway's own services map them. */
function targetPorts(node: ProxyNode, services: KubeObject[]): Map<number, number> {
  const map = new Map<number, number>();
  for (const service of services) {
    const spec = service['spec'];
    if (
      service.metadata.namespace !== node.namespace ||
      !spec?.selector ||
      !fitsLabels(spec.selector, node.labels)
    )
      continue;
    for (const port of spec.ports ?? [])
      map.set(port.port, typeof port.targetPort === 'number' ? port.targetPort : port.port);
  }
  return map;
}

export function configFor(node: ProxyNode, mesh: MeshObjects, version: number): ProxyConfig {
  if (node.role === 'sidecar') return { version, listeners: [] };
  const ports = targetPorts(node, mesh.services);
  if (mesh.gateways === undefined) {
    // Without Istio's kinds there is nothing to select this proxy: its HTTP port stands open and knows no route.
    return { version, listeners: [{ port: 8080, routes: [] }] };
  }
  const listeners = new Map<number, Route[]>();
  for (const gateway of mesh.gateways) {
    const spec = gateway['spec'] ?? {};
    if (!fitsLabels(spec.selector, node.labels)) continue;
    for (const server of spec.servers ?? []) {
      const port = ports.get(server.port?.number) ?? server.port?.number;
      const routes = listeners.get(port) ?? [];
      routes.push(...routesOf(gateway, server.hosts ?? ['*'], mesh.virtualServices));
      listeners.set(port, routes);
    }
  }
  const authorizer = authorizerFor(node, mesh);
  const jwtRules = jwtRulesFor(node, mesh);
  const policies = (['DENY', 'ALLOW'] as const).flatMap(action =>
    policiesFor(mesh.authorizationPolicies, action, concerns(node)).map(({ metadata, spec }: any) => ({
      namespace: metadata.namespace,
      name: metadata.name,
      action,
      rules: spec?.rules ?? [],
    })),
  );
  return {
    version,
    listeners: [...listeners].map(([port, routes]) => ({ port, routes: sortRoutes(routes) })),
    ...(authorizer ? { authorizer } : {}),
    ...(jwtRules.length > 0 ? { jwtRules } : {}),
    ...(policies.length > 0 ? { policies } : {}),
  };
}

/** Whether an object with a selector is about this proxy. */
const concerns =
  (node: ProxyNode) =>
  ({ metadata, spec }: KubeObject & { spec?: any }) =>
    (metadata.namespace === node.namespace || metadata.namespace === ROOT_NAMESPACE) &&
    fitsLabels(spec?.selector?.matchLabels, node.labels);

function jwtRulesFor(node: ProxyNode, mesh: MeshObjects): JwtRule[] {
  return mesh.requestAuthentications.filter(concerns(node)).flatMap(({ spec }: any) =>
    (spec?.jwtRules ?? []).map((rule: any) => ({
      issuer: rule.issuer,
      ...(rule.audiences ? { audiences: rule.audiences } : {}),
      fromHeaders: (rule.fromHeaders ?? [{ name: 'Authorization', prefix: 'Bearer ' }]).map(
        ({ name, prefix = '' }: { name: string; prefix?: string }) => ({ name, prefix }),
      ),
      outputClaimToHeaders: rule.outputClaimToHeaders ?? [],
      forwardOriginalToken: rule.forwardOriginalToken ?? false,
      keys: rule.jwks
        ? JSON.parse(rule.jwks).keys
        : mesh.keysOf({ issuer: rule.issuer, ...(rule.jwksUri && { jwksUri: rule.jwksUri }) }),
    })),
  );
}

function routesOf(gateway: KubeObject, hosts: string[], virtualServices: KubeObject[]): Route[] {
  const names = new Set([`${gateway.metadata.namespace}/${gateway.metadata.name}`]);
  const routes: Route[] = [];
  for (const vs of virtualServices) {
    const spec = vs['spec'] ?? {};
    const attached = (spec.gateways ?? []).some((g: string) =>
      names.has(g.includes('/') ? g : `${vs.metadata.namespace}/${g}`),
    );
    if (!attached) continue;
    const served = (spec.hosts ?? ['*']).filter((h: string) =>
      hosts.some(pattern => hostFits(pattern.replace(/^[^/]*\//, ''), h) || h === '*'),
    );
    if (served.length === 0) continue;
    for (const http of spec.http ?? []) routes.push(...httpRoutes(vs, http, served));
  }
  return routes;
}

function httpRoutes(vs: KubeObject, http: any, hosts: string[]): Route[] {
  const destination = http.route?.[0]?.destination;
  const shared = {
    name: `${vs.metadata.namespace}/${vs.metadata.name}`,
    hosts,
    ...(destination
      ? {
          destination: {
            host: qualified(destination.host, vs.metadata.namespace!),
            port: destination.port?.number ?? 80,
          },
        }
      : {}),
    ...(http.redirect
      ? { redirect: { path: http.redirect.uri, status: http.redirect.redirectCode ?? 301 } }
      : {}),
    ...(http.rewrite?.uri === undefined ? {} : { rewrite: http.rewrite.uri }),
    addHeaders: { ...http.headers?.request?.set, ...http.headers?.request?.add },
  };
  const matches = http.match?.length ? http.match : [{}];
  return matches.map((m: any) => ({
    ...shared,
    match:
      m.uri?.exact !== undefined
        ? { kind: 'exact', value: m.uri.exact }
        : m.uri?.prefix !== undefined
          ? { kind: 'prefix', value: m.uri.prefix }
          : m.uri?.regex !== undefined
            ? { kind: 'regex', value: m.uri.regex }
            : { kind: 'any', value: '' },
    headers: Object.entries<any>(m.headers ?? {}).map(([name, rule]) => ({
      name: name.toLowerCase(),
      ...rule,
    })),
  }));
}

/** A bare service name means one in the object's own namespace. */
const qualified = (host: string, namespace: string) =>
  host.includes('.') ? host : `${host}.${namespace}.svc.cluster.local`;

/** Routes of several virtual services on one host: longer paths first, a catch-all last. */
function sortRoutes(routes: Route[]): Route[] {
  const rank = (r: Route) =>
    (r.match.kind === 'exact' ? 2_000 : r.match.kind === 'any' ? -1 : 0) + r.match.value.length;
  return routes
    .map((route, index) => ({ route, index }))
    .sort((a, b) => rank(b.route) - rank(a.route) || a.index - b.index)
    .map(x => x.route);
}

function authorizerFor(node: ProxyNode, mesh: MeshObjects): ProxyConfig['authorizer'] {
  for (const { spec } of policiesFor(mesh.authorizationPolicies, 'CUSTOM', concerns(node)) as any[]) {
    const provider = spec.provider?.name;
    const target = provider && mesh.meshConfig ? providerOf(mesh.meshConfig, provider) : undefined;
    if (target) return { ...target, rules: spec.rules ?? [] };
  }
  return undefined;
}

/** The service and port of an extension provider in the mesh configuration (YAML text, read line by line). */
function providerOf(meshConfig: string, name: string): { host: string; port: number } | undefined {
  const at = meshConfig.indexOf(name);
  if (at < 0) return undefined;
  const around = meshConfig.slice(Math.max(0, at - 1200), at + 1200);
  const host = /service:\s*"?([\w.-]+)"?/.exec(around)?.[1];
  const port = /port:\s*"?(\d+)"?/.exec(around)?.[1];
  return host && port ? { host, port: Number(port) } : undefined;
}

export function routeFor(
  routes: readonly Route[],
  request: { path: string; headers: Record<string, string> },
): Route | undefined {
  const path = request.path.split('?')[0]!;
  const host = (request.headers['host'] ?? '').replace(/:\d+$/, '');
  return routes.find(
    r =>
      r.hosts.some(h => hostFits(h, host)) &&
      (r.match.kind === 'any' ||
        (r.match.kind === 'exact' && path === r.match.value) ||
        (r.match.kind === 'prefix' && path.startsWith(r.match.value)) ||
        (r.match.kind === 'regex' && fullMatch(r.match.value, path))) &&
      r.headers.every(h => {
        const value = request.headers[h.name];
        if (h.exact !== undefined) return value === h.exact;
        if (h.prefix !== undefined) return value?.startsWith(h.prefix) ?? false;
        if (h.regex !== undefined) return value !== undefined && fullMatch(h.regex, value);
        return value !== undefined;
      }),
  );
}

function fullMatch(pattern: string, text: string): boolean {
  try {
    return new RegExp(`^(?:${pattern})$`).test(text);
  } catch {
    return false;
  }
}

/** The path as the upstream sees it. */
export function rewritten(route: Route, path: string): string {
  if (route.rewrite === undefined) return path;
  const [plain = '/', query] = path.split(/\?(.*)/s);
  const next =
    route.match.kind === 'prefix' ? route.rewrite + plain.slice(route.match.value.length) : route.rewrite;
  return (
    (next.startsWith('/') ? next : `/${next}`).replace(/^\/\/+/, '/') +
    (query === undefined ? '' : `?${query}`)
  );
}
