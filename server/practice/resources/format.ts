// What printed tables share: ages, counts, shortened lists, and small builders of columns. Knows no kind.

import type { KubeObject } from '../../kube/index.ts';
import type { Cell, Column, ColumnContext } from './types.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const YEAR = 365 * DAY;

/** `2m5s`, `3h`, `12d`: apimachinery's HumanDuration of `ms` milliseconds. */
export function humanDuration(ms: number): string {
  const seconds = Math.trunc(ms / SECOND);
  if (seconds < -1) return '<invalid>';
  if (seconds < 0) return '0s';
  if (seconds < 120) return `${seconds}s`;
  const two = (big: number, bigUnit: string, small: number, smallUnit: string) =>
    small === 0 ? `${big}${bigUnit}` : `${big}${bigUnit}${small}${smallUnit}`;
  const minutes = Math.trunc(ms / MINUTE);
  if (minutes < 10) return two(minutes, 'm', seconds % 60, 's');
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.trunc(ms / HOUR);
  if (hours < 8) return two(hours, 'h', minutes % 60, 'm');
  if (hours < 48) return `${hours}h`;
  if (hours < 192) return two(Math.trunc(hours / 24), 'd', hours % 24, 'h');
  const days = Math.trunc(ms / DAY);
  if (ms < 2 * YEAR) return `${days}d`;
  const years = Math.trunc(ms / YEAR);
  if (years < 8) return two(years, 'y', days % 365, 'd');
  return `${years}y`;
}

/** Time since a wire timestamp; `<unknown>` when there is none. */
export function since(time: string | null | undefined, { now }: ColumnContext): string {
  const ms = time ? Date.parse(time) : Number.NaN;
  return Number.isNaN(ms) ? '<unknown>' : humanDuration(now - ms);
}

export const age = (object: KubeObject, context: ColumnContext): string =>
  since(object.metadata.creationTimestamp, context);

export const orNone = (text: string | undefined | null): string => text || '<none>';

/** The first `max` joined, then ` + N more...`. */
export function joinSome(parts: readonly string[], max = 3, separator = ','): string {
  const shown = parts.slice(0, max).join(separator);
  return parts.length > max ? `${shown} + ${parts.length - max} more...` : shown;
}

export const size = (map: object | undefined | null): number => Object.keys(map ?? {}).length;

/** Names and images of a pod template, comma joined: two wide columns. */
export function templateCells(spec: { containers?: { name: string; image?: string }[] } | undefined): Cell[] {
  const containers = spec?.containers ?? [];
  return [containers.map(c => c.name).join(','), containers.map(c => c.image ?? '').join(',')];
}

export const NAME: Column = {
  name: 'Name',
  type: 'string',
  format: 'name',
  description:
    'Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically. Name is primarily intended for creation idempotence and configuration definition. Cannot be updated. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names',
};

export const text = (name: string, description = ''): Column => ({ name, type: 'string', description });
export const integer = (name: string, description = ''): Column => ({ name, type: 'integer', description });
export const wide = (name: string, description = ''): Column => ({
  name,
  type: 'string',
  description,
  priority: 1,
});

export const AGE: Column = text(
  'Age',
  'CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be set in happens-before order across separate operations. Clients may not set this value. It is represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata',
);

/** Kinds that have no printer upstream: the default convertor's two columns. */
export const CREATED_COLUMNS: readonly Column[] = [
  NAME,
  { name: 'Created At', type: 'date', description: AGE.description ?? '' },
];
export const createdRow = (object: KubeObject): Cell[] => [
  object.metadata.name,
  object.metadata.creationTimestamp ?? null,
];
