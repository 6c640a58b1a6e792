// Words amounts and commands for the map. Pure.

import type { MapEvent } from '#common/protocol/map.ts';

/** `1.85`, `2`, `0.1`: cores, from thousandths. */
export function cores(milli: number): string {
  return String(Math.round(milli / 10) / 100);
}

/** `96 MiB`, `3.8 GiB`. */
export function bytes(count: number): string {
  if (Math.abs(count) < 2 ** 30) return `${Math.round(count / 2 ** 20)} MiB`;
  return `${Math.round((10 * count) / 2 ** 30) / 10} GiB`;
}

export function percent(part: number, whole: number): number {
  return whole > 0 ? Math.round((100 * part) / whole) : 0;
}

/** The command that tells more about a thing. Names come from the cluster, so anything a shell would read is refused. */
export function describeCommand(kind: string, name: string, namespace = ''): string | undefined {
  const plain = /^[A-Za-z0-9][A-Za-z0-9.:_-]*$/;
  if (![kind, name, ...(namespace ? [namespace] : [])].every(word => plain.test(word))) return undefined;
  return `kubectl describe ${kind.toLowerCase()} ${name}${namespace ? ` -n ${namespace}` : ''}`;
}

export function describeEvent(event: MapEvent): string | undefined {
  return describeCommand(event.kind, event.name, event.kind === 'Node' ? '' : event.namespace);
}
