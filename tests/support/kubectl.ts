// Finds kubectl binaries on this machine: the one on the PATH, and versioned ones (kubectl.1.29 ...) that lie beside it.

import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';

function onPath(name: string): string | undefined {
  for (const folder of (process.env.PATH ?? '').split(':')) {
    const file = join(folder, name);
    if (folder !== '' && existsSync(file)) return realpathSync(file);
  }
  return undefined;
}

const found = process.env.KUBECTL ?? onPath('kubectl');

/** Versioned binaries beside the found one, `1.29` to its file, oldest first; only those this server speaks to. */
export const KUBECTL_VERSIONS: ReadonlyMap<string, string> = new Map(
  (found ? readdirSync(dirname(found)) : [])
    .map(name => /^kubectl\.1\.(\d+)$/.exec(name))
    .filter(match => match !== null && Number(match[1]) >= 29)
    .sort((a, b) => Number(a?.[1]) - Number(b?.[1]))
    .map(match => [`1.${match?.[1]}`, join(dirname(found as string), match?.[0] as string)]),
);

/**
 * The binary that tests run: the newest. (kubectl on the PATH may be a dispatcher that chooses another one by itself.)
 * Undefined when there is none.
 */
export const KUBECTL: string | undefined =
  process.env.KUBECTL ?? [...KUBECTL_VERSIONS.values()].at(-1) ?? found;

/** For node:test's `skip`: false, or the reason. */
export const NO_KUBECTL: string | false = KUBECTL ? false : 'kubectl is not on the PATH';
