// Says of every API service whether it can be reached: local ones always, others when their service has a ready endpoint.

import { type KubeObject, StatusError, timestamp } from '../../../kube/index.ts';
import { API_SERVICES, ENDPOINTS, SERVICES } from '../resources.ts';
import type { Controller, ControllerContext } from '../types.ts';
import { type Condition, conditionOf } from '../workloads/pods.ts';

const backedBy = (object: KubeObject, context: ControllerContext) =>
  context
    .cache(API_SERVICES)
    .list()
    .filter(a => {
      const reference = a['spec'].service;
      return reference?.name === object.metadata.name && reference.namespace === object.metadata.namespace;
    })
    .map(a => a.metadata.name);

export const apiServiceAvailability: Controller = {
  name: 'apiservice-status-controller',
  user: 'system:apiserver',
  watches: [
    { resource: API_SERVICES },
    { resource: SERVICES, keys: (service, _previous, context) => backedBy(service, context) },
    { resource: ENDPOINTS, keys: (endpoints, _previous, context) => backedBy(endpoints, context) },
  ],
  async reconcile(name, context) {
    const api = context.cache(API_SERVICES).get(undefined, name);
    if (!api) return;
    const [status, reason, message] = availability(api, context);
    const old = conditionOf(api, 'Available');
    if (old?.status === status && old.reason === reason && old.message === message) return;
    const lastTransitionTime =
      old?.status === status ? old.lastTransitionTime : timestamp(context.clock.now());
    const others = (api['status']?.conditions ?? []).filter((c: Condition) => c.type !== 'Available');
    const conditions = [...others, { type: 'Available', status, lastTransitionTime, reason, message }];
    await context.client
      .update(API_SERVICES, { ...api, status: { ...api['status'], conditions } }, 'status')
      .catch((error: unknown) => {
        if (!(error instanceof StatusError) || error.code !== 404) throw error;
      });
  },
};

function availability(
  api: KubeObject,
  context: ControllerContext,
): [status: string, reason: string, message: string] {
  const reference = api['spec'].service;
  if (!reference) return ['True', 'Local', 'Local APIServices are always available'];
  const { name, namespace, port = 443 } = reference;
  const named = `service/${name} in "${namespace}"`;
  const service = context.cache(SERVICES).get(namespace, name);
  if (!service) return ['False', 'ServiceNotFound', `${named} is not present`];
  const servicePort = (service['spec'].ports ?? []).find((p: { port: number }) => p.port === port);
  if (!servicePort) return ['False', 'ServicePortError', `${named} is not listening on port ${port}`];
  const endpoints = context.cache(ENDPOINTS).get(namespace, name);
  if (!endpoints) return ['False', 'EndpointsNotFound', `cannot find endpoints for ${named}`];
  const ready = (endpoints['subsets'] ?? []).some(
    (s: { addresses?: object[] }) => (s.addresses ?? []).length > 0,
  );
  if (!ready) {
    const portName = servicePort.name ?? '';
    return [
      'False',
      'MissingEndpoints',
      `endpoints for ${named} have no addresses with port name "${portName}"`,
    ];
  }
  return ['True', 'Passed', 'all checks passed'];
}
