// metadata.managedFields read into sets and written back in upstream's order. Knows who owns what, not how objects differ.

import type { ManagedFieldsEntry } from '../object.ts';
import { emptySet, type FieldSet, fromFieldsV1, isEmpty, toFieldsV1, union } from './field-set.ts';

export interface Manager {
  manager: string;
  operation: 'Apply' | 'Update';
  apiVersion: string;
  subresource: string;
  time?: string;
  set: FieldSet;
}

/** By identity: name, operation, subresource and, for updates, version. */
export type Managers = Map<string, Manager>;

/** More managers by update than these are folded into one (upstream DefaultMaxUpdateManagers). */
const MAX_UPDATE_MANAGERS = 10;
const ANCIENT = 'ancient-changes';

export function identityOf(m: Omit<Manager, 'set' | 'time'>): string {
  return JSON.stringify([m.manager, m.operation, m.operation === 'Apply' ? '' : m.apiVersion, m.subresource]);
}

/** Throws an Error when an entry cannot be read. */
export function readManagers(entries: readonly ManagedFieldsEntry[] | undefined): Managers {
  const managers: Managers = new Map();
  for (const entry of entries ?? []) {
    if (entry.operation !== 'Apply' && entry.operation !== 'Update')
      throw new Error(`operation must be \`Apply\` or \`Update\``);
    const manager: Manager = {
      manager: entry.manager ?? '',
      operation: entry.operation,
      apiVersion: entry.apiVersion ?? '',
      subresource: entry.subresource ?? '',
      ...(entry.time ? { time: entry.time } : {}),
      set: fromFieldsV1(entry.fieldsV1),
    };
    managers.set(identityOf(manager), manager);
  }
  return managers;
}

const text = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

export function writeManagers(managers: Managers): ManagedFieldsEntry[] {
  return [...capped(managers).values()]
    .filter(manager => !isEmpty(manager.set))
    .sort(
      (a, b) =>
        text(a.operation, b.operation) ||
        text(a.time ?? '', b.time ?? '') ||
        text(a.manager, b.manager) ||
        text(a.apiVersion, b.apiVersion) ||
        text(a.subresource, b.subresource),
    )
    .map(({ manager, operation, apiVersion, time, subresource, set }) => ({
      apiVersion,
      fieldsType: 'FieldsV1' as const,
      fieldsV1: toFieldsV1(set),
      manager,
      operation,
      ...(subresource ? { subresource } : {}),
      ...(time ? { time } : {}),
    }));
}

function capped(managers: Managers): Managers {
  const updates = [...managers.values()].filter(m => m.operation === 'Update' && m.manager !== ANCIENT);
  if (updates.length <= MAX_UPDATE_MANAGERS) return managers;
  const result: Managers = new Map(managers);
  const oldest = updates
    .sort((a, b) => text(a.time ?? '', b.time ?? '') || text(a.manager, b.manager))
    .slice(0, updates.length - MAX_UPDATE_MANAGERS + 1);
  for (const old of oldest) {
    result.delete(identityOf(old));
    const bucket: Manager = { ...old, manager: ANCIENT, subresource: '', set: emptySet() };
    const id = identityOf(bucket);
    const before = result.get(id);
    result.set(id, { ...bucket, set: union(before?.set ?? emptySet(), old.set) });
  }
  return result;
}
