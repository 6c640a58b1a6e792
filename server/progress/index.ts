export { openProgress } from './store.ts';
export type * from './types.ts';
