// The baselines `pipelines` and `pipelines-elsewhere`: the part of Kubeflow Pipelines that hangs on its database, from the data
// of December 2024. The second was written for another cluster: its volume claims name a storage class of that place.

import { type KubeApi, say } from '../../check/index.ts';
import type { KubeObject } from '../../kube/index.ts';
import { create, createAll } from './create.ts';
import { seedData } from './kubeflow-seed.ts';
import { partOf } from './part.ts';
import type { Baseline, BaselineContext } from './types.ts';

const NAMESPACE = 'kubeflow';
const WORKLOADS = ['mysql', 'metadata-grpc-deployment', 'metadata-writer', 'ml-pipeline'];
/** A class of a managed cloud, of which neither minikube nor a bare cluster has one. */
const CLOUD_CLASS = 'premium-rwo';

function baseline(name: string, change: (object: KubeObject) => KubeObject): Baseline {
  return {
    name,
    namespaces: [NAMESPACE],
    async apply(api: KubeApi, { note, signal }: BaselineContext) {
      note(say('正在安裝 Kubeflow Pipelines。', 'Installing Kubeflow Pipelines.'));
      const [namespace, ...rest] = partOf(seedData(), NAMESPACE, WORKLOADS).map(change);
      await create(api, namespace as KubeObject);
      const deployments = rest.filter(({ kind }) => kind === 'Deployment');
      await createAll(
        api,
        rest.filter(({ kind }) => kind !== 'Deployment'),
        signal,
      );
      await createAll(api, deployments, signal);
    },
  };
}

export const pipelines = baseline('pipelines', object => object);

export const pipelinesElsewhere = baseline('pipelines-elsewhere', object =>
  object.kind === 'PersistentVolumeClaim'
    ? { ...object, spec: { ...object.spec, storageClassName: CLOUD_CLASS } }
    : object,
);
