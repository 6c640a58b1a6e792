// What the server counts about its requests, told in Prometheus' text format under upstream's names. Knows no resource and no
// user; what is not counted here is not told.

import type { RequestInfo } from './request-info.ts';
import { isTrue } from './request-info.ts';
import { SERVER_VERSION } from './version.ts';

export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8; escaping=underscores';

/** Upper bounds of upstream's latency buckets, seconds. */
const SECONDS = [
  0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60,
];
/** Those of answers' sizes, bytes. */
const BYTES = [1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9];

/** One answer, as it is counted. */
export interface Answered {
  info: RequestInfo;
  method: string;
  /** Application of a server-side apply is a verb of its own. */
  apply: boolean;
  code: number;
  seconds: number;
  bytes: number;
}

interface Histogram {
  /** By bucket, not yet summed up. */
  counts: number[];
  sum: number;
  count: number;
}

export interface RequestMetrics {
  /** A request has come; the function that is given back is called when its answer has gone. */
  begin(info: RequestInfo): () => void;
  answered(answer: Answered): void;
  /** All of it, as text. */
  text(): string;
}

const READING = new Set(['get', 'list', 'watch']);

export function createRequestMetrics(): RequestMetrics {
  const requests = new Map<string, number>();
  const durations = new Map<string, Histogram>();
  const sizes = new Map<string, Histogram>();
  const longRunning = new Map<string, number>();
  const inFlight = { mutating: 0, readOnly: 0 };

  return {
    begin(info) {
      if (isLongRunning(info)) {
        const key = labels(whatOf(info, verbOf(info, 'GET', false)));
        longRunning.set(key, (longRunning.get(key) ?? 0) + 1);
        return () => void longRunning.set(key, (longRunning.get(key) ?? 1) - 1);
      }
      const kind = READING.has(info.verb) || !info.resource ? 'readOnly' : 'mutating';
      inFlight[kind]++;
      return () => void inFlight[kind]--;
    },
    answered({ info, method, apply, code, seconds, bytes }) {
      const what = whatOf(info, verbOf(info, method, apply));
      const dryRun = info.query.get('dryRun') === 'All' ? 'All' : '';
      const asked = labels({ ...what, dry_run: dryRun, code: String(code) });
      requests.set(asked, (requests.get(asked) ?? 0) + 1);
      if (isLongRunning(info)) return;
      observe(durations, labels({ ...what, dry_run: dryRun }), seconds, SECONDS);
      if (method === 'GET') observe(sizes, labels(what), bytes, BYTES);
    },
    text: () =>
      [
        ...family(
          'apiserver_request_total',
          'counter',
          '[STABLE] Counter of apiserver requests broken out for each verb, dry run value, group, version, resource, scope, component, and HTTP response code.',
          values(requests),
        ),
        ...family(
          'apiserver_request_duration_seconds',
          'histogram',
          '[STABLE] Response latency distribution in seconds for each verb, dry run value, group, version, resource, subresource, scope and component.',
          histograms(durations, SECONDS),
        ),
        ...family(
          'apiserver_response_sizes',
          'histogram',
          '[STABLE] Response size distribution in bytes for each group, version, verb, resource, subresource, scope and component.',
          histograms(sizes, BYTES),
        ),
        ...family(
          'apiserver_longrunning_requests',
          'gauge',
          '[STABLE] Gauge of all active long-running apiserver requests broken out by verb, group, version, resource, scope and component. Not all requests are tracked this way.',
          values(longRunning),
        ),
        ...family(
          'apiserver_current_inflight_requests',
          'gauge',
          '[STABLE] Maximal number of currently used inflight request limit of this apiserver per request kind in last second.',
          Object.entries(inFlight).map(([kind, count]) => ['', `request_kind="${kind}"`, count]),
        ),
        ...family(
          'kubernetes_build_info',
          'gauge',
          "[BETA] A metric with a constant '1' value labeled by major, minor, git version, git commit, git tree state, build date, Go version, and compiler from which Kubernetes was built, and platform on which it is running.",
          [['', buildLabels(), 1]],
        ),
        '',
      ].join('\n'),
  };
}

/** Suffix of the name, labels, value. */
type Sample = [string, string, number];

function family(name: string, type: string, help: string, samples: readonly Sample[]): string[] {
  if (samples.length === 0) return [];
  return [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} ${type}`,
    ...samples.map(([suffix, text, value]) => `${name}${suffix}{${text}} ${value}`),
  ];
}

const values = (counts: ReadonlyMap<string, number>): Sample[] =>
  [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([text, value]) => ['', text, value]);

function histograms(all: ReadonlyMap<string, Histogram>, bounds: readonly number[]): Sample[] {
  return [...all]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([text, { counts, sum, count }]) => {
      let below = 0;
      const buckets = bounds.map((bound, i): Sample => {
        below += counts[i] ?? 0;
        return ['_bucket', `${text},le="${bound}"`, below];
      });
      return [
        ...buckets,
        ['_bucket', `${text},le="+Inf"`, count],
        ['_sum', text, sum],
        ['_count', text, count],
      ] satisfies Sample[];
    });
}

function observe(all: Map<string, Histogram>, key: string, value: number, bounds: readonly number[]): void {
  let histogram = all.get(key);
  if (!histogram) {
    histogram = { counts: bounds.map(() => 0), sum: 0, count: 0 };
    all.set(key, histogram);
  }
  const bucket = bounds.findIndex(bound => value <= bound);
  if (bucket >= 0) histogram.counts[bucket] = (histogram.counts[bucket] ?? 0) + 1;
  histogram.sum += value;
  histogram.count++;
}

/** Watches, and what stays open as long as somebody listens. */
function isLongRunning({ verb, resource, query }: RequestInfo): boolean {
  if (verb === 'watch') return true;
  return resource?.subresource === 'log' ? isTrue(query.get('follow')) : resource?.subresource === 'proxy';
}

/** The labels that all families share. They are few: only what is served is counted. */
function whatOf({ path, resource }: RequestInfo, verb: string): Record<string, string> {
  return {
    component: 'apiserver',
    group: resource?.group ?? '',
    resource: resource?.resource ?? '',
    scope: scopeOf(resource),
    // A health check's path stands here, as upstream has it.
    subresource: resource ? (resource.subresource ?? '') : path,
    verb,
    version: resource?.version ?? '',
  };
}

function scopeOf(resource: RequestInfo['resource']): string {
  if (!resource) return '';
  if (resource.name !== undefined) return 'resource';
  return resource.namespace !== undefined ? 'namespace' : 'cluster';
}

const VERBS: Record<string, string> = {
  create: 'POST',
  update: 'PUT',
  patch: 'PATCH',
  delete: 'DELETE',
  deletecollection: 'DELETECOLLECTION',
  get: 'GET',
  list: 'LIST',
  watch: 'WATCH',
};

function verbOf({ verb, resource }: RequestInfo, method: string, apply: boolean): string {
  if (apply) return 'APPLY';
  if (resource) return VERBS[verb] ?? 'other';
  return /^(GET|HEAD|POST|PUT|PATCH|DELETE)$/.test(method) ? method : 'other';
}

const labels = (pairs: Record<string, string>): string =>
  Object.keys(pairs)
    .sort()
    .map(name => `${name}="${quoted(pairs[name] as string)}"`)
    .join(',');

const quoted = (value: string) => value.replace(/[\\"\n]/g, found => (found === '\n' ? '\\n' : `\\${found}`));

function buildLabels(): string {
  const { buildDate, compiler, gitCommit, gitTreeState, gitVersion, goVersion, major, minor, platform } =
    SERVER_VERSION;
  return labels({
    build_date: buildDate,
    compiler,
    git_commit: gitCommit,
    git_tree_state: gitTreeState,
    git_version: gitVersion,
    go_version: goVersion,
    major,
    minor,
    platform,
  });
}
