export { openAttempt } from './attempt.ts';
export { BASELINES } from './baselines/index.ts';
export { lintLab, lintSchemas } from './lint.ts';
export { findLab, type Lab, LabError, listLabs, loadLab } from './load.ts';
export { lossesOf } from './losses/index.ts';
export { type Proof, type ProofOptions, proveLab } from './prove.ts';
export { openRehearsal, type Rehearsal } from './rehearsal.ts';
export { practiceTools } from './tools.ts';
export type * from './types.ts';
