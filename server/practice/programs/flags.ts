// Flags on a program's command line, as Go's and Python's libraries read them. Knows no program.

import type { Container } from './types.ts';

type CommandLine = Pick<Container, 'argv'>;

/** The value of `--name=value` or `--name value`, one dash being as good as two; undefined without such a flag. */
export function flagOf({ argv }: CommandLine, name: string): string | undefined {
  for (const [index, arg] of argv.entries()) {
    const [, flag, value] = /^--?([^=]+)(?:=(.*))?$/s.exec(arg) ?? [];
    if (flag === name) return value ?? argv[index + 1];
  }
  return undefined;
}

/** Whether a flag that needs no value is on. */
export const switchedOn = ({ argv }: CommandLine, name: string): boolean =>
  argv.some(arg => /^--?([^=]+)(=true)?$/.exec(arg)?.[1] === name);
