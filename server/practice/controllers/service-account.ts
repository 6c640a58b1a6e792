// The service account controller: every namespace has a service account called default. Knows no tokens.

import { StatusError } from '../../kube/index.ts';
import { NAMESPACES, SERVICE_ACCOUNTS } from './resources.ts';
import type { Controller } from './types.ts';

export const serviceAccountController: Controller = {
  name: 'service-account-controller',
  watches: [
    { resource: NAMESPACES },
    {
      resource: SERVICE_ACCOUNTS,
      keys: account => (account.metadata.name === 'default' ? [account.metadata.namespace ?? ''] : []),
    },
  ],
  async reconcile(name, context) {
    const namespace = context.cache(NAMESPACES).get(undefined, name);
    if (!namespace || namespace.metadata.deletionTimestamp) return;
    if (context.cache(SERVICE_ACCOUNTS).get(name, 'default')) return;
    const account = {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'default', namespace: name },
    };
    await context.client.create(SERVICE_ACCOUNTS, account).catch(ignoreRace);
  },
};

/** Made by somebody else in the meantime, or the namespace is on its way out. */
function ignoreRace(error: unknown): void {
  if (!(error instanceof StatusError) || !['AlreadyExists', 'Forbidden', 'NotFound'].includes(error.reason))
    throw error;
}
