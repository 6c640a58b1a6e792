// The controllers of a practice cluster and what runs them. A new one is a file and a line in this list.

import { deploymentController } from './deployment/controller.ts';
import { replicaSetController } from './replicaset.ts';
import { type RunningControllers, type StartOptions, startControllers as start } from './runtime/start.ts';
import type { Controller } from './types.ts';

export * from './resources.ts';
export {
  createEventSink,
  type EventSink,
  type EventSource,
  type FullEventRecorder,
  objectReference,
} from './runtime/events.ts';
export { keyOf, parseKey } from './runtime/keys.ts';
export type { RunningControllers, StartOptions } from './runtime/start.ts';
export * from './types.ts';

export const controllers: readonly Controller[] = [deploymentController, replicaSetController];

/** Starts every controller of an ordinary cluster, or those given. */
export function startControllers(
  options: Omit<StartOptions, 'controllers'> & { controllers?: readonly Controller[] },
): RunningControllers {
  return start({ controllers, ...options });
}
