// The tokens controller: secrets of the old kind that name a service account get its token, the root certificate and the
// namespace, and go when the account goes. The token is asked for through the API and holds while its secret does.

import { type KubeObject, StatusError } from '../../kube/index.ts';
import { SECRETS, SERVICE_ACCOUNTS } from './resources.ts';
import type { Controller, ControllerContext } from './types.ts';

const TYPE = 'kubernetes.io/service-account-token';
const NAME = 'kubernetes.io/service-account.name';
const UID = 'kubernetes.io/service-account.uid';
/** Tokens of this kind have no end; the longest the API grants comes near. Seconds. */
const LIFETIME = 2 ** 32;

const keyOf = ({ metadata }: KubeObject) => `${metadata.namespace}/${metadata.name}`;
const isToken = (secret: KubeObject) =>
  secret['type'] === TYPE && secret.metadata.annotations?.[NAME] !== undefined;

export const serviceAccountTokens: Controller = {
  name: 'serviceaccount-token-controller',
  watches: [
    { resource: SECRETS, keys: secret => (isToken(secret) ? [keyOf(secret)] : []) },
    {
      resource: SERVICE_ACCOUNTS,
      keys: ({ metadata }, _previous, context) =>
        context
          .cache(SECRETS)
          .list(metadata.namespace)
          .filter(secret => isToken(secret) && secret.metadata.annotations?.[NAME] === metadata.name)
          .map(keyOf),
    },
  ],
  async reconcile(key, context) {
    const [namespace = '', name = ''] = key.split('/');
    const secret = context.cache(SECRETS).get(namespace, name);
    if (!secret || !isToken(secret) || secret.metadata.deletionTimestamp) return;
    const annotations = secret.metadata.annotations ?? {};
    const account = await liveAccount(namespace, annotations[NAME]!, context);
    if (!account || (annotations[UID] && annotations[UID] !== account.metadata.uid)) {
      const preconditions = { uid: secret.metadata.uid };
      await context.client.delete(SECRETS, { namespace, name }, { preconditions }).catch(ignoreRace);
      return;
    }
    const ca = Buffer.from(context.rootCa).toString('base64');
    const data = secret['data'] ?? {};
    if (annotations[UID] && data['token'] && data['ca.crt'] === ca && data['namespace']) return;
    const token = data['token'] ?? (await request(account, secret, context));
    await context.client
      .update(SECRETS, {
        ...secret,
        metadata: { ...secret.metadata, annotations: { ...annotations, [UID]: account.metadata.uid! } },
        data: { ...data, 'ca.crt': ca, namespace: Buffer.from(namespace).toString('base64'), token },
      })
      .catch(ignoreRace);
  },
};

/** Asks the API itself: on a stale copy a secret would be deleted for an account that has just come. */
async function liveAccount(
  namespace: string,
  name: string,
  { client }: ControllerContext,
): Promise<KubeObject | undefined> {
  try {
    return await client.get(SERVICE_ACCOUNTS, { namespace, name });
  } catch (error) {
    if (error instanceof StatusError && error.code === 404) return undefined;
    throw error;
  }
}

async function request(
  { metadata: { name, namespace } }: KubeObject,
  secret: KubeObject,
  { client }: ControllerContext,
): Promise<string> {
  const answer = await client.create(
    SERVICE_ACCOUNTS,
    {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      metadata: { name, namespace },
      spec: {
        expirationSeconds: LIFETIME,
        boundObjectRef: {
          apiVersion: 'v1',
          kind: 'Secret',
          name: secret.metadata.name,
          uid: secret.metadata.uid,
        },
      },
    },
    { of: { namespace, name }, name: 'token' },
  );
  return Buffer.from(answer['status'].token).toString('base64');
}

function ignoreRace(error: unknown): void {
  if (!(error instanceof StatusError) || !['Conflict', 'NotFound'].includes(error.reason)) throw error;
}
