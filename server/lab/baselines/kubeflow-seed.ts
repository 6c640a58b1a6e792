// The baseline `kubeflow-seed`: the Kubeflow of December 2024 on a node that is too small for it. Knows no lab.
//
// Two things in it need saying.
//
// Sidecars. In that cluster Istio's injector was running when the pods were made, so pods of the injected namespaces carry
// istio-init and istio-proxy (100m and 128Mi each), while the templates of their Deployments do not. We make the same state
// before istiod can answer: the Deployment is created paused, the pod (sidecar included) is created beside it, then the
// ReplicaSet that adopts it, and the Deployment goes on. The injector comes last; pods made later get their sidecar from it.
//
// Order. Which pods are Pending follows from the sums and from who asked first; nothing marks the gateway. Istio, the databases
// and the pipelines' API came up first and took the node; the gateway asks next, and everybody else after it. In the seed's log
// the gateway's pod had been replaced on a node that was already full, which is the same place in the queue.

import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { type KubeApi, say } from '../../check/index.ts';
import type { KubeObject } from '../../kube/index.ts';
import { create, createAll } from './create.ts';
import {
  type Data,
  deployment,
  namespace,
  pods,
  replicaSet,
  service,
  serviceAccount,
  statefulSet,
  storage,
  texts,
} from './kubeflow-objects.ts';
import { sidecarInjector } from './sidecar-injector.ts';
import type { Baseline, BaselineContext } from './types.ts';

/** A volume that is not bound by then is left behind: its pod then waits, as it would anywhere. Milliseconds. */
const BOUND_TIMEOUT = 5_000;
const LOOK_AGAIN = 40;

/** The data file, which smaller baselines take their part from. */
export const seedData = (): Data =>
  parse(readFileSync(new URL('./kubeflow-seed.yaml', import.meta.url), 'utf8'));

export const kubeflowSeed: Baseline = {
  name: 'kubeflow-seed',
  namespaces: ['auth', 'cert-manager', 'istio-system', 'knative-serving', 'kubeflow', 'oauth2-proxy'],

  clusterScoped: [
    {
      apiVersion: sidecarInjector.apiVersion,
      kind: sidecarInjector.kind,
      name: sidecarInjector.metadata.name,
    },
  ],

  async apply(api: KubeApi, context: BaselineContext) {
    const { signal } = context;
    const seed = seedData();
    const workloads = seed.workloads.map(workload => ({
      replicas: 1,
      account: 'default',
      kind: 'Deployment',
      ...workload,
    }));
    const deployments = workloads.filter(workload => workload.kind === 'Deployment');

    context.note(say('正在安裝 2024 年 12 月的 Kubeflow。', 'Installing the Kubeflow of December 2024.'));
    await createAll(
      api,
      Object.entries(seed.namespaces).map(([name, labels]) => namespace(name, labels)),
      signal,
    );
    const accounts = Object.entries(seed.serviceAccounts).flatMap(([space, names]) =>
      names.map(name => serviceAccount(space, name)),
    );
    const claims = seed.volumeClaims.map(storage);
    // Claims first: binding them takes the cluster a moment, in which the rest is made.
    await createAll(api, [...claims, ...accounts, ...texts(seed), ...seed.services.map(service)], signal);
    const made = await createAll(
      api,
      deployments.map(workload => deployment(workload, true)),
      signal,
    );
    await untilAccounts(api, seed, context);
    await untilBound(api, claims, context);

    // What was there before this run is not ours to fill again.
    const fresh = deployments
      .map((workload, index) => ({ workload, made: made[index] }))
      .filter(entry => entry.made?.created);
    // One after another: this is the order in which the scheduler hears of them.
    for (const { workload } of fresh)
      for (const pod of pods(workload)) if (!signal.aborted) await create(api, pod);
    await createAll(
      api,
      fresh.map(({ workload, made: owner }) => replicaSet(workload, owner?.object as KubeObject)),
      signal,
    );
    await createAll(
      api,
      workloads.filter(workload => workload.kind === 'StatefulSet').map(statefulSet),
      signal,
    );
    await inTurn(fresh, ({ workload }) =>
      api.request(
        'PATCH',
        `/apis/apps/v1/namespaces/${workload.namespace}/deployments/${workload.name}`,
        { spec: { paused: null } },
        'application/merge-patch+json',
      ),
    );
    await create(api, sidecarInjector);
  },
};

/** Pods are refused while their namespace has no account `default`, which a controller makes. */
async function untilAccounts(api: KubeApi, seed: Data, { clock, signal }: BaselineContext): Promise<void> {
  for (const name of Object.keys(seed.namespaces)) {
    const end = clock.now() + BOUND_TIMEOUT;
    while (!signal.aborted && clock.now() < end) {
      if ((await api.request('GET', `/api/v1/namespaces/${name}/serviceaccounts/default`)).status === 200)
        break;
      await clock.sleep(LOOK_AGAIN, signal);
    }
  }
}

async function untilBound(
  api: KubeApi,
  claims: KubeObject[],
  { clock, signal }: BaselineContext,
): Promise<void> {
  const end = clock.now() + BOUND_TIMEOUT;
  while (!signal.aborted && clock.now() < end) {
    const reply = await api.request('GET', '/api/v1/namespaces/kubeflow/persistentvolumeclaims');
    const bound = (reply.body.items as KubeObject[]).filter(claim => claim.status?.phase === 'Bound');
    if (claims.every(claim => bound.some(candidate => candidate.metadata.name === claim.metadata.name)))
      return;
    await clock.sleep(LOOK_AGAIN, signal);
  }
}

async function inTurn<T>(items: readonly T[], task: (item: T) => Promise<unknown>): Promise<void> {
  for (const item of items) await task(item);
}
