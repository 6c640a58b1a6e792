// Follows CustomResourceDefinitions in the store: accepts their names, serves what is established, and empties what goes.

import type { KubeObject } from '../../../kube/index.ts';
import { timestamp } from '../../../kube/index.ts';
import type { WebhookTransport } from '../../admission/index.ts';
import { CLEANUP_FINALIZER, deleteObject } from '../delete.ts';
import type { Environment } from '../environment.ts';
import { type CustomResource, keyOf } from '../served.ts';
import type { RequestContext, ServedResource } from '../types.ts';
import { sameValue } from '../values.ts';
import { converterOf } from './conversion.ts';
import { customResources, storageVersionOf } from './definition.ts';

const PREFIX = '/customresourcedefinitions.apiextensions.k8s.io/';

interface Condition {
  type: string;
  status: string;
  reason: string;
  message: string;
  lastTransitionTime?: string;
}

interface Names {
  plural: string;
  singular?: string;
  shortNames?: string[];
  kind: string;
  listKind?: string;
  categories?: string[];
}

const isEstablished = (crd: KubeObject) =>
  ((crd.status?.conditions ?? []) as Condition[]).some(c => c.type === 'Established' && c.status === 'True');

/** Starts following; what is in the store already is served at once. Gives a function that stops. */
export function followDefinitions(environment: Environment, transport?: WebhookTransport): () => void {
  const { store } = environment;
  /** What a CRD served last, so that a change of its status alone disturbs nobody. */
  const known = new Map<string, { spec: unknown; resources: CustomResource[] }>();
  const served = new Map<string, CustomResource[]>();
  const emptying = new Map<string, () => void>();

  function refresh(group: string): void {
    const resources: CustomResource[] = [];
    for (const crd of store.list(PREFIX).items) {
      if (crd.spec.group !== group || !isEstablished(crd)) continue;
      const uid = crd.metadata.uid as string;
      let entry = known.get(uid);
      if (!entry || !sameValue(entry.spec, crd.spec)) {
        entry = { spec: crd.spec, resources: customResources(crd, converterOf(environment, transport, crd)) };
        known.set(uid, entry);
      }
      resources.push(...entry.resources);
    }
    const before = served.get(group) ?? [];
    if (before.length === resources.length && before.every((resource, i) => resource === resources[i]))
      return;
    served.set(group, resources);
    environment.served.setCustom(group, resources);
  }

  function follow(crd: KubeObject): void {
    if (crd.metadata.deletionTimestamp) {
      refresh(crd.spec.group);
      void empty(crd);
      return;
    }
    const status = statusOf(environment, crd);
    if (!sameValue(status, crd.status)) {
      store.update(keyOf(storage(), undefined, crd.metadata.name), current => ({ ...current, status }));
      return;
    }
    refresh(crd.spec.group);
  }

  const storage = () => ({ prefix: PREFIX, apiVersion: '', kind: '' });

  /** Deletes all instances, then lets the definition go. */
  async function empty(crd: KubeObject): Promise<void> {
    const uid = crd.metadata.uid as string;
    if (emptying.has(uid) || !crd.metadata.finalizers?.includes(CLEANUP_FINALIZER)) return;
    const { group, names } = crd.spec;
    // As stored: no webhook is asked for what goes.
    const resource =
      environment.served.find(group, storageVersionOf(crd), names.plural) ??
      environment.served.findResource({ group, resource: names.plural });
    const prefix = `/${names.plural}.${group}/`;
    let unwatch = () => {};
    emptying.set(uid, () => unwatch());
    const done = () => {
      if (store.list(prefix, { limit: 1 }).items.length > 0) return false;
      unwatch();
      emptying.delete(uid);
      release(crd);
      return true;
    };
    mark(crd, 'InstanceDeletionInProgress', 'CustomResource deletion is in progress');
    if (resource) await deleteInstances(environment, resource, prefix);
    if (done()) return;
    unwatch = store.watch(prefix, store.revision, event => {
      if (event.type === 'DELETED') done();
    });
  }

  function mark(crd: KubeObject, reason: string, message: string): void {
    const condition = { type: 'Terminating', status: 'True', reason, message };
    update(crd, current => ({
      ...current,
      status: {
        ...current.status,
        conditions: withCondition(environment, current.status?.conditions ?? [], condition),
      },
    }));
  }

  function release(crd: KubeObject): void {
    const key = keyOf(storage(), undefined, crd.metadata.name);
    update(crd, current => ({
      ...current,
      metadata: {
        ...current.metadata,
        finalizers: (current.metadata.finalizers ?? []).filter(name => name !== CLEANUP_FINALIZER),
      },
    }));
    const left = store.get(key);
    if (left?.metadata.uid === crd.metadata.uid && left?.metadata.finalizers?.length === 0) store.delete(key);
  }

  /** Does nothing when the definition is gone or another one took its name. */
  function update(crd: KubeObject, change: (current: KubeObject) => KubeObject): void {
    const key = keyOf(storage(), undefined, crd.metadata.name);
    if (store.get(key)?.metadata.uid !== crd.metadata.uid) return;
    store.update(key, current => {
      const next = change(current);
      return sameValue(next, current) ? current : next;
    });
  }

  const existing = store.list(PREFIX);
  const stop = store.watch(PREFIX, existing.revision, event => {
    if (event.type === 'DELETED') {
      known.delete(event.object.metadata.uid as string);
      emptying.get(event.object.metadata.uid as string)?.();
      emptying.delete(event.object.metadata.uid as string);
      refresh(event.object.spec.group);
    } else follow(event.object);
  });
  for (const crd of existing.items) follow(crd);
  return () => {
    stop();
    for (const end of emptying.values()) end();
  };
}

async function deleteInstances(
  environment: Environment,
  resource: ServedResource,
  prefix: string,
): Promise<void> {
  const context: RequestContext = {
    user: { name: 'system:apiserver', groups: ['system:masters'] },
    fieldManager: 'kube-apiserver',
    warn: () => {},
  };
  for (const { metadata } of environment.store.list(prefix).items) {
    const target = { namespace: metadata.namespace, name: metadata.name };
    try {
      await deleteObject(environment, context, resource, target, {});
    } catch {
      // Gone already, or refused by a webhook: the watch on what is left decides.
    }
  }
}

function statusOf(environment: Environment, crd: KubeObject): Record<string, unknown> {
  const names: Names = crd.spec.names;
  const conflict = nameConflict(environment, crd);
  const before: Condition[] = crd.status?.conditions ?? [];
  const accepted: Condition = conflict
    ? { type: 'NamesAccepted', status: 'False', reason: conflict.reason, message: conflict.message }
    : { type: 'NamesAccepted', status: 'True', reason: 'NoConflicts', message: 'no conflicts found' };
  const wasEstablished = isEstablished(crd);
  const established: Condition =
    conflict && !wasEstablished
      ? { type: 'Established', status: 'False', reason: 'NotAccepted', message: 'not all names are accepted' }
      : {
          type: 'Established',
          status: 'True',
          reason: 'InitialNamesAccepted',
          message: 'the initial names have been accepted',
        };
  const withAccepted = withCondition(environment, before, accepted);
  const stored: string[] = crd.status?.storedVersions ?? [];
  const storage = storageVersionOf(crd);
  return {
    ...crd.status,
    acceptedNames: conflict ? (crd.status?.acceptedNames ?? { kind: '', plural: '' }) : { ...names },
    conditions: withCondition(environment, withAccepted, established),
    storedVersions: stored.includes(storage) ? stored : [...stored, storage],
  };
}

function nameConflict(
  environment: Environment,
  crd: KubeObject,
): { reason: string; message: string } | undefined {
  const names: Names = crd.spec.names;
  const plurals = new Set<string>();
  const kinds = new Set<string>();
  for (const other of environment.store.list(PREFIX).items) {
    if (other.metadata.uid === crd.metadata.uid || other.spec.group !== crd.spec.group) continue;
    const accepted: Partial<Names> = other.status?.acceptedNames ?? {};
    for (const name of [accepted.plural, accepted.singular, ...(accepted.shortNames ?? [])])
      if (name) plurals.add(name);
    for (const kind of [accepted.kind, accepted.listKind]) if (kind) kinds.add(kind);
  }
  const taken = (name: string) => `"${name}" is already in use`;
  if (plurals.has(names.plural)) return { reason: 'PluralConflict', message: taken(names.plural) };
  if (names.singular && plurals.has(names.singular))
    return { reason: 'SingularConflict', message: taken(names.singular) };
  const short = names.shortNames?.find(name => plurals.has(name));
  if (short) return { reason: 'ShortNamesConflict', message: taken(short) };
  if (kinds.has(names.kind)) return { reason: 'KindConflict', message: taken(names.kind) };
  if (names.listKind && kinds.has(names.listKind))
    return { reason: 'ListKindConflict', message: taken(names.listKind) };
  return undefined;
}

/** The time of a condition changes only with its status. */
function withCondition(
  environment: Environment,
  conditions: readonly Condition[],
  wanted: Condition,
): Condition[] {
  const before = conditions.find(condition => condition.type === wanted.type);
  const lastTransitionTime =
    before?.status === wanted.status && before.lastTransitionTime
      ? before.lastTransitionTime
      : timestamp(environment.clock.now());
  const next = {
    lastTransitionTime,
    message: wanted.message,
    reason: wanted.reason,
    status: wanted.status,
    type: wanted.type,
  };
  return before
    ? conditions.map(condition => (condition.type === wanted.type ? next : condition))
    : [...conditions, next];
}
