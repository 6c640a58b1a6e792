// The baselines `pipelines` and `pipelines-elsewhere`: those who hang on the database of Kubeflow Pipelines, from the data of
// December 2024: its API server in the first, the metadata store in the second. The second was written for
// another cluster: its volume claims name a storage class of that place.

import { type KubeApi, say } from '../../check/index.ts';
import type { KubeObject } from '../../kube/index.ts';
import { create, createAll } from './create.ts';
import { seedData } from './kubeflow-seed.ts';
import { partOf } from './part.ts';
import type { Baseline, BaselineContext } from './types.ts';

const NAMESPACE = 'kubeflow';
/** A class of a managed cloud, of which neither minikube nor a bare cluster has one. */
const CLOUD_CLASS = 'premium-rwo';

function baseline(name: string, workloads: string[], change: (object: KubeObject) => KubeObject): Baseline {
  return {
    name,
    namespaces: [NAMESPACE],
    async apply(api: KubeApi, { note, signal }: BaselineContext) {
      note(say('正在安裝 Kubeflow Pipelines。', 'Installing Kubeflow Pipelines.'));
      const [namespace, ...rest] = partOf(seedData(), NAMESPACE, workloads).map(change);
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

export const pipelines = baseline('pipelines', ['mysql', 'ml-pipeline'], object => object);

export const pipelinesElsewhere = baseline(
  'pipelines-elsewhere',
  ['mysql', 'metadata-grpc-deployment'],
  object =>
    object.kind === 'PersistentVolumeClaim'
      ? { ...object, spec: { ...object.spec, storageClassName: CLOUD_CLASS } }
      : object,
);
