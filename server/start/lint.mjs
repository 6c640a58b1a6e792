// Behind `npm run lint`: format and rules, then types.

import { spawn } from 'node:child_process';
import { join } from 'node:path';

export async function run({ root, args }) {
  const fix = args.includes('--fix');
  const steps = lintSteps(root, fix);
  let failed = 0;
  for (const step of steps) if ((await shown(root, step)) !== 0) failed++;
  return failed === 0 ? 0 : 1;
}

export function lintSteps(root, fix = false) {
  const bin = join(root, 'node_modules', '.bin');
  return [
    {
      name: 'biome',
      file: join(bin, 'biome'),
      args: ['check', ...(fix ? ['--write'] : []), '--error-on-warnings', '.'],
    },
    { name: 'types', file: join(bin, 'astro'), args: ['check', '--minimumSeverity', 'error'] },
    { name: 'types of tests and server', file: join(bin, 'tsc'), args: ['--noEmit', '-p', 'tsconfig.json'] },
  ];
}

function shown(root, step) {
  const child = spawn(step.file, step.args, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ASTRO_TELEMETRY_DISABLED: '1' },
  });
  return new Promise(resolve => {
    child.once('error', () => resolve(1));
    child.once('close', code => resolve(code ?? 1));
  });
}
