// Draws the map of a cluster from its objects. Pure; knows neither watches nor pages.

import type { ClusterMap, MapEvent, MapNode, MapWorkload } from '#common/protocol/index.ts';
import type { KubeObject } from '../kube/index.ts';
import { amount, countsAgainstNode, mapPod, requestsOf } from './pod.ts';

/** Events that the map keeps: what a person still reads. */
const MOST_EVENTS = 60;
/** Words of one event: the scheduler's longest fit. */
const LONGEST_MESSAGE = 400;

export interface MapObjects {
  nodes: readonly KubeObject[];
  namespaces: readonly KubeObject[];
  /** By kind, which the items of a list do not carry: Deployment, StatefulSet, DaemonSet, Job. */
  workloads: Readonly<Record<string, readonly KubeObject[]>>;
  pods: readonly KubeObject[];
  events: readonly KubeObject[];
}

export function drawMap(objects: MapObjects): ClusterMap {
  return {
    nodes: objects.nodes.map(node => mapNode(node, objects.pods)),
    namespaces: objects.namespaces.map(namespace => namespace.metadata.name),
    workloads: Object.entries(objects.workloads).flatMap(([kind, list]) =>
      list.map(object => mapWorkload(kind, object)),
    ),
    pods: objects.pods.map(mapPod),
    events: objects.events
      .map(mapEvent)
      .sort((a, b) => Date.parse(b.at) - Date.parse(a.at))
      .slice(0, MOST_EVENTS),
  };
}

function mapNode(node: KubeObject, pods: readonly KubeObject[]): MapNode {
  const { spec = {}, status = {}, metadata } = node;
  const own = pods.filter(pod => pod['spec']?.nodeName === metadata.name && countsAgainstNode(pod));
  const requested = { cpu: 0, memory: 0 };
  for (const pod of own) {
    const asks = requestsOf(pod);
    requested.cpu += asks.cpu;
    requested.memory += asks.memory;
  }
  const conditions: { type: string; status: string }[] = status.conditions ?? [];
  return {
    name: metadata.name,
    ready: conditions.some(one => one.type === 'Ready' && one.status === 'True'),
    cordoned: spec.unschedulable === true,
    version: status.nodeInfo?.kubeletVersion ?? '',
    capacity: amount(status.capacity),
    allocatable: amount(status.allocatable ?? status.capacity),
    requested,
    pods: own.length,
    mostPods: Number(status.allocatable?.pods ?? 0),
  };
}

function mapWorkload(kind: string, object: KubeObject): MapWorkload {
  const { spec = {}, status = {}, metadata } = object;
  const [ready, wanted] =
    kind === 'DaemonSet'
      ? [status.numberReady, status.desiredNumberScheduled]
      : kind === 'Job'
        ? [status.succeeded, spec.completions ?? 1]
        : [status.readyReplicas, spec.replicas ?? 1];
  return {
    namespace: metadata.namespace ?? '',
    kind,
    name: metadata.name,
    ready: ready ?? 0,
    wanted: wanted ?? 0,
  };
}

function mapEvent(event: KubeObject): MapEvent {
  const about = event['involvedObject'] ?? {};
  const message: string = event['message'] ?? '';
  return {
    at:
      event['series']?.lastObservedTime ??
      event['lastTimestamp'] ??
      event['eventTime'] ??
      event['firstTimestamp'] ??
      event.metadata.creationTimestamp ??
      '',
    type: event['type'] ?? 'Normal',
    reason: event['reason'] ?? '',
    namespace: about.namespace ?? event.metadata.namespace ?? '',
    kind: about.kind ?? '',
    name: about.name ?? '',
    message: message.length > LONGEST_MESSAGE ? `${message.slice(0, LONGEST_MESSAGE)}…` : message,
    count: event['series']?.count ?? event['count'] ?? 1,
  };
}
