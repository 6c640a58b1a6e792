// Which parts of an object its learner wrote, by the cluster's own record of who wrote what and when. Knows no solutions.

import type { KubeObject } from '../../kube/index.ts';

/** Programs a learner writes with; controllers have other names. */
const BY_HAND = /^(kubectl|k9s|helm)/;
/** What changes by itself, or only tells of a change. */
const NOT_SHOWN =
  /^(status|metadata\.(managedFields|resourceVersion|uid|generation|creationTimestamp|selfLink)|metadata\.annotations\.kubectl\.kubernetes\.io\/)/;

interface Entry {
  manager?: string;
  subresource?: string;
  time?: string;
  fieldsV1?: unknown;
}

export interface Difference {
  path: string;
  /** As the learner has it, and as it would be: JSON, or plain text; undefined where there is nothing. */
  yours: unknown;
  becomes: unknown;
}

/** What was written by hand after `since` (milliseconds since the epoch, of which clusters keep the seconds); an entry without a time may be. */
function byHand(object: KubeObject, since: number): Entry[] {
  const entries = (object.metadata as { managedFields?: Entry[] }).managedFields ?? [];
  return entries.filter(
    ({ manager = '', subresource, time }) =>
      BY_HAND.test(manager) &&
      subresource !== 'status' &&
      (time === undefined || Date.parse(time) > Math.floor(since / 1000) * 1000),
  );
}

/** Whether the learner made the object, or changed anything in it. */
export const isTouched = (object: KubeObject, since: number): boolean => byHand(object, since).length > 0;

/** What of the learner's work in `before` is another in `after`. */
export function lostFields(before: KubeObject, after: unknown, since: number): Difference[] {
  const owners = byHand(before, since).map(({ fieldsV1 }) => fieldsV1);
  if (owners.length === 0) return [];
  const lost: Difference[] = [];
  compare(before, after, [], owners, lost);
  return lost;
}

function compare(
  before: unknown,
  after: unknown,
  path: string[],
  owners: readonly unknown[],
  lost: Difference[],
): void {
  const shown = path.join('.');
  if (NOT_SHOWN.test(shown) || owners.length === 0 || JSON.stringify(before) === JSON.stringify(after))
    return;
  if (Array.isArray(before)) {
    const others = Array.isArray(after) ? after : [];
    for (const [index, element] of before.entries()) {
      const inside = owners.flatMap(owner => elementOf(owner, element));
      const twin = others.find(other => keyOf(other) === keyOf(element)) ?? others[index];
      compare(
        element,
        twin,
        [...path.slice(0, -1), `${path.at(-1)}[${keyOf(element) ?? index}]`],
        inside,
        lost,
      );
    }
    return;
  }
  if (typeof before === 'object' && before !== null) {
    const other = (after ?? {}) as Record<string, unknown>;
    for (const [key, value] of Object.entries(before)) {
      const inside = owners.flatMap(owner => fieldOf(owner, `f:${key}`));
      compare(value, other[key], [...path, key], inside, lost);
    }
    return;
  }
  lost.push({ path: shown, yours: before, becomes: after });
}

const keyOf = (element: unknown) => (element as { name?: string } | undefined)?.name;

/** An owner of a whole value owns all below it. */
function fieldOf(owner: unknown, key: string): unknown[] {
  const fields = (owner ?? {}) as Record<string, unknown>;
  if (Object.keys(fields).every(name => name === '.')) return [{}];
  return Object.hasOwn(fields, key) ? [fields[key]] : [];
}

function elementOf(owner: unknown, element: unknown): unknown[] {
  const fields = Object.entries((owner ?? {}) as Record<string, unknown>);
  if (fields.every(([name]) => name === '.')) return [{}];
  return fields
    .filter(([name]) => {
      if (name.startsWith('v:')) return name.slice(2) === JSON.stringify(element);
      if (!name.startsWith('k:')) return false;
      const keys = JSON.parse(name.slice(2)) as Record<string, unknown>;
      return Object.entries(keys).every(
        ([key, value]) => (element as Record<string, unknown> | null)?.[key] === value,
      );
    })
    .map(([, inside]) => inside);
}
