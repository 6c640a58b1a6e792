// Strategic merge patch: lists merged by key, and the directives $patch, $retainKeys, $deleteFromPrimitiveList and
// $setElementOrder, as apimachinery's strategicpatch does. Knows merge keys from the schema only.

import type { Schema } from '../schema.ts';
import { badRequest } from '../status.ts';
import { put } from './json.ts';

type Plain = Record<string, unknown>;

const PATCH = '$patch';
const RETAIN_KEYS = '$retainKeys';
const DELETE_PRIMITIVES = '$deleteFromPrimitiveList/';
const ELEMENT_ORDER = '$setElementOrder/';

/** Deeper patches are refused rather than overflow the stack. */
const MAX_DEPTH = 500;

const isMap = (value: unknown): value is Plain =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const kindOf = (value: unknown): string =>
  Array.isArray(value) ? 'list' : isMap(value) ? 'map' : value === null ? 'null' : typeof value;

function fieldSchema(schema: Schema | undefined, key: string): Schema | undefined {
  if (!schema) return undefined;
  if (schema.properties && Object.hasOwn(schema.properties, key)) return schema.properties[key];
  return schema.additionalProperties;
}

function isDirective(key: string): boolean {
  return (
    key === PATCH || key === RETAIN_KEYS || key.startsWith(DELETE_PRIMITIVES) || key.startsWith(ELEMENT_ORDER)
  );
}

/** A patch value with nothing to merge into: nulls mean nothing there and directives are no data. */
function asData(value: unknown, depth = 0): unknown {
  if (depth > MAX_DEPTH) throw badRequest('the patch is nested too deeply');
  if (Array.isArray(value)) {
    return value
      .filter(element => !(isMap(element) && element[PATCH] === 'delete'))
      .filter(element => !(isMap(element) && Object.keys(element).length === 1 && PATCH in element))
      .map(element => asData(element, depth + 1));
  }
  if (!isMap(value)) return value;
  const result: Plain = {};
  for (const key of Object.keys(value)) {
    if (isDirective(key) || value[key] === null) continue;
    put(result, key, asData(value[key], depth + 1));
  }
  return result;
}

const sameKey = (a: unknown, b: unknown): boolean => a === b || JSON.stringify(a) === JSON.stringify(b);

/** What identifies an element: the element itself, or its merge key. */
const identity = (element: unknown, mergeKey: string): unknown =>
  mergeKey !== '' && isMap(element) ? element[mergeKey] : element;

function positionIn(list: readonly unknown[], element: unknown, mergeKey: string): number {
  const id = identity(element, mergeKey);
  return list.findIndex(other => sameKey(identity(other, mergeKey), id));
}

function sortedBy(elements: readonly unknown[], order: readonly unknown[], mergeKey: string): unknown[] {
  return elements
    .map((element, i) => ({ element, i, at: positionIn(order, element, mergeKey) }))
    .sort((a, b) => a.at - b.at || a.i - b.i)
    .map(({ element }) => element);
}

/** Elements named by the patch in the patch's order, the others where the server had them. */
function ordered(
  merged: readonly unknown[],
  patchOrder: readonly unknown[],
  serverOrder: readonly unknown[],
  mergeKey: string,
): unknown[] {
  const fromPatch = sortedBy(
    merged.filter(element => positionIn(patchOrder, element, mergeKey) >= 0),
    patchOrder,
    mergeKey,
  );
  const serverOnly = sortedBy(
    merged.filter(element => positionIn(patchOrder, element, mergeKey) < 0),
    serverOrder,
    mergeKey,
  );
  const result: unknown[] = [];
  let left = 0;
  let right = 0;
  while (left < serverOnly.length || right < fromPatch.length) {
    if (left >= serverOnly.length) result.push(fromPatch[right++]);
    else if (right >= fromPatch.length) result.push(serverOnly[left++]);
    else {
      const l = positionIn(serverOrder, serverOnly[left], mergeKey);
      const r = positionIn(serverOrder, fromPatch[right], mergeKey);
      if (l >= 0 && r >= 0 && l < r) result.push(serverOnly[left++]);
      else result.push(fromPatch[right++]);
    }
  }
  return result;
}

function goMap(value: unknown): string {
  if (isMap(value))
    return `map[${Object.keys(value)
      .sort()
      .map(key => `${key}:${goMap(value[key])}`)
      .join(' ')}]`;
  if (Array.isArray(value)) return `[${value.map(goMap).join(' ')}]`;
  return value === null || value === undefined ? '<nil>' : String(value);
}

function keyOf(element: Plain, mergeKey: string): unknown {
  if (element[mergeKey] === undefined || element[mergeKey] === null)
    throw badRequest(`map: ${goMap(element)} does not contain declared merge key: ${mergeKey}`);
  return element[mergeKey];
}

function mergeKeyedList(
  original: unknown[],
  patch: unknown[],
  mergeKey: string,
  items: Schema | undefined,
  depth: number,
): unknown[] {
  let current = [...original];
  let replaced = false;
  const plain: Plain[] = [];
  for (const element of patch) {
    if (!isMap(element)) throw badRequest('Invalid list of mixed types');
    const directive = element[PATCH];
    if (directive === undefined || directive === 'merge') {
      plain.push(directive === undefined ? element : withoutKey(element, PATCH));
    } else if (directive === 'delete') {
      const key = keyOf(element, mergeKey);
      current = current.filter(other => !(isMap(other) && sameKey(other[mergeKey], key)));
    } else if (directive === 'replace') {
      replaced = true;
      const rest = withoutKey(element, PATCH);
      if (Object.keys(rest).length > 0) plain.push(rest);
    } else throw badRequest(`unknown patch type: ${String(directive)} in map: ${goMap(element)}`);
  }
  if (replaced) return plain.map(element => asData(element));
  for (const element of plain) {
    const key = keyOf(element, mergeKey);
    const at = current.findIndex(other => isMap(other) && sameKey(other[mergeKey], key));
    // A new element is taken as it stands, directives inside included: upstream does not look into it.
    if (at < 0) current.push(structuredClone(element));
    else current[at] = mergeMap(current[at] as Plain, element, items, depth + 1);
  }
  return ordered(current, plain, original, mergeKey);
}

const withoutKey = (map: Plain, key: string): Plain => {
  const { [key]: _, ...rest } = map;
  return rest;
};

function mergeList(
  original: unknown[],
  patch: unknown[],
  schema: Schema | undefined,
  depth: number,
): unknown[] {
  if (!schema?.patchStrategy?.includes('merge')) return asData(patch) as unknown[];
  if (isMap(patch[0] ?? original[0])) {
    if (!schema.patchMergeKey)
      throw badRequest(`cannot merge lists without merge key for ${schema.name ?? 'list'}`);
    return mergeKeyedList(original, patch, schema.patchMergeKey, schema.items, depth);
  }
  const both: unknown[] = [];
  for (const element of [...original, ...patch]) if (!both.includes(element)) both.push(element);
  return ordered(both, patch, original, '');
}

function listDirective(patch: Plain, key: string): unknown[] {
  const value = patch[key];
  if (!Array.isArray(value))
    throw badRequest(`invalid patch format of ${key.slice(1, key.indexOf('/'))} list`);
  return value;
}

function retainKeys(result: Plain, patch: Plain): void {
  const names = patch[RETAIN_KEYS];
  if (names === undefined) return;
  if (
    !Array.isArray(names) ||
    Object.keys(patch).some(key => !isDirective(key) && patch[key] !== null && !names.includes(key))
  )
    throw badRequest('invalid patch format of retainKeys');
  for (const key of Object.keys(result)) if (!names.includes(key)) delete result[key];
}

function mergeMap(original: Plain, patch: Plain, schema: Schema | undefined, depth: number): Plain {
  if (depth > MAX_DEPTH) throw badRequest('the patch is nested too deeply');
  const directive = patch[PATCH];
  if (directive === 'replace') return asData(withoutKey(patch, PATCH)) as Plain;
  if (directive === 'delete') return {};
  if (directive !== undefined && directive !== 'merge')
    throw badRequest(`unknown patch type: ${String(directive)} in map: ${goMap(patch)}`);
  const result: Plain = { ...original };
  retainKeys(result, patch);

  const done = new Set<string>([PATCH, RETAIN_KEYS]);
  for (const key of Object.keys(patch)) {
    if (!key.startsWith(DELETE_PRIMITIVES)) continue;
    done.add(key);
    const field = key.slice(DELETE_PRIMITIVES.length);
    const gone = listDirective(patch, key);
    const list = result[field];
    if (Array.isArray(list)) result[field] = list.filter(element => !gone.includes(element));
  }
  for (const key of Object.keys(patch)) {
    if (!key.startsWith(ELEMENT_ORDER)) continue;
    done.add(key);
    const field = key.slice(ELEMENT_ORDER.length);
    const order = listDirective(patch, key);
    const child = fieldSchema(schema, field);
    const given = patch[field];
    const list = result[field];
    done.add(field);
    if (given === null) {
      delete result[field];
      continue;
    }
    const mergeKey = isMap(order[0]) ? (child?.patchMergeKey ?? '') : '';
    if (Array.isArray(given)) checkOrder(given, order, mergeKey);
    const before = Array.isArray(list) ? list : [];
    const merged = Array.isArray(given) ? mergeList(before, given, child, depth) : before;
    if (merged.length === 0 && !Array.isArray(list) && !Array.isArray(given)) continue;
    put(result, field, ordered(merged, order, before, mergeKey));
  }
  for (const key of Object.keys(patch)) {
    if (done.has(key)) continue;
    const given = patch[key];
    if (given === null) {
      delete result[key];
      continue;
    }
    const before = Object.hasOwn(result, key) ? result[key] : undefined;
    const child = fieldSchema(schema, key);
    if (before === undefined || kindOf(before) !== kindOf(given)) {
      // What is not there need not be deleted.
      if (isMap(given) && given[PATCH] === 'delete') continue;
      put(result, key, asData(given));
    } else if (isMap(given)) {
      put(
        result,
        key,
        child?.patchStrategy?.includes('replace')
          ? asData(given)
          : mergeMap(before as Plain, given, child, depth + 1),
      );
    } else if (Array.isArray(given)) put(result, key, mergeList(before as unknown[], given, child, depth));
    else put(result, key, given);
  }
  return result;
}

/** The patch's list must be in the order it announces. */
function checkOrder(given: readonly unknown[], order: readonly unknown[], mergeKey: string): void {
  let last = -1;
  for (const element of given) {
    if (isMap(element) && element[PATCH] === 'delete') continue;
    const at = positionIn(order, element, mergeKey);
    if (at < 0 || at < last)
      throw badRequest(
        `The order in patch list:\n${goMap(given)}\n doesn't match ${ELEMENT_ORDER} list:\n${goMap(order)}\n`,
      );
    last = at;
  }
}

/** The patched copy; untouched subtrees are shared with `current`. */
export function strategicMergePatch<T>(current: T, patch: unknown, schema: Schema): T {
  if (!isMap(patch))
    throw badRequest(
      `error decoding patch: json: cannot unmarshal ${Array.isArray(patch) ? 'array' : typeof patch} into Go value of type map[string]interface {}`,
    );
  return mergeMap(current as Plain, patch, schema, 0) as T;
}
