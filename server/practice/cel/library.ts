// The functions that Kubernetes adds to CEL: quantities, URLs, lists and regular expressions.

import { Environment } from '@marcbachmann/cel-js';
import {
  addQuantity,
  compareQuantity,
  parseQuantity,
  type Quantity,
  subtractQuantity,
  wholeValue,
} from '#common/quantity/index.ts';
import { registerAuthorizer } from './authorizer.ts';

/** Wrapped so that CEL can tell it from a map. */
class QuantityValue {
  readonly quantity: Quantity;
  constructor(quantity: Quantity) {
    this.quantity = quantity;
  }
}

class UrlValue {
  readonly url: URL;
  constructor(url: URL) {
    this.url = url;
  }
}

function quantityOf(text: string): QuantityValue {
  const quantity = parseQuantity(text);
  if (!quantity) {
    throw new Error(
      "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
    );
  }
  return new QuantityValue(quantity);
}

function parseUrl(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}

const bigger = (a: unknown, b: unknown) => ((a as bigint) > (b as bigint) ? a : b);

/** CEL's standard environment with these functions. */
export function extended(options: { homogeneousAggregateLiterals: boolean }): Environment {
  const env = new Environment({ unlistedVariablesAreDyn: true, enableOptionalTypes: true, ...options });
  registerAuthorizer(env);
  env.registerType('Quantity', QuantityValue);
  env.registerType('URL', UrlValue);
  env
    .registerFunction('quantity(string): Quantity', quantityOf)
    .registerFunction('isQuantity(string): bool', (text: string) => parseQuantity(text) !== undefined)
    .registerFunction('Quantity.compareTo(Quantity): int', (a: QuantityValue, b: QuantityValue) =>
      BigInt(Math.sign(compareQuantity(a.quantity, b.quantity))),
    )
    .registerFunction(
      'Quantity.isGreaterThan(Quantity): bool',
      (a: QuantityValue, b: QuantityValue) => compareQuantity(a.quantity, b.quantity) > 0,
    )
    .registerFunction(
      'Quantity.isLessThan(Quantity): bool',
      (a: QuantityValue, b: QuantityValue) => compareQuantity(a.quantity, b.quantity) < 0,
    )
    .registerFunction(
      'Quantity.add(Quantity): Quantity',
      (a: QuantityValue, b: QuantityValue) => new QuantityValue(addQuantity(a.quantity, b.quantity)),
    )
    .registerFunction(
      'Quantity.sub(Quantity): Quantity',
      (a: QuantityValue, b: QuantityValue) => new QuantityValue(subtractQuantity(a.quantity, b.quantity)),
    )
    .registerFunction('Quantity.sign(): int', (a: QuantityValue) =>
      a.quantity.nano === 0n ? 0n : a.quantity.nano > 0n ? 1n : -1n,
    )
    .registerFunction('Quantity.asInteger(): int', (a: QuantityValue) => BigInt(wholeValue(a.quantity)))
    .registerFunction(
      'Quantity.isInteger(): bool',
      (a: QuantityValue) => a.quantity.nano % 1_000_000_000n === 0n,
    )
    .registerFunction('isURL(string): bool', (text: string) => parseUrl(text) !== undefined)
    .registerFunction('url(string): URL', (text: string) => {
      const url = parseUrl(text);
      if (!url)
        throw new Error(
          `URL parse error during conversion from string: parse "${text}": invalid URI for request`,
        );
      return new UrlValue(url);
    })
    .registerFunction('URL.getScheme(): string', (value: UrlValue) => value.url.protocol.slice(0, -1))
    .registerFunction('URL.getHost(): string', (value: UrlValue) => value.url.host)
    .registerFunction('URL.getHostname(): string', (value: UrlValue) => value.url.hostname)
    .registerFunction('URL.getPort(): string', (value: UrlValue) => value.url.port)
    .registerFunction('URL.getEscapedPath(): string', (value: UrlValue) => value.url.pathname)
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
    .registerFunction('string.find(string): string', (text: string, pattern: string) => {
      return new RegExp(pattern, 'u').exec(text)?.[0] ?? '';
    })
    .registerFunction('string.findAll(string): list<string>', (text: string, pattern: string) =>
      [...text.matchAll(new RegExp(pattern, 'gu'))].map(match => match[0]),
    );
  return env.registerFunction('jsonpatchEscapeKey(string): string', (key: string) =>
    key.replaceAll('~', '~0').replaceAll('/', '~1'),
  );
}
