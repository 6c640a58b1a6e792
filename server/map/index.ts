export { createClusterMap, type MapSource } from './source.ts';
export { drawMap, type MapObjects } from './view.ts';
