// KServe's controllers, as far as their start goes: which kinds they look for, how they list and watch them, and in which words
// they say what they are refused. Reconciles nothing. Built on controller-runtime's habits, which many operators share.

import {
  type ApiClient,
  type GroupVersionResource,
  StatusError,
  type WatchHandle,
} from '../../kube/index.ts';
import { portsOf } from './general.ts';
import { untilAborted } from './signals.ts';
import type { Container, Program } from './types.ts';

/** controller-runtime asks again for a kind that is not there. Milliseconds. */
const KIND_POLL_MS = 10_000;
/** And gives up on a controller whose caches are not filled by then. */
const CACHE_SYNC_MS = 120_000;
/** client-go's back-off between two tries to list. */
const FIRST_RETRY_MS = 800;
const LAST_RETRY_MS = 30_000;
const START_MS = 400;

interface Kind extends GroupVersionResource {
  kind: string;
  /** As Go prints the type: `*v1beta1.InferenceService`. */
  type: string;
}

const GROUP = 'serving.kserve.io';
const inferenceService: Kind = {
  group: GROUP,
  version: 'v1beta1',
  resource: 'inferenceservices',
  kind: 'InferenceService',
  type: '*v1beta1.InferenceService',
};
const alpha = (kind: string): Kind => ({
  group: GROUP,
  version: 'v1alpha1',
  resource: `${kind.toLowerCase()}s`,
  kind,
  type: `*v1alpha1.${kind}`,
});
const deployment: Kind = {
  group: 'apps',
  version: 'v1',
  resource: 'deployments',
  kind: 'Deployment',
  type: '*v1.Deployment',
};

/** A controller of a manager: what it is called and what it watches. */
interface Controller {
  name: string;
  watches: Kind[];
}

const CONFIG_MAPS = { group: '', version: 'v1', resource: 'configmaps' };
const CONFIG = 'inferenceservice-config';

const stamp = (c: Container) => `${new Date(c.clock.now()).toISOString().slice(0, 19)}Z`;

/** One line of zap's JSON. */
function zap(
  c: Container,
  level: string,
  logger: string,
  msg: string,
  more: Record<string, unknown> = {},
): void {
  c.logError(JSON.stringify({ level, ts: stamp(c), ...(logger && { logger }), msg, ...more }));
}

const noMatch = ({ kind, group, version }: Kind) =>
  `no matches for kind "${kind}" in version "${group}/${version}"`;

/** Whether the API serves this kind now: what a REST mapper finds out through discovery. */
async function served(api: ApiClient, kind: Kind): Promise<boolean> {
  const kinds = (await api.discover?.(kind.group, kind.version)) ?? [];
  return kinds.some(found => found.kind === kind.kind);
}

const namespaceOf = (c: Container) => c.env['POD_NAMESPACE'] ?? c.pod.metadata.namespace ?? 'default';

/** The manager of kserve/kserve-controller. */
const manager: Program = {
  image: 'docker.io/kserve/kserve-controller',
  async run(c) {
    const { api } = c;
    c.use({ cpuMillis: 4, memoryBytes: 52 * 1024 * 1024 });
    await c.clock.sleep(START_MS, c.signal);
    if (c.signal.aborted) return exitOf(c);
    if (!api) return noAccount(c);
    zap(c, 'info', 'setup', 'Setting up manager');
    zap(c, 'info', 'setup', 'Registering Components.');
    zap(c, 'info', 'setup', 'Setting up KServe v1alpha1 scheme');
    zap(c, 'info', 'setup', 'Setting up KServe v1beta1 scheme');
    try {
      if (!c.resumed) await api.get(CONFIG_MAPS, { namespace: namespaceOf(c), name: CONFIG });
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      zap(c, 'error', 'setup', 'unable to get deploy config.', {
        error: error.message,
        stacktrace:
          'main.main\n\t/go/src/github.com/kserve/kserve/cmd/manager/main.go\nruntime.main\n\t/usr/local/go/src/runtime/proc.go:271',
      });
      return 1;
    }
    zap(c, 'info', 'setup', 'Setting up core scheme');
    return manage(c, api, [
      { name: 'inferenceservice', watches: [inferenceService, deployment] },
      { name: 'trainedmodel', watches: [alpha('TrainedModel')] },
      { name: 'inferencegraph', watches: [alpha('InferenceGraph'), deployment] },
    ]);
  },
};

/** kserve/kserve-localmodel-controller: indexes InferenceServices before it starts, so it ends when the kind is not there. */
const localModel: Program = {
  image: 'docker.io/kserve/kserve-localmodel-controller',
  async run(c) {
    const { api } = c;
    c.use({ cpuMillis: 3, memoryBytes: 38 * 1024 * 1024 });
    await c.clock.sleep(START_MS, c.signal);
    if (c.signal.aborted) return exitOf(c);
    if (!api) return noAccount(c);
    zap(c, 'info', 'setup', 'Setting up manager');
    if (!(await served(api, inferenceService))) {
      zap(c, 'error', 'setup', 'unable to create controller', {
        v1alpha1Controllers: 'LocalModel',
        error: noMatch(inferenceService),
        stacktrace:
          'main.main\n\t/go/src/github.com/kserve/kserve/cmd/localmodel/main.go:147\nruntime.main\n\t/usr/local/go/src/runtime/proc.go:271',
      });
      return 1;
    }
    return manage(c, api, [
      { name: 'clusterlocalmodel', watches: [alpha('ClusterLocalModel'), inferenceService] },
    ]);
  },
};

/** Runs controllers until the container ends or one of them cannot fill its caches in time. */
async function manage(c: Container, api: ApiClient, controllers: Controller[]): Promise<number> {
  const life = new AbortController();
  const stop = () => life.abort(c.signal.reason);
  c.signal.addEventListener('abort', stop, { once: true });
  const informers = new Map<string, Promise<void>>();
  const informed = (kind: Kind) => {
    const started = informers.get(kind.type) ?? inform(c, api, kind, life.signal);
    informers.set(kind.type, started);
    return started;
  };
  for (const port of portsOf(c)) c.serveHttp(port, () => ({ status: 404, body: '404 page not found\n' }));
  try {
    const failures = controllers.map(controller => control(c, controller, informed, life.signal));
    const failed = await Promise.race([...failures, untilAborted(life.signal).then(() => undefined)]);
    if (failed === undefined || c.signal.aborted) return exitOf(c);
    zap(c, 'error', 'setup', 'unable to run the manager', { error: failed });
    return 1;
  } finally {
    life.abort();
    c.signal.removeEventListener('abort', stop);
  }
}

/** Resolves with what went wrong; never when all caches fill. */
async function control(
  c: Container,
  { name, watches }: Controller,
  informed: (kind: Kind) => Promise<void>,
  signal: AbortSignal,
): Promise<string> {
  const about = { controller: name };
  for (const { type } of watches)
    zap(c, 'info', '', 'Starting EventSource', { ...about, source: `kind source: ${type}` });
  zap(c, 'info', '', 'Starting Controller', about);
  for (const kind of watches) {
    const late = c.clock.sleep(CACHE_SYNC_MS, signal).then(() => 'late' as const);
    const outcome = await Promise.race([informed(kind).then(() => 'synced' as const), late]);
    if (signal.aborted) return new Promise(() => {});
    if (outcome === 'late') {
      const error = `failed to wait for ${name} caches to sync: timed out waiting for cache to be synced for Kind ${kind.type}`;
      zap(c, 'error', '', 'Could not wait for Cache to sync', { ...about, error });
      return error;
    }
  }
  zap(c, 'info', '', 'Starting workers', { ...about, 'worker count': 1 });
  return new Promise(() => {});
}

/** An informer: waits for the kind to be served, then keeps a list and a watch. Resolves when the first list came. */
async function inform(c: Container, api: ApiClient, kind: Kind, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && !(await served(api, kind))) {
    zap(
      c,
      'error',
      'controller-runtime.source.EventHandler',
      'if kind is a CRD, it should be installed before calling Start',
      {
        kind: `${kind.kind}.${kind.group}`,
        error: noMatch(kind),
      },
    );
    await c.clock.sleep(KIND_POLL_MS, signal);
  }
  if (signal.aborted) return new Promise(() => {});
  return new Promise(resolve => void reflect(c, api, kind, signal, resolve));
}

/** client-go's reflector: list, watch, and list again when the watch ends; failures are logged and tried again later. */
async function reflect(
  c: Container,
  api: ApiClient,
  kind: Kind,
  signal: AbortSignal,
  listed: () => void,
): Promise<void> {
  let wait = FIRST_RETRY_MS;
  while (!signal.aborted) {
    try {
      const { resourceVersion } = await api.list(kind);
      listed();
      wait = FIRST_RETRY_MS;
      await watch(api, kind, resourceVersion, signal);
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      const failed = `failed to list ${kind.type}: ${error.message}`;
      c.logError(klog(c, 'W', 'reflector.go:547', `${REFLECTOR}: ${failed}`));
      c.logError(klog(c, 'E', 'reflector.go:150', `${REFLECTOR}: Failed to watch ${kind.type}: ${failed}`));
    }
    // Up to twice as long, so that many do not ask at the same moment.
    await c.clock.sleep(wait + c.random.below(wait), signal);
    wait = Math.min(wait * 2, LAST_RETRY_MS);
  }
}

const REFLECTOR = 'pkg/mod/k8s.io/client-go@v0.30.4/tools/cache/reflector.go:232';

/** Resolves when the watch has ended. */
function watch(api: ApiClient, kind: Kind, resourceVersion: string, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    let handle: WatchHandle | undefined;
    const end = () => {
      handle?.stop();
      signal.removeEventListener('abort', end);
      resolve();
    };
    signal.addEventListener('abort', end, { once: true });
    handle = api.watch(kind, { resourceVersion }, () => {}, end);
  });
}

function klog(c: Container, level: string, place: string, text: string): string {
  const at = new Date(c.clock.now()).toISOString();
  return `${level}${at.slice(5, 7)}${at.slice(8, 10)} ${at.slice(11, 23)}000       1 ${place}] ${text}`;
}

function noAccount(c: Container): number {
  zap(c, 'error', 'setup', 'unable to set up client config', {
    error: 'open /var/run/secrets/kubernetes.io/serviceaccount/token: no such file or directory',
  });
  return 1;
}

const exitOf = (c: Container) => (c.signal.reason === 'SIGTERM' ? 0 : 137);

export const kserve: readonly Program[] = [manager, localModel];
