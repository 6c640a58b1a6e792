// The contract of a baseline: a state a cluster can be brought to before a lab begins. Knows no labs.

import type { Text } from '#common/protocol/index.ts';
import type { KubeApi } from '../../check/index.ts';
import type { Clock } from '../../clock.ts';

export interface BaselineContext {
  clock: Clock;
  signal: AbortSignal;
  /** What is being done, for the learner who waits. */
  note(text: Text): void;
}

export interface Baseline {
  name: string;
  /** Where what it makes lives, so that it can be taken away. */
  namespaces: readonly string[];
  /** Objects outside of namespaces whose controller must still be there when they go. */
  beforeNamespaces?: readonly { apiVersion: string; kind: string; name: string }[];
  /** What it makes outside of namespaces, and what a learner is meant to add there: taken away too. */
  clusterScoped?: readonly { apiVersion: string; kind: string; name: string }[];
  /** Leaves alone what is already there. */
  apply(api: KubeApi, context: BaselineContext): Promise<void>;
}
