// The controllers of a practice cluster and what runs them. A new one is a file and a line in this list.

import { autoscalerController } from './autoscaling/controller.ts';
import { daemonSetController } from './daemonset/controller.ts';
import { deploymentController } from './deployment/controller.ts';
import { garbageCollector } from './garbage-collector.ts';
import { jobController } from './job/controller.ts';
import { cronJobController } from './job/cronjob.ts';
import { ttlAfterFinished } from './job/ttl.ts';
import { namespaceController } from './namespace.ts';
import { nodeLifecycleController } from './node/lifecycle.ts';
import { podGarbageCollector } from './node/pod-gc.ts';
import { taintEvictionController } from './node/taint-eviction.ts';
import { apiServiceAvailability } from './policy/api-services.ts';
import { certificateController } from './policy/certificates.ts';
import { clusterRoleAggregation } from './policy/cluster-roles.ts';
import { disruptionController } from './policy/disruption-budget.ts';
import { resourceQuotaController } from './policy/quota.ts';
import { admissionPolicyStatus } from './policy/type-checking.ts';
import { replicaSetController, replicationController } from './replicaset.ts';
import { rootCaController } from './root-ca.ts';
import { type RunningControllers, type StartOptions, startControllers as start } from './runtime/start.ts';
import { endpointSliceController } from './service/endpoint-slices.ts';
import { endpointsController } from './service/endpoints.ts';
import { endpointSliceMirroring } from './service/mirroring.ts';
import { serviceAccountController } from './service-account.ts';
import { serviceAccountTokens } from './service-account-tokens.ts';
import { statefulSetController } from './statefulset/controller.ts';
import { volumeBinder } from './storage/binder.ts';
import { ephemeralVolumeController } from './storage/ephemeral.ts';
import { claimProtection, volumeProtection } from './storage/protection.ts';
import { hostPathProvisioner } from './storage/provisioner.ts';
import type { Controller } from './types.ts';

export * from './resources.ts';
export {
  createEventSink,
  type EventSink,
  type EventSource,
  type FullEventRecorder,
  objectReference,
} from './runtime/events.ts';
export { keyOf, parseKey } from './runtime/keys.ts';
export type { RunningControllers, StartOptions } from './runtime/start.ts';
export * from './types.ts';

export const controllers: readonly Controller[] = [
  namespaceController,
  serviceAccountController,
  serviceAccountTokens,
  rootCaController,
  deploymentController,
  replicaSetController,
  replicationController,
  statefulSetController,
  daemonSetController,
  jobController,
  cronJobController,
  ttlAfterFinished,
  endpointsController,
  endpointSliceController,
  endpointSliceMirroring,
  volumeBinder,
  hostPathProvisioner,
  ephemeralVolumeController,
  claimProtection,
  volumeProtection,
  nodeLifecycleController,
  taintEvictionController,
  podGarbageCollector,
  autoscalerController,
  disruptionController,
  resourceQuotaController,
  clusterRoleAggregation,
  certificateController,
  apiServiceAvailability,
  admissionPolicyStatus,
  garbageCollector,
];

/** Starts every controller of an ordinary cluster, or those given. */
export function startControllers(
  options: Omit<StartOptions, 'controllers'> & { controllers?: readonly Controller[] },
): RunningControllers {
  return start({ controllers, ...options });
}
