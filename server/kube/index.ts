export * from './client.ts';
export * from './object.ts';
export * from './status.ts';
