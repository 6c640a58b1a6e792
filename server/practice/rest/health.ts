// /version and the health endpoints, in the words of a v1.36.2 control plane.

const CHECKS: readonly string[] = [
  'ping',
  'log',
  'informer-sync',
  'poststarthook/start-apiserver-admission-initializer',
  'poststarthook/generic-apiserver-start-informers',
  'poststarthook/priority-and-fairness-config-consumer',
  'poststarthook/priority-and-fairness-filter',
  'poststarthook/storage-object-count-tracker-hook',
  'poststarthook/start-apiextensions-informers',
  'poststarthook/start-apiextensions-controllers',
  'poststarthook/crd-informer-synced',
  'poststarthook/start-system-namespaces-controller',
  'poststarthook/peer-endpoint-reconciler-controller',
  'poststarthook/start-cluster-authentication-info-controller',
  'poststarthook/start-kube-apiserver-identity-lease-controller',
  'poststarthook/start-kube-apiserver-identity-lease-garbage-collector',
  'poststarthook/storage-readiness',
  'poststarthook/start-legacy-token-tracking-controller',
  'poststarthook/start-service-ip-repair-controllers',
  'poststarthook/rbac/bootstrap-roles',
  'poststarthook/scheduling/bootstrap-system-priority-classes',
  'poststarthook/priority-and-fairness-config-producer',
  'poststarthook/bootstrap-controller',
  'poststarthook/start-kubernetes-service-cidr-controller',
  'poststarthook/aggregator-reload-proxy-client-cert',
  'poststarthook/start-kube-aggregator-informers',
  'poststarthook/apiservice-status-local-available-controller',
  'poststarthook/apiservice-status-remote-available-controller',
  'poststarthook/apiservice-registration-controller',
  'poststarthook/apiservice-wait-for-first-sync',
  'poststarthook/apiservice-discovery-controller',
  'poststarthook/kube-apiserver-autoregistration',
  'autoregister-completion',
  'poststarthook/apiservice-openapi-controller',
  'poststarthook/apiservice-openapiv3-controller',
];

/** Checks that only one of the endpoints runs. */
const READYZ_ONLY = new Set(['informer-sync']);

export interface HealthAnswer {
  code: number;
  text: string;
}

const checksOf = (endpoint: string): string[] => {
  const checks = CHECKS.filter(name => endpoint === 'readyz' || !READYZ_ONLY.has(name));
  return endpoint === 'readyz' ? [...checks, 'shutdown'] : checks;
};

/** Each endpoint, and each check behind it by its own path. */
export const healthPaths = (): string[] =>
  ['healthz', 'livez', 'readyz'].flatMap(endpoint => [
    `/${endpoint}`,
    ...checksOf(endpoint).map(check => `/${endpoint}/${check}`),
  ]);

/**
 * `/healthz`, `/livez`, `/readyz`, with `?verbose`, `?exclude=` and a single check behind the path. Undefined for other paths.
 * Everything the server depends on lives in this process: while it can answer, each check holds.
 */
export function health(path: string, query: URLSearchParams): HealthAnswer | undefined {
  const match = /^\/(healthz|livez|readyz)(?:\/(.+))?$/.exec(path);
  if (!match) return undefined;
  const [, endpoint = '', single] = match;
  const checks = checksOf(endpoint);
  if (single !== undefined) return checks.includes(single) ? { code: 200, text: 'ok' } : undefined;
  if (!query.has('verbose')) return { code: 200, text: 'ok' };
  const excluded = new Set(query.getAll('exclude'));
  const lines = checks.map(name => (excluded.has(name) ? `[+]${name} excluded: ok` : `[+]${name} ok`));
  return { code: 200, text: `${lines.join('\n')}\n${endpoint} check passed\n` };
}
