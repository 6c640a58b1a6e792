// katib-controller: its three controllers and its three webhooks in one process. Knows how they are put together, no more.

import { type ApiClient, type KubeObject, parseApiVersion, StatusError } from '../../../kube/index.ts';
import { controllerRuntime, runOperator, type Watched, type ZapLog, zapJson } from '../operator/index.ts';
import type { Container, HttpRequest, HttpResponse, Program } from '../types.ts';
import { type KatibConfig, readConfig } from './config.ts';
import { experimentController } from './experiment.ts';
import { defaulted, faultsOf } from './experiment-webhook.ts';
import { about, TRIALS } from './kinds.ts';
import { isMeasured, measuredPod } from './pod-webhook.ts';
import { suggestionController } from './suggestion-controller.ts';
import { databaseOf, trialController } from './trial.ts';

const START_MS = 500;
const NAMESPACES = { group: '', version: 'v1', resource: 'namespaces' };
const INJECTION = 'katib.kubeflow.org/metrics-collector-injection';
/** Pods are owned through so many others at most. */
const DEPTH = 3;

export const katibController: Program = {
  image: 'ghcr.io/kubeflow/katib/katib-controller',
  config: { entrypoint: ['./katib-controller'] },
  async run(container) {
    const log = zapJson(container);
    container.use({ cpuMillis: 5, memoryBytes: 42 * 1024 * 1024 });
    await container.clock.sleep(START_MS, container.signal);
    if (container.signal.aborted) return container.signal.reason === 'SIGTERM' ? 0 : 137;
    let config: KatibConfig;
    try {
      config = await readConfig(container);
    } catch (error) {
      log.error('entrypoint', 'Failed to get KatibConfig', (error as Error).message);
      return 1;
    }
    log.info('entrypoint', 'Registering Components.');
    const kinds = await runnable(container, log, config);
    log.info('entrypoint', 'Setting up controller.');
    log.info('entrypoint', 'Setting up webhooks.');
    const hooks = new Webhooks(container, log, config, kinds);
    container.serveHttp(config.webhookPort, request => hooks.answer(request));
    log.info('entrypoint', 'Starting the manager.');
    return runOperator(container, {
      component: 'katib-controller',
      habits: controllerRuntime(container, log),
      controllers: [
        experimentController(log),
        suggestionController(log, config),
        trialController(log, kinds),
      ],
      ownPorts: [config.webhookPort],
    });
  },
};

/** The kinds a trial may run, as far as they are served now: `Job.v1.batch`. */
async function runnable(
  { api }: Container,
  log: ZapLog,
  { trialResources }: KatibConfig,
): Promise<Watched[]> {
  const found: Watched[] = [];
  for (const text of trialResources) {
    const [kind = '', version = '', ...rest] = text.split('.');
    const group = rest.join('.');
    const served = (await api?.discover?.(group, version))?.find(known => known.kind === kind);
    if (served)
      found.push({ group, version, resource: served.resource, kind, type: `*unstructured.Unstructured` });
    else
      log.info(
        'trial-controller',
        'Job watch error. CRD might be missing. Please install CRD and restart katib-controller',
        {
          'CRD Group': group,
          'CRD Version': version,
          'CRD Kind': kind,
        },
      );
  }
  return found;
}

interface Verdict {
  allowed: boolean;
  status?: { code: number; message: string };
  patch?: object[];
}

const refused = (code: number, message: string): Verdict => ({ allowed: false, status: { code, message } });
const ALLOWED: Verdict = { allowed: true };

class Webhooks {
  private readonly container: Container;
  private readonly log: ZapLog;
  private readonly config: KatibConfig;
  private readonly kinds: readonly Watched[];

  constructor(container: Container, log: ZapLog, config: KatibConfig, kinds: readonly Watched[]) {
    this.container = container;
    this.log = log;
    this.config = config;
    this.kinds = kinds;
  }

  async answer({ path, body }: HttpRequest): Promise<HttpResponse> {
    const { apiVersion, request } = JSON.parse(Buffer.from(body).toString('utf8'));
    const { api } = this.container;
    let verdict: Verdict;
    try {
      verdict =
        !api || !request?.object
          ? ALLOWED
          : path.startsWith('/mutate-experiment')
            ? { allowed: true, patch: [{ op: 'replace', path: '/spec', value: defaulted(request.object) }] }
            : path.startsWith('/validate-experiment')
              ? await this.validate(api, request)
              : await this.mutatePod(api, request);
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      verdict = refused(500, error.message);
    }
    const { patch, ...said } = verdict;
    const response = {
      uid: request?.uid ?? '',
      ...said,
      ...(patch && { patchType: 'JSONPatch', patch: Buffer.from(JSON.stringify(patch)).toString('base64') }),
    };
    return {
      status: 200,
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ apiVersion, kind: 'AdmissionReview', response }),
    };
  }

  private async validate(api: ApiClient, request: any): Promise<Verdict> {
    const { object, oldObject, namespace } = request;
    const { metadata } = await api.get(NAMESPACES, { name: namespace });
    if (metadata.labels?.[INJECTION] !== 'enabled')
      return refused(
        400,
        `Cannot create the Experiment "${object.metadata.name}" in namespace "${namespace}": the namespace lacks label "${INJECTION}: enabled"`,
      );
    const faults = faultsOf(object, oldObject ?? undefined, this.config);
    if (faults.length === 0) return ALLOWED;
    return refused(400, faults.length === 1 ? faults[0]! : `[${faults.join(', ')}]`);
  }

  private async mutatePod(api: ApiClient, { object: pod, namespace }: any): Promise<Verdict> {
    const name = await this.trialAbove(api, pod, namespace, DEPTH);
    if (name === undefined) return ALLOWED;
    const trial = await api.get(TRIALS, { namespace, name });
    if (!isMeasured(pod, trial)) return ALLOWED;
    const kind: string = trial['spec'].metricsCollector.collector.kind;
    try {
      const { metadata, spec } = measuredPod(pod, trial, {
        config: this.config.metricsCollectors[kind],
        database: databaseOf(this.container),
      });
      this.log.info('injector-webhook', 'Inject metrics collector sidecar container', {
        'Pod Generate Name': pod.metadata.generateName ?? '',
        Trial: about(trial),
      });
      return {
        allowed: true,
        patch: [
          { op: 'add', path: '/metadata/labels', value: metadata.labels },
          { op: 'replace', path: '/spec', value: spec },
        ],
      };
    } catch (error) {
      if (error instanceof StatusError) throw error;
      const { message } = error as Error;
      this.log.error('injector-webhook', 'Failed to inject metrics collector', message);
      return refused(400, message);
    }
  }

  /** The trial that owns this object, itself or through what it runs. */
  private async trialAbove(
    api: ApiClient,
    object: KubeObject,
    namespace: string,
    depth: number,
  ): Promise<string | undefined> {
    for (const owner of object.metadata.ownerReferences ?? []) {
      if (owner.kind === TRIALS.kind && owner.apiVersion === 'kubeflow.org/v1beta1')
        return object.metadata.name;
      const { group } = parseApiVersion(owner.apiVersion);
      const kind = this.kinds.find(known => known.kind === owner.kind && known.group === group);
      if (!kind || depth === 0) continue;
      const above = await this.trialAbove(
        api,
        await api.get(kind, { namespace, name: owner.name }),
        namespace,
        depth - 1,
      );
      if (above !== undefined) return above;
    }
    return undefined;
  }
}
