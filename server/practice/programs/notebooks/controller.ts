// Kubeflow's notebook-controller: turns Notebooks into StatefulSets and Services, mirrors their pods into their status and
// repeats what is said about their pods. Decides by what the API tells its own account; idle notebooks are not stopped.

import { isDeepStrictEqual } from 'node:util';
import type { KubeObject, ObjectKey } from '../../../kube/index.ts';
import {
  type Controller,
  controllerRuntime,
  createIfAbsent,
  type Operator,
  runOperator,
  watched,
  writeStatus,
  type ZapLog,
  zapConsole,
} from '../operator/index.ts';
import type { Container, Program } from '../types.ts';
import { serviceOf, statefulSetOf, virtualServiceOf } from './children.ts';
import { statusOf } from './status.ts';

// Every version of it holds the same; this is the one the controller was built with.
const NOTEBOOK = watched('kubeflow.org/v1beta1', 'Notebook');
const STATEFUL_SET = watched('apps/v1', 'StatefulSet');
const SERVICE = watched('v1', 'Service');
const POD = watched('v1', 'Pod');
const EVENT = watched('v1', 'Event');
const VIRTUAL_SERVICE = {
  ...watched('networking.istio.io/v1alpha3', 'VirtualService'),
  type: '*unstructured.Unstructured',
};

const LOGGER = 'controllers.Notebook';
const START_MS = 300;
/** Repeated events that are kept in mind. */
const REMEMBERED = 4096;

/** The notebook that a pod or a StatefulSet belongs to; undefined for others. */
function notebookOf(operator: Operator, reference: KubeObject['involvedObject']): ObjectKey | undefined {
  const { kind, name, namespace } = reference ?? {};
  const owner =
    kind === 'StatefulSet'
      ? name
      : kind === 'Pod'
        ? operator.get(POD, { namespace, name })?.metadata.labels?.['notebook-name']
        : undefined;
  const key = { namespace, name: owner };
  return owner && operator.get(NOTEBOOK, key) ? key : undefined;
}

function notebooks(c: Container, log: ZapLog): Controller {
  const istio = c.env['USE_ISTIO'] === 'true';
  const gateway = c.env['ISTIO_GATEWAY'] || 'kubeflow/kubeflow-gateway';
  const addGroup = (c.env['ADD_FSGROUP'] ?? 'true') === 'true';
  /** Events already repeated, by name and count: a list that is read again must not say them twice. */
  const repeated = new Set<string>();
  const since = c.clock.now();

  const repeat = (event: KubeObject, operator: Operator) => {
    const key = notebookOf(operator, event['involvedObject']);
    const about = `${event.metadata.uid} ${event['count'] ?? 1}`;
    if (!key || repeated.has(about)) return;
    repeated.add(about);
    if (repeated.size > REMEMBERED) repeated.delete(repeated.values().next().value ?? '');
    // What was said before this program started was repeated by the one before it.
    const said = event['lastTimestamp'] ?? event['eventTime'] ?? event.metadata.creationTimestamp;
    if (Date.parse(said) < since - 1_000) return;
    const { kind, name } = event['involvedObject'];
    operator.events.record(
      operator.get(NOTEBOOK, key) as KubeObject,
      event['type'],
      event['reason'],
      `Reissued from ${kind.toLowerCase()}/${name}: ${event['message']}`,
    );
  };

  return {
    name: 'notebook',
    for: NOTEBOOK,
    owns: [STATEFUL_SET, SERVICE, ...(istio ? [VIRTUAL_SERVICE] : [])],
    watches: [
      {
        kind: POD,
        keys({ metadata }) {
          const name = metadata.labels?.['notebook-name'];
          return name ? [{ name, ...(metadata.namespace && { namespace: metadata.namespace }) }] : [];
        },
      },
      {
        kind: EVENT,
        keys(event, operator) {
          repeat(event, operator);
          return [];
        },
      },
    ],

    async reconcile(key, operator) {
      const about = { notebook: `${key.namespace}/${key.name}` };
      const info = (message: string, more = {}) => log.info(LOGGER, message, { ...about, ...more });
      const notebook = operator.get(NOTEBOOK, key);
      info('Reconciliation loop started');
      if (!notebook) {
        const error = `Notebook.kubeflow.org "${key.name}" not found`;
        log.error(LOGGER, 'unable to fetch Notebook', error, about);
        return undefined;
      }
      // Deleted in the foreground, it stays until its children are gone: they are not to be made again.
      if (notebook.metadata.deletionTimestamp) return undefined;

      const wanted = statefulSetOf(notebook, addGroup);
      if (!operator.get(STATEFUL_SET, key)) info('Creating StatefulSet', key);
      const set = await createIfAbsent(operator, STATEFUL_SET, wanted);
      if (!set.created && differs(wanted, set.object)) {
        info('Updating StatefulSet', key);
        const { replicas, template } = wanted['spec'];
        await operator.api.update(STATEFUL_SET, {
          ...set.object,
          spec: { ...set.object['spec'], replicas, template },
        });
      }
      if (!operator.get(SERVICE, key)) info('Creating Service', key);
      await createIfAbsent(operator, SERVICE, serviceOf(notebook));
      if (istio) {
        const route = virtualServiceOf(notebook, gateway);
        if (!operator.get(VIRTUAL_SERVICE, route.metadata)) info('Creating virtual service', key);
        await createIfAbsent(operator, VIRTUAL_SERVICE, route);
      }

      const pod = operator.get(POD, { ...key, name: `${key.name}-0` });
      if (!pod) info('Pod not found...');
      const { found, status } = statusOf(notebook, operator.get(STATEFUL_SET, key), pod, c.clock.now());
      if (pod?.['status']?.containerStatuses && !found)
        log.info(
          LOGGER,
          'Could not find container with the same name as Notebook in containerStates of Pod. ' +
            "Will not update notebook's status.containerState ",
          about,
        );
      if (await writeStatus(operator, NOTEBOOK, notebook, status))
        info('Updating Notebook CR Status', { status });
      return undefined;
    },
  };
}

/** Whether what this controller decides about a StatefulSet is something else than what is there, defaults aside. */
function differs(wanted: KubeObject, there: KubeObject): boolean {
  const { replicas, template } = there['spec'];
  return (
    replicas !== wanted['spec'].replicas ||
    !isDeepStrictEqual(template.metadata.labels, wanted['spec'].template.metadata.labels) ||
    !holds(template.spec, wanted['spec'].template.spec)
  );
}

/** Every field of `wanted` is in `there`, which may have more. */
function holds(there: unknown, wanted: unknown): boolean {
  if (Array.isArray(wanted))
    return (
      Array.isArray(there) &&
      there.length === wanted.length &&
      wanted.every((item, index) => holds(there[index], item))
    );
  if (typeof wanted !== 'object' || wanted === null) return there === wanted;
  return (
    typeof there === 'object' &&
    there !== null &&
    Object.entries(wanted).every(([name, value]) => holds((there as Record<string, unknown>)[name], value))
  );
}

const controller = (image: string): Program => ({
  image,
  async run(c) {
    c.use({ cpuMillis: 3, memoryBytes: 32 * 1024 * 1024 });
    await c.clock.sleep(START_MS, c.signal);
    const log = zapConsole(c, 'epoch');
    log.info('main', "Culling of idle Pods is Disabled. To enable it set the ENV Var 'ENABLE_CULLING=true'");
    log.info('setup', 'starting manager');
    return runOperator(c, {
      component: 'notebook-controller',
      habits: controllerRuntime(c, log, 'before 0.13'),
      controllers: [notebooks(c, log)],
    });
  },
});

export const notebookController = controller('ghcr.io/kubeflow/notebooks/notebook-controller');
