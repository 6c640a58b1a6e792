// The match tree: a partial value held against a real one gives findings. Knows no Kubernetes kind and runs no code of the tree.
//
// Keys written must hold, others are free; a list means membership in any order, one actual element serving one expected;
// an object whose keys start with `$` is an operator.

import type { Finding } from '../protocol/index.ts';
import { compareQuantity, parseQuantity } from '../quantity/index.ts';
import { searchPattern } from './pattern.ts';

export type MatchTree = unknown;

/** Elements of a list beyond this are not looked at: keeps matching bounded. */
const MAX_ELEMENTS = 1000;
/** Fields that say which element is meant, most telling first. */
const IDENTITY = ['name', 'type', 'port', 'containerPort', 'key', 'kind', 'mountPath', 'ip'];
/** A value is shown at most this long, in characters. */
const MAX_SHOWN = 160;

/** What differs; empty when `expected` holds. `path` is where `actual` itself lies. */
export function match(expected: MatchTree, actual: unknown, path = ''): Finding[] {
  if (isOperator(expected))
    return Object.entries(expected).flatMap(([key, value]) => operate(key, value, actual, path));
  if (Array.isArray(expected)) return matchList(expected, actual, path, false);
  if (isObject(expected)) {
    if (actual !== undefined && actual !== null && !isObject(actual))
      return [finding(path, show(expected), actual)];
    const keys = Object.keys(expected);
    if (keys.length === 0) return actual === undefined ? [finding(path, '{}', actual)] : [];
    return keys.flatMap(key =>
      match(expected[key], isObject(actual) ? own(actual, key) : undefined, join(path, key)),
    );
  }
  return same(expected, actual) ? [] : [finding(path, show(expected), actual)];
}

/** The candidate that comes nearest, with what it lacks; undefined when there is none. */
export function closest<T>(
  expected: MatchTree,
  candidates: readonly T[],
): { value: T; findings: Finding[] } | undefined {
  let best: { value: T; findings: Finding[]; rank: number } | undefined;
  for (const value of candidates.slice(0, MAX_ELEMENTS)) {
    const findings = match(expected, value);
    const rank = distance(expected, value, findings);
    if (!best || rank < best.rank) best = { value, findings, rank };
    if (findings.length === 0) break;
  }
  return best && { value: best.value, findings: best.findings };
}

/** A value as a learner would write it, short. What is absent is `<none>`, as kubectl prints it. */
export function show(value: unknown): string {
  const text =
    value === undefined
      ? '<none>'
      : isOperator(value)
        ? Object.entries(value).map(describe).join(', ')
        : typeof value === 'string'
          ? value === ''
            ? '""'
            : value
          : JSON.stringify(value);
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN - 1)}…` : text;
}

const SYMBOL: Record<string, string> = { $gt: '>', $gte: '≥', $lt: '<', $lte: '≤' };

function operate(key: string, value: unknown, actual: unknown, path: string): Finding[] {
  const miss = () => [finding(path, describe([key, value]), actual)];
  const when = (holds: boolean) => (holds ? [] : miss());
  switch (key) {
    case '$exists':
      return when((actual !== undefined && actual !== null) === value);
    case '$in':
      return when(Array.isArray(value) && value.some(choice => match(choice, actual).length === 0));
    case '$not':
      return when(match(value, actual).length > 0);
    case '$matches':
      return when(typeof value === 'string' && isScalar(actual) && searchPattern(value, String(actual)));
    case '$gt':
    case '$gte':
    case '$lt':
    case '$lte':
      return when(typeof actual === 'number' && typeof value === 'number' && ordered(key, actual - value));
    case '$quantity':
      return when(quantityHolds(value, actual));
    case '$length': {
      const length =
        Array.isArray(actual) || typeof actual === 'string'
          ? actual.length
          : isObject(actual)
            ? Object.keys(actual).length
            : undefined;
      return match(value, length, join(path, 'length'));
    }
    case '$every':
      if (!Array.isArray(actual) || actual.length === 0) return [finding(path, `[${show(value)}]`, actual)];
      return actual
        .slice(0, MAX_ELEMENTS)
        .flatMap((element, index) => match(value, element, path + label(element, index)));
    case '$exactly':
      return Array.isArray(value) ? matchList(value, actual, path, true) : when(same(value, actual));
    default:
      return [finding(path, `${key}?`, actual)];
  }
}

function matchList(expected: unknown[], actual: unknown, path: string, exactly: boolean): Finding[] {
  if (!Array.isArray(actual)) {
    if (expected.length === 0 && actual === undefined) return [];
    return [finding(path, show(expected), actual)];
  }
  const elements = actual.slice(0, MAX_ELEMENTS);
  const table = expected.map(wanted => elements.map(element => match(wanted, element)));
  const takenBy = pair(
    table.map(row => row.map(findings => findings.length === 0)),
    elements.length,
  );
  const served = new Set(takenBy.filter(owner => owner >= 0));
  const findings: Finding[] = [];
  const reported = new Set<number>();
  expected.forEach((wanted, row) => {
    if (served.has(row)) return;
    // The nearest element that serves nobody else is what the learner most likely means.
    let best = -1;
    let bestRank = Number.POSITIVE_INFINITY;
    elements.forEach((element, column) => {
      if ((takenBy[column] ?? -1) >= 0 || reported.has(column)) return;
      const rank = distance(wanted, element, table[row]?.[column] ?? []);
      if (rank < bestRank) [best, bestRank] = [column, rank];
    });
    const nearest = best >= 0 ? elements[best] : undefined;
    const lacking = lackingType(wanted, nearest);
    if (lacking) {
      const asked = Object.keys(lacking.rest).length > 0 ? lacking.rest : { $exists: true };
      findings.push(...match(asked, undefined, path + label(wanted, row)));
    } else if (best < 0 || !isObject(wanted) || isOperator(wanted)) {
      findings.push(finding(path, show(wanted), elements.length === 0 ? '[]' : elements));
    } else {
      reported.add(best);
      findings.push(...match(wanted, nearest, path + label(nearest, best)));
    }
  });
  if (exactly && findings.length === 0 && elements.length > expected.length) {
    elements.forEach((element, column) => {
      if ((takenBy[column] ?? -1) < 0)
        findings.push(finding(path + label(element, column), '<none>', element));
    });
  }
  return findings;
}

/**
 * What is asked of the one of a type (a condition) where there is none of it: the nearest is then another one, and no learner got
 * its type wrong. Without `rest` of what was asked, that it is there.
 */
function lackingType(wanted: unknown, nearest: unknown): { rest: Record<string, unknown> } | undefined {
  if (!isObject(wanted) || IDENTITY.find(key => isScalar(wanted[key])) !== 'type') return undefined;
  if (!isObject(nearest) || same(wanted['type'], nearest['type'])) return undefined;
  const { type: _, ...rest } = wanted;
  return { rest };
}

/** Kuhn's matching: which expected row each actual column serves, -1 for none. */
function pair(fits: boolean[][], columns: number): number[] {
  const owner = new Array<number>(columns).fill(-1);
  const place = (row: number, tried: Set<number>): boolean => {
    for (let column = 0; column < columns; column++) {
      if (!fits[row]?.[column] || tried.has(column)) continue;
      tried.add(column);
      const holder = owner[column] ?? -1;
      if (holder < 0 || place(holder, tried)) {
        owner[column] = row;
        return true;
      }
    }
    return false;
  };
  for (let row = 0; row < fits.length; row++) place(row, new Set());
  return owner;
}

/** Smaller is nearer: an element that agrees in what names it goes before one with fewer differences. */
function distance(expected: unknown, actual: unknown, findings: Finding[]): number {
  const apart = IDENTITY.findIndex(
    key =>
      isObject(expected) &&
      isObject(actual) &&
      expected[key] !== undefined &&
      same(expected[key], actual[key]),
  );
  return findings.length + (apart < 0 ? 1000 : apart);
}

function quantityHolds(value: unknown, actual: unknown): boolean {
  const seen = parseQuantity(actual);
  if (!seen) return false;
  if (!isObject(value)) {
    const wanted = parseQuantity(value);
    return wanted !== undefined && compareQuantity(seen, wanted) === 0;
  }
  return Object.entries(value).every(([key, bound]) => {
    const limit = parseQuantity(bound);
    return limit !== undefined && key in SYMBOL && ordered(key, compareQuantity(seen, limit));
  });
}

function ordered(key: string, difference: number): boolean {
  if (key === '$gt') return difference > 0;
  if (key === '$gte') return difference >= 0;
  if (key === '$lt') return difference < 0;
  return difference <= 0;
}

function describe([key, value]: [string, unknown]): string {
  switch (key) {
    case '$exists':
      return value ? '<any>' : '<none>';
    case '$in':
      return Array.isArray(value) ? value.map(show).join(' | ') : show(value);
    case '$not':
      return `≠ ${show(value)}`;
    case '$matches':
      return `/${value}/`;
    case '$quantity':
      return isObject(value) ? Object.entries(value).map(describe).join(', ') : show(value);
    case '$length':
      return `length ${show(value)}`;
    case '$every':
      return `[*] ${show(value)}`;
    case '$exactly':
      return `= ${show(value)}`;
    default:
      return `${SYMBOL[key] ?? key} ${show(value)}`;
  }
}

function finding(path: string, expected: string, actual: unknown): Finding {
  return { path, expected, actual: show(actual) };
}

function label(element: unknown, index: number): string {
  if (isObject(element)) {
    const key = IDENTITY.find(name => isScalar(element[name]));
    if (key) return `[${key === 'name' ? '' : `${key}=`}${element[key]}]`;
  }
  return `[${index}]`;
}

function join(path: string, key: string): string {
  if (!/^[\w-]+$/.test(key)) return `${path}["${key}"]`;
  return path === '' ? key : `${path}.${key}`;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isOperator(value: unknown): value is Record<string, unknown> {
  if (!isObject(value)) return false;
  const keys = Object.keys(value);
  return keys.length > 0 && keys.every(key => key.startsWith('$'));
}

function own(object: Record<string, unknown>, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

function isScalar(value: unknown): value is string | number | boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}

/** Plain data, equal all the way down. */
function same(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (Array.isArray(a))
    return Array.isArray(b) && a.length === b.length && a.every((element, index) => same(element, b[index]));
  if (!isObject(a) || !isObject(b)) return false;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length && keys.every(key => Object.hasOwn(b, key) && same(a[key], b[key]))
  );
}
