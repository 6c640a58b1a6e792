// IP addresses and networks in CEL: `cidr('10.0.0.0/8').containsIP(ip('10.1.2.3'))`, as Go's netip reads and writes them.

import type { Environment } from '@marcbachmann/cel-js';
import { isIPv4, isIPv6 } from '../../kube/index.ts';

class IpValue {
  readonly bits: 32 | 128;
  readonly number: bigint;
  constructor(bits: 32 | 128, number: bigint) {
    this.bits = bits;
    this.number = number;
  }
  toString(): string {
    return this.bits === 32 ? ipv4Text(this.number) : ipv6Text(this.number);
  }
}

class CidrValue {
  readonly ip: IpValue;
  readonly length: number;
  constructor(ip: IpValue, length: number) {
    this.ip = ip;
    this.length = length;
  }
  /** The address without what the prefix does not cover. */
  network(length = this.length, { number, bits }: IpValue = this.ip): bigint {
    const shift = BigInt(bits - length);
    return (number >> shift) << shift;
  }
}

/** Namespace of `ip.isCanonical`. */
class IpNamespace {}

function ipv4Text(number: bigint): string {
  return [24n, 16n, 8n, 0n].map(shift => (number >> shift) & 0xffn).join('.');
}

/** RFC 5952: the longest run of zero groups becomes `::`, the first of equals. */
function ipv6Text(number: bigint): string {
  const groups = Array.from({ length: 8 }, (_, i) =>
    ((number >> BigInt(112 - 16 * i)) & 0xffffn).toString(16),
  );
  let best = { at: -1, length: 1 };
  for (let at = 0; at < 8; at++) {
    let length = 0;
    while (groups[at + length] === '0') length++;
    if (length > best.length) best = { at, length };
  }
  if (best.at < 0) return groups.join(':');
  return `${groups.slice(0, best.at).join(':')}::${groups.slice(best.at + best.length).join(':')}`;
}

function parseIp(text: string): IpValue | undefined {
  if (isIPv4(text)) {
    return new IpValue(
      32,
      text.split('.').reduce((sum, part) => (sum << 8n) | BigInt(part), 0n),
    );
  }
  // An IPv4 address inside of an IPv6 one is refused by Kubernetes.
  if (!isIPv6(text) || text.includes('.')) return undefined;
  const [head = '', tail] = text.split('::');
  const groups = (part: string) => (part === '' ? [] : part.split(':'));
  const before = groups(head);
  const after = groups(tail ?? '');
  const zeros = Array<string>(8 - before.length - after.length).fill('0');
  const all = [...before, ...zeros, ...after];
  return new IpValue(
    128,
    all.reduce((sum, group) => (sum << 16n) | BigInt(`0x${group}`), 0n),
  );
}

function ipOf(text: string): IpValue {
  const ip = parseIp(text);
  if (!ip)
    throw new Error(
      `IP Address '${text}' parse error during conversion from string: ParseAddr(${JSON.stringify(text)}): unable to parse IP`,
    );
  return ip;
}

function parseCidr(text: string): CidrValue | undefined {
  const [address = '', length = '', ...more] = text.split('/');
  const ip = parseIp(address);
  const ok = ip && more.length === 0 && /^(0|[1-9]\d{0,2})$/.test(length) && Number(length) <= ip.bits;
  return ok ? new CidrValue(ip, Number(length)) : undefined;
}

function cidrOf(text: string): CidrValue {
  const cidr = parseCidr(text);
  if (cidr) return cidr;
  const why = text.includes('/') ? 'invalid CIDR address' : "no '/'";
  throw new Error(
    `network address parse error during conversion from string: netip.ParsePrefix(${JSON.stringify(text)}): ${why}`,
  );
}

const within = ({ number, bits }: IpValue, network: CidrValue) =>
  bits === network.ip.bits &&
  network.network(network.length, { number, bits } as IpValue) === network.network();
const inside = (inner: CidrValue, outer: CidrValue) =>
  inner.length >= outer.length && within(inner.ip, outer);
const among = (text: string) => {
  const cidr = cidrOf(text);
  return (ip: IpValue) => within(ip, cidr);
};
const isLoopback = (ip: IpValue) => (ip.bits === 32 ? among('127.0.0.0/8')(ip) : ip.number === 1n);
const isUnspecified = (ip: IpValue) => ip.number === 0n;
const isMulticast = (ip: IpValue) => among(ip.bits === 32 ? '224.0.0.0/4' : 'ff00::/8')(ip);
const isLinkLocal = (ip: IpValue) => among(ip.bits === 32 ? '169.254.0.0/16' : 'fe80::/10')(ip);
const isLinkLocalMulticast = (ip: IpValue) =>
  ip.bits === 32 ? among('224.0.0.0/24')(ip) : ((ip.number >> 112n) & 0xff0fn) === 0xff02n;
const isGlobalUnicast = (ip: IpValue) =>
  !(isLoopback(ip) || isUnspecified(ip) || isMulticast(ip) || isLinkLocal(ip)) &&
  !(ip.bits === 32 && ip.number === 0xffffffffn);

export function registerAddresses(env: Environment): void {
  env
    .registerType('IP', IpValue)
    .registerType('CIDR', CidrValue)
    .registerType('IPNamespace', IpNamespace)
    .registerConstant('ip', 'IPNamespace', new IpNamespace())
    .registerOperator('IP == IP', (a: IpValue, b: IpValue) => a.bits === b.bits && a.number === b.number)
    .registerOperator(
      'CIDR == CIDR',
      (a: CidrValue, b: CidrValue) =>
        a.length === b.length && a.ip.bits === b.ip.bits && a.ip.number === b.ip.number,
    )
    .registerFunction('ip(string): IP', ipOf)
    .registerFunction('isIP(string): bool', (text: string) => parseIp(text) !== undefined)
    .registerFunction(
      'IPNamespace.isCanonical(string): bool',
      (_, text: string) => String(ipOf(text)) === text,
    )
    .registerFunction('string(IP): string', String)
    .registerFunction('IP.family(): int', (ip: IpValue) => (ip.bits === 32 ? 4n : 6n))
    .registerFunction('IP.isLoopback(): bool', isLoopback)
    .registerFunction('IP.isUnspecified(): bool', isUnspecified)
    .registerFunction('IP.isLinkLocalMulticast(): bool', isLinkLocalMulticast)
    .registerFunction('IP.isLinkLocalUnicast(): bool', isLinkLocal)
    .registerFunction('IP.isGlobalUnicast(): bool', isGlobalUnicast)
    .registerFunction('cidr(string): CIDR', cidrOf)
    .registerFunction('isCIDR(string): bool', (text: string) => parseCidr(text) !== undefined)
    .registerFunction('string(CIDR): string', (cidr: CidrValue) => `${cidr.ip}/${cidr.length}`)
    .registerFunction('CIDR.containsIP(string): bool', (cidr: CidrValue, text: string) =>
      within(ipOf(text), cidr),
    )
    .registerFunction('CIDR.containsIP(IP): bool', (cidr: CidrValue, ip: IpValue) => within(ip, cidr))
    .registerFunction('CIDR.containsCIDR(string): bool', (cidr: CidrValue, text: string) =>
      inside(cidrOf(text), cidr),
    )
    .registerFunction('CIDR.containsCIDR(CIDR): bool', (cidr: CidrValue, other: CidrValue) =>
      inside(other, cidr),
    )
    .registerFunction('CIDR.ip(): IP', (cidr: CidrValue) => cidr.ip)
    .registerFunction(
      'CIDR.masked(): CIDR',
      (cidr: CidrValue) => new CidrValue(new IpValue(cidr.ip.bits, cidr.network()), cidr.length),
    )
    .registerFunction('CIDR.prefixLength(): int', (cidr: CidrValue) => BigInt(cidr.length));
}
