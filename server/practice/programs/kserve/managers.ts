// KServe's managers: how they start, which controllers they run, and in which words they give up.

import { StatusError } from '../../../kube/index.ts';
import { type Controller, controllerRuntime, type Habits, runOperator, zapJson } from '../operator/index.ts';
import { exitOf } from '../signals.ts';
import type { Container, Program } from '../types.ts';
import { inferenceServices } from './inference-service.ts';
import { alpha, CONFIG, CONFIG_MAP, DEPLOYMENT, INFERENCE_SERVICE } from './kinds.ts';
import { type InitializerSettings, MUTATE_PODS, reviewPod } from './pod-webhook.ts';

const START_MS = 400;
const MIB = 1024 * 1024;
const WEBHOOK_PORT = 9443;
const stack = (place: string) =>
  `main.main\n\t/go/src/github.com/kserve/kserve/cmd/${place}\nruntime.main\n\t/usr/local/go/src/runtime/proc.go:271`;

/** A kind that is watched and whose objects nothing is done for. */
const watching = (
  name: string,
  kind: ReturnType<typeof alpha>,
  more: Partial<Controller> = {},
): Controller => ({
  name,
  for: kind,
  reconcile: async () => undefined,
  ...more,
});

function habitsOf(c: Container): Habits {
  const log = zapJson(c);
  const common = controllerRuntime(c, log);
  return {
    ...common,
    starting(controller) {
      const about = { controller: controller.name };
      const kinds = [
        controller.for,
        ...(controller.owns ?? []),
        ...(controller.watches ?? []).map(w => w.kind),
      ];
      for (const { type } of kinds)
        log.info('', 'Starting EventSource', { ...about, source: `kind source: ${type}` });
      log.info('', 'Starting Controller', about);
    },
    started: ({ name }) => log.info('', 'Starting workers', { controller: name, 'worker count': 1 }),
    late({ name }, { type }) {
      const error = `failed to wait for ${name} caches to sync: timed out waiting for cache to be synced for Kind ${type}`;
      log.error('', 'Could not wait for Cache to sync', error, { controller: name });
      log.error('setup', 'unable to run the manager', error);
    },
  };
}

const namespaceOf = (c: Container) => c.env['POD_NAMESPACE'] ?? c.pod.metadata.namespace ?? 'default';
/** What both managers do first: their way to the API, or the exit code of one that gets no further. */
async function begin(c: Container, habits: Habits, use: Parameters<Container['use']>[0]) {
  c.use(use);
  await c.clock.sleep(START_MS, c.signal);
  if (c.signal.aborted) return exitOf(c);
  if (c.api) return c.api;
  habits.noAccount?.();
  return 1;
}

/** The manager of kserve/kserve-controller. */
export const manager: Program = {
  image: 'docker.io/kserve/kserve-controller',
  async run(c) {
    const log = zapJson(c);
    const habits = habitsOf(c);
    const api = await begin(c, habits, { cpuMillis: 4, memoryBytes: 52 * MIB });
    if (typeof api === 'number') return api;
    for (const step of [
      'Setting up manager',
      'Registering Components.',
      'Setting up KServe v1alpha1 scheme',
      'Setting up KServe v1beta1 scheme',
    ])
      log.info('setup', step);
    try {
      if (!c.resumed) await api.get(CONFIG_MAP, { namespace: namespaceOf(c), name: CONFIG });
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      log.error('setup', 'unable to get deploy config.', error.message, {
        stacktrace: stack('manager/main.go'),
      });
      return 1;
    }
    log.info('setup', 'Setting up core scheme');
    c.serveHttp(WEBHOOK_PORT, async request =>
      request.path.startsWith(MUTATE_PODS)
        ? reviewPod(request, await initializerSettings(c))
        : { status: 404, body: '404 page not found\n' },
    );
    return runOperator(c, {
      component: 'v1beta1Controllers',
      habits,
      ownPorts: [WEBHOOK_PORT],
      controllers: [
        inferenceServices(log),
        watching('trainedmodel', alpha('TrainedModel')),
        watching('inferencegraph', alpha('InferenceGraph'), { owns: [DEPLOYMENT] }),
      ],
    });
  },
};

async function initializerSettings(c: Container): Promise<InitializerSettings> {
  const { data = {} } = (await c.api!.get(CONFIG_MAP, { namespace: namespaceOf(c), name: CONFIG })) as any;
  const version = c.image.slice(c.image.lastIndexOf(':') + 1);
  return {
    image: `kserve/storage-initializer:${version}`,
    ...JSON.parse(data.storageInitializer ?? '{}'),
  };
}

/** kserve/kserve-localmodel-controller: indexes InferenceServices before it starts, so it ends when the kind is not there. */
export const localModel: Program = {
  image: 'docker.io/kserve/kserve-localmodel-controller',
  async run(c) {
    const log = zapJson(c);
    const habits = habitsOf(c);
    const api = await begin(c, habits, { cpuMillis: 3, memoryBytes: 38 * MIB });
    if (typeof api === 'number') return api;
    log.info('setup', 'Setting up manager');
    const { group, version, kind } = INFERENCE_SERVICE;
    const served = (await api.discover?.(group, version)) ?? [];
    if (!served.some(found => found.kind === kind)) {
      const error = `no matches for kind "${kind}" in version "${group}/${version}"`;
      log.error('setup', 'unable to create controller', error, {
        v1alpha1Controllers: 'LocalModel',
        stacktrace: stack('localmodel/main.go:147'),
      });
      return 1;
    }
    return runOperator(c, {
      component: 'v1alpha1Controllers',
      habits,
      controllers: [
        watching('clusterlocalmodel', alpha('ClusterLocalModel'), {
          watches: [{ kind: INFERENCE_SERVICE, keys: () => [] }],
        }),
      ],
    });
  },
};
