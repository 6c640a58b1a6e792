// What one line of a solution would take from the learner of an attempt. Changes nothing.

import type { Loss, SolutionLine } from '#common/protocol/index.ts';
import { whyNot } from '../check/index.ts';
import { lossesOf } from './losses/index.ts';
import type { AttemptOptions, Comparison } from './types.ts';

export const NO_LOSS: Loss = { objects: [], files: [] };

/** `since`: what was written before is the lab's, what came later the learner's. In milliseconds. */
export async function lossOfLine(
  line: SolutionLine,
  { cluster, home, kubectl }: AttemptOptions,
  since: number,
): Promise<Pick<Comparison, 'loss' | 'problem'>> {
  if (line.kind !== 'command') return { loss: NO_LOSS };
  try {
    return { loss: await lossesOf(line.text, { kubectl, kubeconfig: cluster.kubeconfig, home, since }) };
  } catch (error) {
    return { loss: NO_LOSS, problem: whyNot(error) };
  }
}
