export { type CommandLog, createCommandLog } from './commands.ts';
export { openPty } from './pty.ts';
export { openTerminal, type Terminal } from './terminal.ts';
export type * from './types.ts';
