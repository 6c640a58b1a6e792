// Ends a life of a container: preStop hook, SIGTERM, and SIGKILL when the grace is over. Knows no pod states.

import type { KubeObject } from '../../kube/index.ts';
import type { ContainerInstance } from './container.ts';
import { runHook, type Surroundings } from './container-inside.ts';

/** A stop leaves at least this much for the program after its preStop hook. */
const MIN_TERM_MS = 2_000;

/** What a pod's specification gives its containers to end themselves, in milliseconds. */
export const graceOf = (pod: KubeObject): number => (pod['spec'].terminationGracePeriodSeconds ?? 30) * 1000;

export interface Stop {
  /** Resolves when the program has ended. */
  ended: Promise<void>;
  /** From now on there is this much left. */
  hurry(graceMs: number): void;
}

/** `hookFailed` is told when the preStop hook did not go well. */
export function stopInstance(
  instance: ContainerInstance,
  graceMs: number,
  around: Surroundings,
  hookFailed: () => void,
): Stop {
  const { clock, spec } = around;
  let timer = clock.after(graceMs, () => instance.kill());
  const hurry = (shorter: number) => {
    timer.cancel();
    timer = clock.after(shorter, () => instance.kill());
  };
  const gone = new Promise<void>(resolve =>
    instance.gone.addEventListener('abort', () => resolve(), { once: true }),
  );
  const run = async () => {
    const began = clock.now();
    const hook = spec.lifecycle?.preStop;
    if (hook && graceMs > 0) {
      const hooked = runHook(hook, instance, around);
      if ((await Promise.race([hooked, gone])) !== undefined) hookFailed();
      const left = graceMs - (clock.now() - began);
      if (instance.running && left < MIN_TERM_MS) hurry(MIN_TERM_MS);
    }
    instance.terminate();
    await gone;
    timer.cancel();
  };
  return { ended: run(), hurry };
}
