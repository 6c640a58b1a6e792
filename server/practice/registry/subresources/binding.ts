// Binding a pod to a node: what the scheduler asks for, once per pod.

import type { KubeObject, Status } from '../../../kube/index.ts';
import { conflict, timestamp } from '../../../kube/index.ts';
import { type Environment, plainError, readOrThrow, storeKey } from '../environment.ts';
import type { RequestContext, ResourcePath, ServedResource } from '../types.ts';

const POD_BINDING = { group: '', resource: 'pods/binding' };

export function bind(
  environment: Environment,
  context: RequestContext,
  pods: ServedResource,
  path: ResourcePath,
  binding: Record<string, unknown>,
): Status {
  const target = (binding.target ?? {}) as { kind?: string; name?: string };
  const name = path.name ?? (binding.metadata as KubeObject['metadata'] | undefined)?.name ?? '';
  const pod = readOrThrow(environment, pods.definition, path.namespace, name);
  if (target.kind && target.kind !== 'Node') throw plainError('invalid to bind to a non node');
  if (!target.name) throw plainError('target.name: Required value');
  if (pod.metadata.deletionTimestamp) {
    throw conflict(POD_BINDING, name, `pod ${name} is being deleted, cannot be assigned to a host`);
  }
  if (pod.spec?.nodeName) {
    throw conflict(POD_BINDING, name, `pod ${name} is already assigned to node "${pod.spec.nodeName}"`);
  }
  if (pod.spec?.schedulingGates?.length) {
    throw conflict(POD_BINDING, name, `pod ${name} has non-empty .spec.schedulingGates`);
  }
  if (!context.dryRun) {
    const key = storeKey(environment, pods.definition, path.namespace, name);
    environment.store.update(key, current => bound(environment, current, target.name as string, binding));
  }
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 };
}

function bound(
  environment: Environment,
  pod: KubeObject,
  nodeName: string,
  binding: Record<string, unknown>,
): KubeObject {
  const annotations = (binding.metadata as KubeObject['metadata'] | undefined)?.annotations;
  const others = (pod.status?.conditions ?? []).filter((c: { type: string }) => c.type !== 'PodScheduled');
  const scheduled = {
    type: 'PodScheduled',
    status: 'True',
    lastProbeTime: null,
    lastTransitionTime: timestamp(environment.clock.now()),
  };
  return {
    ...pod,
    metadata: annotations
      ? { ...pod.metadata, annotations: { ...pod.metadata.annotations, ...annotations } }
      : pod.metadata,
    spec: { ...pod.spec, nodeName },
    status: { ...pod.status, conditions: [...others, scheduled] },
  };
}
