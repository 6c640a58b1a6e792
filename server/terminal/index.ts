export { type CommandLog, createCommandLog, plainText } from './commands.ts';
export { HIGH_WATER, LOW_WATER } from './flow.ts';
export { openPty } from './pty.ts';
export { openTerminal, type Terminal } from './terminal.ts';
export type * from './types.ts';
