// Who owns which field after a write: the registry's view of server-side apply's bookkeeping. The arithmetic is in kube/patch.

import type { KubeObject, ManagedFieldsEntry, Schema } from '../../kube/index.ts';
import { timestamp } from '../../kube/index.ts';
import { TypedError, trackUpdate } from '../../kube/patch/index.ts';
import type { Environment } from './environment.ts';
import type { RequestContext, ServedResource } from './types.ts';
import { sameValue } from './values.ts';

const MANAGER_LENGTH = 128;

export interface Tracking {
  schema: Schema | undefined;
  /** Of the request, e.g. `apps/v1`. */
  apiVersion: string;
  subresource?: string | undefined;
  reset?: readonly string[];
}

/** What a write through this endpoint does not set, so that nobody owns it through it. */
export function resetFields(served: ServedResource, subresource: string | undefined): readonly string[] {
  if (subresource === 'status') return served.custom ? ['spec', 'metadata'] : ['spec'];
  if (subresource !== undefined) return [];
  return served.definition.subresources?.some(s => s.name === 'status') ? ['status'] : [];
}

/** Sets `next.metadata.managedFields` for an ordinary write (not apply). `next` is a private copy. */
export function trackManagers(
  environment: Environment,
  context: RequestContext,
  old: KubeObject | undefined,
  next: KubeObject,
  tracking: Tracking,
): void {
  const { schema, apiVersion, subresource, reset = [] } = tracking;
  if (!schema) {
    if (old?.metadata.managedFields) next.metadata.managedFields = old.metadata.managedFields;
    return;
  }
  const entries = tracked({
    old,
    next,
    schema,
    manager: (context.fieldManager ?? 'unknown').slice(0, MANAGER_LENGTH),
    apiVersion,
    reset,
    // Upstream's scale handler writes no time.
    ...(subresource === 'scale' ? {} : { time: timestamp(environment.clock.now()) }),
    ...(subresource ? { subresource } : {}),
  });
  if (!entries?.length) delete next.metadata.managedFields;
  else if (sameOwners(old?.metadata.managedFields, entries))
    next.metadata.managedFields = old?.metadata.managedFields ?? [];
  else next.metadata.managedFields = entries;
}

/** What does not fit its schema has no owners yet: validation will say why. */
function tracked(write: Parameters<typeof trackUpdate>[0]): ManagedFieldsEntry[] | undefined {
  try {
    return trackUpdate(write);
  } catch (error) {
    if (error instanceof TypedError) return write.old?.metadata.managedFields;
    throw error;
  }
}

/** Equal but for the times. */
function sameOwners(
  a: readonly ManagedFieldsEntry[] | undefined,
  b: readonly ManagedFieldsEntry[] | undefined,
): boolean {
  const timeless = (entries: readonly ManagedFieldsEntry[] | undefined) =>
    (entries ?? []).map(({ time: _, ...rest }) => rest);
  return sameValue(timeless(a), timeless(b));
}

/** True when nothing but times of managed fields differs. */
export function isNoOp(old: KubeObject, next: KubeObject): boolean {
  const strip = ({ managedFields: _, resourceVersion: __, ...metadata }: KubeObject['metadata']) => metadata;
  for (const key of new Set([...Object.keys(old), ...Object.keys(next)])) {
    if (key === 'metadata') continue;
    if (!sameValue(old[key], next[key])) return false;
  }
  return (
    sameValue(strip(old.metadata), strip(next.metadata)) &&
    sameOwners(old.metadata.managedFields, next.metadata.managedFields)
  );
}
