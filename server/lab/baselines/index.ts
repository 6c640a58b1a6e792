// The baselines there are, by name.

import { katib } from './katib.ts';
import { kserve } from './kserve.ts';
import { kserveReady } from './kserve-ready.ts';
import { kubeflowSeed } from './kubeflow-seed.ts';
import { login } from './login.ts';
import { modelRegistry } from './model-registry.ts';
import { mpi } from './mpi.ts';
import { notebooks } from './notebooks.ts';
import { pipelines, pipelinesElsewhere } from './pipelines.ts';
import { spark } from './spark.ts';
import { training } from './training.ts';
import type { Baseline } from './types.ts';

/** A cluster as it is after its start. */
const empty: Baseline = { name: 'empty', namespaces: [], apply: async () => {} };

export const BASELINES: readonly Baseline[] = [
  empty,
  kubeflowSeed,
  katib,
  kserve,
  kserveReady,
  login,
  modelRegistry,
  mpi,
  notebooks,
  pipelines,
  pipelinesElsewhere,
  training,
  spark,
];

export function baselineOf(name: string): Baseline | undefined {
  return BASELINES.find(baseline => baseline.name === name);
}

export { create, createAll, put, removeClusterScoped, removeNamespaces } from './create.ts';
export { MANIFESTS, manifestOf } from './manifests.ts';
export type * from './types.ts';
