export { openProgress, type ProgressOptions } from './store.ts';
export type * from './types.ts';
