// Rules that many kinds share: numbers, selectors, ports, immutability. Words as in apimachinery and pkg/apis/core/validation.

import { isDeepStrictEqual } from 'node:util';
import { parseQuantity } from '#common/quantity/index.ts';
import {
  dns1123SubdomainErrors,
  type FieldError,
  forbiddenField,
  IMMUTABLE,
  invalidAll,
  invalidValue,
  labelValueErrors,
  notSupported,
  percentErrors,
  portNameErrors,
  portNumberErrors,
  qualifiedNameErrors,
  required,
} from '../../../kube/index.ts';
import type { LabelSelectorObject } from '../../../kube/selectors/index.ts';

const NON_NEGATIVE = 'must be greater than or equal to 0';
const POSITIVE = 'must be greater than 0';

export function nonNegative(value: number | undefined | null, field: string): FieldError[] {
  return typeof value === 'number' && value < 0 ? [invalidValue(field, value, NON_NEGATIVE)] : [];
}

export function positive(value: number | undefined | null, field: string): FieldError[] {
  return typeof value === 'number' && value <= 0 ? [invalidValue(field, value, POSITIVE)] : [];
}

export function oneOf(value: string | undefined, supported: readonly string[], field: string): FieldError[] {
  return value === undefined || supported.includes(value) ? [] : [notSupported(field, value, supported)];
}

/** Absent is an error of its own. */
export function requiredOneOf(
  value: string | undefined,
  supported: readonly string[],
  field: string,
): FieldError[] {
  return value ? oneOf(value, supported, field) : [required(field)];
}

export function immutable(next: unknown, old: unknown, field: string): FieldError[] {
  return isDeepStrictEqual(next, old) ? [] : [invalidValue(field, next, IMMUTABLE)];
}

export const same = (a: unknown, b: unknown): boolean => isDeepStrictEqual(a, b);

/** A port number or name. */
export function portOrName(value: unknown, field: string): FieldError[] {
  if (typeof value === 'number') return invalidAll(field, value, portNumberErrors(value));
  return invalidAll(field, value ?? '', portNameErrors(String(value ?? '')));
}

export function labelMap(labels: Record<string, string> | undefined, field: string): FieldError[] {
  return Object.keys(labels ?? {})
    .sort()
    .flatMap(key => [
      ...invalidAll(field, key, qualifiedNameErrors(key)),
      ...invalidAll(field, labels?.[key], labelValueErrors(labels?.[key] ?? '')),
    ]);
}

export function labelSelector(selector: LabelSelectorObject | undefined, field: string): FieldError[] {
  if (!selector) return [];
  const findings = labelMap(selector.matchLabels, `${field}.matchLabels`);
  for (const [i, { key, operator, values = [] }] of (selector.matchExpressions ?? []).entries()) {
    const at = `${field}.matchExpressions[${i}]`;
    if (operator === 'In' || operator === 'NotIn') {
      if (values.length === 0)
        findings.push(required(`${at}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
    } else if (operator === 'Exists' || operator === 'DoesNotExist') {
      if (values.length > 0)
        findings.push(
          forbiddenField(
            `${at}.values`,
            "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
          ),
        );
    } else findings.push(invalidValue(`${at}.operator`, operator, 'not a valid selector operator'));
    findings.push(...invalidAll(`${at}.key`, key, qualifiedNameErrors(key ?? '')));
    for (const [j, value] of values.entries())
      findings.push(...invalidAll(`${at}.values[${j}]`, value, labelValueErrors(value)));
  }
  return findings;
}

/** A count or a percentage, as in rolling updates. */
export function intOrPercent(value: unknown, field: string): FieldError[] {
  if (typeof value === 'number') return nonNegative(value, field);
  if (typeof value !== 'string') return [];
  return invalidAll(field, value, percentErrors(value));
}

/** The percentage, or undefined for a plain count. */
export function percentOf(value: unknown): number | undefined {
  return typeof value === 'string' && /^\d+%$/.test(value) ? Number(value.slice(0, -1)) : undefined;
}

export function notMoreThan100Percent(value: unknown, field: string): FieldError[] {
  const percent = percentOf(value);
  return percent !== undefined && percent > 100
    ? [invalidValue(field, value, 'must not be greater than 100%')]
    : [];
}

export function nonNegativeQuantity(value: string | undefined, field: string): FieldError[] {
  const quantity = value === undefined ? undefined : parseQuantity(value);
  return quantity && quantity.nano < 0n ? [invalidValue(field, value, NON_NEGATIVE)] : [];
}

export function subdomainName(value: string | undefined, field: string): FieldError[] {
  return value ? invalidAll(field, value, dns1123SubdomainErrors(value)) : [];
}
