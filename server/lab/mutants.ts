// Wrong end states made from a right one: each object that a check asserts left out, renamed, in another namespace, or with one
// asserted field changed. A checker that lets one through is too loose. Runs on what the cluster holds, without touching it.

import type { Check, KindSpec, Ref, StepDefinition } from '#common/lab/index.ts';
import { isObject, isOperator } from '#common/match/index.ts';
import { type CheckContext, type KubeWatch, kindOf, means } from '../check/index.ts';
import type { KubeObject } from '../kube/index.ts';

interface Mutant {
  what: string;
  kind: string;
  change(objects: KubeObject[]): KubeObject[];
}

/** What the checks of a step that passes should have refused and did not, as sentences; and how many wrong states were tried. */
export async function survivors(
  step: StepDefinition,
  context: CheckContext,
): Promise<{ tried: number; survived: string[] }> {
  const survived: string[] = [];
  let tried = 0;
  const judged = step.checks.filter(check => check.kind === 'resource' || check.kind === 'absent');
  for (const check of judged) {
    if (check.lenient !== undefined) continue;
    for (const mutant of mutantsOf(check)) {
      tried++;
      const kube = changed(context.kube, mutant);
      const verdicts = await Promise.all(
        judged.map(other => kindOf(other.kind).run(other.spec, { ...context, kube })),
      );
      if (verdicts.every(({ state }) => state === 'holds'))
        survived.push(`${check.id} still holds with ${mutant.what}`);
    }
  }
  return { tried, survived };
}

/** The cluster as seen through one change. */
function changed(kube: KubeWatch, { kind, change }: Mutant): KubeWatch {
  return {
    ...kube,
    async list(ref) {
      if (ref.kind !== kind) return kube.list(ref);
      const { apiVersion } = ref;
      return change(structuredClone(await kube.list({ kind, apiVersion }))).filter(object =>
        means(ref, object),
      );
    },
  };
}

function mutantsOf(check: Check): Mutant[] {
  if (check.kind === 'absent') {
    const { ref, match } = check.spec as KindSpec<'absent'>;
    return [
      {
        what: `a ${ref.kind} that must not be there`,
        kind: ref.kind,
        change: objects => [...objects, imagined(ref, match)],
      },
    ];
  }
  const { ref, match } = check.spec as KindSpec<'resource'>;
  const { kind } = ref;
  const each = (what: string, change: (object: KubeObject) => void): Mutant => ({
    what,
    kind,
    change(objects) {
      for (const object of objects) if (means(ref, object)) change(object);
      return objects;
    },
  });
  const mutants: Mutant[] = [
    { what: `no ${kind} at all`, kind, change: objects => objects.filter(object => !means(ref, object)) },
  ];
  if (ref.name !== undefined) {
    mutants.push(
      each(
        `another name`,
        object => void Object.assign(object.metadata, { name: `${object.metadata.name}-x` }),
      ),
    );
  }
  if (!CLUSTER_SCOPED.has(kind)) {
    mutants.push(
      each('another namespace', object => void Object.assign(object.metadata, { namespace: 'elsewhere' })),
    );
  }
  for (const { path, value } of leaves(match ?? {})) {
    mutants.push(each(`another ${path.join('.')}`, object => set(object, path, other(value))));
  }
  return mutants;
}

const CLUSTER_SCOPED = new Set([
  'Node',
  'Namespace',
  'ClusterRole',
  'ClusterRoleBinding',
  'CustomResourceDefinition',
  'PersistentVolume',
  'StorageClass',
  'Profile',
]);

/** Each asserted value of a match tree with its path; list elements share the path of their list. */
function leaves(tree: unknown, path: string[] = []): { path: string[]; value: unknown }[] {
  if (isOperator(tree)) {
    const { $every, $exactly } = tree;
    if ($every !== undefined) return leaves($every, path);
    if (Array.isArray($exactly)) return leaves($exactly, path);
    return [{ path, value: tree }];
  }
  if (Array.isArray(tree)) return tree.flatMap(element => leaves(element, path));
  if (isObject(tree)) return Object.entries(tree).flatMap(([key, value]) => leaves(value, [...path, key]));
  return path.length > 0 ? [{ path, value: tree }] : [];
}

/** A value that does not satisfy what is asserted; undefined takes the field away. */
function other(value: unknown): unknown {
  if (typeof value === 'string') return `${value}-x`;
  if (typeof value === 'number') return value + 1;
  if (typeof value === 'boolean') return !value;
  if (!isOperator(value)) return undefined;
  const [operator, operand] = Object.entries(value)[0] ?? [];
  switch (operator) {
    case '$exists':
      return operand ? undefined : 'x';
    case '$not':
      return operand;
    case '$in':
    case '$matches':
      return 'nothing-like-it';
    case '$gt':
    case '$gte':
      return Number.MIN_SAFE_INTEGER;
    case '$lt':
    case '$lte':
      return Number.MAX_SAFE_INTEGER;
    default:
      return undefined;
  }
}

/** Sets a field in the object, and in each element of the lists on the way. */
function set(target: unknown, path: string[], value: unknown): void {
  if (Array.isArray(target)) {
    for (const [index, element] of target.entries()) {
      if (path.length === 0) target[index] = value;
      else set(element, path, value);
    }
    return;
  }
  const [key, ...rest] = path;
  if (!isObject(target) || key === undefined) return;
  if (rest.length > 0) {
    target[key] ??= {};
    set(target[key], rest, value);
  } else if (Array.isArray(target[key])) set(target[key], rest, value);
  else if (value === undefined) delete target[key];
  else target[key] = value;
}

/** An object that a reference means and a tree matches, as far as plain values say how. */
function imagined(ref: Ref, tree: unknown): KubeObject {
  const plain = (value: unknown): unknown => {
    if (isOperator(value))
      return value['$exists'] === false ? undefined : (value['$in'] as unknown[] | undefined)?.[0];
    if (Array.isArray(value)) return value.map(plain);
    if (isObject(value))
      return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, plain(field)]));
    return value;
  };
  const fields = (plain(tree ?? {}) ?? {}) as Partial<KubeObject>;
  return {
    ...fields,
    apiVersion: ref.apiVersion ?? 'v1',
    kind: ref.kind,
    metadata: {
      ...fields.metadata,
      name: ref.name ?? 'imagined',
      ...(ref.namespace && { namespace: ref.namespace }),
      labels: { ...fields.metadata?.labels, ...ref.selector },
    },
  };
}
