// Which addresses and node ports services hold, and picking free ones. Reads other services through the hook context.

import type { KubeObject } from '../../../kube/index.ts';
import type { HookContext } from '../types.ts';

const SERVICES = { group: '', resource: 'services' };
const SERVICE_CIDRS = { group: 'networking.k8s.io', resource: 'servicecidrs' };
const DEFAULT_CIDR = '10.96.0.0/12';
export const NODE_PORT_MIN = 30000;
export const NODE_PORT_MAX = 32767;
/** Draws before the range counts as full. */
const ATTEMPTS = 200;

export interface Range {
  cidr: string;
  base: number;
  size: number;
}

const toNumber = (ip: string): number => ip.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
const toText = (value: number): string =>
  [24, 16, 8, 0].map(shift => Math.floor(value / 2 ** shift) % 256).join('.');

/** The range that new services get their addresses from. */
export function serviceRange(context: HookContext): Range {
  const configured = context.read(SERVICE_CIDRS, undefined, 'kubernetes')?.spec?.cidrs?.[0];
  const cidr: string = typeof configured === 'string' && configured.includes('.') ? configured : DEFAULT_CIDR;
  const [address = '', bits = '12'] = cidr.split('/');
  const size = 2 ** (32 - Number(bits));
  return { cidr, base: Math.floor(toNumber(address) / size) * size, size };
}

export function inRange(ip: string, range: Range): boolean {
  const value = toNumber(ip);
  return value > range.base && value < range.base + range.size - 1;
}

const isSame = (a: KubeObject, b: KubeObject): boolean =>
  a.metadata.name === b.metadata.name && a.metadata.namespace === b.metadata.namespace;

export interface Held {
  ips: Set<string>;
  /** `TCP:30080`. */
  nodePorts: Set<string>;
}

/** What all services but this one hold. */
export function heldByOthers(service: KubeObject, context: HookContext): Held {
  const held: Held = { ips: new Set(), nodePorts: new Set() };
  for (const other of context.listAll(SERVICES)) {
    if (isSame(other, service)) continue;
    for (const ip of other.spec?.clusterIPs ?? []) held.ips.add(ip);
    for (const port of other.spec?.ports ?? [])
      if (port.nodePort) held.nodePorts.add(`${port.protocol}:${port.nodePort}`);
    if (other.spec?.healthCheckNodePort) held.nodePorts.add(`TCP:${other.spec.healthCheckNodePort}`);
  }
  return held;
}

/** Uniform in [0, 1): the context's only source of chance is names. */
const chance = (context: HookContext): number =>
  Number.parseInt(context.randomUuid().slice(0, 8), 16) / 2 ** 32;

/** A free address from the upper part of the range: the lower one is left to addresses that people choose. */
export function freeClusterIp(held: Held, range: Range, context: HookContext): string | undefined {
  const reserved = Math.min(Math.max(16, Math.floor(range.size / 16)), 256);
  const first = range.size > reserved * 2 ? reserved : 1;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const offset = first + Math.floor(chance(context) * (range.size - 1 - first));
    const ip = toText(range.base + offset);
    if (!held.ips.has(ip)) return ip;
  }
  for (let offset = 1; offset < range.size - 1 && offset < 65536; offset++) {
    const ip = toText(range.base + offset);
    if (!held.ips.has(ip)) return ip;
  }
  return undefined;
}

export function freeNodePort(held: Held, protocol: string, context: HookContext): number | undefined {
  const count = NODE_PORT_MAX - NODE_PORT_MIN + 1;
  const start = Math.floor(chance(context) * count);
  for (let i = 0; i < count; i++) {
    const port = NODE_PORT_MIN + ((start + i) % count);
    if (!held.nodePorts.has(`${protocol}:${port}`)) return port;
  }
  return undefined;
}
