// What a practice cluster's worker thread and its owner say to each other. Plain data only.

import type { Authority } from './rest/index.ts';
import type { ClusterCredentials, NodeOptions } from './types.ts';

/** Sent as workerData: the worker starts its cluster at once. */
export interface WorkerStart {
  nodes?: NodeOptions[];
  listen: { socketPath?: string; port?: number; nodeSocketPath?: string };
  /** Of names and jitter; the same seed gives the same cluster. */
  seed: number;
  /** How fast the cluster's clock runs. */
  speed: number;
  controlPlaneOnly?: boolean;
  authorization?: 'RBAC' | 'AlwaysAllow';
  serviceClusterIpRange?: string;
  networkPolicy?: boolean;
  pullLimit?: { registry: string; pulls: number; hours: number };
  tokenAuthFile?: string;
  /** What `save` of an earlier cluster gave. */
  saved?: Uint8Array;
  /** Of a new cluster; a saved one brings its own. */
  authority?: Authority;
}

export type WorkerRequest =
  | { id: number; method: 'snapshot' }
  | { id: number; method: 'restore'; snapshot: number }
  | { id: number; method: 'forget'; snapshot: number }
  /** Answered with bytes; `changed` is said once for whatever is written after it. */
  | { id: number; method: 'save'; snapshots: number[] }
  | { id: number; method: 'close' };

export type WorkerMessage =
  | { type: 'started'; port?: number; credentials: ClusterCredentials; savedSnapshots: number[] }
  | { type: 'failed'; message: string }
  | { type: 'fault'; where: string; message: string }
  | { type: 'changed' }
  | { type: 'answer'; id: number; value?: unknown; error?: string };
