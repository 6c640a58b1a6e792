export * from './client.ts';
export * from './object.ts';
export * from './status.ts';
export * from './schema.ts';
