// What operators built on controller-runtime say while they start and when a reconcile fails. Knows no operator.

import { type ObjectKey, StatusError } from '../../../kube/index.ts';
import type { Container } from '../types.ts';
import type { ZapLog } from './logs.ts';
import type { Controller, Habits, Watched } from './types.ts';

/** `version` says in which of its two ways it names a controller. */
export function controllerRuntime(
  container: Container,
  log: ZapLog,
  version: '0.13 or later' | 'before 0.13' = '0.13 or later',
): Habits {
  const old = version === 'before 0.13';
  const loggerOf = (controller: Controller) => (old ? `controller.${controller.name}` : '');
  const about = (controller: Controller) =>
    old
      ? { 'reconciler group': controller.for.group, 'reconciler kind': controller.for.kind }
      : {
          controller: controller.name,
          controllerGroup: controller.for.group,
          controllerKind: controller.for.kind,
        };
  return {
    noAccount() {
      const logger = 'controller-runtime.client.config';
      log.error(
        logger,
        'unable to load in-cluster config',
        'open /var/run/secrets/kubernetes.io/serviceaccount/token: no such file or directory',
      );
      log.error(
        logger,
        'unable to get kubeconfig',
        'invalid configuration: no configuration has been provided, try setting KUBERNETES_MASTER environment variable',
      );
    },
    starting(controller) {
      for (const kind of kindsOf(controller))
        log.info(loggerOf(controller), 'Starting EventSource', {
          ...about(controller),
          source: `kind source: ${kind.type}`,
        });
      log.info(loggerOf(controller), 'Starting Controller', about(controller));
    },
    started: controller =>
      log.info(loggerOf(controller), 'Starting workers', { ...about(controller), 'worker count': 1 }),
    kindMissing: kind =>
      log.error(
        'controller-runtime.source.EventHandler',
        'if kind is a CRD, it should be installed before calling Start',
        `no matches for kind "${kind.kind}" in version "${kind.group}/${kind.version}"`,
        { kind: `${kind.kind}.${kind.group}` },
      ),
    late(controller, kind) {
      const error = `failed to wait for ${controller.name} caches to sync: timed out waiting for cache to be synced for Kind ${kind.type}`;
      log.error(loggerOf(controller), 'Could not wait for Cache to sync', error, about(controller));
      log.error('setup', 'problem running manager', error);
    },
    failed: (controller, key, error) =>
      log.error(loggerOf(controller), 'Reconciler error', wordsOf(error), {
        ...about(controller),
        ...(!old && {
          [controller.for.kind]: { name: key.name, ...(key.namespace && { namespace: key.namespace }) },
        }),
        name: key.name,
        namespace: key.namespace ?? '',
        ...(!old && { reconcileID: container.random.uuid() }),
      }),
  };
}

/** An error in the words the API gave; a bug of ours with its stack. */
export const wordsOf = (error: unknown): string =>
  error instanceof StatusError || !(error instanceof Error)
    ? String((error as Error)?.message ?? error)
    : (error.stack ?? error.message);

/** Everything a controller keeps copies of; its own kind first. */
export const kindsOf = ({ for: own, owns = [], watches = [] }: Controller): Watched[] => [
  own,
  ...owns,
  ...watches.map(({ kind }) => kind),
];

export const keyText = ({ namespace, name }: ObjectKey) => `${namespace ?? ''}/${name}`;
