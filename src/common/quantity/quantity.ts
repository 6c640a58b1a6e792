// Kubernetes quantities (`500m`, `4Gi`, `1e3`): reads, compares, adds and writes them as apimachinery does. Knows no resources.

/** How a quantity was written, which decides how it is written back. */
export type QuantityFormat = 'DecimalSI' | 'BinarySI' | 'DecimalExponent';

/** An exact amount. `nano` is the value times 10^9: upstream keeps nothing finer and rounds up to it. */
export interface Quantity {
  nano: bigint;
  format: QuantityFormat;
}

const NANO = 1_000_000_000n;

const DECIMAL: Record<string, number> = { n: -9, u: -6, m: -3, '': 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };
const BINARY: Record<string, bigint> = {
  Ki: 1n << 10n,
  Mi: 1n << 20n,
  Gi: 1n << 30n,
  Ti: 1n << 40n,
  Pi: 1n << 50n,
  Ei: 1n << 60n,
};

/** Longer texts are no quantities; keeps the arithmetic below bounded. */
const MAX_LENGTH = 64;
/** Beyond this an exponent is nonsense, and upstream caps the value anyway. */
const MAX_EXPONENT = 30;

const SHAPE = /^([+-]?)(\d*)(?:\.(\d*))?(?:([eE])([+-]?\d{1,3})|(Ki|Mi|Gi|Ti|Pi|Ei|[numkMGTPE]))?$/;

/** The quantity a text (or a plain number) stands for; undefined when it is none. */
export function parseQuantity(value: unknown): Quantity | undefined {
  const text = typeof value === 'number' && Number.isFinite(value) ? String(value) : value;
  if (typeof text !== 'string' || text.length > MAX_LENGTH) return undefined;
  const parts = SHAPE.exec(text);
  if (!parts) return undefined;
  const [, sign, whole = '', fraction = '', exponentMark, exponentText, suffix = ''] = parts;
  if (whole === '' && fraction === '') return undefined;
  const digits = BigInt(whole + fraction);
  const binary = BINARY[suffix];
  let format: QuantityFormat = 'DecimalSI';
  let exponent = -fraction.length;
  let factor = 1n;
  if (binary !== undefined) {
    format = 'BinarySI';
    factor = binary;
  } else if (exponentMark) {
    format = 'DecimalExponent';
    const given = Number(exponentText);
    if (Math.abs(given) > MAX_EXPONENT) return undefined;
    exponent += given;
  } else {
    exponent += DECIMAL[suffix] ?? 0;
  }
  const magnitude = scaleUp(digits * factor, exponent + 9);
  return { nano: sign === '-' ? -magnitude : magnitude, format };
}

/** Negative, zero or positive, as `a` is smaller than, the same as or larger than `b`. */
export function compareQuantity(a: Quantity, b: Quantity): number {
  return a.nano < b.nano ? -1 : a.nano > b.nano ? 1 : 0;
}

/** The sum, written like the first that is not zero. */
export function addQuantity(a: Quantity, b: Quantity): Quantity {
  return { nano: a.nano + b.nano, format: a.nano === 0n ? b.format : a.format };
}

export function subtractQuantity(a: Quantity, b: Quantity): Quantity {
  return { nano: a.nano - b.nano, format: a.nano === 0n ? b.format : a.format };
}

export const ZERO: Quantity = { nano: 0n, format: 'DecimalSI' };

/** The canonical text: no fraction, the largest suffix that allows it (`1000m` is `1`, `4194304Ki` is `4Gi`). */
export function formatQuantity(quantity: Quantity): string {
  const { nano } = quantity;
  if (nano === 0n) return '0';
  const sign = nano < 0n ? '-' : '';
  const magnitude = nano < 0n ? -nano : nano;
  // Small and fractional amounts are written in decimal even when they came as binary, as upstream does.
  if (quantity.format === 'BinarySI' && magnitude >= 1024n * NANO) return sign + formatBinary(magnitude);
  return sign + formatDecimal(magnitude, quantity.format === 'DecimalExponent');
}

/** Thousandths, rounded up: how CPU is counted. */
export function milliValue(quantity: Quantity): number {
  return Number(divideUp(quantity.nano, 1_000_000n));
}

/** Whole units, rounded up: how bytes are counted. */
export function wholeValue(quantity: Quantity): number {
  return Number(divideUp(quantity.nano, NANO));
}

function formatBinary(magnitude: bigint): string {
  let value = divideUp(magnitude, NANO);
  let step = 0;
  const names = Object.keys(BINARY);
  while (step < names.length && value % 1024n === 0n) {
    value /= 1024n;
    step++;
  }
  return `${value}${step === 0 ? '' : names[step - 1]}`;
}

function formatDecimal(magnitude: bigint, exponentForm: boolean): string {
  let value = magnitude;
  let exponent = -9;
  while (exponent < 18 && value % 1000n === 0n) {
    value /= 1000n;
    exponent += 3;
  }
  if (exponentForm) return exponent === 0 ? `${value}` : `${value}e${exponent}`;
  const suffix = Object.keys(DECIMAL).find(name => DECIMAL[name] === exponent) ?? '';
  return `${value}${suffix}`;
}

function scaleUp(value: bigint, exponent: number): bigint {
  return exponent >= 0 ? value * 10n ** BigInt(exponent) : divideUp(value, 10n ** BigInt(-exponent));
}

function divideUp(value: bigint, divisor: bigint): bigint {
  const quotient = value / divisor;
  return value > 0n && value % divisor !== 0n ? quotient + 1n : quotient;
}
