// Wrong states of objects: each one that a check asserts left out, renamed, in another namespace, or with one asserted field changed;
// and for an absent one: there after all. Works on what the cluster holds, without touching it.

import type { Check, KindSpec, Ref } from '#common/lab/index.ts';
import { isObject, isOperator } from '#common/match/index.ts';
import { type CheckContext, type KubeWatch, means } from '../../check/index.ts';
import type { KubeObject } from '../../kube/index.ts';
import { leaves, other, set } from './tree.ts';
import type { Mutant } from './types.ts';

interface Change {
  what: string;
  kind: string;
  change(objects: KubeObject[]): KubeObject[];
}

export function objectMutants(check: Check): Mutant[] {
  return changesOf(check).map(change => ({
    what: `with ${change.what}`,
    see: async (context: CheckContext) => ({ ...context, kube: changed(context.kube, change) }),
  }));
}

/** The cluster as seen through one change. */
function changed(kube: KubeWatch, { kind, change }: Change): KubeWatch {
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

function changesOf(check: Check): Change[] {
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
  const each = (what: string, change: (object: KubeObject) => void): Change => ({
    what,
    kind,
    change(objects) {
      for (const object of objects) if (means(ref, object)) change(object);
      return objects;
    },
  });
  const mutants: Change[] = [
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
      name: ref.name ?? fields.metadata?.name ?? 'imagined',
      ...(ref.namespace && { namespace: ref.namespace }),
      labels: { ...fields.metadata?.labels, ...ref.selector },
    },
  };
}
