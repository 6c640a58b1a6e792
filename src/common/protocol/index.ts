export * from './frames.ts';
export * from './map.ts';
export * from './progress.ts';
export * from './session.ts';
