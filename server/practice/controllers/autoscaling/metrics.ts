// What one metric of an autoscaler says: how many replicas it asks for, from the use of the target's pods in the resource metrics
// API. Knows no limits and writes nothing.

import { type GroupVersionResource, type KubeObject, StatusError } from '../../../kube/index.ts';
import { PODS } from '../resources.ts';
import { amountOf } from '../scheduler/requests.ts';
import type { ControllerContext } from '../types.ts';
import { isReady, isTerminal } from '../workloads/pods.ts';
import { containsAll, selects } from '../workloads/selector.ts';
import { desiredReplicas, type PodUse } from './replicas.ts';

const POD_METRICS: GroupVersionResource = { group: 'metrics.k8s.io', version: 'v1beta1', resource: 'pods' };

/** Why a metric gives no number: reason and message of the event, and what could not be got. */
export class MetricFailure extends Error {
  readonly reason: string;
  readonly metric: string;
  constructor(reason: string, message: string, metric: string) {
    super(message);
    this.reason = reason;
    this.metric = metric;
  }
}

export interface Measurement {
  replicas: number;
  /** The metric as events name it. */
  metric: string;
  /** For the status. */
  shown: object;
}

/** Rejects with a MetricFailure. */
export async function measure(
  spec: any,
  target: KubeObject,
  current: number,
  context: ControllerContext,
): Promise<Measurement> {
  if (spec.type !== 'Resource' && spec.type !== 'ContainerResource') {
    const text = `unable to get metric ${spec.pods?.metric?.name ?? spec.object?.metric?.name ?? spec.external?.metric?.name}: unable to fetch metrics from custom metrics API: the server could not find the requested resource`;
    throw new MetricFailure(`FailedGet${spec.type}Metric`, text, `${spec.type.toLowerCase()} metric value`);
  }
  const { name: resource, target: wanted, container } = spec.resource ?? spec.containerResource;
  const byShare = wanted.averageUtilization !== undefined;
  const subject = byShare ? `${resource} utilization` : `${resource} resource metric value`;
  const failed = (why: string) =>
    new MetricFailure(
      spec.type === 'Resource' ? 'FailedGetResourceMetric' : 'FailedGetContainerResourceMetric',
      `failed to get ${subject}: ${why}`,
      `${resource} resource metric value`,
    );
  const measured = await usesOf(resource, container, target, context).catch((error: Error) => {
    throw failed(`unable to get metrics for resource ${resource}: ${error.message}`);
  });
  const pods = podsOf(target, context).map((pod): PodUse => {
    let request = 0;
    for (const { name, resources } of pod['spec'].containers) {
      if (container && name !== container) continue;
      const text = resources?.requests?.[resource];
      if (text === undefined && byShare)
        throw failed(`missing request for ${resource} in container ${name} of Pod ${pod.metadata.name}`);
      request += text === undefined ? 0 : amountOf(resource, text);
    }
    const { name } = pod.metadata;
    return { name, ready: isReady(pod), use: measured.get(name), request };
  });
  const found = desiredReplicas(
    pods,
    current,
    byShare
      ? { utilization: wanted.averageUtilization }
      : { average: amountOf(resource, wanted.averageValue ?? '0') },
  );
  if (!found) throw failed('did not receive metrics for targeted pods (pods might be unready)');
  const { replicas, average, utilization } = found;
  const averageValue = resource === 'cpu' ? `${average}m` : String(average);
  const value = { ...(utilization !== undefined ? { averageUtilization: utilization } : {}), averageValue };
  return {
    replicas,
    metric: byShare ? `${resource} resource utilization (percentage of request)` : `${resource} resource`,
    shown:
      spec.type === 'Resource'
        ? { type: 'Resource', resource: { name: resource, current: value } }
        : { type: 'ContainerResource', containerResource: { name: resource, container, current: value } },
  };
}

function podsOf(target: KubeObject, context: ControllerContext): KubeObject[] {
  const { selector } = target['spec'];
  const matches = (labels: Record<string, string> | undefined) =>
    target.kind === 'ReplicationController' ? containsAll(selector, labels) : selects(selector, labels);
  return context
    .cache(PODS)
    .list(target.metadata.namespace)
    .filter(p => matches(p.metadata.labels) && !isTerminal(p) && !p.metadata.deletionTimestamp);
}

/** Use by pod name, from the metrics API. */
async function usesOf(
  resource: string,
  container: string | undefined,
  { metadata: { namespace } }: KubeObject,
  { client }: ControllerContext,
): Promise<Map<string, number>> {
  let items: KubeObject[];
  try {
    ({ items } = await client.list(POD_METRICS, { namespace }));
  } catch (error) {
    // client-go adds the request to the server's general refusals.
    const general = error instanceof StatusError && (error.code === 404 || error.code === 503);
    const text = (error as Error).message + (general ? ' (get pods.metrics.k8s.io)' : '');
    throw new Error(`unable to fetch metrics from resource metrics API: ${text}`);
  }
  if (items.length === 0) throw new Error('no metrics returned from resource metrics API');
  return new Map(
    items.map(item => [
      item.metadata.name,
      (item['containers'] ?? [])
        .filter((c: { name: string }) => !container || c.name === container)
        .reduce(
          (sum: number, c: { usage: Record<string, string> }) =>
            sum + amountOf(resource, c.usage[resource] ?? '0'),
          0,
        ),
    ]),
  );
}
