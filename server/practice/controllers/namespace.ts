// The namespace controller: empties a namespace that is being deleted, pods first, then lets it go. Knows resources only by name.

import { type KubeObject, StatusError, timestamp } from '../../kube/index.ts';
import { EVENTS, NAMESPACES, PODS } from './resources.ts';
import type { Controller, ControllerContext, KnownResource } from './types.ts';
import { same } from './workloads/compare.ts';
import type { Condition } from './workloads/pods.ts';

/** Upstream gives caches this long after the deletion before it looks, in milliseconds. */
const GRACE = 5000;
const FINALIZER = 'kubernetes';

interface Remaining {
  counts: Map<string, number>;
  finalizers: Map<string, number>;
  failures: string[];
}

export const namespaceController: Controller = {
  name: 'namespace-controller',
  watches: [{ resource: NAMESPACES, keys: o => (o.metadata.deletionTimestamp ? [o.metadata.name] : []) }],
  // What leaves a dying namespace may be the last thing in it.
  everything({ object, deleted }, context) {
    const { namespace } = object.metadata;
    if (!deleted || !namespace) return [];
    return context.cache(NAMESPACES).get(undefined, namespace)?.metadata.deletionTimestamp ? [namespace] : [];
  },
  async reconcile(name, context) {
    let namespace = context.cache(NAMESPACES).get(undefined, name);
    if (!namespace?.metadata.deletionTimestamp) return;
    const wait = Date.parse(namespace.metadata.deletionTimestamp) + GRACE - context.clock.now();
    if (wait > 0) return context.requeueAfter(name, wait);
    if (namespace['status']?.phase !== 'Terminating')
      namespace = await context.client.update(
        NAMESPACES,
        { ...namespace, status: { ...namespace['status'], phase: 'Terminating' } },
        'status',
      );
    if ((namespace['spec']?.finalizers ?? []).length === 0) return;
    const remaining = await empty(name, context);
    namespace = await writeConditions(namespace, remaining, context);
    if (remaining.failures.length > 0) throw new Error(remaining.failures.join('; '));
    if (remaining.counts.size > 0 || context.cache(PODS).list(name).length > 0) return;
    const finalizers = namespace['spec'].finalizers.filter((f: string) => f !== FINALIZER);
    await context.client.update(
      NAMESPACES,
      { ...namespace, spec: { ...namespace['spec'], finalizers } },
      'finalize',
    );
  },
};

async function empty(namespace: string, context: ControllerContext): Promise<Remaining> {
  const remaining: Remaining = { counts: new Map(), finalizers: new Map(), failures: [] };
  const namespaced = context.known().filter(r => r.namespaced);
  const pods = namespaced.filter(r => r.resource.resource === 'pods' && r.resource.group === '');
  // Nothing else goes before the last pod is gone; until then nothing else is counted either.
  for (const resource of pods)
    await emptyOne(resource, namespace, context, { ...remaining, counts: new Map(), finalizers: new Map() });
  if (context.cache(PODS).list(namespace).length > 0) return remaining;
  for (const resource of namespaced)
    if (!pods.includes(resource)) await emptyOne(resource, namespace, context, remaining);
  const { items } = await context.client.list(EVENTS, { namespace });
  for (const event of items) await context.client.delete(EVENTS, event.metadata).catch(ignoreGone);
  return remaining;
}

async function emptyOne(
  { resource }: KnownResource,
  namespace: string,
  context: ControllerContext,
  remaining: Remaining,
): Promise<void> {
  const cache = context.cache(resource);
  for (const object of cache.list(namespace)) {
    if (object.metadata.deletionTimestamp) continue;
    try {
      await context.client.delete(resource, object.metadata, { propagationPolicy: 'Background' });
    } catch (error) {
      if (!isGone(error)) remaining.failures.push((error as Error).message);
    }
  }
  const left = cache.list(namespace);
  if (left.length === 0) return;
  const name = `${resource.resource}.${resource.group}`;
  remaining.counts.set(name, left.length);
  for (const object of left)
    for (const finalizer of object.metadata.finalizers ?? [])
      remaining.finalizers.set(finalizer, (remaining.finalizers.get(finalizer) ?? 0) + 1);
}

async function writeConditions(
  namespace: KubeObject,
  { counts, finalizers, failures }: Remaining,
  context: ControllerContext,
): Promise<KubeObject> {
  const list = (entries: Map<string, number>, text: (name: string, count: number) => string) =>
    [...entries]
      .sort()
      .map(([name, count]) => text(name, count))
      .join(', ');
  const resources = list(counts, (name, count) => `${name} has ${count} resource instances`);
  const holders = list(finalizers, (name, count) => `${name} in ${count} resource instances`);
  const wanted: [type: string, status: boolean, reason: string, message: string][] = [
    [
      'NamespaceDeletionDiscoveryFailure',
      false,
      'ResourcesDiscovered',
      'All resources successfully discovered',
    ],
    [
      'NamespaceDeletionGroupVersionParsingFailure',
      false,
      'ParsedGroupVersions',
      'All legacy kube types successfully parsed',
    ],
    failures.length > 0
      ? [
          'NamespaceDeletionContentFailure',
          true,
          'ContentDeletionFailed',
          `Failed to delete all resource types, ${failures.length} remaining: ${failures.join(', ')}`,
        ]
      : [
          'NamespaceDeletionContentFailure',
          false,
          'ContentDeleted',
          'All content successfully deleted, may be waiting on finalization',
        ],
    resources
      ? [
          'NamespaceContentRemaining',
          true,
          'SomeResourcesRemain',
          `Some resources are remaining: ${resources}`,
        ]
      : ['NamespaceContentRemaining', false, 'ContentRemoved', 'All content successfully removed'],
    holders
      ? [
          'NamespaceFinalizersRemaining',
          true,
          'SomeFinalizersRemain',
          `Some content in the namespace has finalizers remaining: ${holders}`,
        ]
      : [
          'NamespaceFinalizersRemaining',
          false,
          'ContentHasNoFinalizers',
          'All content-preserving finalizers finished',
        ],
  ];
  const old: Condition[] = namespace['status']?.conditions ?? [];
  const at = timestamp(context.clock.now());
  const conditions = wanted.map(([type, status, reason, message]) => {
    const before = old.find(c => c.type === type);
    const next = { type, status: status ? 'True' : 'False', lastTransitionTime: at, reason, message };
    return before?.status === next.status ? { ...next, lastTransitionTime: before.lastTransitionTime } : next;
  });
  if (same(old, conditions)) return namespace;
  return context.client.update(
    NAMESPACES,
    { ...namespace, status: { ...namespace['status'], conditions } },
    'status',
  );
}

const isGone = (error: unknown) => error instanceof StatusError && error.code === 404;

function ignoreGone(error: unknown): void {
  if (!isGone(error)) throw error;
}
