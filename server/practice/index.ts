// The practice cluster's only door for the rest of the product.

export { createPracticeCluster } from './cluster.ts';
export type {
  ClusterCredentials,
  NodeOptions,
  PracticeCluster,
  PracticeOptions,
  PracticeSnapshot,
} from './types.ts';
export { startPracticeWorker, type WorkerCluster, type WorkerOptions } from './worker-handle.ts';
