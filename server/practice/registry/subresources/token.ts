// TokenRequest: a service account's token on demand, bound to a pod or secret where asked.

import type { KubeObject } from '../../../kube/index.ts';
import { conflict, invalid, notFound, timestamp } from '../../../kube/index.ts';
import { type Environment, plainError, readAny, readOrThrow } from '../environment.ts';
import { type BoundObject, DEFAULT_AUDIENCE, signToken, type TokenKeys } from '../tokens.ts';
import type { ResourcePath, ServedResource } from '../types.ts';

/** Seconds; upstream's bounds. */
const DEFAULT_SECONDS = 3600;
const LEAST_SECONDS = 600;
const MOST_SECONDS = 2 ** 32;
/** Pods ask for 3607 s and get a year, so that old clients that never read the file again go on working. */
const POD_SECONDS = 3607;
const EXTENDED_SECONDS = 365 * 24 * 3600;

export function requestToken(
  environment: Environment,
  keys: TokenKeys,
  accounts: ServedResource,
  path: ResourcePath,
  request: KubeObject,
): KubeObject {
  const account = readOrThrow(environment, accounts.definition, path.namespace, path.name as string);
  const spec = request.spec ?? {};
  const expirationSeconds: number = spec.expirationSeconds ?? DEFAULT_SECONDS;
  const kind = { group: 'authentication.k8s.io', kind: 'TokenRequest' };
  if (expirationSeconds < LEAST_SECONDS || expirationSeconds > MOST_SECONDS) {
    const message =
      expirationSeconds < LEAST_SECONDS
        ? 'may not specify a duration less than 10 minutes'
        : 'may not specify a duration larger than 2^32 seconds';
    throw invalid(kind, '', [
      {
        field: 'spec.expirationSeconds',
        type: 'Invalid',
        message: `Invalid value: ${expirationSeconds}: ${message}`,
      },
    ]);
  }
  const audiences: string[] = spec.audiences?.length ? spec.audiences : [DEFAULT_AUDIENCE];
  const bound = spec.boundObjectRef
    ? boundObject(environment, spec.boundObjectRef, path.namespace)
    : undefined;
  const node =
    bound?.kind === 'Pod' && bound.spec?.nodeName
      ? readAny(environment, { group: '', resource: 'nodes' }, undefined, bound.spec.nodeName)
      : undefined;
  const token = signToken(environment, keys, account, {
    audiences,
    expirationSeconds: expirationSeconds === POD_SECONDS && bound ? EXTENDED_SECONDS : expirationSeconds,
    ...(bound ? { bound } : {}),
    ...(node ? { node } : {}),
  });
  return {
    kind: 'TokenRequest',
    apiVersion: 'authentication.k8s.io/v1',
    metadata: {
      name: account.metadata.name,
      namespace: path.namespace as string,
      creationTimestamp: timestamp(environment.clock.now()),
    },
    spec: { audiences, expirationSeconds, boundObjectRef: spec.boundObjectRef ?? null },
    status: { token, expirationTimestamp: timestamp(environment.clock.now() + expirationSeconds * 1000) },
  };
}

function boundObject(
  environment: Environment,
  reference: BoundObject,
  namespace: string | undefined,
): KubeObject {
  const resource = { Pod: 'pods', Secret: 'secrets', Node: 'nodes' }[reference.kind];
  if (!resource)
    throw plainError(`cannot bind token to object of type ${reference.apiVersion}, Kind=${reference.kind}`);
  const where = reference.kind === 'Node' ? undefined : namespace;
  const object = readAny(environment, { group: '', resource }, where, reference.name);
  if (!object) throw notFound({ group: '', resource }, reference.name);
  if (reference.uid && reference.uid !== object.metadata.uid) {
    throw conflict(
      { group: '', resource },
      reference.name,
      `the UID in the bound object reference (${reference.uid}) does not match the UID in record. The object might have been deleted and then recreated`,
    );
  }
  return object;
}
