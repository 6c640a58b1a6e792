// Semantic versions in CEL: `semver('1.2.3').isLessThan(semver('2.0.0'))`.

import type { Environment } from '@marcbachmann/cel-js';

const SEMVER =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-((?:0|[1-9]\d*|\d*[A-Za-z-][\dA-Za-z-]*)(?:\.(?:0|[1-9]\d*|\d*[A-Za-z-][\dA-Za-z-]*))*))?(?:\+[\dA-Za-z-]+(?:\.[\dA-Za-z-]+)*)?$/;

class SemverValue {
  readonly numbers: readonly bigint[];
  readonly pre: readonly string[];
  constructor(numbers: readonly bigint[], pre: readonly string[]) {
    this.numbers = numbers;
    this.pre = pre;
  }
}

function parse(text: string): SemverValue | undefined {
  const found = SEMVER.exec(text);
  if (!found) return undefined;
  const [, major = '', minor = '', patch = '', pre] = found;
  return new SemverValue([major, minor, patch].map(BigInt), pre === undefined ? [] : pre.split('.'));
}

/** A `v` in front, missing parts and leading zeros are forgiven. */
function normalised(text: string): string {
  const [, numbers = '', rest = ''] = /^v?([\d.]*)(.*)$/s.exec(text) ?? [];
  const parts = numbers.split('.').map(part => part.replace(/^0+(?=\d)/, ''));
  while (parts.length < 3 && rest === '') parts.push('0');
  return parts.join('.') + rest;
}

function semverOf(text: string): SemverValue {
  const version = parse(text);
  if (version) return version;
  const short = text.split('.').length < 3;
  throw new Error(
    short ? 'No Major.Minor.Patch elements found' : `Invalid character(s) found in version "${text}"`,
  );
}

const order = <T>(a: T, b: T) => (a < b ? -1 : a > b ? 1 : 0);

function compare(a: SemverValue, b: SemverValue): number {
  for (let i = 0; i < 3; i++) {
    const difference = order(a.numbers[i] as bigint, b.numbers[i] as bigint);
    if (difference !== 0) return difference;
  }
  // A version comes after its own pre-releases.
  if (a.pre.length === 0 || b.pre.length === 0) return order(b.pre.length, a.pre.length);
  for (let i = 0; i < Math.min(a.pre.length, b.pre.length); i++) {
    const difference = comparePart(a.pre[i] as string, b.pre[i] as string);
    if (difference !== 0) return difference;
  }
  return order(a.pre.length, b.pre.length);
}

function comparePart(a: string, b: string): number {
  const numeric = [a, b].map(part => /^\d+$/.test(part));
  if (numeric[0] && numeric[1]) return order(BigInt(a), BigInt(b));
  if (numeric[0] !== numeric[1]) return numeric[0] ? -1 : 1;
  return order(a, b);
}

export function registerVersions(env: Environment): void {
  const part = (i: number) => (version: SemverValue) => version.numbers[i] as bigint;
  env
    .registerType('Semver', SemverValue)
    .registerOperator('Semver == Semver', (a: SemverValue, b: SemverValue) => compare(a, b) === 0)
    .registerFunction('semver(string): Semver', semverOf)
    .registerFunction('semver(string, bool): Semver', (text: string, lenient: boolean) =>
      semverOf(lenient ? normalised(text) : text),
    )
    .registerFunction('isSemver(string): bool', (text: string) => parse(text) !== undefined)
    .registerFunction(
      'isSemver(string, bool): bool',
      (text: string, lenient: boolean) => parse(lenient ? normalised(text) : text) !== undefined,
    )
    .registerFunction('Semver.major(): int', part(0))
    .registerFunction('Semver.minor(): int', part(1))
    .registerFunction('Semver.patch(): int', part(2))
    .registerFunction('Semver.compareTo(Semver): int', (a: SemverValue, b: SemverValue) =>
      BigInt(compare(a, b)),
    )
    .registerFunction(
      'Semver.isLessThan(Semver): bool',
      (a: SemverValue, b: SemverValue) => compare(a, b) < 0,
    )
    .registerFunction(
      'Semver.isGreaterThan(Semver): bool',
      (a: SemverValue, b: SemverValue) => compare(a, b) > 0,
    );
}
