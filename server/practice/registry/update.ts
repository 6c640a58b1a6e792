// How any object changes: PUT, PATCH, apply and subresources are all a function from the old object to the next one.

import type { FieldError, KubeObject } from '../../kube/index.ts';
import { apiVersionOf, conflict, invalid, notFound, OBJECT_MODIFIED } from '../../kube/index.ts';
import type { AdmissionRequest } from '../admission/types.ts';
import { applyDefaults } from '../schema/index.ts';
import { mutate, validate } from './admit.ts';
import { writeOptions } from './create.ts';
import { type Environment, hookContext, storeKey, subjectOf } from './environment.ts';
import { isNoOp, resetFields, trackManagers } from './managed-fields.ts';
import { finalizerWarnings, validateMetadata, validateMetadataUpdate } from './metadata.ts';
import type { RequestContext, ServedResource, WriteResult } from './types.ts';
import { copyOf, sameValue } from './values.ts';

/** How often a change is made again when someone else wrote in between; only webhooks leave room for that. */
const ATTEMPTS = 100;

export interface UpdateTarget {
  namespace: string | undefined;
  name: string;
  subresource?: string | undefined;
}

export interface UpdateOptions {
  /** PUT: a version may be demanded, and a differing uid is a failed precondition. */
  replaces?: boolean;
  /** The change already set metadata.managedFields (server-side apply). */
  tracked?: boolean;
  /** Where a subresource writes other parts than status: gets the next and the old object in the stored form, gives the next. */
  combine?(next: KubeObject, old: KubeObject): KubeObject;
  /** What else is wrong with the next object, given the old one. */
  check?(next: KubeObject, old: KubeObject): FieldError[];
  /** For admission, when the subresource has its own object (scale). */
  admissionKind?: string;
}

/**
 * Replaces the stored object by what `change` makes of it. `change` gets the object in the served version (frozen) and
 * returns a private copy; it may run again when someone else wrote in between.
 */
export async function updateObject(
  environment: Environment,
  context: RequestContext,
  served: ServedResource,
  target: UpdateTarget,
  change: (old: KubeObject) => KubeObject,
  options: UpdateOptions = {},
): Promise<WriteResult> {
  const { definition } = served;
  const subject = subjectOf(definition);
  const key = storeKey(environment, definition, target.namespace, target.name);
  for (let attempt = 1; ; attempt++) {
    const oldStored = environment.store.get(key);
    if (!oldStored) throw notFound(subject, target.name);
    const converting = environment.served.ready(served, [oldStored]);
    if (converting) await converting;
    const old = environment.served.toServed(served, oldStored);
    const next = change(old);
    const pinned = Boolean(next.metadata.resourceVersion) && next.metadata.resourceVersion !== '0';
    checkVersion(served, target, next, old, pinned, options);
    const before = served.custom ? old : oldStored;
    const working = await prepare(environment, context, served, target, next, before, options);
    const stored = await environment.served.fromWorking(served, working);
    if (isNoOp(oldStored, stored)) return { object: old, created: false };
    if (context.dryRun) {
      working.metadata.resourceVersion = oldStored.metadata.resourceVersion as string;
      return {
        object: served.custom ? working : environment.served.toServed(served, working),
        created: false,
      };
    }
    const current = environment.store.get(key);
    if (current !== oldStored) {
      if (!current) throw notFound(subject, target.name);
      if (pinned && options.replaces) throw conflict(subject, target.name, OBJECT_MODIFIED);
      if (attempt === ATTEMPTS) throw conflict(subject, target.name, OBJECT_MODIFIED);
      continue;
    }
    const written = environment.store.update(key, () => stored);
    const left = finish(environment, key, written);
    await environment.served.ready(served, [left]);
    return { object: environment.served.toServed(served, left), created: false };
  }
}

/** An object that only waited for its finalizers goes when the last one goes. */
function finish(environment: Environment, key: string, written: KubeObject): KubeObject {
  const { deletionTimestamp, deletionGracePeriodSeconds, finalizers } = written.metadata;
  if (!deletionTimestamp || (finalizers?.length ?? 0) > 0 || (deletionGracePeriodSeconds ?? 0) > 0)
    return written;
  // A namespace also waits for the finalizers of its spec.
  if (written.kind === 'Namespace' && (written.spec?.finalizers?.length ?? 0) > 0) return written;
  environment.store.delete(key);
  return written;
}

function checkVersion(
  served: ServedResource,
  target: UpdateTarget,
  next: KubeObject,
  old: KubeObject,
  pinned: boolean,
  options: UpdateOptions,
): void {
  const subject = subjectOf(served.definition);
  if (options.replaces && next.metadata.uid && next.metadata.uid !== old.metadata.uid) {
    throw conflict(
      subject,
      target.name,
      `Precondition failed: UID in precondition: ${next.metadata.uid}, UID in object meta: ${old.metadata.uid}`,
    );
  }
  if (pinned && next.metadata.resourceVersion !== old.metadata.resourceVersion) {
    throw conflict(subject, target.name, OBJECT_MODIFIED);
  }
  if (!pinned && options.replaces && served.definition.allowUnconditionalUpdate === false) {
    throw invalid(served.kind, target.name, [
      {
        field: 'metadata.resourceVersion',
        type: 'Invalid',
        message: 'Invalid value: 0: must be specified for an update',
      },
    ]);
  }
}

async function prepare(
  environment: Environment,
  context: RequestContext,
  served: ServedResource,
  target: UpdateTarget,
  next: KubeObject,
  old: KubeObject,
  options: UpdateOptions,
): Promise<KubeObject> {
  const { definition } = served;
  const hooks = hookContext(environment, context);
  for (const text of definition.warnings?.(next, served.version) ?? []) context.warn(text);
  if (served.custom) for (const text of finalizerWarnings(next, old)) context.warn(text);
  let stored = environment.served.toWorking(served, next);
  keepSystemFields(stored, old);
  stored = separate(served, target, stored, old, options);
  const schema = environment.served.workingSchema(served);
  if (schema) applyDefaults(stored, schema);
  definition.defaults?.(stored, hooks);
  if (!options.tracked) {
    trackManagers(environment, context, old, stored, {
      schema,
      apiVersion: apiVersionOf(served.kind),
      subresource: target.subresource,
      reset: resetFields(served, target.subresource),
    });
  }
  const forStatus = target.subresource === 'status';
  // A subresource that writes one part is not judged by what may change in the whole.
  const forPart = forStatus || options.combine !== undefined;
  if (!forPart) definition.prepareForUpdate?.(stored, old, hooks);
  if (bumpsGeneration(served, stored, old)) stored.metadata.generation = (old.metadata.generation ?? 0) + 1;

  const request: AdmissionRequest = {
    operation: 'UPDATE',
    definition,
    version: served.version,
    name: target.name,
    user: context.user,
    dryRun: context.dryRun ?? false,
    object: stored,
    schema,
    old,
    ...(target.subresource ? { subresource: target.subresource } : {}),
    ...(target.namespace ? { namespace: target.namespace } : {}),
    options: writeOptions(options.replaces ? 'UpdateOptions' : 'PatchOptions', context),
  };
  const changing = mutate(environment, context, request);
  if (changing) {
    await changing;
    // What a webhook added has no defaults yet.
    if (schema) applyDefaults(stored, schema);
    definition.defaults?.(stored, hooks);
  }
  // Mutation may have touched the spec.
  if (bumpsGeneration(served, stored, old)) stored.metadata.generation = (old.metadata.generation ?? 0) + 1;

  const findings: FieldError[] = [
    ...validateMetadataUpdate(stored, old),
    ...validateMetadata(stored, definition, served.custom),
  ];
  // What only touches status is not asked to be a valid spec again: upstream validates it separately.
  if (!forStatus || served.custom) findings.push(...(definition.validate?.(stored, hooks) ?? []));
  if (!forPart || served.custom) findings.push(...(definition.validateUpdate?.(stored, old, hooks) ?? []));
  findings.push(...(options.check?.(stored, old) ?? []));
  if (findings.length > 0) throw invalid(served.kind, target.name, withoutRepeats(findings));
  definition.canonicalize?.(stored);
  const judging = validate(environment, context, request);
  if (judging) await judging;
  return stored;
}

function withoutRepeats(findings: FieldError[]): FieldError[] {
  const seen = new Set<string>();
  return findings.filter(({ field, message }) => {
    const key = `${field} ${message}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

/** What a client may leave out or send stale without harm: the server's own fields come from the old object. */
function keepSystemFields(next: KubeObject, old: KubeObject): void {
  const { metadata } = next;
  const kept = old.metadata;
  metadata.name ||= kept.name;
  if (kept.namespace) metadata.namespace ||= kept.namespace;
  metadata.uid ||= kept.uid as string;
  for (const field of [
    'creationTimestamp',
    'deletionTimestamp',
    'deletionGracePeriodSeconds',
    'generation',
    'resourceVersion',
  ] as const) {
    if (kept[field] === undefined) delete metadata[field];
    else Object.assign(metadata, { [field]: kept[field] });
  }
  if (!metadata.generateName && kept.generateName) metadata.generateName = kept.generateName;
}

/** Writes to the object leave its status, writes to status leave everything else. */
function separate(
  served: ServedResource,
  target: UpdateTarget,
  next: KubeObject,
  old: KubeObject,
  options: UpdateOptions,
): KubeObject {
  if (options.combine) return options.combine(next, old);
  if (target.subresource === 'status') {
    const combined: KubeObject = { ...copyOf(old), status: next.status };
    if (next.status === undefined) delete combined.status;
    // Custom resources take nothing but status here; built-in kinds let controllers keep annotations along with it.
    combined.metadata = served.custom ? { ...copyOf(old.metadata), ...managedFieldsOf(next) } : next.metadata;
    return combined;
  }
  if (target.subresource === undefined && served.definition.subresources?.some(s => s.name === 'status')) {
    if (old.status === undefined) delete next.status;
    else next.status = copyOf(old.status);
  }
  return next;
}

function managedFieldsOf(object: KubeObject): Pick<KubeObject['metadata'], 'managedFields'> {
  return object.metadata.managedFields ? { managedFields: object.metadata.managedFields } : {};
}

/** Built-in kinds count changes of spec; custom ones of everything but metadata and (with a status subresource) status. */
function bumpsGeneration(served: ServedResource, next: KubeObject, old: KubeObject): boolean {
  const { definition } = served;
  if (!definition.hasGeneration) return false;
  if (next.metadata.generation !== old.metadata.generation) return false;
  const ignored = new Set(['metadata', 'apiVersion', 'kind']);
  if (definition.subresources?.some(s => s.name === 'status')) ignored.add('status');
  for (const key of new Set([...Object.keys(next), ...Object.keys(old)])) {
    if (!ignored.has(key) && !sameValue(next[key], old[key])) return true;
  }
  return false;
}
