// Label selectors as objects (matchLabels, matchExpressions): which labels they match. Knows no kind.

export interface LabelSelector {
  matchLabels?: Record<string, string>;
  matchExpressions?: readonly { key: string; operator: string; values?: readonly string[] }[];
}

type Labels = Readonly<Record<string, string>> | undefined;

/** An absent selector matches nothing, an empty one everything. */
export function selects(selector: LabelSelector | undefined | null, labels: Labels): boolean {
  if (!selector) return false;
  return (
    containsAll(selector.matchLabels, labels) &&
    (selector.matchExpressions ?? []).every(r => requirementHolds(r, labels))
  );
}

/** Every pair of `wanted` is in `labels`; services and replication controllers select this way. */
export function containsAll(wanted: Labels | null, labels: Labels): boolean {
  for (const key in wanted) if (labels?.[key] !== wanted[key]) return false;
  return true;
}

export function isEmptySelector(selector: LabelSelector | undefined): boolean {
  return (
    !selector ||
    (Object.keys(selector.matchLabels ?? {}).length === 0 && (selector.matchExpressions ?? []).length === 0)
  );
}

/** One requirement, with the operators of label selectors and those only node selectors have. */
export function requirementHolds(
  requirement: { key: string; operator: string; values?: readonly string[] },
  labels: Labels,
): boolean {
  const value = labels?.[requirement.key];
  const values = requirement.values ?? [];
  switch (requirement.operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'Gt':
    case 'Lt': {
      if (value === undefined || !/^-?\d+$/.test(value) || !/^-?\d+$/.test(values[0] ?? '')) return false;
      const [actual, bound] = [BigInt(value), BigInt(values[0] as string)];
      return requirement.operator === 'Gt' ? actual > bound : actual < bound;
    }
    default:
      return false;
  }
}
