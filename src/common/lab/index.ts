export * from './duration.ts';
export * from './mistake.ts';
export * from './parse.ts';
export * from './schema.ts';
