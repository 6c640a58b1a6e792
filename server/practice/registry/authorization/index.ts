export * from './escalation.ts';
export * from './rbac.ts';
export * from './rules.ts';
export * from './words.ts';
