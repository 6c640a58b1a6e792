// Brings an attempt's cluster and home folder to where the attempt goes on: the lab's start, a kept moment, or as they are. Knows no
// steps and no record.

import type { Text } from '#common/protocol/index.ts';
import { type CheckContext, type KubeWatch, openKubeWatch } from '../check/index.ts';
import { untilHold } from './hold.ts';
import type { Lab } from './load.ts';
import { layOut, setUp } from './setup.ts';
import type { AttemptOptions } from './types.ts';

export interface BringUpOptions {
  /** The cluster is as it should be: no setup. */
  prepared: boolean;
  /** An attempt before this one has used the cluster. */
  again: boolean;
  /** A kept cluster to go back to. */
  snapshot: unknown;
  /** The cluster right after an earlier setup, where it was kept. */
  start: unknown;
  signal: AbortSignal;
  /** Told as soon as the cluster can be looked at. */
  opened(kube: KubeWatch): void;
  context(): CheckContext;
  note(note: Text): void;
}

/** Resolves with the cluster right after setup and when that had ended, where there was a setup. */
export async function bringUp(
  lab: Lab,
  { cluster, clock, home }: AttemptOptions,
  { prepared, again, snapshot, start, signal, opened, context, note }: BringUpOptions,
): Promise<{ start: unknown; at: number } | undefined> {
  const rewound = again && start !== undefined && cluster.restore !== undefined;
  if (snapshot !== undefined) await cluster.restore?.(snapshot);
  else if (rewound) await cluster.restore?.(start);
  else if (again) await cluster.reset?.();
  const kube = await openKubeWatch(cluster.kubeconfig, clock);
  if (signal.aborted) {
    kube.close();
    return undefined;
  }
  opened(kube);
  if (prepared) return undefined;
  await layOut(lab, home);
  // What is written from here on is the learner's.
  if (rewound) return { start, at: clock.now() };
  await setUp(lab, kube.api, {
    clock,
    signal,
    fresh: again && !cluster.reset,
    hold: checks => untilHold(checks, context, signal),
    note,
  });
  await untilHold(lab.definition.cluster.ready, context, signal);
  if (signal.aborted) return undefined;
  return { start: await cluster.snapshot?.(), at: clock.now() };
}
