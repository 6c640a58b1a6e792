// How objects go: preconditions, grace, finalizers, propagation, and deletion of whole collections.

import type { KubeObject, Status } from '../../kube/index.ts';
import { badRequest, conflict, notFound, timestamp } from '../../kube/index.ts';
import type { AdmissionRequest } from '../admission/types.ts';
import type { ResourceDefinition } from '../resources/types.ts';
import { mutate, validate } from './admit.ts';
import { writeOptions } from './create.ts';
import { type Environment, storeKey, subjectOf } from './environment.ts';
import { listObjects } from './read.ts';
import type {
  DeleteRequest,
  DeleteResult,
  ListRequest,
  ListResult,
  RequestContext,
  ResourcePath,
  ServedResource,
} from './types.ts';
import { sameValue } from './values.ts';

const ORPHAN = 'orphan';
/** What a CustomResourceDefinition waits for while it still has instances. */
export const CLEANUP_FINALIZER = 'customresourcecleanup.apiextensions.k8s.io';
const FOREGROUND = 'foregroundDeletion';
/** Seconds, when neither the request nor the pod says. */
const DEFAULT_GRACE = 30;

/** Kinds whose dependents stay when nobody says otherwise (upstream keeps this for old clients). */
const ORPHANS_BY_DEFAULT = new Set(['batch/jobs', '/replicationcontrollers']);

export async function deleteObject(
  environment: Environment,
  context: RequestContext,
  served: ServedResource,
  target: { namespace: string | undefined; name: string },
  request: DeleteRequest,
): Promise<DeleteResult> {
  checkOptions(request);
  const { definition } = served;
  const key = storeKey(environment, definition, target.namespace, target.name);
  const found = environment.store.get(key);
  if (!found) throw notFound(subjectOf(definition), target.name);
  warnOfOrphans(served, request, context);
  await environment.served.ready(served, [found]);
  await admit(environment, context, served, target, environment.served.toServed(served, found), request);
  // Admission may have waited for a webhook.
  const current = environment.store.get(key);
  if (!current) throw notFound(subjectOf(definition), target.name);
  checkPreconditions(definition, target.name, request, current);

  const next = beforeDelete(environment, served, current, request);
  if (next === 'gone') {
    if (context.dryRun) return answer(environment, served, current, false);
    const last = environment.store.delete(key);
    return answer(environment, served, last, false);
  }
  if (context.dryRun || sameValue(next, current)) return answer(environment, served, next, true);
  return answer(
    environment,
    served,
    environment.store.update(key, () => next),
    true,
  );
}

async function admit(
  environment: Environment,
  context: RequestContext,
  served: ServedResource,
  target: { namespace: string | undefined; name: string },
  old: KubeObject,
  request: DeleteRequest,
): Promise<void> {
  const admission: AdmissionRequest = {
    operation: 'DELETE',
    definition: served.definition,
    version: served.version,
    name: target.name,
    user: context.user,
    dryRun: context.dryRun ?? false,
    old,
    ...(target.namespace ? { namespace: target.namespace } : {}),
    options: { ...writeOptions('DeleteOptions', context), ...request },
  };
  const changing = mutate(environment, context, admission);
  if (changing) await changing;
  const judging = validate(environment, context, admission);
  if (judging) await judging;
}

function checkOptions(request: DeleteRequest): void {
  const { propagationPolicy, orphanDependents } = request;
  if (propagationPolicy !== undefined && orphanDependents !== undefined) {
    throw badRequest(
      'DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Invalid value: "' +
        `${propagationPolicy}": orphanDependents and deletionPropagation cannot be both set`,
    );
  }
  if (
    propagationPolicy !== undefined &&
    !['Background', 'Foreground', 'Orphan'].includes(propagationPolicy)
  ) {
    throw badRequest(
      `DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Unsupported value: "${propagationPolicy}": supported values: "Foreground", "Background", "Orphan", "nil"`,
    );
  }
}

function checkPreconditions(
  definition: ResourceDefinition,
  name: string,
  request: DeleteRequest,
  current: KubeObject,
): void {
  const { uid, resourceVersion } = request.preconditions ?? {};
  if (uid !== undefined && uid !== current.metadata.uid) {
    throw conflict(
      subjectOf(definition),
      name,
      `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${current.metadata.uid}`,
    );
  }
  if (resourceVersion !== undefined && resourceVersion !== current.metadata.resourceVersion) {
    throw conflict(
      subjectOf(definition),
      name,
      `Precondition failed: ResourceVersion in precondition: ${resourceVersion}, ResourceVersion in object meta: ${current.metadata.resourceVersion}`,
    );
  }
}

function warnOfOrphans(served: ServedResource, request: DeleteRequest, context: RequestContext): void {
  const { group, resource } = served.definition;
  if (group !== 'batch' || resource !== 'jobs') return;
  if (request.propagationPolicy !== undefined || request.orphanDependents !== undefined) return;
  context.warn(
    'child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning',
  );
}

/** The object as it must wait to go, or `gone` when nothing holds it. */
function beforeDelete(
  environment: Environment,
  served: ServedResource,
  current: KubeObject,
  request: DeleteRequest,
): KubeObject | 'gone' {
  const { definition } = served;
  const now = environment.clock.now();
  const finalizers = finalizersFor(definition, current, request);
  const metadata = { ...current.metadata };
  if (finalizers.length > 0) metadata.finalizers = finalizers;
  else delete metadata.finalizers;
  const already = current.metadata.deletionTimestamp !== undefined;
  const grace = definition.graceful ? gracePeriod(current, request) : 0;

  if (grace > 0) {
    const left = current.metadata.deletionGracePeriodSeconds;
    if (already && left !== undefined && grace >= left) {
      return sameValue(metadata, current.metadata) ? current : { ...current, metadata };
    }
    metadata.deletionTimestamp = timestamp(now + grace * 1000);
    metadata.deletionGracePeriodSeconds = grace;
    bump(metadata, already);
    return { ...current, metadata };
  }

  const namespaceHolds = definition.resource === 'namespaces' && definition.group === '';
  const held = finalizers.length > 0 || (namespaceHolds && (current.spec?.finalizers?.length ?? 0) > 0);
  if (!held) return 'gone';
  if (!already) metadata.deletionTimestamp = timestamp(now);
  if (!namespaceHolds) metadata.deletionGracePeriodSeconds = 0;
  bump(metadata, already);
  const next: KubeObject = { ...current, metadata };
  if (namespaceHolds) next.status = { ...current.status, phase: 'Terminating' };
  return next;
}

function bump(metadata: KubeObject['metadata'], already: boolean): void {
  if (!already && (metadata.generation ?? 0) > 0) metadata.generation = (metadata.generation ?? 0) + 1;
}

function gracePeriod(pod: KubeObject, request: DeleteRequest): number {
  const asked = request.gracePeriodSeconds;
  // Nothing runs: nothing to wait for.
  if (!pod.spec?.nodeName || ['Failed', 'Succeeded'].includes(pod.status?.phase)) return 0;
  const grace = asked ?? pod.spec?.terminationGracePeriodSeconds ?? DEFAULT_GRACE;
  return grace < 0 ? 1 : grace;
}

function finalizersFor(
  definition: ResourceDefinition,
  current: KubeObject,
  request: DeleteRequest,
): string[] {
  const existing = heldByInstances(definition, current);
  const policy =
    request.propagationPolicy ??
    (request.orphanDependents === undefined ? undefined : request.orphanDependents ? 'Orphan' : 'Background');
  const others = existing.filter(f => f !== ORPHAN && f !== FOREGROUND);
  switch (policy) {
    case 'Orphan':
      return [...others, ORPHAN];
    case 'Foreground':
      return [...others, FOREGROUND];
    case 'Background':
      return others;
    default:
      // What an earlier request asked for stays.
      if (existing.includes(ORPHAN) || existing.includes(FOREGROUND)) return [...existing];
      return ORPHANS_BY_DEFAULT.has(`${definition.group}/${definition.resource}`)
        ? [...existing, ORPHAN]
        : [...existing];
  }
}

/** A definition goes after its instances. */
function heldByInstances(definition: ResourceDefinition, current: KubeObject): string[] {
  const existing = current.metadata.finalizers ?? [];
  const isCrd =
    definition.group === 'apiextensions.k8s.io' && definition.resource === 'customresourcedefinitions';
  if (!isCrd || current.metadata.deletionTimestamp || existing.includes(CLEANUP_FINALIZER)) return existing;
  return [...existing, CLEANUP_FINALIZER];
}

async function answer(
  environment: Environment,
  served: ServedResource,
  object: KubeObject,
  stays: boolean,
): Promise<DeleteResult> {
  const { definition } = served;
  if (stays || definition.returnsDeleted) {
    await environment.served.ready(served, [object]);
    return { object: environment.served.toServed(served, object), code: 200 };
  }
  const status: Status = {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: {
      name: object.metadata.name,
      ...(definition.group ? { group: definition.group } : {}),
      kind: definition.resource,
      uid: object.metadata.uid as string,
    },
    code: 200,
  };
  // Upstream leaves the code out of a plain success.
  delete (status as { code?: number }).code;
  return { object: status, code: 200 };
}

export async function deleteAll(
  environment: Environment,
  context: RequestContext,
  served: ServedResource,
  path: ResourcePath,
  request: DeleteRequest & ListRequest,
): Promise<ListResult> {
  const list = await listObjects(environment, served, path, request);
  const items: KubeObject[] = [];
  for (const item of list.items) {
    const target = { namespace: item.metadata.namespace, name: item.metadata.name };
    try {
      const { object } = await deleteObject(environment, context, served, target, request);
      items.push('status' in object && object.kind === 'Status' ? item : (object as KubeObject));
    } catch (error) {
      // Someone else was faster: gone is gone.
      if ((error as { code?: number }).code !== 404) throw error;
    }
  }
  return { ...list, items };
}
