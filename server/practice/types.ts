// What a practice cluster is to whoever starts one: options in, a running API server out.

import type { Clock } from '../clock.ts';
import type { ApiClient } from '../kube/index.ts';
import type { Random } from '../random.ts';
import type { NodeOptions } from './node/types.ts';
import type { Authority } from './rest/index.ts';

export type { NodeOptions };

export interface PracticeOptions {
  clock: Clock;
  random: Random;
  /** First node plays minikube (name `minikube`, control-plane label, kube-system pods). Default: one of 2 CPUs, 4Gi. */
  nodes?: NodeOptions[];
  /** Only the API server with its bootstrap objects: no controllers, scheduler, kubelet. */
  controlPlaneOnly?: boolean;
  authorization?: 'RBAC' | 'AlwaysAllow';
  serviceClusterIpRange?: string;
  /** NetworkPolicies are enforced, as by `minikube start --cni calico`; by default they are only stored. */
  networkPolicy?: boolean;
  /** How often the nodes may pull images of one registry without a login; default: as often as they want. */
  pullLimit?: { registry: string; pulls: number; hours: number };
  /** Node ports of services also answer on 127.0.0.1, as far as they are free there. */
  openNodePorts?: boolean;
  /** Contents of a static token file: lines `token,user,uid,"group1,group2"`. */
  tokenAuthFile?: string;
  /** Certificates of an earlier cluster, to be trusted again. */
  authority?: Authority;
  /** What `save` of an earlier cluster gave: starts as that one was. Its nodes must be the same. */
  saved?: Uint8Array;
  /** Told after every write that is worth keeping: all but heartbeats and events. */
  onChange?: () => void;
  /** Told about what must not happen (a controller or kubelet that failed); default: nobody. */
  onFault?: (where: string, error: unknown) => void;
  /**
   * Where to listen. A TCP port is on 127.0.0.1 only; port 0 picks a free one. At `nodeSocketPath` the ports of the first
   * node are reached, as node-socket.ts says.
   */
  listen: { socketPath?: string; port?: number; nodeSocketPath?: string };
}

/** Everything a kubeconfig needs. PEM texts. */
export interface ClusterCredentials {
  caCert: string;
  clientCert: string;
  clientKey: string;
}

export interface PracticeCluster {
  /** Actual TCP port when one was asked for. */
  readonly port?: number;
  readonly credentials: ClusterCredentials;
  /** An in-process client acting as kubernetes-admin (system:masters). */
  readonly client: ApiClient;
  /** A kubeconfig (YAML) whose only context is `minikube`, for the given server URL. */
  kubeconfig(server: string): string;
  /** Freezes this moment, running programs included as far as they can be (they are restarted). Milliseconds. */
  snapshot(): Promise<PracticeSnapshot>;
  restore(snapshot: PracticeSnapshot): Promise<void>;
  /** This moment, and these snapshots, as bytes for a file; `saved` starts a cluster from them. */
  save(snapshots?: PracticeSnapshot[]): Promise<Uint8Array<ArrayBuffer>>;
  /** The snapshots that came with `saved`, in their order. */
  readonly savedSnapshots: PracticeSnapshot[];
  close(): Promise<void>;
}

/** Opaque, plain data (structured-cloneable), so that it can cross a worker boundary or go to a file. */
export type PracticeSnapshot = unknown;
