export { createClusterMap, type MapSource } from './source.ts';
