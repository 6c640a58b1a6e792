export { createSessions, type LabModule } from './sessions.ts';
export type * from './types.ts';
