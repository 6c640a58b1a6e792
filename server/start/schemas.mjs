// Has the schemas of the practice cluster written before the first cluster wants them. Knows where they lie, not what they are.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const FILES = ['schema-shapes.json', 'schema-descriptions.json'];
const WRITER = ['server', 'practice', 'schema', 'build.ts'];

/** Resolves when they are there. When that fails, the first cluster writes them, and says why it cannot. */
export async function ensureSchemas(root) {
  // A cluster that finds them out of date writes them again by itself.
  if (FILES.every(file => existsSync(join(root, '.cache', 'practice', file)))) return;
  const child = spawn(process.execPath, [join(root, ...WRITER)], { cwd: root, stdio: 'ignore' });
  await new Promise(resolve => {
    child.once('error', resolve);
    child.once('close', resolve);
  });
}
