// python in a shell. Knows where its output goes, not what it runs.

import { type CustomCommand, defineCommand } from 'just-bash';
import { runPython } from '../python.ts';
import type { ShellTools } from './types.ts';

/** What a command prints is kept until it ends. */
const MOST_CHARACTERS = 2 ** 20;

export function pythonCommands(tools: ShellTools): CustomCommand[] {
  return ['python', 'python3'].map(name =>
    defineCommand(name, async (args, ctx) => {
      let stdout = '';
      const exitCode = await runPython(tools.container, args, {
        print: text => {
          if (stdout.length > MOST_CHARACTERS) throw new Error('python: too much output for one command');
          stdout += text;
        },
        printError: text => tools.printError(text),
        input: Buffer.from(String(ctx.stdin ?? ''), 'latin1').toString('utf8'),
        cwd: ctx.cwd,
        signal: tools.signal,
        pause: () => tools.pause(),
      });
      return { stdout, stderr: '', exitCode };
    }),
  );
}
