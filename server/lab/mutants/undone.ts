// Wrong end states on the cluster itself: each object that a solution made, left out. Checks that all hold without it do not need
// it. What a solution changed or removed is not put back: a pod that found its place stays there though others come again. Only for
// clusters that can be kept; they are as before afterwards.

import type { StepDefinition } from '#common/lab/index.ts';
import { baseOf, type CheckContext, type KubeApi, kindOf } from '../../check/index.ts';
import type { KubeObject } from '../../kube/index.ts';
import { isTouched } from '../losses/index.ts';
import type { AttemptCluster } from '../types.ts';

/** Until then the lack of an object must have shown itself. Milliseconds. */
const NOTICED_WITHIN = 6_000;
const LOOK_AGAIN = 50;
/** What programs write about others; nobody is asked to make one. */
const NOT_WORK = new Set([
  'events',
  'endpoints',
  'endpointslices',
  'leases',
  'bindings',
  'componentstatuses',
]);

/** Every object of the cluster, by its path. */
export async function everything(api: KubeApi): Promise<Map<string, KubeObject>> {
  const groups = await api.request('GET', '/apis');
  const versions: string[] = [
    'v1',
    ...(groups.body.groups ?? []).map(
      (group: { preferredVersion: { groupVersion: string } }) => group.preferredVersion.groupVersion,
    ),
  ];
  const found = new Map<string, KubeObject>();
  await Promise.all(
    versions.map(async apiVersion => {
      const listed = await api.request('GET', baseOf(apiVersion));
      const resources = (listed.body.resources ?? []) as { name: string; kind: string; verbs?: string[] }[];
      await Promise.all(
        resources
          .filter(({ name, verbs }) => !name.includes('/') && verbs?.includes('list') && !NOT_WORK.has(name))
          .map(async ({ name, kind }) => {
            const { body } = await api.request('GET', `${baseOf(apiVersion)}/${name}`);
            for (const item of (body.items ?? []) as KubeObject[]) {
              const { namespace, name: own } = item.metadata;
              const space = namespace ? `/namespaces/${namespace}` : '';
              found.set(`${baseOf(apiVersion)}${space}/${name}/${own}`, { ...item, apiVersion, kind });
            }
          }),
      );
    }),
  );
  return found;
}

/** Sentences for each object that could be missing and the step would still pass; and how many were tried. `before` and `since` (milliseconds) are of the moment before the solution. */
export async function unneeded(
  step: StepDefinition,
  before: ReadonlyMap<string, unknown>,
  since: number,
  cluster: AttemptCluster,
  context: CheckContext,
): Promise<{ tried: number; survived: string[] }> {
  const { api } = context.kube;
  const judged = step.checks.filter(({ kind, lenient }) => !kindOf(kind).latches && lenient === undefined);
  const survived: string[] = [];
  let tried = 0;
  if (judged.length === 0 || !cluster.snapshot || !cluster.restore) return { tried, survived };
  const after = await everything(api);
  for (const [path, object] of after) {
    if (before.has(path) || object.metadata.deletionTimestamp || !isTouched(object, since)) continue;
    const kept = await cluster.snapshot();
    try {
      if ((await api.request('DELETE', path, { gracePeriodSeconds: 0 })).status >= 300) continue;
      tried++;
      if (!(await noticed(judged, context)))
        survived.push(`it still holds without ${object.kind} ${object.metadata.name}`);
    } finally {
      await cluster.restore(kept);
    }
  }
  return { tried, survived };
}

async function noticed(checks: StepDefinition['checks'], context: CheckContext): Promise<boolean> {
  const end = context.clock.now() + NOTICED_WITHIN;
  while (context.clock.now() < end) {
    const verdicts = await Promise.all(
      checks.map(({ kind, spec }) =>
        kindOf(kind)
          .run(spec, context)
          .catch(() => ({ state: 'could-not-look' })),
      ),
    );
    if (verdicts.some(({ state }) => state !== 'holds')) return true;
    await context.clock.sleep(LOOK_AGAIN);
  }
  return false;
}
