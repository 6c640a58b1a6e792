// Manifests that are too large to be kept as files and are written when a lab asks for them. Knows no lab.

import type { KubeObject } from '../../kube/index.ts';
import { inferenceServiceCrd } from './kserve-crds.ts';

export interface Manifest {
  name: string;
  objects(): Promise<KubeObject[]>;
}

export const MANIFESTS: readonly Manifest[] = [
  { name: 'inferenceservice-crd', objects: async () => [await inferenceServiceCrd()] },
];

export const manifestOf = (name: string) => MANIFESTS.find(manifest => manifest.name === name);
