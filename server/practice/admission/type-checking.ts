// What a validating policy's expressions get wrong about the kinds it is for, as the status of the policy tells it. A policy
// with warnings is in force all the same. Upstream: policy/validating/typechecking.go.

import type { GroupVersionKind, KubeObject, Schema } from '../../kube/index.ts';
import {
  type CelType,
  checkExpression,
  composing,
  DYN,
  declaredType,
  type Names,
  policyNames,
  uniqueName,
  withVariable,
} from '../cel/index.ts';

/** A kind that there is now. */
export interface TypedResource {
  kind: GroupVersionKind;
  /** Its plural. */
  resource: string;
  schema: Schema | undefined;
}

export interface ExpressionWarning {
  fieldRef: string;
  warning: string;
}

/** Upstream looks at no more kinds of a rule. */
const MOST = 10;

/** In the order of the expressions; variables are looked at only through those that use them, audit annotations not at all. */
export function expressionWarnings(
  policy: KubeObject,
  resources: readonly TypedResource[],
): ExpressionWarning[] {
  const { validations = [] } = policy.spec ?? {};
  const params = paramsOf(policy, resources);
  const kinds = kindsOf(policy, resources).flatMap(({ kind, schema }) => {
    const object = schema && declare(kind, schema, policy);
    return object ? [{ kind, names: namesFor(policy, object, params) }] : [];
  });
  const warnings: ExpressionWarning[] = [];
  for (const [i, validation] of (validations as any[]).entries())
    for (const part of ['expression', 'messageExpression']) {
      const expression: unknown = validation[part];
      if (typeof expression !== 'string' || expression === '') continue;
      const found = kinds.flatMap(({ kind, names }) => {
        const { issues } = checkExpression(expression, names);
        return issues === undefined ? [] : [`${shown(kind)}: ${issues}\n`];
      });
      if (found.length > 0)
        warnings.push({ fieldRef: `spec.validations[${i}].${part}`, warning: found.join('\n') });
    }
  return warnings;
}

const shown = ({ group, version, kind }: GroupVersionKind) =>
  `${group ? `${group}/` : ''}${version}, Kind=${kind}`;

function declare(kind: GroupVersionKind, schema: Schema, policy: KubeObject): CelType | undefined {
  return declaredType(schema, uniqueName(kind.kind, policy.metadata.uid ?? ''), true);
}

function namesFor(policy: KubeObject, object: CelType, params: CelType | undefined): Names {
  let names = composing(policyNames(object, params));
  for (const { name, expression } of policy.spec?.variables ?? [])
    names = withVariable(names, name, checkExpression(String(expression), names).type);
  return names;
}

/** Of a kind that nobody knows, everything may be asked. */
function paramsOf(policy: KubeObject, resources: readonly TypedResource[]): CelType | undefined {
  const wanted = policy.spec?.paramKind;
  if (!wanted) return undefined;
  const known = resources.find(
    ({ kind }) =>
      kind.kind === wanted.kind &&
      (kind.group ? `${kind.group}/${kind.version}` : kind.version) === wanted.apiVersion,
  );
  return (known?.schema && declare(known.kind, known.schema, policy)) ?? DYN;
}

/** The kinds that the policy's rules name in full, by group, version and kind. */
function kindsOf(policy: KubeObject, resources: readonly TypedResource[]): TypedResource[] {
  const found = new Set<TypedResource>();
  for (const rule of policy.spec?.matchConstraints?.resourceRules ?? []) {
    const { apiGroups = [], apiVersions = [], resources: plurals = [] } = rule;
    // A rule with a wildcard in group or version names no kind; neither does one resource with it, or a subresource.
    if ([...apiGroups, ...apiVersions].some(name => name.includes('*'))) continue;
    let count = 0;
    for (const group of [...apiGroups].sort())
      for (const version of [...apiVersions].sort())
        for (const plural of plurals.filter((name: string) => !/[*/]/.test(name)).sort())
          for (const resource of named(resources, group, version, plural)) {
            found.add(resource);
            if (++count === MOST) return sorted(found);
          }
  }
  return sorted(found);
}

/** Upstream's mapper takes the empty group for any. */
function named(resources: readonly TypedResource[], group: string, version: string, plural: string) {
  return resources.filter(
    ({ kind, resource }) =>
      resource === plural && kind.version === version && (group === '' || kind.group === group),
  );
}

function sorted(found: Iterable<TypedResource>): TypedResource[] {
  const key = ({ kind }: TypedResource) => [kind.group, kind.version, kind.kind].join('\0');
  return [...found].sort((a, b) => (key(a) < key(b) ? -1 : 1));
}
