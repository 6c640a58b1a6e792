// Brings a cluster to a lab's start: the baseline, then the lab's own manifests. Knows no steps.

import { readFileSync, realpathSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { parseAllDocuments, stringify } from 'yaml';
import type { Check } from '#common/lab/index.ts';
import { CouldNotLook, type KubeApi, say } from '../check/index.ts';
import type { KubeObject } from '../kube/index.ts';
import {
  type BaselineContext,
  baselineOf,
  manifestOf,
  put,
  removeClusterScoped,
  removeNamespaces,
} from './baselines/index.ts';
import type { Lab } from './load.ts';

export interface SetupContext extends BaselineContext {
  /** Takes away first what an earlier setup made: for clusters that cannot be emptied. */
  fresh: boolean;
  /** Resolves when all of these hold; rejects with the first that does not come to hold. */
  hold(checks: readonly Check[]): Promise<void>;
}

export async function setUp(lab: Lab, api: KubeApi, context: SetupContext): Promise<void> {
  const { cluster, setup } = lab.definition;
  const baseline = baselineOf(cluster.baseline);
  if (!baseline)
    throw new CouldNotLook(
      say(`沒有名為 ${cluster.baseline} 的起始狀態。`, `There is no baseline named ${cluster.baseline}.`),
    );
  const objects: KubeObject[] = [];
  for (const line of setup) {
    if ('apply' in line) objects.push(...manifests(lab, line.apply));
    else if ('manifest' in line) objects.push(...(await written(line.manifest)));
  }
  if (context.fresh) {
    context.note(say('正在清掉上一次留下的東西。', 'Taking away what the last attempt left.'));
    const own = objects.filter(object => object.kind === 'Namespace').map(object => object.metadata.name);
    await removeNamespaces(
      api,
      [...new Set([...baseline.namespaces, ...own])],
      context.clock,
      context.signal,
    );
    const outside = objects
      .filter(({ kind, metadata }) => kind !== 'Namespace' && metadata.namespace === undefined)
      .map(({ apiVersion, kind, metadata }) => ({ apiVersion, kind, name: metadata.name }));
    await removeClusterScoped(
      api,
      [...(baseline.clusterScoped ?? []), ...outside],
      context.clock,
      context.signal,
    );
  }
  await baseline.apply(api, context);
  for (const line of setup) {
    if (context.signal.aborted) return;
    if ('wait' in line) await context.hold([line.wait]);
    // In the order written: a namespace stands before what lives in it.
    else {
      const own = 'apply' in line ? manifests(lab, line.apply) : await written(line.manifest);
      for (const object of own) await put(api, object);
    }
  }
}

/** Puts the lab's files into the learner's home folder. What is there under these names is written again. */
export async function layOut(lab: Lab, home: string): Promise<void> {
  for (const line of lab.definition.files) {
    const path = join(home, line.to.slice('~/'.length));
    await mkdir(dirname(path), { recursive: true });
    await writeFile(
      path,
      'from' in line
        ? readFileSync(inside(lab, line.from))
        : (await written(line.manifest))
            .map(object => stringify(object, { aliasDuplicateObjects: false }))
            .join('---\n'),
    );
  }
}

async function written(name: string): Promise<KubeObject[]> {
  const manifest = manifestOf(name);
  if (!manifest)
    throw new CouldNotLook(say(`沒有名為 ${name} 的 manifest。`, `There is no manifest named ${name}.`));
  return manifest.objects();
}

/** The objects of one manifest file of the lab. */
export function manifests(lab: Lab, file: string): KubeObject[] {
  return parseAllDocuments(readFileSync(inside(lab, file), 'utf8'))
    .map(document => document.toJS() as KubeObject | null)
    .filter(object => object !== null);
}

function inside(lab: Lab, file: string): string {
  const path = realpathSync(join(lab.folder, file));
  if (!path.startsWith(realpathSync(lab.folder) + sep)) throw new Error(`${file} leads outside the lab`);
  return path;
}
