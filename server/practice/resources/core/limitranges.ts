// LimitRanges.

import { compareQuantity, parseQuantity } from '#common/quantity/index.ts';
import {
  duplicate,
  type FieldError,
  forbiddenField,
  invalidAll,
  invalidValue,
  qualifiedNameErrors,
} from '../../../kube/index.ts';
import { CREATED_COLUMNS, createdRow } from '../format.ts';
import type { ResourceDefinition } from '../types.ts';

type Amounts = Record<string, string>;

function ordered(
  item: Record<string, Amounts | undefined>,
  low: string,
  high: string,
  at: string,
): FieldError[] {
  return Object.keys(item[low] ?? {}).flatMap(name => {
    const a = parseQuantity(item[low]?.[name] ?? '');
    const b = parseQuantity(item[high]?.[name] ?? '');
    if (!a || !b || compareQuantity(a, b) <= 0) return [];
    const why = `${low} value ${item[low]?.[name]} is greater than ${high} value ${item[high]?.[name]}`;
    return [invalidValue(`${at}.${low}[${name}]`, item[low]?.[name], why)];
  });
}

export const limitranges: ResourceDefinition = {
  group: '',
  versions: ['v1'],
  kind: 'LimitRange',
  resource: 'limitranges',
  singular: 'limitrange',
  shortNames: ['limits'],
  namespaced: true,
  validate(range) {
    const seen = new Set<string>();
    return (range.spec?.limits ?? []).flatMap((item: any, i: number) => {
      const at = `spec.limits[${i}]`;
      const findings = invalidAll(`${at}.type`, item.type, qualifiedNameErrors(item.type ?? ''));
      if (seen.has(item.type)) findings.push(duplicate(`${at}.type`, item.type));
      seen.add(item.type);
      if (item.type === 'Pod')
        for (const field of ['default', 'defaultRequest'])
          if (item[field])
            findings.push(forbiddenField(`${at}.${field}`, "may not be specified when `type` is 'Pod'"));
      for (const [low, high] of [
        ['min', 'max'],
        ['min', 'defaultRequest'],
        ['min', 'default'],
        ['defaultRequest', 'default'],
        ['defaultRequest', 'max'],
        ['default', 'max'],
      ] as const)
        findings.push(...ordered(item, low, high, at));
      return findings;
    });
  },
  columns: CREATED_COLUMNS,
  row: createdRow,
};
