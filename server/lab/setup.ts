// Brings a cluster to a lab's start: the baseline, then the lab's own manifests. Knows no steps.

import { readFileSync, realpathSync } from 'node:fs';
import { join, sep } from 'node:path';
import { parseAllDocuments, stringify } from 'yaml';
import type { Check, Ref } from '#common/lab/index.ts';
import { CouldNotLook, type KubeApi, say } from '../check/index.ts';
import { type KubeObject, LAST_APPLIED } from '../kube/index.ts';
import { writeInHome } from '../workspace/index.ts';
import {
  type BaselineContext,
  baselineOf,
  manifestOf,
  put,
  removeClusterScoped,
  removeNamespaces,
} from './baselines/index.ts';
import { type Lab, yamlProblem } from './load.ts';

export interface SetupContext extends BaselineContext {
  /** Takes away first what an earlier setup made: for clusters that cannot be emptied. */
  fresh: boolean;
  /** Resolves when all of these hold; rejects with the first that does not come to hold. */
  hold(checks: readonly Check[]): Promise<void>;
}

export async function setUp(lab: Lab, api: KubeApi, context: SetupContext): Promise<void> {
  const { cluster, setup, files } = lab.definition;
  const inHome = new Set(files.flatMap(line => ('from' in line ? [line.from] : [])));
  const baseline = baselineOf(cluster.baseline);
  if (!baseline)
    throw new CouldNotLook(
      say(`沒有名為 ${cluster.baseline} 的起始狀態。`, `There is no baseline named ${cluster.baseline}.`),
    );
  if (context.fresh) await takeAway(lab, api, context);
  await baseline.apply(api, context);
  for (const line of setup) {
    if (context.signal.aborted) return;
    if ('wait' in line) await context.hold([line.wait]);
    // In the order written: a namespace stands before what lives in it.
    else {
      const own = 'apply' in line ? manifests(lab, line.apply) : await written(line.manifest);
      const applied = 'apply' in line && inHome.has(line.apply);
      for (const object of own) await put(api, applied ? asApplied(object) : object);
    }
  }
}

/** What `kubectl apply` would have left of a file that the learner has too, and will change and apply again. */
function asApplied(object: KubeObject): KubeObject {
  const { annotations = {}, ...metadata } = object.metadata;
  const last = JSON.stringify({ ...object, metadata: { annotations, ...metadata } });
  return {
    ...object,
    metadata: { ...metadata, annotations: { ...annotations, [LAST_APPLIED]: `${last}\n` } },
  };
}

/** Namespaces a cluster has of itself. */
const OF_THE_CLUSTER = /^(default|kube-.*)$/;

/** The namespaces a lab makes, by its setup and by what its steps ask for. */
async function spaces(lab: Lab): Promise<{ setup: string[]; learner: string[] }> {
  const { cluster, steps } = lab.definition;
  const own = (await setupObjects(lab)).filter(({ kind }) => kind === 'Namespace');
  const setup = new Set([
    ...(baselineOf(cluster.baseline)?.namespaces ?? []),
    ...own.map(({ metadata }) => metadata.name),
  ]);
  const asked = steps
    .flatMap(step => step.checks)
    .flatMap(({ spec }) => {
      const { ref } = spec as { ref?: Ref };
      return ref?.kind === 'Namespace' ? [ref.name] : [ref?.namespace];
    })
    .filter(name => name !== undefined);
  const learner = new Set(asked.filter(name => !OF_THE_CLUSTER.test(name) && !setup.has(name)));
  return { setup: [...setup], learner: [...learner] };
}

async function setupObjects(lab: Lab): Promise<KubeObject[]> {
  const objects: KubeObject[] = [];
  for (const line of lab.definition.setup) {
    if ('apply' in line) objects.push(...manifests(lab, line.apply));
    else if ('manifest' in line) objects.push(...(await written(line.manifest)));
  }
  return objects;
}

/** Takes away what a lab and its learner have made on a cluster that cannot be emptied. */
export async function takeAway(
  lab: Lab,
  api: KubeApi,
  { clock, signal, note }: BaselineContext,
): Promise<void> {
  note(say('正在清掉上一次留下的東西。', 'Taking away what the last attempt left.'));
  const { setup, learner } = await spaces(lab);
  const first = baselineOf(lab.definition.cluster.baseline)?.beforeNamespaces ?? [];
  await removeClusterScoped(api, first, clock, signal);
  await removeNamespaces(api, [...setup, ...learner], clock, signal);
  const outside = (await setupObjects(lab))
    .filter(({ kind, metadata }) => kind !== 'Namespace' && metadata.namespace === undefined)
    .map(({ apiVersion, kind, metadata }) => ({ apiVersion, kind, name: metadata.name }));
  const baseline = baselineOf(lab.definition.cluster.baseline)?.clusterScoped ?? [];
  await removeClusterScoped(api, [...baseline, ...outside], clock, signal);
}

/** Namespaces of this lab that the cluster has already: somebody else's, and a proof would take them away. */
export async function inTheWay(lab: Lab, api: KubeApi): Promise<string[]> {
  const { setup, learner } = await spaces(lab);
  const found: string[] = [];
  for (const name of [...setup, ...learner])
    if ((await api.request('GET', `/api/v1/namespaces/${name}`)).status === 200) found.push(name);
  return found;
}

/** Puts the lab's files into the learner's home folder. What is there under these names is written again. */
export async function layOut(lab: Lab, home: string): Promise<void> {
  for (const line of lab.definition.files) {
    await writeInHome(
      home,
      line.to.slice('~/'.length),
      'from' in line ? readFileSync(inside(lab, line.from), 'utf8') : await textOf(line.manifest),
    );
  }
}

/** What `layOut` wrote of manifests: a large one takes as long as a cluster to start. */
const texts = new Map<string, string>();

async function textOf(name: string): Promise<string> {
  const known = texts.get(name);
  if (known !== undefined) return known;
  const objects = await written(name);
  const text = objects.map(object => stringify(object, { aliasDuplicateObjects: false })).join('---\n');
  texts.set(name, text);
  return text;
}

async function written(name: string): Promise<KubeObject[]> {
  const manifest = manifestOf(name);
  if (!manifest)
    throw new CouldNotLook(say(`沒有名為 ${name} 的 manifest。`, `There is no manifest named ${name}.`));
  return manifest.objects();
}

/** The objects of one manifest file of the lab. Throws with what is wrong with it. */
export function manifests(lab: Lab, file: string): KubeObject[] {
  return [...parseAllDocuments(readFileSync(inside(lab, file), 'utf8'))].flatMap(document => {
    const [broken] = document.errors;
    if (broken) throw new Error(`line ${broken.linePos?.[0].line ?? 1}: ${yamlProblem(broken)}`);
    const object = document.toJS() as Partial<KubeObject> | null;
    if (object === null) return [];
    if (!object.apiVersion || !object.kind || !object.metadata?.name)
      throw new Error(
        `holds ${JSON.stringify(object).slice(0, 60)}, which is no object; one has apiVersion, kind and metadata.name`,
      );
    return [object as KubeObject];
  });
}

function inside(lab: Lab, file: string): string {
  const path = realpathSync(join(lab.folder, file));
  if (!path.startsWith(realpathSync(lab.folder) + sep)) throw new Error(`${file} leads outside the lab`);
  return path;
}
