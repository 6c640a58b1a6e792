// Says what a line of a solution would take from a learner, before it is typed: it lets kubectl try the line without doing it and
// compares what would come with what is there. Changes nothing, on any cluster.

import { execFile } from 'node:child_process';
import { lstat, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve, sep } from 'node:path';
import { show } from '#common/match/index.ts';
import type { Loss } from '#common/protocol/index.ts';
import { CouldNotLook, say } from '../../check/index.ts';
import type { KubeObject } from '../../kube/index.ts';
import { callsOf, verbOf } from './calls.ts';
import { isTouched, lostFields } from './owned.ts';

export { callsOf } from './calls.ts';
export { isTouched } from './owned.ts';

/** Milliseconds. */
const TIMEOUT = 15_000;
const MOST_OUTPUT = 16 * 1024 * 1024;
/** The line itself will say so when it runs, and will have changed nothing. */
const NOTHING_TO_LOSE =
  /AlreadyExists|already exists|NotFound|not found|no objects passed|no rollout history|does not exist/i;
/** Flags that would lead the trial to another cluster, or as somebody else. */
const ELSEWHERE = /^(--(kubeconfig|server|cluster|context|user|token)(=|$)|-s$)/;

export interface Place {
  /** The program; without it nothing can be compared. */
  kubectl: string | undefined;
  kubeconfig: string;
  home: string;
  /** What was written before is the lab's, what came later the learner's. Milliseconds since the epoch. */
  since: number;
}

/** Rejects with CouldNotLook where it cannot be told. */
export async function lossesOf(line: string, place: Place): Promise<Loss> {
  const calls = callsOf(line);
  const loss: Loss = { objects: [], files: [] };
  for (const file of calls.files) if (await wouldBeLost(file, place)) loss.files.push(file);
  if (calls.kubectl.length === 0) return loss;
  const scratch = await mkdtemp(join(tmpdir(), 'compare-'));
  try {
    for (const args of calls.kubectl) loss.objects.push(...(await objectsOf(args, place, scratch)));
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  return loss;
}

async function wouldBeLost(file: string, { home, since }: Place): Promise<boolean> {
  const path = resolve(home, file.replace(/^~\//, ''));
  if (!path.startsWith(home + sep)) return false;
  const found = await lstat(path).catch(() => undefined);
  return found?.isFile() === true && found.size > 0 && found.mtimeMs > since;
}

async function objectsOf(given: string[], place: Place, scratch: string): Promise<Loss['objects']> {
  const args = await Promise.all(given.map(arg => confined(arg, place.home)));
  const deletes = verbOf(args) === 'delete';
  const tried = await kubectl(
    [...args.filter(arg => !/^--wait(=|$)/.test(arg)), '--dry-run=server', '-o', deletes ? 'name' : 'json'],
    place,
    scratch,
  );
  if (tried === undefined) return [];
  const after = deletes ? undefined : itemsOf(tried).map(object => scaled(object, args));
  const names = after
    ? after.map(nameFor)
    : tried
        .split('\n')
        .map(text => text.trim().split(' ')[0] ?? '')
        .filter(text => text.includes('/'));
  const objects: Loss['objects'] = [];
  for (const [index, name] of names.entries()) {
    const space = after?.[index]?.metadata.namespace ?? namespaceOf(args);
    const found = await kubectl(
      ['get', name, '-o', 'json', '--show-managed-fields', ...(space ? ['-n', space] : [])],
      place,
      scratch,
    );
    const [before] = found === undefined ? [] : itemsOf(found);
    if (!before || !isTouched(before, place.since)) continue;
    const fields = after ? lostFields(before, after[index], place.since) : [];
    if (after && fields.length === 0) continue;
    const { namespace, name: own } = before.metadata;
    objects.push({
      name: `${before.kind} ${namespace ? `${namespace}/` : ''}${own}`,
      deleted: deletes,
      fields: fields.map(({ path, yours, becomes }) => ({
        path,
        yours: show(yours),
        ...(becomes === undefined ? {} : { becomes: show(becomes) }),
      })),
    });
  }
  return objects;
}

/** Undefined when the line would fail and so take nothing. */
async function kubectl(args: string[], place: Place, scratch: string): Promise<string | undefined> {
  const program = place.kubectl;
  if (program === undefined)
    throw new CouldNotLook(say('找不到 kubectl，無法先比對。', 'There is no kubectl to compare with.'));
  const result = await new Promise<{ failed: boolean; out: string; err: string }>(done => {
    execFile(
      program,
      args,
      {
        cwd: place.home,
        timeout: TIMEOUT,
        maxBuffer: MOST_OUTPUT,
        // Not the learner's home: neither their settings nor their cache are ours to use.
        env: {
          KUBECONFIG: place.kubeconfig,
          HOME: scratch,
          KUBECACHEDIR: join(scratch, 'cache'),
          KUBERC: 'off',
        },
      },
      (error, out, err) => done({ failed: error !== null, out, err }),
    );
  });
  if (!result.failed) return result.out;
  if (NOTHING_TO_LOSE.test(result.err)) return undefined;
  const why = result.err.trim().split('\n')[0] ?? '';
  throw new CouldNotLook(say(`無法先比對：${why}`, `It could not be compared: ${why}`));
}

/** Files below the learner's home only, and this cluster only. */
async function confined(arg: string, home: string): Promise<string> {
  if (ELSEWHERE.test(arg)) throw new CouldNotLook(say(`無法先比對 ${arg}。`, `${arg} cannot be compared.`));
  const given = /^(?:-[fk]=?|--[a-z-]+=)?(.*)$/s.exec(arg)?.[1] ?? '';
  const full = resolve(home, given.replace(/^~\//, ''));
  const real = await realpath(full).catch(() => undefined);
  const named = /^(~|\.\.?)?\//.test(given);
  // A bare word is a file when there is one; a link may lead anywhere.
  if (!named && real === undefined) return arg;
  const within = (path: string, folder: string) => path === folder || path.startsWith(folder + sep);
  if (!within(full, home) || (real !== undefined && !within(real, await realpath(home))))
    throw new CouldNotLook(
      say(`${given} 不在家目錄裡，無法先比對。`, `${given} is outside the home folder.`),
    );
  return named ? arg.replace(given, full) : arg;
}

function itemsOf(text: string): KubeObject[] {
  // Several objects come as a list, or one JSON after the other.
  const documents = text.trim() === '' ? [] : text.replace(/\n}\n{/g, '\n}\u0000{').split('\u0000');
  return documents.flatMap(document => {
    const value = JSON.parse(document) as KubeObject & { items?: KubeObject[] };
    return value.items ?? [value];
  });
}

function nameFor({ apiVersion, kind, metadata }: KubeObject): string {
  const [group, version] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion];
  return `${kind}.${version}.${group}/${metadata.name}`;
}

function namespaceOf(args: readonly string[]): string | undefined {
  const at = args.findIndex(arg => /^(-n|--namespace)$/.test(arg));
  if (at >= 0) return args[at + 1];
  return args.map(arg => /^(?:-n|--namespace)=?(.+)$/.exec(arg)?.[1]).find(name => name !== undefined);
}

/** `kubectl scale` prints what was there before, also when it only tries. */
function scaled(object: KubeObject, args: readonly string[]): KubeObject {
  const count = args.map(arg => /^--replicas=(\d+)$/.exec(arg)?.[1]).find(found => found !== undefined);
  if (verbOf(args) !== 'scale' || count === undefined) return object;
  return { ...object, spec: { ...(object['spec'] as object), replicas: Number(count) } };
}
