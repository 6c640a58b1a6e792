export * from './client.ts';
export * from './event-recorder.ts';
export * from './field-error.ts';
export * from './names.ts';
export * from './object.ts';
export * from './patterns.ts';
export * from './schema.ts';
export * from './status.ts';
