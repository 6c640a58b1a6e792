// Takes some workloads out of the seed's data with all they need: accounts, services, claims and texts. Knows no component.

import type { KubeObject } from '../../kube/index.ts';
import {
  type Data,
  deployment,
  namespace,
  service,
  serviceAccount,
  storage,
  texts,
  type WorkloadLine,
} from './kubeflow-objects.ts';

/** The objects of these workloads in one namespace, in an order in which they can be created. Sidecars are left out: no Istio. */
export function partOf(seed: Data, space: string, names: readonly string[]): KubeObject[] {
  const workloads = names.map(name => {
    const line = seed.workloads.find(candidate => candidate.namespace === space && candidate.name === name);
    if (!line) throw new Error(`the seed has no workload ${space}/${name}`);
    return { replicas: 1, account: 'default', kind: 'Deployment', ...line } as WorkloadLine;
  });
  const written = JSON.stringify(workloads);
  const mentioned = (line: { namespace: string; name: string }) =>
    line.namespace === space && written.includes(line.name);
  const selects = (selector: Record<string, string>) =>
    workloads.some(({ labels }) => Object.entries(selector).every(([key, value]) => labels[key] === value));
  const accounts = new Set(workloads.map(({ account }) => account).filter(account => account !== 'default'));
  return [
    namespace(space, seed.namespaces[space] ?? {}),
    ...[...accounts].map(name => serviceAccount(space, name)),
    ...seed.volumeClaims.filter(mentioned).map(storage),
    ...texts({
      ...seed,
      configMaps: seed.configMaps.filter(mentioned),
      secrets: seed.secrets.filter(mentioned),
    }),
    ...seed.services.filter(line => line.namespace === space && selects(line.selector)).map(service),
    ...workloads.map(line => deployment(line, false)),
  ];
}
