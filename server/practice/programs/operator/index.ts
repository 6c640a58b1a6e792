// What every operator's program is built on: watch kinds, queue what changed, reconcile it, try again what failed.

export { controllerRuntime, wordsOf } from './habits.ts';
export { klog, logrus, seconds, type Values, type ZapLog, zapConsole, zapJson } from './logs.ts';
export {
  controlledBy,
  controllerOf,
  createIfAbsent,
  unlessMissing,
  watched,
  writeStatus,
} from './objects.ts';
export { createQueue, type WorkQueue } from './queue.ts';
export { type OperatorOptions, runOperator } from './run.ts';
export type { Controller, Habits, Operator, Watched } from './types.ts';
