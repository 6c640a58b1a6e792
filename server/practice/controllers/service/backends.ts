// Which pods stand behind a service, and at which ports. Pure; both kinds of endpoints are made from it.

import type { KubeObject } from '../../../kube/index.ts';
import { NODES, PODS, SERVICES } from '../resources.ts';
import type { ControllerContext } from '../types.ts';
import { isReady, isTerminal } from '../workloads/pods.ts';
import { containsAll } from '../workloads/selector.ts';

export interface BackendPort {
  name: string;
  port: number;
  protocol: string;
  appProtocol?: string;
}

export interface Backend {
  pod: KubeObject;
  ip: string;
  ready: boolean;
  serving: boolean;
  terminating: boolean;
  ports: BackendPort[];
  hostname?: string;
  zone?: string;
}

interface ServicePort {
  name?: string;
  port: number;
  protocol?: string;
  targetPort?: number | string;
  appProtocol?: string;
}

interface ContainerPort {
  name?: string;
  containerPort: number;
  protocol?: string;
}

/** Keys of the services of its namespace that a pod's change may concern: those that selected it, before or now. */
export function serviceKeys(
  pod: KubeObject,
  previous: KubeObject | undefined,
  context: ControllerContext,
  deleted: boolean,
): string[] {
  const same =
    !deleted &&
    previous &&
    previous.metadata.labels === pod.metadata.labels &&
    previous.metadata.deletionTimestamp === pod.metadata.deletionTimestamp &&
    previous['status'] === pod['status'];
  if (same) return [];
  return context
    .cache(SERVICES)
    .list(pod.metadata.namespace)
    .filter(
      service =>
        hasSelector(service) &&
        (containsAll(service['spec'].selector, pod.metadata.labels) ||
          (previous && containsAll(service['spec'].selector, previous.metadata.labels))),
    )
    .map(service => `${service.metadata.namespace}/${service.metadata.name}`);
}

export function hasSelector(service: KubeObject): boolean {
  return Object.keys(service['spec'].selector ?? {}).length > 0 && service['spec'].type !== 'ExternalName';
}

export const isHeadless = (service: KubeObject) => service['spec'].clusterIP === 'None';

/** Every pod that the service selects and that has an address, finished ones left out. */
export function backends(service: KubeObject, context: ControllerContext): Backend[] {
  const { selector, publishNotReadyAddresses = false } = service['spec'];
  const found: Backend[] = [];
  for (const pod of context.cache(PODS).list(service.metadata.namespace)) {
    const ip = pod['status']?.podIP;
    if (!ip || isTerminal(pod) || !containsAll(selector, pod.metadata.labels)) continue;
    const serving = isReady(pod);
    const terminating = pod.metadata.deletionTimestamp !== undefined;
    const { hostname, subdomain, nodeName } = pod['spec'];
    const node = context.cache(NODES).get(undefined, nodeName ?? '');
    found.push({
      pod,
      ip,
      serving,
      terminating,
      ready: publishNotReadyAddresses || (serving && !terminating),
      ports: portsOf(service, pod),
      ...(hostname && subdomain === service.metadata.name ? { hostname } : {}),
      ...(node?.metadata.labels?.['topology.kubernetes.io/zone']
        ? { zone: node.metadata.labels['topology.kubernetes.io/zone'] }
        : {}),
    });
  }
  return found;
}

function portsOf(service: KubeObject, pod: KubeObject): BackendPort[] {
  return ((service['spec'].ports ?? []) as ServicePort[]).flatMap(port => {
    const protocol = port.protocol ?? 'TCP';
    const target = targetOf(port, protocol, pod);
    if (target === undefined) return [];
    return {
      name: port.name ?? '',
      port: target,
      protocol,
      ...(port.appProtocol ? { appProtocol: port.appProtocol } : {}),
    };
  });
}

/** A number as it is, a name as the pod's containers give it; undefined when no container does. */
function targetOf(port: ServicePort, protocol: string, pod: KubeObject): number | undefined {
  const target = port.targetPort;
  if (target === undefined || target === 0 || target === '') return port.port;
  if (typeof target === 'number') return target;
  const containers = [
    ...(pod['spec'].containers ?? []),
    ...(pod['spec'].initContainers ?? []).filter(
      (c: { restartPolicy?: string }) => c.restartPolicy === 'Always',
    ),
  ];
  const found = containers
    .flatMap((c: { ports?: ContainerPort[] }) => c.ports ?? [])
    .find((p: ContainerPort) => p.name === target && (p.protocol ?? 'TCP') === protocol);
  return found?.containerPort;
}

export function targetReference(pod: KubeObject) {
  const { name, namespace, uid } = pod.metadata;
  return { kind: 'Pod', namespace, name, uid };
}
