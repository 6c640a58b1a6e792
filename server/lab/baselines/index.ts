// The baselines there are, by name.

import { kubeflowSeed } from './kubeflow-seed.ts';
import type { Baseline } from './types.ts';

/** A cluster as it is after its start. */
const empty: Baseline = { name: 'empty', namespaces: [], apply: async () => {} };

export const BASELINES: readonly Baseline[] = [empty, kubeflowSeed];

export function baselineOf(name: string): Baseline | undefined {
  return BASELINES.find(baseline => baseline.name === name);
}

export { create, createAll, put, removeNamespaces } from './create.ts';
export type * from './types.ts';
