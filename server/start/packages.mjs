// Makes node_modules what the lockfile says, and only touches it when it is not.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { npm } from './npm.mjs';
import { Sorry } from './sorry.mjs';

/** `dev` also asks for what only developers need; it is left out where it is not there yet, because that is quicker. */
export async function ensurePackages(root, dev) {
  const wanted = await lockedPackages(join(root, 'package-lock.json'));
  if (!wanted)
    throw new Sorry('package-lock.json is missing; this is not a whole copy of the project. Clone it again.');
  const present = await lockedPackages(join(root, 'node_modules', '.package-lock.json'));
  if (present && missing(wanted, present, dev).length === 0) return;
  // Once developers' packages are there, a plain start must not take them away again.
  const withDev =
    dev || Object.entries(wanted).some(([path, entry]) => entry.dev && !entry.optional && present?.[path]);
  console.log('Installing packages ...');
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', '--prefer-offline'];
  if (!withDev) args.push('--omit=dev');
  const result = await npm(args, root);
  if (result.code !== 0) {
    throw new Sorry(
      `The packages could not be installed: ${result.reason}. The first start needs the npm registry; later ones need no network. Run the command again when that is put right.`,
    );
  }
}

/** Packages that are locked and not installed in that version. Optional ones depend on the platform and do not count. */
export function missing(wanted, present, dev) {
  const names = [];
  for (const [path, entry] of Object.entries(wanted)) {
    if (path === '' || entry.optional || entry.devOptional || (entry.dev && !dev)) continue;
    if (present[path]?.version !== entry.version) names.push(path);
  }
  return names;
}

async function lockedPackages(file) {
  try {
    return JSON.parse(await readFile(file, 'utf8')).packages;
  } catch {
    return undefined;
  }
}
