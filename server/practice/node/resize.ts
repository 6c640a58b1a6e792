// What a node grants a pod's containers, and how a resize in place gets there: pending while there is no room, then
// started, then in force. Knows sums and words; what a container does with its new limits is the container's.

import type { KubeObject } from '../../kube/index.ts';
import { outOfCapacity, outOfResource } from './room.ts';

/** From granting a resize until the runtime has it in force. */
export const ACTUATE_MS = 1_000;

type Resources = { requests?: Record<string, string>; limits?: Record<string, string> };

export interface ResizeCondition {
  type: 'PodResizePending' | 'PodResizeInProgress';
  reason?: string;
  message?: string;
  generation: number | undefined;
}

interface Pending {
  reason: 'Deferred' | 'Infeasible';
  message: string;
  generation: number | undefined;
}

interface Node {
  capacity: Record<string, string>;
  /** What the other pods here hold. */
  others(): Iterable<KubeObject>;
  event(type: 'Normal' | 'Warning', reason: string, message: string): void;
}

const STATIC = 'In-place resize of static-pods is not supported';

const resizable = (spec: any): any[] => [
  ...(spec.initContainers ?? []).filter((c: any) => c.restartPolicy === 'Always'),
  ...spec.containers,
];
const same = (a: Resources, b: Resources) => JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
const sorted = ({ limits = {}, requests = {} }: Resources) =>
  [limits, requests].map(list => Object.entries(list).sort());

export class PodResources {
  /** By container. */
  private readonly granted = new Map<string, Resources>();
  private readonly inForce = new Map<string, Resources>();
  private pending: Pending | undefined;
  private inProgress: { generation: number | undefined } | undefined;

  /** A pod that ran before this kubelet did has what its status says. */
  constructor(pod: KubeObject) {
    const { containerStatuses = [], initContainerStatuses = [] } = pod['status'] ?? {};
    const statuses: any[] = [...initContainerStatuses, ...containerStatuses];
    for (const container of resizable(pod['spec'])) {
      const status = statuses.find(s => s.name === container.name);
      const actual: Resources | undefined = status?.containerID ? status.resources : undefined;
      const resources = actual ?? container.resources ?? {};
      this.granted.set(container.name, resources);
      this.inForce.set(container.name, resources);
    }
  }

  get deferred(): boolean {
    return this.pending?.reason === 'Deferred';
  }

  /** What the kubelet holds a container to. */
  inForceOf(container: string): Resources | undefined {
    return this.inForce.get(container);
  }

  grantedTo(container: string): Resources | undefined {
    return this.granted.get(container);
  }

  /** The pod with what is granted in place of what is asked for. */
  held(pod: KubeObject): KubeObject {
    if (!this.asks(pod)) return pod;
    const grant = (c: any) => ({ ...c, resources: this.granted.get(c.name) ?? c.resources });
    const { containers, initContainers } = pod['spec'];
    return {
      ...pod,
      spec: {
        ...pod['spec'],
        containers: containers.map(grant),
        ...(initContainers ? { initContainers: initContainers.map(grant) } : {}),
      },
    };
  }

  private asks(pod: KubeObject): boolean {
    return resizable(pod['spec']).some(c => !same(c.resources ?? {}, this.granted.get(c.name) ?? {}));
  }

  /** Weighs what the pod asks for now. True when it was granted and has to be put in force. */
  weigh(pod: KubeObject, node: Node, isStatic: boolean): boolean {
    if (!this.asks(pod)) {
      this.pending = undefined;
      return false;
    }
    const { generation } = pod.metadata;
    if (this.pending?.reason === 'Infeasible' && this.pending.generation === generation) return false;
    const never = isStatic ? STATIC : outOfCapacity(pod, node.capacity);
    const refusal = never ?? outOfResource(pod, node.others(), node.capacity)?.message;
    if (refusal === undefined) {
      for (const { name, resources = {} } of resizable(pod['spec'])) this.granted.set(name, resources);
      this.pending = undefined;
      this.inProgress = { generation };
      node.event('Normal', 'ResizeStarted', `Pod resize started: ${summary(pod)}`);
      return true;
    }
    const reason = never === undefined ? 'Deferred' : 'Infeasible';
    const { pending } = this;
    this.pending = { reason, message: refusal, generation };
    if (pending?.reason !== reason || pending.message !== refusal || pending.generation !== generation)
      node.event('Warning', `Resize${reason}`, `Pod resize ${reason}: ${summary(pod, refusal)}`);
    return false;
  }

  /** The containers whose resources are another now, with what changed. */
  changes(): { name: string; changed: string[] }[] {
    const differing = (name: string) => {
      const [now, before] = [this.granted.get(name) ?? {}, this.inForce.get(name) ?? {}];
      const of = (r: Resources, resource: string) => `${r.requests?.[resource]} ${r.limits?.[resource]}`;
      return ['cpu', 'memory'].filter(resource => of(now, resource) !== of(before, resource));
    };
    return [...this.granted.keys()]
      .map(name => ({ name, changed: differing(name) }))
      .filter(({ changed }) => changed.length > 0);
  }

  /** What was granted holds from now on. */
  complete(pod: KubeObject, node: Pick<Node, 'event'>): void {
    for (const [name, resources] of this.granted) this.inForce.set(name, resources);
    if (!this.inProgress) return;
    this.inProgress = undefined;
    node.event('Normal', 'ResizeCompleted', `Pod resize completed: ${summary(this.held(pod))}`);
  }

  conditions(): ResizeCondition[] {
    const { pending, inProgress } = this;
    return [
      ...(pending ? [{ type: 'PodResizePending' as const, ...pending }] : []),
      ...(inProgress ? [{ type: 'PodResizeInProgress' as const, generation: inProgress.generation }] : []),
    ];
  }
}

/** As the kubelet tells of a resize in its events. */
function summary(pod: KubeObject, error?: string): string {
  const of = (containers: any[]) =>
    containers.map(({ name, resources = {} }) => ({
      name,
      resources: {
        ...(resources.limits ? { limits: resources.limits } : {}),
        ...(resources.requests ? { requests: resources.requests } : {}),
      },
    }));
  const sidecars = (pod['spec'].initContainers ?? []).filter((c: any) => c.restartPolicy === 'Always');
  return JSON.stringify({
    ...(sidecars.length > 0 ? { initContainers: of(sidecars) } : {}),
    containers: of(pod['spec'].containers),
    generation: pod.metadata.generation,
    ...(error ? { error } : {}),
  });
}
