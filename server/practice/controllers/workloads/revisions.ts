// The history of templates that stateful sets and daemon sets keep as controller revisions, which kubectl rolls back to.

import type { KubeObject } from '../../../kube/index.ts';
import { StatusError } from '../../../kube/index.ts';
import { CONTROLLER_REVISIONS } from '../resources.ts';
import type { ControllerContext } from '../types.ts';
import { claim } from './claim.ts';
import { contentHash, same } from './compare.ts';
import { controllerReference } from './pods.ts';
import { selects } from './selector.ts';

export interface History {
  /** The revision of the present template. */
  update: KubeObject;
  /** All revisions, oldest first, `update` included. */
  all: KubeObject[];
  collisionCount: number;
}

/** Kept under this label on the revision: its hash. */
export const HASH_LABEL = 'controller.kubernetes.io/hash';

/** A strategic merge patch that brings the template back. */
const dataOf = (owner: KubeObject) => ({
  spec: { template: { ...owner['spec'].template, $patch: 'replace' } },
});

const number = (revision: KubeObject) => revision['revision'] as number;
const byNumber = (a: KubeObject, b: KubeObject) =>
  number(a) - number(b) || (a.metadata.name < b.metadata.name ? -1 : 1);

/** The template a revision holds. */
export function templateOf(revision: KubeObject) {
  const { $patch: _directive, ...template } = revision['data'].spec.template;
  return template;
}

export async function syncHistory(
  owner: KubeObject,
  context: ControllerContext,
  hashLabel: string,
): Promise<History> {
  const all = (
    await claim(context, owner, CONTROLLER_REVISIONS, {
      matches: revision => selects(owner['spec'].selector, revision.metadata.labels),
    })
  ).sort(byNumber);
  const data = dataOf(owner);
  const collisionCount = owner['status']?.collisionCount ?? 0;
  const next = Math.max(0, ...all.map(number)) + 1;
  const equal = all.filter(r => same(r['data'], data)).at(-1);
  if (equal) {
    if (equal === all.at(-1)) return { update: equal, all, collisionCount };
    // An old template is the present one again: its revision becomes the newest.
    const update = await context.client.update(CONTROLLER_REVISIONS, { ...equal, revision: next });
    return { update, all: [...all.filter(r => r !== equal), update], collisionCount };
  }
  const hash = contentHash(data, collisionCount);
  const { name, namespace } = owner.metadata;
  try {
    const update = await context.client.create(CONTROLLER_REVISIONS, {
      apiVersion: 'apps/v1',
      kind: 'ControllerRevision',
      metadata: {
        name: `${name}-${hash}`,
        namespace,
        labels: { ...owner['spec'].template.metadata?.labels, [hashLabel]: hash },
        ...(owner.metadata.annotations ? { annotations: inherited(owner.metadata.annotations) } : {}),
        ownerReferences: [controllerReference(owner)],
      },
      data,
      revision: next,
    });
    return { update, all: [...all, update], collisionCount };
  } catch (error) {
    if (!(error instanceof StatusError) || error.reason !== 'AlreadyExists') throw error;
    const taken = await context.client.get(CONTROLLER_REVISIONS, { namespace, name: `${name}-${hash}` });
    if (same(taken['data'], data)) return { update: taken, all: [...all, taken], collisionCount };
    return { update: all.at(-1) ?? taken, all, collisionCount: collisionCount + 1 };
  }
}

/** The annotations that a revision takes over from its owner: all, as upstream, so that change causes survive. */
const inherited = (annotations: Record<string, string>) => ({ ...annotations });

/** Deletes what is older than the limit and no pod or status refers to. */
export async function truncateHistory(
  history: History,
  limit: number,
  live: ReadonlySet<string>,
  context: ControllerContext,
): Promise<void> {
  const unused = history.all.filter(r => r !== history.update && !live.has(r.metadata.name));
  for (const revision of unused.slice(0, Math.max(0, unused.length - limit)))
    await context.client.delete(CONTROLLER_REVISIONS, revision.metadata).catch((error: unknown) => {
      if (!(error instanceof StatusError) || error.code !== 404) throw error;
    });
}
