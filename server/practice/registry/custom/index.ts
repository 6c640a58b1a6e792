// Custom resources: from definitions in the store to kinds that are served like any other.

export { followDefinitions } from './lifecycle.ts';
