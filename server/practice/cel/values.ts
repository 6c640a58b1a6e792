// What Kubernetes adds to CEL for strings, lists, sets and URLs.

import type { Environment } from '@marcbachmann/cel-js';
import { patternFor } from '../../kube/index.ts';

class UrlValue {
  readonly url: URL;
  constructor(url: URL) {
    this.url = url;
  }
}

/** Namespaces of `strings.quote` and `sets.contains`. */
class StringsNamespace {}
class SetsNamespace {}

function parseUrl(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}

function urlOf(text: string): UrlValue {
  const url = parseUrl(text);
  if (!url)
    throw new Error(
      `URL parse error during conversion from string: parse "${text}": invalid URI for request`,
    );
  return new UrlValue(url);
}

const bigger = (a: unknown, b: unknown) => ((a as bigint) > (b as bigint) ? a : b);

/** Equal as CEL's `==` has it for plain values. */
function same(a: unknown, b: unknown): boolean {
  if (typeof a === 'bigint' || typeof a === 'number')
    return (typeof b === 'bigint' || typeof b === 'number') && Number(a) === Number(b);
  if (typeof a !== 'object' || a === null || typeof b !== 'object' || b === null) return a === b;
  if (Array.isArray(a))
    return Array.isArray(b) && a.length === b.length && a.every((item, i) => same(item, b[i]));
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every(key => same((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]))
  );
}

const has = (list: readonly unknown[], item: unknown) => list.some(other => same(other, item));
const holds = (list: readonly unknown[], all: readonly unknown[]) => all.every(item => has(list, item));

function charAt(text: string, at: bigint): string {
  const characters = [...text];
  if (at < 0n || at > BigInt(characters.length)) throw new Error(`index out of range: ${at}`);
  return characters[Number(at)] ?? '';
}

function replace(text: string, old: string, by: string, most = -1n): string {
  if (most < 0n) return text.replaceAll(old, () => by);
  const parts = text.split(old);
  const cut = Math.min(Number(most), parts.length - 1);
  const head = parts.slice(0, cut + 1).join(by);
  return cut + 1 < parts.length ? [head, ...parts.slice(cut + 1)].join(old) : head;
}

/** Go's `%d %s %f %e %x %X %o %b %%`, as far as CEL has them. */
function formatted(text: string, values: readonly unknown[]): string {
  let next = 0;
  const result = text.replace(
    /%(?:%|(?:\.(\d+))?([a-zA-Z]))/g,
    (verb, digits: string | undefined, kind: string) => {
      if (verb === '%%') return '%';
      if (next >= values.length) throw new Error(`index ${next} out of range`);
      return clause(kind, values[next++], digits);
    },
  );
  if (next < values.length) throw new Error('too many arguments supplied to string.format');
  return result;
}

function clause(kind: string, value: unknown, digits: string | undefined): string {
  const number = () => BigInt(value as bigint);
  switch (kind) {
    case 's':
      return shown(value);
    case 'd':
      return shown(value);
    case 'f':
      return Number(value).toFixed(Number(digits ?? 6));
    case 'e':
      return Number(value)
        .toExponential(Number(digits ?? 6))
        .replace(/e([+-])(\d)$/, 'e$10$2');
    case 'x':
    case 'X': {
      const hex =
        typeof value === 'string' ? Buffer.from(value, 'utf8').toString('hex') : number().toString(16);
      return kind === 'X' ? hex.toUpperCase() : hex;
    }
    case 'o':
      return number().toString(8);
    case 'b':
      return typeof value === 'boolean' ? (value ? '1' : '0') : number().toString(2);
    default:
      throw new Error(`could not parse formatting clause: unrecognized formatting clause "${kind}"`);
  }
}

function shown(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(shown).join(', ')}]`;
  if (typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype)
    return `{${Object.entries(value)
      .map(([key, child]) => `${key}: ${shown(child)}`)
      .sort()
      .join(', ')}}`;
  return value === null ? 'null' : String(value);
}

/** Throws, as CEL does, for what is no regular expression. */
function expression(pattern: string, text: string): RegExp {
  const found = patternFor(pattern, text);
  if (!found) throw new Error(`error parsing regexp: ${pattern}`);
  return found;
}

export function registerValues(env: Environment): void {
  env
    .registerFunction('string.charAt(int): string', charAt)
    .registerFunction('string.replace(string, string): string', (text: string, old: string, by: string) =>
      replace(text, old, by),
    )
    .registerFunction('string.replace(string, string, int): string', replace)
    .registerFunction('string.reverse(): string', (text: string) => [...text].reverse().join(''))
    .registerFunction('string.format(list): string', formatted)
    .registerType('StringsNamespace', StringsNamespace)
    .registerConstant('strings', 'StringsNamespace', new StringsNamespace())
    .registerFunction('StringsNamespace.quote(string): string', (_, text: string) => JSON.stringify(text))
    .registerFunction(
      'string.find(string): string',
      (text: string, pattern: string) => expression(pattern, text).exec(text)?.[0] ?? '',
    )
    .registerFunction('string.findAll(string): list<string>', (text: string, pattern: string) =>
      [...text.matchAll(expression(pattern, text))].map(match => match[0]),
    )
    .registerFunction('list.indexOf(dyn): int', (list: unknown[], item: unknown) =>
      BigInt(list.findIndex(other => same(other, item))),
    )
    .registerFunction('list.lastIndexOf(dyn): int', (list: unknown[], item: unknown) =>
      BigInt(list.findLastIndex(other => same(other, item))),
    )
    .registerFunction('list.isSorted(): bool', (list: unknown[]) =>
      list.every(
        (item, index) => index === 0 || bigger(list[index - 1], item) === item || list[index - 1] === item,
      ),
    )
    .registerFunction('list.sum(): dyn', (list: (bigint & number)[]) =>
      list.length === 0 ? 0n : list.reduce((a, b) => (a + b) as bigint & number),
    )
    .registerFunction('list.min(): dyn', (list: unknown[]) =>
      list.reduce((a, b) => (bigger(a, b) === a ? b : a)),
    )
    .registerFunction('list.max(): dyn', (list: unknown[]) => list.reduce(bigger))
    .registerType('SetsNamespace', SetsNamespace)
    .registerConstant('sets', 'SetsNamespace', new SetsNamespace())
    .registerFunction('SetsNamespace.contains(list, list): bool', (_, list: unknown[], all: unknown[]) =>
      holds(list, all),
    )
    .registerFunction('SetsNamespace.intersects(list, list): bool', (_, list: unknown[], some: unknown[]) =>
      some.some(item => has(list, item)),
    )
    .registerFunction(
      'SetsNamespace.equivalent(list, list): bool',
      (_, one: unknown[], other: unknown[]) => holds(one, other) && holds(other, one),
    )
    .registerType('URL', UrlValue)
    .registerFunction('isURL(string): bool', (text: string) => parseUrl(text) !== undefined)
    .registerFunction('url(string): URL', urlOf)
    .registerFunction('URL.getScheme(): string', ({ url }: UrlValue) => url.protocol.slice(0, -1))
    .registerFunction('URL.getHost(): string', ({ url }: UrlValue) => url.host)
    .registerFunction('URL.getHostname(): string', ({ url }: UrlValue) => url.hostname)
    .registerFunction('URL.getPort(): string', ({ url }: UrlValue) => url.port)
    .registerFunction('URL.getEscapedPath(): string', ({ url }: UrlValue) => url.pathname)
    .registerFunction('URL.getQuery(): map<string, list<string>>', ({ url }: UrlValue) =>
      Object.fromEntries(
        [...new Set(url.searchParams.keys())].map(key => [key, url.searchParams.getAll(key)]),
      ),
    );
}
