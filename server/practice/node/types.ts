// What a cluster's nodes need and what they give. Knows no implementation.

import type { Clock } from '../../clock.ts';
import type { ApiClient } from '../../kube/index.ts';
import type { Random } from '../../random.ts';
import type { ByteStream, ClusterNetwork } from '../network/index.ts';
import type { KubeletApi } from '../rest/kubelet-api.ts';
import type { NodeImages } from './images.ts';
import type { PullLimit } from './registries.ts';

/** A machine to be. */
export interface NodeOptions {
  name: string;
  /** Kubernetes quantities: `2`, `4Gi`. */
  cpus: string;
  memory: string;
  /** Of its disk; default: that of a roomy machine. */
  disk?: string;
  labels?: Record<string, string>;
}

export interface NodeServices {
  nodes: readonly NodeOptions[];
  clock: Clock;
  random: Random;
  /** The API under a user: kubelets act as system:node:<name>, containers as their service account. */
  clientFor(user: { name: string; groups: string[] }): ApiClient;
  /** A raw connection to the API server's TLS port, so that containers can reach it at its service address. */
  dialApiServer?: () => Promise<ByteStream>;
  /** NetworkPolicies are enforced; default: only stored. */
  networkPolicy?: boolean;
  /** How often images may be pulled without a login; default: as often as wanted. */
  pullLimit?: PullLimit;
  /** Images present from the start besides the node's own. */
  preloaded?: readonly string[];
  /** Told about what must not happen; default: nobody. */
  onFault?: (where: string, error: unknown) => void;
}

/** What a node or a container uses now: nanocores would be false precision, so millicores and bytes. */
export interface Usage {
  cpuMillis: number;
  memoryBytes: number;
}

export interface UsageReport {
  nodes: { name: string; usage: Usage }[];
  pods: {
    namespace: string;
    name: string;
    containers: { name: string; usage: Usage; startedAt: number }[];
  }[];
}

export interface ClusterNodes {
  kubelet: KubeletApi;
  network: ClusterNetwork;
  /** Resolves when every node is registered and Ready. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** The image store of one node; undefined when there is no such node. */
  images(node: string): NodeImages | undefined;
  /** What is used now, for the resource metrics API. */
  usage(): UsageReport;
  /** What the API does not hold: images and the nodes' own files. Plain data. */
  snapshot(): unknown;
  /** Lets go of every pod before the store goes back; `restore` takes up what the store then says. */
  suspend(): void;
  restore(snapshot: unknown): Promise<void>;
}
