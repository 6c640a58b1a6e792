// Walks over objects along their schema as structured-merge-diff does: which fields an object holds, how two objects
// differ, merging one into another, removing owned fields. Knows nothing of managers.

import type { Schema } from '../schema.ts';
import { emptySet, type FieldSet, insert, isEmpty } from './field-set.ts';
import { put } from './json.ts';

type Plain = Record<string, unknown>;

const MAX_DEPTH = 500;

/** An object that does not fit its schema for apply; the message is upstream's, path included. */
export class TypedError extends Error {}

type Shape =
  | { kind: 'scalar' }
  | { kind: 'list'; atomic: boolean; set: boolean; items: Schema; keys: readonly string[] }
  | { kind: 'map'; atomic: boolean; schema: Schema };

const DEDUCED: Schema = { preserveUnknown: true };
const SCALAR: Shape = { kind: 'scalar' };

/** How a node is merged; for nodes without a declared type the value decides (maps granular, lists atomic). */
function shapeOf(schema: Schema, first: unknown, second?: unknown): Shape {
  const value = first ?? second;
  const untyped = schema.preserveUnknown && !schema.properties && !schema.additionalProperties;
  const isList = schema.type === 'array' || (schema.type !== 'object' && Array.isArray(value));
  if (isList) {
    if (untyped || schema.type !== 'array')
      return { kind: 'list', atomic: true, set: false, items: DEDUCED, keys: [] };
    return {
      kind: 'list',
      atomic: schema.listType !== 'set' && schema.listType !== 'map',
      set: schema.listType === 'set',
      items: schema.items ?? DEDUCED,
      keys: schema.listMapKeys ?? [],
    };
  }
  const isMap =
    schema.type === 'object' || (schema.preserveUnknown && typeof value === 'object' && value !== null);
  return isMap ? { kind: 'map', atomic: schema.mapType === 'atomic', schema } : SCALAR;
}

const isDeclared = ({ properties }: Schema, key: string): boolean =>
  properties !== undefined && Object.hasOwn(properties, key);

/** The schema of a map's field; undefined where no such field may be. */
function fieldOf(schema: Schema, key: string): Schema | undefined {
  if (isDeclared(schema, key)) return schema.properties?.[key];
  return schema.additionalProperties ?? (schema.preserveUnknown ? DEDUCED : undefined);
}

const asList = (value: unknown): unknown[] | undefined => (Array.isArray(value) ? value : undefined);
const asMap = (value: unknown): Plain | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Plain) : undefined;

function deepEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((element, i) => deepEqual(element, b[i]));
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every(key => Object.hasOwn(b, key) && deepEqual((a as Plain)[key], (b as Plain)[key]))
  );
}

/** JSON with sorted keys, which is how a value is written inside a path. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  const map = asMap(value);
  if (!map) return JSON.stringify(value);
  return `{${Object.keys(map)
    .sort()
    .map(key => `${JSON.stringify(key)}:${canonical(map[key])}`)
    .join(',')}}`;
}

type ListShape = Extract<Shape, { kind: 'list' }>;

const keyOf = ({ items }: ListShape, map: Plain, name: string): unknown =>
  map[name] ?? items.properties?.[name]?.default ?? undefined;

/** Throws for a member that has no place in a map list. */
function checkMember(shape: ListShape, item: unknown): void {
  if (shape.set) return;
  const map = asMap(item);
  if (!map) throw new TypedError('associative list with keys has an element that is not a map');
  if (shape.keys.every(name => keyOf(shape, map, name) === undefined))
    throw new TypedError(
      `associative list with keys has an element that omits key field ${JSON.stringify(shape.keys[0])} (and doesn't have default value)`,
    );
}

/** The path element of a list's member: its value in a set, its keys (defaults filled in) in a map list. */
function elementOf(shape: ListShape, item: unknown): string {
  if (shape.set) return `v:${canonical(item)}`;
  checkMember(shape, item);
  const key: Plain = {};
  for (const name of [...shape.keys].sort()) {
    const value = keyOf(shape, item as Plain, name);
    if (value !== undefined) key[name] = value;
  }
  return `k:${canonical(key)}`;
}

function indexed(
  shape: ListShape,
  list: readonly unknown[],
): { elements: string[]; byElement: Map<string, unknown> } {
  const elements: string[] = [];
  const byElement = new Map<string, unknown>();
  for (const item of list) {
    const element = elementOf(shape, item);
    if (byElement.has(element)) continue;
    elements.push(element);
    byElement.set(element, item);
  }
  return { elements, byElement };
}

const tooDeep = (depth: number) => {
  if (depth > MAX_DEPTH) throw new TypedError('the object is nested too deeply');
};

/** Checks what apply demands of a configuration: declared fields and list keys without duplicates. */
export function checkApplied(value: unknown, schema: Schema, at = '', depth = 0): string[] {
  tooDeep(depth);
  if (value === null || value === undefined) return [];
  const shape = shapeOf(schema, value);
  const problems: string[] = [];
  if (shape.kind === 'scalar') {
    if (typeof value === 'object')
      problems.push(`${at}: expected ${schema.type ?? 'scalar'}, got &{${canonical(value)}}`);
    return problems;
  }
  if (shape.kind === 'list') {
    const list = asList(value);
    if (!list) return [`${at}: expected list, got ${goValue(value)}`];
    const seen = new Set<string>();
    for (const [i, item] of list.entries()) {
      let place = `${at}[${i}]`;
      if (!shape.atomic) {
        try {
          const element = elementOf(shape, item);
          place = `${at}${describeElement(element)}`;
          if (seen.has(element))
            problems.push(`${at}: duplicate entries for key ${describeElement(element)}`);
          seen.add(element);
        } catch (error) {
          problems.push(`${at}: element ${i}: ${(error as Error).message}`);
        }
      }
      problems.push(...checkApplied(item, shape.items, place, depth + 1));
    }
    return problems;
  }
  const map = asMap(value);
  if (!map) return [`${at}: expected map, got ${goValue(value)}`];
  for (const key of Object.keys(map)) {
    const child = fieldOf(shape.schema, key);
    if (!child) problems.push(`${at}.${key}: field not declared in schema`);
    else problems.push(...checkApplied(map[key], child, `${at}.${key}`, depth + 1));
  }
  return problems;
}

const goValue = (value: unknown): string =>
  `&{${typeof value === 'object' ? canonical(value) : String(value)}}`;

function describeElement(element: string): string {
  if (element.startsWith('v:')) return `[=${element.slice(2)}]`;
  const key = JSON.parse(element.slice(2)) as Plain;
  return `[${Object.keys(key)
    .map(name => `${name}=${JSON.stringify(key[name])}`)
    .join(',')}]`;
}

/** The fields a configuration claims (upstream ToFieldSet). */
export function fieldSetOf(value: unknown, schema: Schema): FieldSet {
  const set = emptySet();
  collect(value, schema, [], set, 0);
  return set;
}

function collect(value: unknown, schema: Schema, path: string[], set: FieldSet, depth: number): void {
  tooDeep(depth);
  const shape = shapeOf(schema, value);
  if (shape.kind === 'scalar' || shape.atomic) {
    insert(set, path);
    return;
  }
  if (shape.kind === 'list') {
    for (const item of asList(value) ?? []) {
      const inner = [...path, elementOf(shape, item)];
      collect(item, shape.items, inner, set, depth + 1);
      insert(set, inner);
    }
    return;
  }
  const map = asMap(value) ?? {};
  for (const key of Object.keys(map)) {
    const held = map[key];
    const inner = [...path, `f:${key}`];
    collect(held, fieldOf(shape.schema, key) ?? DEDUCED, inner, set, depth + 1);
    const isEmptyMap = asMap(held) !== undefined && Object.keys(held as Plain).length === 0;
    if (held === null || isEmptyMap || !isDeclared(shape.schema, key)) insert(set, inner);
  }
}

/** Which paths are new, gone or changed between two objects. */
export interface Comparison {
  added: FieldSet;
  removed: FieldSet;
  modified: FieldSet;
}

export function compareObjects(before: unknown, after: unknown, schema: Schema): Comparison {
  const result: Comparison = { added: emptySet(), removed: emptySet(), modified: emptySet() };
  compareNode(before, after, schema, [], result, 0);
  return result;
}

export const isSame = (c: Comparison): boolean =>
  isEmpty(c.added) && isEmpty(c.removed) && isEmpty(c.modified);

/** `path` is where the walk stands: it is as it was when this returns. */
function compareNode(
  before: unknown,
  after: unknown,
  schema: Schema,
  path: string[],
  result: Comparison,
  depth: number,
): void {
  tooDeep(depth);
  const shape = shapeOf(schema, before, after);
  // Both empty or null: a leaf, so that the difference between them is kept.
  if (shape.kind === 'scalar' || shape.atomic || (isHollow(before) && isHollow(after))) {
    if (before === undefined) insert(result.added, path);
    else if (after === undefined) insert(result.removed, path);
    else if (!deepEqual(before, after)) insert(result.modified, path);
    return;
  }
  if (shape.kind === 'list')
    compareLists(asList(before) ?? [], asList(after) ?? [], shape, path, result, depth);
  else compareMaps(asMap(before) ?? {}, asMap(after) ?? {}, shape.schema, path, result, depth);
  if (before === undefined) insert(result.added, path);
  else if (after === undefined) insert(result.removed, path);
}

function isHollow(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  const map = asMap(value);
  if (map) for (const key in map) if (Object.hasOwn(map, key)) return false;
  return true;
}

function compareLists(
  before: readonly unknown[],
  after: readonly unknown[],
  shape: ListShape,
  path: string[],
  result: Comparison,
  depth: number,
): void {
  if (deepEqual(before, after)) {
    // Nothing to tell, but what has no place in its list is still to be found.
    for (const item of before) checkMember(shape, item);
    for (const item of before) compareNode(item, item, shape.items, path, result, depth + 1);
    return;
  }
  const left = indexed(shape, before);
  const right = indexed(shape, after);
  for (const element of new Set([...left.elements, ...right.elements])) {
    path.push(element);
    compareNode(
      left.byElement.get(element),
      right.byElement.get(element),
      shape.items,
      path,
      result,
      depth + 1,
    );
    path.pop();
  }
}

function compareMaps(
  before: Plain,
  after: Plain,
  schema: Schema,
  path: string[],
  result: Comparison,
  depth: number,
): void {
  const compare = (key: string) => {
    const left = before[key];
    const right = after[key];
    if (left === undefined && right === undefined) return;
    path.push(`f:${key}`);
    compareNode(left, right, fieldOf(schema, key) ?? DEDUCED, path, result, depth + 1);
    path.pop();
  };
  for (const key of Object.keys(before)) compare(key);
  for (const key of Object.keys(after)) if (!Object.hasOwn(before, key)) compare(key);
}

/** Live object and configuration merged: the configuration's values win, its order too. */
export function mergeObjects(live: unknown, config: unknown, schema: Schema, depth = 0): unknown {
  tooDeep(depth);
  if (config === undefined) return live;
  if (live === undefined || live === null || config === null) return config;
  const shape = shapeOf(schema, config, live);
  if (shape.kind === 'scalar' || shape.atomic) return config;
  if (shape.kind === 'list') {
    const left = asList(live);
    const right = asList(config);
    if (!left || !right) return config;
    return mergeLists(left, right, shape, depth);
  }
  const left = asMap(live);
  const right = asMap(config);
  if (!left || !right) return config;
  const result: Plain = { ...left };
  for (const key of Object.keys(right)) {
    const before = Object.hasOwn(left, key) ? left[key] : undefined;
    put(result, key, mergeObjects(before, right[key], fieldOf(shape.schema, key) ?? DEDUCED, depth + 1));
  }
  return result;
}

/** Upstream's order: shared items in the configuration's order, items of the live list where they stood. */
function mergeLists(live: unknown[], config: unknown[], shape: ListShape, depth: number): unknown[] {
  const left = indexed(shape, live);
  const right = indexed(shape, config);
  const shared = right.elements.filter(element => left.byElement.has(element));
  let nextShared = shared.shift();
  const merged = new Set<string>();
  const out: unknown[] = [];
  const take = (element: string) =>
    out.push(mergeObjects(left.byElement.get(element), right.byElement.get(element), shape.items, depth + 1));
  let l = 0;
  let r = 0;
  while (l < left.elements.length || r < right.elements.length) {
    const leftElement = left.elements[l];
    const rightElement = right.elements[r];
    if (leftElement !== undefined && rightElement !== undefined) {
      if (leftElement === rightElement) {
        merged.add(leftElement);
        take(leftElement);
        l++;
        r++;
        nextShared = shared.shift();
        continue;
      }
      if (right.byElement.has(leftElement) && nextShared !== undefined && nextShared !== leftElement) {
        l++;
        continue;
      }
    }
    if (leftElement !== undefined) {
      if (!right.byElement.has(leftElement)) {
        take(leftElement);
        l++;
        continue;
      }
      if (merged.has(leftElement)) l++;
    }
    if (rightElement !== undefined) {
      merged.add(rightElement);
      take(rightElement);
      r++;
      if (nextShared === rightElement) nextShared = shared.shift();
    }
  }
  return out;
}

/** The object without the given paths; what becomes empty by that goes too. */
export function removeFields(value: unknown, schema: Schema, gone: FieldSet, depth = 0): unknown {
  tooDeep(depth);
  if (value === undefined || value === null || gone.children.size === 0) return value;
  const shape = shapeOf(schema, value);
  if (shape.kind === 'scalar' || shape.atomic) return value;
  if (shape.kind === 'list') {
    const kept: unknown[] = [];
    for (const item of asList(value) ?? []) {
      const child = gone.children.get(elementOf(shape, item));
      if (child?.own) continue;
      kept.push(child ? removeFields(item, shape.items, child, depth + 1) : item);
    }
    return kept.length > 0 ? kept : undefined;
  }
  const result: Plain = {};
  const map = asMap(value) ?? {};
  for (const key of Object.keys(map)) {
    const child = gone.children.get(`f:${key}`);
    if (child?.own) continue;
    const held = child
      ? removeFields(map[key], fieldOf(shape.schema, key) ?? DEDUCED, child, depth + 1)
      : map[key];
    if (held !== undefined) put(result, key, held);
  }
  return Object.keys(result).length > 0 ? result : undefined;
}

/** An object nobody has filled in, as a Go struct holds it: what a creation is compared with. */
export function zeroObject(schema: Schema, depth = 0): Plain {
  tooDeep(depth);
  const result: Plain = {};
  for (const key of new Set([...(schema.go?.always ?? []), ...(schema.go?.zeroDefault ?? [])])) {
    const child = schema.properties?.[key];
    if (!child) continue;
    const isStruct = child.type === 'object' && !child.additionalProperties && !child.preserveUnknown;
    if (isStruct && schema.go?.zeroDefault?.includes(key)) result[key] = zeroObject(child, depth + 1);
    else if (!schema.go?.always?.includes(key)) continue;
    else if (child.type === 'string' && !child.format) result[key] = '';
    else if (child.type === 'boolean') result[key] = false;
    else if (child.type === 'integer') result[key] = 0;
    else result[key] = null;
  }
  return result;
}
