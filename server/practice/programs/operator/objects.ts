// What operators do with objects: name a kind, own a child, create what is missing, write a status that changed.
// Knows no kind.

import { isDeepStrictEqual } from 'node:util';
import {
  type KubeObject,
  type ObjectMeta,
  type OwnerReference,
  parseApiVersion,
  StatusError,
} from '../../../kube/index.ts';
import type { Operator, Watched } from './types.ts';

/** `watched('apps/v1', 'StatefulSet')`; `plural` where it is not the kind with an `s`. */
export function watched(apiVersion: string, kind: string, plural = `${kind.toLowerCase()}s`): Watched {
  const { group, version } = parseApiVersion(apiVersion);
  return { group, version, resource: plural, kind, type: `*${version}.${kind}` };
}

/** The reference that makes `owner` the controller of whoever carries it. */
export function controlledBy(owner: KubeObject): OwnerReference {
  const { name, uid = '' } = owner.metadata;
  return {
    apiVersion: owner.apiVersion,
    kind: owner.kind,
    name,
    uid,
    controller: true,
    blockOwnerDeletion: true,
  };
}

export const controllerOf = (metadata: ObjectMeta): OwnerReference | undefined =>
  metadata.ownerReferences?.find(({ controller }) => controller);

/** Creates an object unless one of its name is there; `object` then is that one, whoever made it. */
export async function createIfAbsent(
  operator: Operator,
  kind: Watched,
  wanted: KubeObject,
): Promise<{ object: KubeObject; created: boolean }> {
  const known = operator.get(kind, wanted.metadata);
  if (known) return { object: known, created: false };
  try {
    return { object: await operator.api.create(kind, wanted), created: true };
  } catch (error) {
    if (!(error instanceof StatusError) || error.reason !== 'AlreadyExists') throw error;
    return { object: await operator.api.get(kind, wanted.metadata), created: false };
  }
}

/** For `catch`: undefined in place of what is not there; other errors go on. */
export const unlessMissing = (error: unknown): undefined => {
  if (!(error instanceof StatusError) || error.code !== 404) throw error;
  return undefined;
};

/** Writes the whole status of an object if it is another than the object carries; says whether it did. */
export async function writeStatus(
  operator: Operator,
  kind: Watched,
  object: KubeObject,
  status: Record<string, unknown>,
): Promise<boolean> {
  if (isDeepStrictEqual(plain(object['status'] ?? {}), plain(status))) return false;
  await operator.api.update(kind, { ...object, status: plain(status) }, 'status');
  return true;
}

/** As it travels: without fields that are undefined. */
const plain = (value: unknown) => JSON.parse(JSON.stringify(value));
