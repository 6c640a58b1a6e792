// Writes a file into a learner's home folder and nowhere else: what a shell in the walls makes of that folder, a link out of it
// for instance, must not lead the server's hand, which has no walls. Knows no content.

import { mkdir, rename, rm } from 'node:fs/promises';
import { type Folder, inFolder, inNewFile, kindAt } from './folder.ts';

/**
 * `path` is relative to `home`. Folders on the way are made; a link or a file where one should be gives way, and so does whatever
 * has the file's own name. Whoever reads it meanwhile sees the old text or the new one.
 */
export const writeInHome = (home: string, path: string, text: string, mode = 0o644): Promise<void> =>
  inFolder(home, folder => write(folder, path.split('/'), text, mode));

async function write(
  folder: Folder,
  [name = '', ...rest]: readonly string[],
  text: string,
  mode: number,
): Promise<void> {
  const at = folder.at(name);
  const kind = await kindAt(at);
  if (rest.length > 0) {
    if (kind !== 'folder') {
      await rm(at, { force: true });
      await mkdir(at, { mode: 0o700 });
    }
    return inFolder(at, inner => write(inner, rest, text, mode));
  }
  const beside = folder.at(`.${name}.new`);
  await rm(beside, { recursive: true, force: true });
  await inNewFile(beside, async file => {
    await file.writeFile(text);
    await file.chmod(mode);
  });
  if (kind === 'folder') await rm(at, { recursive: true });
  await rename(beside, at);
}
