// What the scheduler knows of a node: the node, the pods on it and what they take. Knows no rules.

import type { KubeObject } from '../../../kube/index.ts';
import { type Amounts, add, amountsOf, type HostPort, hostPorts, podRequests } from './requests.ts';

export interface PodInfo {
  pod: KubeObject;
  uid: string;
  requests: Amounts;
  ports: readonly HostPort[];
  priority: number;
  /** It may refuse neighbours. */
  hasAntiAffinity: boolean;
  /** It prefers or requires neighbours, or refuses them. */
  hasAffinity: boolean;
}

export function podInfo(pod: KubeObject): PodInfo {
  const { affinity, priority = 0 } = pod['spec'];
  return {
    pod,
    uid: pod.metadata.uid ?? '',
    requests: podRequests(pod),
    ports: hostPorts(pod),
    priority,
    hasAntiAffinity:
      (affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.length ?? 0) > 0,
    hasAffinity: Boolean(affinity?.podAffinity || affinity?.podAntiAffinity),
  };
}

export class NodeInfo {
  readonly name: string;
  readonly pods = new Map<string, PodInfo>();
  readonly requested: Amounts = {};
  allocatable: Amounts = {};
  /** Pods with required anti-affinity. */
  refusing = 0;
  private object: KubeObject | undefined;

  constructor(name: string) {
    this.name = name;
  }

  /** Absent when pods name a node that does not exist. */
  get node(): KubeObject | undefined {
    return this.object;
  }
  set node(node: KubeObject | undefined) {
    this.object = node;
    this.allocatable = amountsOf(node?.['status']?.allocatable);
  }
  get labels(): Record<string, string> {
    return this.object?.metadata.labels ?? {};
  }

  add(info: PodInfo): void {
    this.remove(info.uid);
    this.pods.set(info.uid, info);
    add(this.requested, info.requests);
    if (info.hasAntiAffinity) this.refusing++;
  }

  remove(uid: string): PodInfo | undefined {
    const info = this.pods.get(uid);
    if (!info) return undefined;
    this.pods.delete(uid);
    add(this.requested, info.requests, -1);
    if (info.hasAntiAffinity) this.refusing--;
    return info;
  }

  /** A copy to try things out on. */
  copy(): NodeInfo {
    const twin = new NodeInfo(this.name);
    twin.object = this.object;
    twin.allocatable = this.allocatable;
    twin.refusing = this.refusing;
    Object.assign(twin.requested, this.requested);
    for (const [uid, info] of this.pods) twin.pods.set(uid, info);
    return twin;
  }
}
