// Which objects belong to a controller: its own that still match, orphans that match (adopted), its own that no longer do
// (released). Knows no kind in particular.

import type { GroupVersionResource, KubeObject } from '../../../kube/index.ts';
import { StatusError } from '../../../kube/index.ts';
import { controllerUid } from '../runtime/caches.ts';
import type { ControllerContext } from '../types.ts';
import { controllerReference } from './pods.ts';

export interface ClaimOptions {
  matches(object: KubeObject): boolean;
  /** Default: every object that matches may be adopted. */
  mayAdopt?(object: KubeObject): boolean;
}

/** The objects of `resource` in the owner's namespace that belong to `owner` now. */
export async function claim(
  context: ControllerContext,
  owner: KubeObject,
  resource: GroupVersionResource,
  { matches, mayAdopt = () => true }: ClaimOptions,
): Promise<KubeObject[]> {
  const cache = context.cache(resource);
  const { namespace } = owner.metadata;
  const claimed: KubeObject[] = [];
  const change = (object: KubeObject, ownerReferences: unknown) =>
    context.client.patch(resource, { namespace, name: object.metadata.name }, 'merge', {
      metadata: {
        uid: object.metadata.uid,
        resourceVersion: object.metadata.resourceVersion,
        ownerReferences,
      },
    });
  for (const object of cache.owned(owner.metadata.uid ?? '')) {
    if (matches(object)) claimed.push(object);
    else if (!owner.metadata.deletionTimestamp) {
      const others = (object.metadata.ownerReferences ?? []).filter(o => o.uid !== owner.metadata.uid);
      await ignoreGone(change(object, others.length > 0 ? others : null));
    }
  }
  if (owner.metadata.deletionTimestamp) return claimed;
  for (const object of cache.list(namespace)) {
    if (controllerUid(object) || object.metadata.deletionTimestamp || !matches(object) || !mayAdopt(object))
      continue;
    const adopted = await ignoreGone(
      change(object, [...(object.metadata.ownerReferences ?? []), controllerReference(owner)]),
    );
    if (adopted) claimed.push(adopted);
  }
  return claimed;
}

async function ignoreGone(write: Promise<KubeObject>): Promise<KubeObject | undefined> {
  try {
    return await write;
  } catch (error) {
    if (error instanceof StatusError && error.code === 404) return undefined;
    throw error;
  }
}

/** Keys of the owners of `kind` that a change of `object` concerns: its controller, before and now. */
export function ownerKeys(kind: string, object: KubeObject, previous: KubeObject | undefined): string[] {
  const keys = new Set<string>();
  for (const o of previous && previous !== object ? [previous, object] : [object]) {
    const owner = o.metadata.ownerReferences?.find(r => r.controller);
    if (owner?.kind === kind) keys.add(`${o.metadata.namespace}/${owner.name}`);
  }
  return [...keys];
}

/** Keys of all candidate owners whose selector matches an orphan. */
export function adopterKeys(
  candidates: readonly KubeObject[],
  object: KubeObject,
  matches: (owner: KubeObject, object: KubeObject) => boolean,
): string[] {
  if (controllerUid(object) || object.metadata.deletionTimestamp) return [];
  return candidates
    .filter(owner => matches(owner, object))
    .map(owner => `${owner.metadata.namespace}/${owner.metadata.name}`);
}
