// The controller of InferenceServices: makes the children of one, keeps them as they should be, and tells how they are. In
// RawDeployment mode only; without Knative the other mode is refused, as the real controller does.

import { isDeepStrictEqual } from 'node:util';
import { type KubeObject, type ObjectKey, StatusError } from '../../../kube/index.ts';
import {
  type Controller,
  createIfAbsent,
  type Operator,
  unlessMissing,
  type Watched,
  writeStatus,
  type ZapLog,
} from '../operator/index.ts';
import { autoscalerOf, deploymentOf, ingressOf, predictorName, serviceOf } from './children.ts';
import {
  AUTOSCALER,
  CLUSTER_SERVING_RUNTIME,
  CONFIG,
  CONFIG_MAP,
  DEPLOYMENT,
  INFERENCE_SERVICE,
  INGRESS,
  LABEL,
  POD,
  SERVICE,
  SERVING_RUNTIME,
} from './kinds.ts';
import { NoRuntime, runtimeFor } from './runtimes.ts';
import { statusOf, transition, withoutRuntime } from './status.ts';

const MODE = 'serving.kserve.io/deploymentMode';
const FINALIZER = 'inferenceservice.finalizers';
const LOGGER = 'v1beta1Controllers.InferenceService';
/** From this minor version on the modes have new names, and the old ones still count. */
const RENAMED_IN = 16;

interface Settings {
  mode: string;
  domain: string;
  ingressClass: string;
}

export function inferenceServices(log: ZapLog): Controller {
  return {
    name: 'inferenceservice',
    for: INFERENCE_SERVICE,
    owns: [DEPLOYMENT],
    reconcile: async (key, operator) => {
      const service = operator.get(INFERENCE_SERVICE, key);
      if (!service) return undefined;
      const about = { apiVersion: service.apiVersion, isvc: key.name };
      log.info(LOGGER, 'Reconciling inference service', about);
      try {
        await reconcile(operator, key, service, log);
      } catch (error) {
        if (error instanceof Terminal) {
          log.error('', 'Reconciler error', `terminal error: ${error.message}`, about);
          return undefined;
        }
        if (error instanceof StatusError && error.reason !== 'Conflict')
          operator.events.record(service, 'Warning', 'InternalError', error.message);
        throw error;
      }
      return undefined;
    },
  };
}

/** Trying again would not help. */
class Terminal extends Error {}

const namespaceOf = ({ container: c }: Operator) =>
  c.env['POD_NAMESPACE'] ?? c.pod.metadata.namespace ?? 'kserve';

/** What the installation's ConfigMap says. */
async function settingsOf(operator: Operator): Promise<Settings> {
  const key = { namespace: namespaceOf(operator), name: CONFIG };
  const { data = {} } = (await operator.api.get(CONFIG_MAP, key)) as any;
  const part = (name: string) => JSON.parse(data[name] ?? '{}');
  const ingress = part('ingress');
  return {
    mode: part('deploy').defaultDeploymentMode ?? 'Serverless',
    domain: ingress.ingressDomain ?? 'example.com',
    ingressClass: ingress.ingressClassName ?? 'istio',
  };
}

/** The mode in this version's words. */
function modeOf(operator: Operator, service: KubeObject, settings: Settings): string {
  const minor = Number(/:v0\.(\d+)/.exec(operator.container.image)?.[1] ?? 0);
  const renamed = minor >= RENAMED_IN;
  const known = ['RawDeployment', 'Serverless', 'ModelMesh', ...(renamed ? ['Standard', 'Knative'] : [])];
  const asked = service.metadata.annotations?.[MODE] ?? '';
  const mode = known.includes(asked) ? asked : settings.mode;
  if (mode === 'Standard' || mode === 'RawDeployment') return 'RawDeployment';
  return renamed && mode === 'Serverless' ? 'Knative' : mode;
}

async function reconcile(operator: Operator, key: ObjectKey, found: KubeObject, log: ZapLog): Promise<void> {
  const { api } = operator;
  const finalizers = found.metadata.finalizers ?? [];
  if (found.metadata.deletionTimestamp) {
    if (finalizers.includes(FINALIZER))
      await api.patch(INFERENCE_SERVICE, key, 'merge', {
        metadata: { finalizers: finalizers.filter(name => name !== FINALIZER) },
      });
    return;
  }
  const settings = await settingsOf(operator);
  const mode = modeOf(operator, found, settings);
  log.info(LOGGER, 'Inference service deployment mode ', { 'deployment mode ': mode });
  if (mode !== 'RawDeployment') return refuse(operator, found, mode);
  const service = finalizers.includes(FINALIZER)
    ? found
    : await api.patch(INFERENCE_SERVICE, key, 'merge', {
        metadata: { finalizers: [...finalizers, FINALIZER] },
      });

  const { predictor } = service['spec'];
  let runtime: KubeObject | undefined;
  if (predictor.model) {
    try {
      runtime = runtimeFor(
        predictor.model,
        (await api.list(SERVING_RUNTIME, { namespace: key.namespace ?? 'default' })).items,
        (await api.list(CLUSTER_SERVING_RUNTIME)).items,
      );
    } catch (error) {
      if (!(error instanceof NoRuntime)) throw error;
      operator.events.record(service, 'Warning', 'InternalError', error.message);
      await writeStatus(operator, INFERENCE_SERVICE, service, withoutRuntime(service, error));
      throw error;
    }
  }
  const wanted = deploymentOf(service, runtime);
  const deployment = await keep(operator, DEPLOYMENT, wanted);
  await keep(operator, SERVICE, serviceOf(service, wanted['spec'].template.spec.containers[0]));
  await keep(operator, AUTOSCALER, autoscalerOf(service));

  const available = (deployment['status']?.conditions ?? []).some(
    (c: any) => c.type === 'Available' && c.status === 'True',
  );
  if (available) await keep(operator, INGRESS, ingressOf(service, settings.domain, settings.ingressClass));
  const pods = await api.list(POD, {
    namespace: key.namespace ?? 'default',
    labelSelector: `${LABEL}=${key.name},app=isvc.${predictorName(service)}`,
  });
  const status = statusOf(service, {
    deployment,
    pods: pods.items,
    ingress: available,
    domain: settings.domain,
    now: operator.container.clock.now(),
  });
  if (!(await writeStatus(operator, INFERENCE_SERVICE, service, status))) return;
  const event = transition(key.name, service['status'], status);
  if (event) operator.events.record(service, event.type, event.reason, event.message);
}

async function refuse(operator: Operator, service: KubeObject, mode: string): Promise<never> {
  const kinds = (await operator.api.discover?.('serving.knative.dev', 'v1')) ?? [];
  if (mode === 'ModelMesh' || kinds.some(({ kind }) => kind === 'Service'))
    throw new Terminal(`this practice cluster serves models in RawDeployment mode only, not in ${mode}`);
  operator.events.record(
    service,
    'Warning',
    'ServerlessModeRejected',
    `It is not possible to use ${mode} deployment mode when Knative Services are not available`,
  );
  throw new Terminal(
    `the resolved deployment mode of InferenceService '${service.metadata.name}' is ${mode}, but Knative Serving is not available`,
  );
}

/** Creates a child, or brings what differs in it back; what others added stays. */
async function keep(operator: Operator, kind: Watched, wanted: KubeObject): Promise<KubeObject> {
  const key = { name: wanted.metadata.name, namespace: wanted.metadata.namespace ?? 'default' };
  const existing =
    kind === DEPLOYMENT ? operator.get(kind, key) : await operator.api.get(kind, key).catch(unlessMissing);
  if (!existing) return (await createIfAbsent(operator, kind, wanted)).object;
  if (covers(existing['spec'], wanted['spec'])) return existing;
  return operator.api.update(kind, { ...existing, spec: laidOver(existing['spec'], wanted['spec']) });
}

/** Whether all that is wanted is there. */
function covers(there: any, wanted: any): boolean {
  if (Array.isArray(wanted))
    return (
      Array.isArray(there) &&
      there.length === wanted.length &&
      wanted.every((one, at) => covers(there[at], one))
    );
  if (typeof wanted !== 'object' || wanted === null) return isDeepStrictEqual(there, wanted);
  return (
    typeof there === 'object' &&
    there !== null &&
    Object.entries(wanted).every(([name, value]) => value === undefined || covers(there[name], value))
  );
}

function laidOver(there: any, wanted: any): any {
  if (Array.isArray(wanted) || typeof wanted !== 'object' || wanted === null) return wanted;
  const base = typeof there === 'object' && there !== null && !Array.isArray(there) ? there : {};
  return Object.fromEntries(
    [...new Set([...Object.keys(base), ...Object.keys(wanted)])].map(name => [
      name,
      wanted[name] === undefined ? base[name] : laidOver(base[name], wanted[name]),
    ]),
  );
}
