// The root certificate publisher: every namespace has a config map by which pods can trust the API server.

import { StatusError } from '../../kube/index.ts';
import { CONFIG_MAPS, NAMESPACES } from './resources.ts';
import type { Controller } from './types.ts';
import { same } from './workloads/compare.ts';

const NAME = 'kube-root-ca.crt';
const DESCRIPTION = 'kubernetes.io/description';
const TEXT =
  'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.';

export const rootCaController: Controller = {
  name: 'root-ca-cert-publisher',
  watches: [
    { resource: NAMESPACES },
    {
      resource: CONFIG_MAPS,
      keys: map => (map.metadata.name === NAME ? [map.metadata.namespace ?? ''] : []),
    },
  ],
  async reconcile(name, context) {
    const namespace = context.cache(NAMESPACES).get(undefined, name);
    if (!namespace || namespace.metadata.deletionTimestamp) return;
    const data = { 'ca.crt': context.rootCa };
    const existing = context.cache(CONFIG_MAPS).get(name, NAME);
    if (!existing) {
      const metadata = { name: NAME, namespace: name, annotations: { [DESCRIPTION]: TEXT } };
      await context.client
        .create(CONFIG_MAPS, { apiVersion: 'v1', kind: 'ConfigMap', metadata, data })
        .catch(ignoreRace);
    } else if (!same(existing['data'], data)) {
      const annotations = { ...existing.metadata.annotations, [DESCRIPTION]: TEXT };
      await context.client.update(CONFIG_MAPS, {
        ...existing,
        metadata: { ...existing.metadata, annotations },
        data,
      });
    }
  },
};

/** Made by somebody else in the meantime, or the namespace is on its way out. */
function ignoreRace(error: unknown): void {
  if (!(error instanceof StatusError) || !['AlreadyExists', 'Forbidden', 'NotFound'].includes(error.reason))
    throw error;
}
