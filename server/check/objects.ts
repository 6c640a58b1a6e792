// Reads fields of objects by a short path and sums quantities over many. Knows no cluster.

import { addQuantity, formatQuantity, parseQuantity, ZERO } from '#common/quantity/index.ts';

/** Steps of a path: `spec.containers[0].image`, `spec.containers[web].image`, `metadata.labels["app.kubernetes.io/name"]`, `[*]`. */
const STEP = /\.?([\w-]+)|\["([^"]+)"\]|\[([^\]"]+)\]/gy;

/** Every value the path leads to; several where it passes `[*]`. */
export function valuesAt(object: unknown, path: string): unknown[] {
  let values: unknown[] = [object];
  STEP.lastIndex = 0;
  let end = 0;
  for (let part = STEP.exec(path); part; part = STEP.exec(path)) {
    end = STEP.lastIndex;
    const [, key, quoted, index] = part;
    values = values.flatMap(value => next(value, key ?? quoted, index)).filter(value => value !== undefined);
  }
  return end === path.length ? values : [];
}

function next(value: unknown, key: string | undefined, index: string | undefined): unknown[] {
  if (typeof value !== 'object' || value === null) return [];
  if (key !== undefined) return Object.hasOwn(value, key) ? [(value as Record<string, unknown>)[key]] : [];
  if (!Array.isArray(value)) return [];
  if (index === '*') return value;
  if (/^\d+$/.test(index ?? '')) return [value[Number(index)]];
  return value.filter(element => element?.name === index || element?.type === index);
}

/** The sum in canonical form; what is no quantity counts as nothing. */
export function sumOf(values: unknown[]): string {
  return formatQuantity(values.map(value => parseQuantity(value) ?? ZERO).reduce(addQuantity, ZERO));
}
