// Server-side apply and the tracking of who set which field (apimachinery fieldmanager + structured-merge-diff). Knows
// objects and schemas; whether a result is written is the registry's decision.

import { type KubeObject, LAST_APPLIED, type ManagedFieldsEntry } from '../object.ts';
import type { Schema } from '../schema.ts';
import { badRequest, StatusError } from '../status.ts';
import {
  difference,
  emptySet,
  type FieldSet,
  formatPath,
  insert,
  intersection,
  isEmpty,
  paths,
  union,
  withNamedFields,
} from './field-set.ts';
import { identityOf, type Manager, type Managers, readManagers, writeManagers } from './managers.ts';
import {
  type Comparison,
  checkApplied,
  compareObjects,
  fieldSetOf,
  isSame,
  mergeObjects,
  removeFields,
  TypedError,
  zeroObject,
} from './typed.ts';

/** The manager whose client-side history may be taken over without conflict. */
const KUBECTL = 'kubectl';
const BEFORE_FIRST_APPLY = 'before-first-apply';

/** Fields that the server owns: never in anyone's set. */
const STRIPPED: FieldSet = (() => {
  const set = emptySet();
  for (const path of [['apiVersion'], ['kind'], ['metadata']])
    insert(
      set,
      path.map(field => `f:${field}`),
    );
  for (const field of [
    'name',
    'namespace',
    'creationTimestamp',
    'selfLink',
    'uid',
    'clusterName',
    'generation',
    'managedFields',
    'resourceVersion',
  ])
    insert(set, ['f:metadata', `f:${field}`]);
  return set;
})();

/** Drops whole subtrees that an endpoint ignores: `status` on the main one, `spec` on the status one. */
function withoutReset(set: FieldSet, reset: readonly string[]): FieldSet {
  if (reset.length === 0) return set;
  const children = new Map(set.children);
  for (const dotted of reset) {
    const [first, ...rest] = dotted.split('.');
    const key = `f:${first}`;
    const child = children.get(key);
    if (!child) continue;
    if (rest.length === 0) {
      children.delete(key);
      continue;
    }
    const kept = withoutReset(child, [rest.join('.')]);
    if (isEmpty(kept)) children.delete(key);
    else children.set(key, kept);
  }
  return { own: set.own, children };
}

const owned = (set: FieldSet, reset: readonly string[]): FieldSet =>
  withoutReset(difference(set, STRIPPED), reset);

interface Write {
  schema: Schema;
  manager: string;
  apiVersion: string;
  /** RFC 3339; absent for writes that upstream records without time (scale). */
  time?: string | undefined;
  subresource?: string | undefined;
  /** Dotted paths that this endpoint does not set (`status`, `spec`): nobody owns them through it. */
  reset?: readonly string[] | undefined;
}

export interface UpdateToTrack extends Write {
  /** Absent on create. Both objects decoded, the new one before the server's own changes to it. */
  old?: KubeObject | undefined;
  next: KubeObject;
}

function safeRead(entries: readonly ManagedFieldsEntry[] | undefined): Managers | undefined {
  try {
    return readManagers(entries);
  } catch {
    return undefined;
  }
}

/** Whose records an update starts from: the client's if it sent readable ones, else the live object's. */
function startingManagers({ old, next, subresource }: UpdateToTrack): Managers {
  const sent = subresource ? undefined : next.metadata.managedFields;
  if (sent?.length === 1 && Object.keys(sent[0] ?? {}).length === 0) return new Map();
  const given = safeRead(sent);
  return given && given.size > 0 ? given : (safeRead(old?.metadata.managedFields) ?? new Map());
}

function changed(comparison: Comparison): FieldSet {
  return union(comparison.modified, comparison.added);
}

/** Takes changed fields from everyone else and removed fields from everyone. */
function settle(managers: Managers, taken: FieldSet, removed: FieldSet, but: string): void {
  for (const [id, manager] of managers) {
    if (id === but) continue;
    const set = difference(difference(manager.set, taken), removed);
    if (isEmpty(set)) managers.delete(id);
    else if (set !== manager.set) managers.set(id, { ...manager, set });
  }
}

/** The managedFields of `next` after this create or update. Undefined when the object is not tracked and stays so. */
export function trackUpdate(write: UpdateToTrack): ManagedFieldsEntry[] | undefined {
  const { old, next, schema, reset = [] } = write;
  const managers = startingManagers(write);
  // An object that was never tracked is left alone until its first apply.
  if (old && managers.size === 0) return undefined;
  recordUpdate(managers, old ?? zeroObject(schema), next, write, reset);
  return writeManagers(managers);
}

function recordUpdate(
  managers: Managers,
  before: unknown,
  after: unknown,
  { schema, manager, apiVersion, time, subresource = '' }: Omit<Write, 'reset'>,
  reset: readonly string[],
): void {
  const comparison = compareObjects(before, after, schema);
  const own: Omit<Manager, 'set'> = { manager, operation: 'Update', apiVersion, subresource };
  const id = identityOf(own);
  const taken = owned(changed(comparison), reset);
  settle(managers, taken, comparison.removed, '');
  if (isEmpty(taken)) return;
  const previous = managers.get(id);
  managers.set(id, { ...own, ...(time ? { time } : {}), set: previous ? union(previous.set, taken) : taken });
}

export interface ApplyRequest extends Write {
  /** Absent when the object does not exist yet. */
  live?: KubeObject | undefined;
  /** What the client sent. */
  applied: KubeObject;
  force?: boolean | undefined;
}

const describeManager = ({ manager, operation, apiVersion, subresource }: Manager): string => {
  const name = `${JSON.stringify(manager)}${subresource ? ` with subresource ${JSON.stringify(subresource)}` : ''}`;
  return operation === 'Update' ? `${name} using ${apiVersion}` : name;
};

function conflictError(conflicts: readonly (readonly [Manager, FieldSet])[]): StatusError {
  const causes = conflicts.flatMap(([manager, set]) =>
    paths(set).map(path => ({
      reason: 'FieldManagerConflict',
      message: `conflict with ${describeManager(manager)}`,
      field: formatPath(path),
    })),
  );
  const detail =
    causes.length === 1
      ? `${causes[0]?.message}: ${causes[0]?.field}`
      : conflicts
          .map(([manager, set]) =>
            [
              `conflicts with ${describeManager(manager)}:`,
              ...paths(set).map(path => `- ${formatPath(path)}`),
            ].join('\n'),
          )
          .join('\n');
  return new StatusError({
    message: `Apply failed with ${causes.length} conflict${causes.length === 1 ? '' : 's'}: ${detail}`,
    reason: 'Conflict',
    details: { causes },
    code: 409,
  });
}

function lastAppliedSet(live: KubeObject | undefined, schema: Schema): FieldSet {
  const text = live?.metadata.annotations?.[LAST_APPLIED];
  if (!text) return emptySet();
  try {
    return fieldSetOf(JSON.parse(text), schema);
  } catch {
    return emptySet();
  }
}

/** The annotation as kubectl would write it for what is applied now, so that a later client-side apply still works. */
function refreshedLastApplied(applied: KubeObject): string {
  const { managedFields: _, annotations, ...metadata } = applied.metadata;
  const { [LAST_APPLIED]: __, ...others } = annotations ?? {};
  return `${sortedJson({
    ...applied,
    metadata: {
      ...metadata,
      ...(annotations && Object.keys(others).length > 0 ? { annotations: others } : {}),
    },
  })}\n`;
}

function sortedJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(sortedJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const map = value as Record<string, unknown>;
  return `{${Object.keys(map)
    .sort()
    .map(key => `${JSON.stringify(key)}:${sortedJson(map[key])}`)
    .join(',')}}`;
}

function checkConfiguration({ applied, schema, apiVersion }: ApplyRequest): void {
  if (applied.metadata?.managedFields !== undefined && applied.metadata.managedFields !== null)
    throw badRequest('metadata.managedFields must be nil');
  const problems = checkApplied(applied, schema);
  if (problems.length === 0) return;
  const name = `${applied.metadata?.namespace ? `${applied.metadata.namespace}/` : ''}${applied.metadata?.name ?? ''}`;
  const body =
    problems.length === 1 ? problems[0] : `errors:\n${problems.map(problem => `  ${problem}`).join('\n')}`;
  // Upstream lets this error through untyped: a 500 without reason.
  throw new StatusError({
    message: `failed to create typed patch object (${name}; ${apiVersion}, Kind=${applied.kind}): ${body}`,
    code: 500,
  });
}

/**
 * The live object with the configuration applied and its managedFields brought up to date; decode and default it as any
 * other write. Throws the 409 when other managers own what would change, unless forced.
 */
export function serverSideApply(request: ApplyRequest): KubeObject {
  const {
    live,
    applied,
    schema,
    manager,
    apiVersion,
    time,
    subresource = '',
    force = false,
    reset = [],
  } = request;
  checkConfiguration(request);
  const managers = safeRead(live?.metadata.managedFields) ?? new Map<string, Manager>();
  if (live && managers.size === 0)
    recordUpdate(
      managers,
      zeroObject(schema),
      live,
      { schema, manager: BEFORE_FIRST_APPLY, apiVersion, time },
      reset,
    );

  const own: Omit<Manager, 'set'> = { manager, operation: 'Apply', apiVersion, subresource };
  const id = identityOf(own);
  const previous = managers.get(id);
  const base: KubeObject =
    live ?? ({ ...zeroObject(schema), apiVersion: applied.apiVersion, kind: applied.kind } as KubeObject);
  // The zero value of a custom kind has no metadata yet.
  const { managedFields: _, ...metadata } = base.metadata ?? {};
  const before = { ...base, metadata };

  let merged = mergeObjects(before, applied, schema) as KubeObject;
  const set = owned(fieldSetOf(applied, schema), reset);
  managers.set(id, { ...own, ...(previous?.time ? { time: previous.time } : {}), set });
  if (previous) merged = pruned(merged, schema, previous.set, managers);

  const comparison = compareObjects(before, merged, schema);
  const conflicts = conflictsOf(managers, comparison, id);
  const allowed = manager === KUBECTL && conflicts.length > 0 ? lastAppliedSet(live, schema) : emptySet();
  const refused = conflicts.filter(([, fields]) => !isEmpty(difference(fields, allowed)));
  if (refused.length > 0 && !force) throw conflictError(conflicts);
  settle(managers, changed(comparison), comparison.removed, id);
  if (isEmpty(set)) managers.delete(id);

  if (manager === KUBECTL && merged.metadata.annotations?.[LAST_APPLIED] !== undefined)
    merged = {
      ...merged,
      metadata: {
        ...merged.metadata,
        annotations: { ...merged.metadata.annotations, [LAST_APPLIED]: refreshedLastApplied(applied) },
      },
    };
  const written = managers.get(id);
  if (written && time && (!live || !isSame(comparison))) managers.set(id, { ...written, time });
  return { ...merged, metadata: { ...merged.metadata, managedFields: writeManagers(managers) } };
}

function conflictsOf(managers: Managers, comparison: Comparison, own: string): [Manager, FieldSet][] {
  const touched = changed(comparison);
  return [...managers]
    .filter(([id]) => id !== own)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, manager]): [Manager, FieldSet] => [manager, intersection(manager.set, touched)])
    .filter(([, fields]) => !isEmpty(fields));
}

/** Removes what this manager applied before, does not apply now and nobody else owns. */
function pruned(merged: KubeObject, schema: Schema, last: FieldSet, managers: Managers): KubeObject {
  let kept = emptySet();
  for (const { set } of managers.values()) kept = union(kept, set);
  const gone = difference(withNamedFields(last), withNamedFields(kept));
  return isEmpty(gone) ? merged : (removeFields(merged, schema, gone) as KubeObject);
}

export { TypedError };
