// The baseline `kserve`: KServe's two controllers of December 2024 with their roles and every kind but the largest,
// InferenceService, which a client-side apply had refused. Knows no lab.

import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { type KubeApi, say } from '../../check/index.ts';
import type { KubeObject } from '../../kube/index.ts';
import { type Access, accessOf } from './access.ts';
import { create, createAll } from './create.ts';
import { otherKserveCrds } from './kserve-crds.ts';
import { seedData } from './kubeflow-seed.ts';
import { partOf } from './part.ts';
import type { Baseline, BaselineContext } from './types.ts';

const NAMESPACE = 'kubeflow';
const WORKLOADS = ['kserve-controller-manager', 'kserve-localmodel-controller-manager'];

interface Data extends Access {
  configuration: Record<string, string>;
}

const data = (): Data => parse(readFileSync(new URL('./kserve.yaml', import.meta.url), 'utf8'));

export const kserve: Baseline = {
  name: 'kserve',
  namespaces: [NAMESPACE],
  get clusterScoped() {
    const names = (object: KubeObject) => ({ ...object, name: object.metadata.name });
    return [
      ...[...accessOf(data()), ...otherKserveCrds()].map(names),
      {
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'CustomResourceDefinition',
        name: 'inferenceservices.serving.kserve.io',
      },
    ];
  },

  apply: (api, context) => installKserve(api, context, WORKLOADS),
};

/** Some of KServe's workloads with all that they need but the definition of InferenceService; `change` has the last word. */
export async function installKserve(
  api: KubeApi,
  { note, signal }: BaselineContext,
  workloads: readonly string[],
  change: (object: KubeObject) => KubeObject = object => object,
): Promise<void> {
  note(say('正在安裝 KServe 的控制器。', "Installing KServe's controllers."));
  const own = data();
  const configuration: KubeObject = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { namespace: NAMESPACE, name: 'inferenceservice-config' },
    data: own.configuration,
  };
  await createAll(api, [...otherKserveCrds(), ...accessOf(own)], signal);
  const [namespace, ...rest] = partOf(seedData(), NAMESPACE, workloads).map(change);
  await create(api, namespace as KubeObject);
  const deployments = rest.filter(({ kind }) => kind === 'Deployment');
  await createAll(api, [configuration, ...rest.filter(({ kind }) => kind !== 'Deployment')], signal);
  await createAll(api, deployments, signal);
}
