// The contract of a cluster provider: whatever can stand behind a lab. Knows no labs and no sessions.

import type { ClusterOffer, Text } from '#common/protocol/index.ts';

export interface AttachedCluster {
  /** A kubeconfig file of our own (0600) inside `folder`; its current context is the only one. */
  kubeconfig: string;
  /** What a shell needs besides KUBECONFIG. */
  env: Record<string, string>;
  /** A unix socket that speaks to the API server, when the cluster has one: a sandboxed shell gets only this. */
  socketPath?: string;
  /** Another, which leads to the open ports of the node, as `server/practice/node-socket.ts` says. */
  nodeSocketPath?: string;
  /** Host and port that `kubeconfig` names, e.g. 127.0.0.1:41231 or 192.168.49.2:8443. */
  server: { host: string; port: number };
  /** Whether this is the cluster of an earlier run; absent where clusters outlive the server anyway. */
  kept?: 'kept' | 'none' | { lost: Text };
  /** From now on the cluster outlives this server, for whoever attaches with the same `keptFor`; undefined forgets it. */
  keep?(keptFor: string | undefined): void;
  detach(): Promise<void>;
}

export interface StartOptions {
  cpus?: string;
  memory?: string;
  /** The file in which a cluster outlives this server, where it does not do so by itself. */
  keptIn?: string;
  /** What the cluster in that file must have been kept for to be taken up again. */
  keptFor?: string;
}

export interface ClusterProvider {
  kind: ClusterOffer['kind'];
  /** What could be used now; quick (under 2 s) and without side effects. */
  available(): Promise<ClusterOffer[]>;
  /** Makes a cluster ready for one session. `folder` belongs to the session; nothing outside it is written. */
  attach(
    folder: string,
    offer: ClusterOffer,
    options: StartOptions,
    progress: (note: Text) => void,
  ): Promise<AttachedCluster>;
  /** Back to an empty cluster, where that is possible (practice). */
  reset?(cluster: AttachedCluster): Promise<void>;
  snapshot?(cluster: AttachedCluster): Promise<unknown>;
  restore?(cluster: AttachedCluster, snapshot: unknown): Promise<void>;
  /** Gets ready for an `attach` that may come, using `folder` for what must lie in a file; at most one cluster's worth. */
  prepare?(folder: string): void;
  /** Ends what `prepare` began. Attached clusters are ended by their own `detach`. */
  close?(): Promise<void>;
}
