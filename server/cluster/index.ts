// The clusters that can stand behind a lab, in the order in which they are offered.

import { createMinikubeProvider } from './minikube.ts';
import { createPracticeProvider } from './practice.ts';
import type { ClusterProvider } from './types.ts';

export { createMinikubeProvider } from './minikube.ts';
export { createPracticeProvider } from './practice.ts';
export type * from './types.ts';

export function clusterProviders(): ClusterProvider[] {
  return [createPracticeProvider(), createMinikubeProvider()];
}
