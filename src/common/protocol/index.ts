export * from './frames.ts';
export * from './session.ts';
