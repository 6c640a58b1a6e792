// Whether a container's runtime can start a command, and its words when it cannot. Knows files, not what they do.

import type { ContainerFileSystem } from './files.ts';

const EXECUTABLE = 0o111;

/** Why `executable` does not start, as runc says it from `exec: ` on; undefined when it does. */
export function startRefusal(
  executable: string,
  files: ContainerFileSystem,
  imageHas: (executable: string) => boolean,
): string | undefined {
  const refusal = (why: string) => `exec: "${executable}": ${why}`;
  const isPath = executable.includes('/');
  const found = isPath ? files.find(executable) : undefined;
  if (found?.kind === 'dir') return refusal('is a directory');
  if (found && !(found.mode & EXECUTABLE) && !imageHas(executable)) return refusal('permission denied');
  if (found || imageHas(executable)) return undefined;
  return refusal(
    isPath ? `stat ${executable}: no such file or directory` : 'executable file not found in $PATH',
  );
}
