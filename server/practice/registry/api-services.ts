// Keeps one local APIService for every group and version that is served, as upstream's aggregator registers them itself.

import type { KubeObject } from '../../kube/index.ts';
import { timestamp } from '../../kube/index.ts';
import type { Environment } from './environment.ts';

const PREFIX = '/apiservices.apiregistration.k8s.io/';
const AUTOMANAGED = 'kube-aggregator.kubernetes.io/automanaged';
/** Of groups that definitions bring. */
const CUSTOM_PRIORITY = { groupPriorityMinimum: 1000, versionPriority: 100 };

/** Higher groups come first in discovery. */
const GROUP_PRIORITY: Readonly<Record<string, number>> = {
  '': 18000,
  'events.k8s.io': 17750,
  'authentication.k8s.io': 17700,
  'authorization.k8s.io': 17600,
  autoscaling: 17500,
  batch: 17400,
  'certificates.k8s.io': 17300,
  'networking.k8s.io': 17200,
  apps: 17800,
  policy: 17100,
  'rbac.authorization.k8s.io': 17000,
  'storage.k8s.io': 16800,
  'apiextensions.k8s.io': 16700,
  'admissionregistration.k8s.io': 16700,
  'scheduling.k8s.io': 16600,
  'coordination.k8s.io': 16500,
  'node.k8s.io': 16300,
  'discovery.k8s.io': 16200,
  'flowcontrol.apiserver.k8s.io': 16100,
  'resource.k8s.io': 16000,
};

function localService(environment: Environment, group: string, version: string, custom: boolean): KubeObject {
  const now = timestamp(environment.clock.now());
  const priority = custom
    ? CUSTOM_PRIORITY
    : {
        groupPriorityMinimum: GROUP_PRIORITY[group] ?? 15000,
        versionPriority: version === 'v2' ? 30 : group ? 15 : 1,
      };
  return {
    apiVersion: 'apiregistration.k8s.io/v1',
    kind: 'APIService',
    metadata: {
      name: `${version}.${group}`,
      uid: environment.random.uuid(),
      creationTimestamp: now,
      labels: { [AUTOMANAGED]: custom ? 'true' : 'onstart' },
    },
    spec: { ...(group ? { group } : {}), ...priority, version },
    status: {
      conditions: [
        {
          lastTransitionTime: now,
          message: 'Local APIServices are always available',
          reason: 'Local',
          status: 'True',
          type: 'Available',
        },
      ],
    },
  };
}

/** Gives a function that stops following. */
export function followServed(environment: Environment): () => void {
  const { store, served } = environment;
  if (!served.find('apiregistration.k8s.io', 'v1', 'apiservices')) return () => {};

  function refresh(): void {
    const wanted = new Map<string, { group: string; version: string; custom: boolean }>();
    for (const { definition, version, custom } of served.all()) {
      const { group } = definition;
      // The aggregator does not register itself.
      if (group === 'apiregistration.k8s.io') continue;
      wanted.set(`${version}.${group}`, { group, version, custom });
    }
    for (const object of store.list(PREFIX).items) {
      const { name, labels } = object.metadata;
      if (labels?.[AUTOMANAGED] === 'true' && !wanted.has(name)) store.delete(PREFIX + name);
    }
    for (const [name, { group, version, custom }] of wanted) {
      if (!store.get(PREFIX + name))
        store.create(PREFIX + name, localService(environment, group, version, custom));
    }
  }

  refresh();
  return served.onChange(refresh);
}
