// What a match tree asserts, leaf by leaf, and how to make one of them untrue. Knows no cluster.

import { isObject, isOperator } from '#common/match/index.ts';

/** Each asserted value of a match tree with its path; list elements share the path of their list. */
export function leaves(tree: unknown, path: string[] = []): { path: string[]; value: unknown }[] {
  if (isOperator(tree)) {
    const { $every, $exactly } = tree;
    if ($every !== undefined) return leaves($every, path);
    if (Array.isArray($exactly)) return leaves($exactly, path);
    return [{ path, value: tree }];
  }
  if (Array.isArray(tree)) return tree.flatMap(element => leaves(element, path));
  if (isObject(tree)) return Object.entries(tree).flatMap(([key, value]) => leaves(value, [...path, key]));
  return path.length > 0 ? [{ path, value: tree }] : [];
}

/** A value that does not satisfy what is asserted; undefined takes the field away. */
export function other(value: unknown): unknown {
  if (typeof value === 'string') return `${value}-x`;
  if (typeof value === 'number') return value + 1;
  if (typeof value === 'boolean') return !value;
  if (!isOperator(value)) return undefined;
  const [operator, operand] = Object.entries(value)[0] ?? [];
  switch (operator) {
    case '$exists':
      return operand ? undefined : 'x';
    case '$not':
      return operand;
    case '$in':
    case '$matches':
      return 'nothing-like-it';
    case '$gt':
    case '$gte':
      return Number.MIN_SAFE_INTEGER;
    case '$lt':
    case '$lte':
      return Number.MAX_SAFE_INTEGER;
    default:
      return undefined;
  }
}

/** Sets a field in the object, and in each element of the lists on the way. */
export function set(target: unknown, path: string[], value: unknown): void {
  if (Array.isArray(target)) {
    for (const [index, element] of target.entries()) {
      if (path.length === 0) target[index] = value;
      else set(element, path, value);
    }
    return;
  }
  const [key, ...rest] = path;
  if (!isObject(target) || key === undefined) return;
  if (rest.length > 0) {
    target[key] ??= {};
    set(target[key], rest, value);
  } else if (Array.isArray(target[key])) set(target[key], rest, value);
  else if (value === undefined) delete target[key];
  else target[key] = value;
}
