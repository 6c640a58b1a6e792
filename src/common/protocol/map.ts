// What a page learns of a cluster while its map is open: the state, never how it came about. Amounts are numbers (CPU in
// thousandths of a core, memory in bytes), so that the page can draw and word them.

export interface Amount {
  cpu: number;
  memory: number;
}

export interface MapNode {
  name: string;
  ready: boolean;
  /** `kubectl cordon` was here. */
  cordoned: boolean;
  version: string;
  capacity: Amount;
  allocatable: Amount;
  /** Sum over the pods that count against this node. */
  requested: Amount;
  pods: number;
  mostPods: number;
}

/** `waiting`: no node yet. `starting`: on a node, not ready. `trouble`: something keeps failing. */
export type PodState = 'ready' | 'starting' | 'waiting' | 'trouble' | 'done' | 'ending';

export interface MapPod {
  namespace: string;
  name: string;
  node?: string;
  state: PodState;
  /** The STATUS column of `kubectl get pods`. */
  status: string;
  ready: number;
  containers: number;
  restarts: number;
  requests: Amount;
  /** `Deployment/name` and so on, where something owns it. */
  owner?: string;
  /** Why it has no node, in the scheduler's words. */
  why?: string;
}

export interface MapWorkload {
  namespace: string;
  kind: string;
  name: string;
  ready: number;
  wanted: number;
}

export interface MapEvent {
  /** ISO time of its last occurrence. */
  at: string;
  type: string;
  reason: string;
  namespace: string;
  kind: string;
  name: string;
  message: string;
  count: number;
}

export interface ClusterMap {
  nodes: MapNode[];
  namespaces: string[];
  workloads: MapWorkload[];
  pods: MapPod[];
  /** Newest first. */
  events: MapEvent[];
}
