// What admission adds to every pod: tolerations of a node's short absence, and the priority its class stands for.

import type { KubeObject } from '../../kube/index.ts';
import { concerns, PODS, refuse } from './requests.ts';
import type { AdmissionContext, AdmissionPlugin } from './types.ts';

/** Seconds a pod stays on a node that is not ready or unreachable. */
const TOLERATION_SECONDS = 300;
const NOT_READY = 'node.kubernetes.io/not-ready';
const UNREACHABLE = 'node.kubernetes.io/unreachable';
const CLASSES = { group: 'scheduling.k8s.io', resource: 'priorityclasses' };

interface Toleration {
  key?: string;
  operator?: string;
  effect?: string;
  tolerationSeconds?: number;
}

export const defaultTolerationSeconds: AdmissionPlugin = {
  name: 'DefaultTolerationSeconds',
  mutate(request) {
    const { object: pod } = request;
    const changes = concerns(request, PODS, 'CREATE', 'UPDATE');
    if (!changes || !pod || (request.operation === 'UPDATE' && pod.spec?.nodeName)) return;
    const tolerations: Toleration[] = pod.spec.tolerations ?? [];
    const tolerates = (key: string) =>
      tolerations.some(t => (t.key === key || !t.key) && (t.effect === 'NoExecute' || !t.effect));
    const missing = [NOT_READY, UNREACHABLE].filter(key => !tolerates(key));
    if (missing.length === 0) return;
    pod.spec.tolerations = [
      ...tolerations,
      ...missing.map(key => ({
        effect: 'NoExecute',
        key,
        operator: 'Exists',
        tolerationSeconds: TOLERATION_SECONDS,
      })),
    ];
  },
};

function defaultClass(context: AdmissionContext): KubeObject | undefined {
  const defaults = context.listAll(CLASSES).filter(candidate => candidate.globalDefault === true);
  return defaults.sort((a, b) => a.value - b.value)[0];
}

export const priority: AdmissionPlugin = {
  name: 'Priority',
  mutate(request, context) {
    const { object: pod, old } = request;
    if (!concerns(request, PODS, 'CREATE', 'UPDATE') || !pod) return;
    const { spec } = pod;
    if (request.operation === 'UPDATE') {
      // Upstream keeps what was computed when the pod came.
      if (spec.priority === undefined && old?.spec?.priority !== undefined) spec.priority = old.spec.priority;
      if (spec.preemptionPolicy === undefined && old?.spec?.preemptionPolicy !== undefined)
        spec.preemptionPolicy = old.spec.preemptionPolicy;
      return;
    }
    let found: KubeObject | undefined;
    if (spec.priorityClassName) {
      found = context.read(CLASSES, undefined, spec.priorityClassName);
      if (!found) throw refuse(request, `no PriorityClass with name ${spec.priorityClassName} was found`);
    } else {
      found = defaultClass(context);
      if (found) spec.priorityClassName = found.metadata.name;
    }
    const value: number = found?.value ?? 0;
    if (spec.priority !== undefined && spec.priority !== value) {
      throw refuse(
        request,
        `the integer value of priority (${spec.priority}) must not be provided in pod spec; priority admission controller computed ${value} from the given PriorityClass name`,
      );
    }
    spec.priority = value;
    spec.preemptionPolicy ??= found?.preemptionPolicy ?? 'PreemptLowerPriority';
  },
  validate(request, context) {
    const { object } = request;
    if (!concerns(request, CLASSES, 'CREATE', 'UPDATE') || !object?.globalDefault) return;
    const other = context
      .listAll(CLASSES)
      .find(
        candidate => candidate.globalDefault === true && candidate.metadata.name !== object.metadata.name,
      );
    if (!other) return;
    throw refuse(
      request,
      `PriorityClass ${other.metadata.name} is already marked as default. Only one default can exist`,
    );
  },
};
