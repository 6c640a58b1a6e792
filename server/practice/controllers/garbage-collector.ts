// The garbage collector: deletes what its owners left behind, in the background or before them, or sets it free. Knows objects only
// by their owner references and finalizers.

import { type KubeObject, type OwnerReference, parseApiVersion, StatusError } from '../../kube/index.ts';
import { resourceId } from './runtime/caches.ts';
import type { Change, Controller, ControllerContext, KnownResource } from './types.ts';

const FOREGROUND = 'foregroundDeletion';
const ORPHAN = 'orphan';

/** Where an object is: resource id, namespace and name in one text, which is also its key. */
type Place = string;

/** Who owns whom, kept by uid from what the caches tell. */
interface Graph {
  places: Map<string, Place>;
  dependents: Map<string, Set<Place>>;
}

const placeOf = (of: KnownResource, object: KubeObject): Place =>
  `${resourceId(of.resource)}|${object.metadata.namespace ?? ''}|${object.metadata.name}`;

function graphOf(context: ControllerContext): Graph {
  const known = context.memory.get('graph') as Graph | undefined;
  if (known) return known;
  const graph: Graph = { places: new Map(), dependents: new Map() };
  context.memory.set('graph', graph);
  return graph;
}

export const garbageCollector: Controller = {
  name: 'generic-garbage-collector',
  component: 'garbage-collector-controller',
  watches: [],
  everything: (change, context) => learn(change, graphOf(context)),
  async reconcile(key, context) {
    const found = find(key, context);
    if (!found) return;
    const { of, object } = found;
    const { deletionTimestamp, finalizers = [], ownerReferences = [] } = object.metadata;
    if (deletionTimestamp) {
      if (finalizers.includes(ORPHAN)) await setFree(of, object, context);
      else if (finalizers.includes(FOREGROUND)) await waitForDependents(of, object, context);
    } else if (ownerReferences.length > 0) await collect(of, object, context);
  },
};

/** Takes a change into the graph and says what is worth looking at after it. */
function learn({ of, object, previous, deleted }: Change, graph: Graph): string[] {
  const place = placeOf(of, object);
  const uid = object.metadata.uid ?? '';
  const owners = object.metadata.ownerReferences ?? [];
  for (const owner of previous?.metadata.ownerReferences ?? []) {
    const set = graph.dependents.get(owner.uid);
    set?.delete(place);
    if (set?.size === 0) graph.dependents.delete(owner.uid);
  }
  if (deleted) {
    graph.places.delete(uid);
    const dependents = [...(graph.dependents.get(uid) ?? [])];
    // Owners that wait for their dependents want to know that one is gone.
    return [...dependents, ...owners.flatMap(o => graph.places.get(o.uid) ?? [])];
  }
  graph.places.set(uid, place);
  for (const owner of owners) {
    const set = graph.dependents.get(owner.uid);
    if (set) set.add(place);
    else graph.dependents.set(owner.uid, new Set([place]));
  }
  const keys: string[] = [];
  const ends =
    object.metadata.deletionTimestamp !== undefined && (object.metadata.finalizers?.length ?? 0) > 0;
  if (ends) keys.push(place, ...(graph.dependents.get(uid) ?? []));
  const sameOwners =
    previous &&
    JSON.stringify(previous.metadata.ownerReferences) === JSON.stringify(object.metadata.ownerReferences);
  if (owners.length > 0 && !sameOwners) keys.push(place);
  return keys;
}

function find(
  place: Place,
  context: ControllerContext,
): { of: KnownResource; object: KubeObject } | undefined {
  const [id = '', namespace, name = ''] = place.split('|');
  const of = context.known().find(r => resourceId(r.resource) === id);
  const object = of && context.cache(of.resource).get(namespace, name);
  return of && object ? { of, object } : undefined;
}

type OwnerState = 'solid' | 'dangling' | 'waiting';

async function ownerState(
  owner: OwnerReference,
  object: KubeObject,
  context: ControllerContext,
): Promise<OwnerState> {
  const { group } = parseApiVersion(owner.apiVersion);
  const of = context.known().find(r => r.kind === owner.kind && r.resource.group === group);
  // What cannot be looked up cannot be said to be gone.
  if (!of) return 'solid';
  const namespace = of.namespaced ? object.metadata.namespace : undefined;
  if (of.namespaced && !namespace) {
    const text = `ownerRef [${owner.apiVersion}/${owner.kind}, namespace: , name: ${owner.name}, uid: ${owner.uid}] does not exist in namespace ""`;
    context.events.event(object, 'Warning', 'OwnerRefInvalidNamespace', text);
    return 'solid';
  }
  const cached = context.cache(of.resource).get(namespace, owner.name);
  if (cached?.metadata.uid === owner.uid) return stateOf(cached);
  try {
    const live = await context.client.get(of.resource, { namespace, name: owner.name });
    if (live.metadata.uid === owner.uid) return stateOf(live);
  } catch (error) {
    if (!(error instanceof StatusError) || error.code !== 404) throw error;
  }
  const elsewhere = graphOf(context).places.get(owner.uid)?.split('|')[1];
  if (of.namespaced && elsewhere !== undefined && elsewhere !== namespace)
    context.events.event(
      object,
      'Warning',
      'OwnerRefInvalidNamespace',
      `ownerRef [${owner.apiVersion}/${owner.kind}, namespace: ${namespace}, name: ${owner.name}, uid: ${owner.uid}] does not exist in namespace "${namespace}"`,
    );
  return 'dangling';
}

function stateOf(owner: KubeObject): OwnerState {
  const { deletionTimestamp, finalizers = [] } = owner.metadata;
  return deletionTimestamp && finalizers.includes(FOREGROUND) ? 'waiting' : 'solid';
}

/** Deletes an object none of whose owners remains, or cuts the references to those that do not. */
async function collect(of: KnownResource, object: KubeObject, context: ControllerContext): Promise<void> {
  const { ownerReferences = [], finalizers = [], uid, resourceVersion } = object.metadata;
  const states = await Promise.all(ownerReferences.map(owner => ownerState(owner, object, context)));
  const having = (state: OwnerState) => ownerReferences.filter((_, i) => states[i] === state);
  const lost = [...having('dangling'), ...having('waiting')];
  if (lost.length === 0) return;
  if (having('solid').length > 0) return removeReferences(of, object, lost, context);
  const dependents = graphOf(context).dependents.get(uid ?? '');
  const propagationPolicy =
    having('waiting').length > 0 && dependents?.size
      ? 'Foreground'
      : finalizers.includes(ORPHAN)
        ? 'Orphan'
        : finalizers.includes(FOREGROUND)
          ? 'Foreground'
          : 'Background';
  await context.client
    .delete(of.resource, object.metadata, { propagationPolicy, preconditions: { uid, resourceVersion } })
    .catch(ignoreGone);
}

/** Foreground: an owner goes once no dependent that blocks it is left. */
async function waitForDependents(
  of: KnownResource,
  owner: KubeObject,
  context: ControllerContext,
): Promise<void> {
  const blocking = dependentsOf(owner, context).filter(({ object }) =>
    object.metadata.ownerReferences?.some(r => r.uid === owner.metadata.uid && r.blockOwnerDeletion),
  );
  if (blocking.length === 0) return removeFinalizer(of, owner, FOREGROUND, context);
  for (const { of: resource, object } of blocking)
    if (!object.metadata.deletionTimestamp) await collect(resource, object, context);
}

/** Orphan: dependents lose the reference, then the owner goes. */
async function setFree(of: KnownResource, owner: KubeObject, context: ControllerContext): Promise<void> {
  for (const { of: resource, object } of dependentsOf(owner, context)) {
    const references = (object.metadata.ownerReferences ?? []).filter(r => r.uid === owner.metadata.uid);
    await removeReferences(resource, object, references, context);
  }
  await removeFinalizer(of, owner, ORPHAN, context);
}

function dependentsOf(owner: KubeObject, context: ControllerContext) {
  const places = graphOf(context).dependents.get(owner.metadata.uid ?? '') ?? [];
  return [...places].flatMap(place => find(place, context) ?? []);
}

async function removeReferences(
  { resource }: KnownResource,
  object: KubeObject,
  lost: readonly OwnerReference[],
  context: ControllerContext,
): Promise<void> {
  const { name, namespace, uid, resourceVersion, ownerReferences = [] } = object.metadata;
  const kept = ownerReferences.filter(owner => !lost.some(l => l.uid === owner.uid));
  const metadata = { uid, resourceVersion, ownerReferences: kept.length > 0 ? kept : null };
  await context.client.patch(resource, { namespace, name }, 'merge', { metadata }).catch(ignoreGone);
}

async function removeFinalizer(
  { resource }: KnownResource,
  object: KubeObject,
  finalizer: string,
  context: ControllerContext,
): Promise<void> {
  const { name, namespace, resourceVersion, finalizers = [] } = object.metadata;
  const kept = finalizers.filter(f => f !== finalizer);
  const metadata = { resourceVersion, finalizers: kept.length > 0 ? kept : null };
  await context.client.patch(resource, { namespace, name }, 'merge', { metadata }).catch(ignoreGone);
}

function ignoreGone(error: unknown): void {
  if (!(error instanceof StatusError) || error.code !== 404) throw error;
}
