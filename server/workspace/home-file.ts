// Writes a file into a learner's home folder and nowhere else: what a shell in the walls makes of that folder, a link out of it
// for instance, must not lead the server's hand, which has no walls. Knows no content.

import { constants } from 'node:fs';
import { type FileHandle, lstat, mkdir, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_RDONLY, O_WRONLY } = constants;

/**
 * `path` is relative to `home`. Folders on the way are made; a link or a file where one should be gives way, and so does whatever
 * has the file's own name. Whoever reads it meanwhile sees the old text or the new one.
 */
export async function writeInHome(home: string, path: string, text: string, mode = 0o644): Promise<void> {
  const held: FileHandle[] = [];
  try {
    let folder = await hold(held, home);
    for (const part of dirname(path)
      .split('/')
      .filter(name => name !== '.')) {
      const next = join(folder, part);
      if (!(await lstat(next).catch(() => undefined))?.isDirectory()) {
        await rm(next, { force: true });
        await mkdir(next, { mode: 0o700 });
      }
      folder = await hold(held, next);
    }
    const beside = join(folder, `.${basename(path)}.new`);
    await rm(beside, { recursive: true, force: true });
    const file = await open(beside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
    held.push(file);
    await file.writeFile(text);
    await file.chmod(mode);
    const target = join(folder, basename(path));
    if ((await lstat(target).catch(() => undefined))?.isDirectory()) await rm(target, { recursive: true });
    await rename(beside, target);
  } finally {
    for (const handle of held.reverse()) await handle.close();
  }
}

/** Opens a folder that is no link. Gives a path that stays that very folder whatever is put in its place, where the system has such. */
async function hold(held: FileHandle[], folder: string): Promise<string> {
  const handle = await open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  held.push(handle);
  return process.platform === 'linux' ? `/proc/self/fd/${handle.fd}` : folder;
}
