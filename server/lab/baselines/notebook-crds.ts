// The definition of Kubeflow's Notebook: three versions that hold the same, each with a whole pod specification.

import type { KubeObject } from '../../kube/index.ts';
import { date, definition, int32, list, podSpec, record, text } from './definition.ts';
import { schemaWriter } from './structural-schema.ts';

export async function notebookCrds(): Promise<KubeObject[]> {
  const schemaOf = await schemaWriter();
  const spec = record({ template: record({ spec: podSpec(schemaOf) }) });
  const condition = record(
    {
      lastProbeTime: date,
      lastTransitionTime: date,
      message: text,
      reason: text,
      status: text,
      type: text,
    },
    ['status', 'type'],
  );
  const status = record(
    { conditions: list(condition), containerState: schemaOf('V1ContainerState'), readyReplicas: int32 },
    ['conditions', 'containerState', 'readyReplicas'],
  );
  return [
    definition({
      group: 'kubeflow.org',
      kind: 'Notebook',
      labels: { app: 'notebook-controller', 'kustomize.component': 'notebook-controller' },
      versions: ['v1', 'v1beta1', 'v1alpha1'].map(name => ({ name, spec, status })),
    }),
  ];
}
