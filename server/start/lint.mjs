// Behind `npm run lint`: format and rules, then types.

import { spawn } from 'node:child_process';
import { join } from 'node:path';

export async function run({ root, args }) {
  const fix = args.includes('--fix');
  let failed = 0;
  for (const step of lintSteps(root, fix)) if ((await shown(root, step)) !== 0) failed++;
  return failed === 0 ? 0 : 1;
}

/** Each is run on this Node, not on the one that the command's first line would find on the PATH. */
export function lintSteps(root, fix = false) {
  const bin = name => join(root, 'node_modules', '.bin', name);
  return [
    {
      name: 'format and rules',
      args: [bin('biome'), 'check', ...(fix ? ['--write'] : []), '--error-on-warnings', '.'],
    },
    {
      // Only what pages are made of; all TypeScript is the next step's.
      name: 'types of pages',
      args: [bin('astro'), 'check', '--tsconfig', 'tsconfig.pages.json', '--minimumSeverity', 'error'],
    },
    { name: 'types', args: [bin('tsc'), '--noEmit', '-p', 'tsconfig.json'] },
  ];
}

function shown(root, step) {
  const child = spawn(process.execPath, step.args, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ASTRO_TELEMETRY_DISABLED: '1' },
  });
  return new Promise(resolve => {
    child.once('error', () => resolve(1));
    child.once('close', code => resolve(code ?? 1));
  });
}
