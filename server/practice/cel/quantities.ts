// Kubernetes' amounts in CEL: `quantity('1.5Gi').isGreaterThan(quantity('1G'))`.

import type { Environment } from '@marcbachmann/cel-js';
import {
  addQuantity,
  compareQuantity,
  parseQuantity,
  type Quantity,
  subtractQuantity,
  wholeValue,
} from '#common/quantity/index.ts';

const NANO = 1_000_000_000n;

/** Wrapped so that CEL can tell it from a map. */
class QuantityValue {
  readonly quantity: Quantity;
  constructor(quantity: Quantity) {
    this.quantity = quantity;
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

const whole = (value: bigint): Quantity => quantityOf(String(value)).quantity;
const compare = (a: QuantityValue, b: QuantityValue) => compareQuantity(a.quantity, b.quantity);

export function registerQuantities(env: Environment): void {
  env
    .registerType('Quantity', QuantityValue)
    .registerOperator('Quantity == Quantity', (a: QuantityValue, b: QuantityValue) => compare(a, b) === 0)
    .registerFunction('quantity(string): Quantity', quantityOf)
    .registerFunction('isQuantity(string): bool', (text: string) => parseQuantity(text) !== undefined)
    .registerFunction('Quantity.compareTo(Quantity): int', (a: QuantityValue, b: QuantityValue) =>
      BigInt(Math.sign(compare(a, b))),
    )
    .registerFunction(
      'Quantity.isGreaterThan(Quantity): bool',
      (a: QuantityValue, b: QuantityValue) => compare(a, b) > 0,
    )
    .registerFunction(
      'Quantity.isLessThan(Quantity): bool',
      (a: QuantityValue, b: QuantityValue) => compare(a, b) < 0,
    )
    .registerFunction(
      'Quantity.add(Quantity): Quantity',
      (a: QuantityValue, b: QuantityValue) => new QuantityValue(addQuantity(a.quantity, b.quantity)),
    )
    .registerFunction(
      'Quantity.add(int): Quantity',
      (a: QuantityValue, b: bigint) => new QuantityValue(addQuantity(a.quantity, whole(b))),
    )
    .registerFunction(
      'Quantity.sub(Quantity): Quantity',
      (a: QuantityValue, b: QuantityValue) => new QuantityValue(subtractQuantity(a.quantity, b.quantity)),
    )
    .registerFunction(
      'Quantity.sub(int): Quantity',
      (a: QuantityValue, b: bigint) => new QuantityValue(subtractQuantity(a.quantity, whole(b))),
    )
    .registerFunction('Quantity.sign(): int', (a: QuantityValue) =>
      a.quantity.nano === 0n ? 0n : a.quantity.nano > 0n ? 1n : -1n,
    )
    .registerFunction('Quantity.asInteger(): int', (a: QuantityValue) => BigInt(wholeValue(a.quantity)))
    .registerFunction(
      'Quantity.asApproximateFloat(): double',
      (a: QuantityValue) => Number(a.quantity.nano) / Number(NANO),
    )
    .registerFunction('Quantity.isInteger(): bool', (a: QuantityValue) => a.quantity.nano % NANO === 0n);
}
