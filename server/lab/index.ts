export { openAttempt } from './attempt.ts';
export { findLab, type Lab, LabError, listLabs, loadLab } from './load.ts';
export type * from './types.ts';
