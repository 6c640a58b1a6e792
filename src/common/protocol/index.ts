export * from './frames.ts';
export * from './progress.ts';
export * from './session.ts';
