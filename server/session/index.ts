export { createSessions, type LabModule, type SessionsOptions } from './sessions.ts';
export type * from './types.ts';
