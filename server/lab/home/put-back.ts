// Makes a home folder what it was when it was kept. Knows no cluster and no steps.

import { mkdir, readlink, rename, rmdir, symlink, unlink } from 'node:fs/promises';
import { type Folder, inFile, inFolder, inNewFile, kindAt } from '../../workspace/index.ts';
import { isOfPrograms, type Kept, type KeptFile, type KeptHome } from './keep.ts';

/** File systems keep times more coarsely than numbers do. Milliseconds. */
const SAME_TIME = 1;

/** Files made since go, those changed or gone come back. Rejects with the first thing that the system refuses. */
export async function putBackHome(home: string, kept: KeptHome): Promise<void> {
  if ('not' in kept) return;
  await inFolder(home, folder => putBack(folder, '', kept.entries));
}

async function putBack(folder: Folder, path: string, entries: ReadonlyMap<string, Kept>): Promise<void> {
  for (const name of await folder.names())
    if (!entries.has(name) && !isOfPrograms(path + name)) await takeAway(folder, path, name);
  for (const [name, kept] of entries) {
    const there = await kindAt(folder.at(name));
    if (there !== undefined && there !== kept.kind) await takeAway(folder, path, name);
    if (kept.kind === 'file') await putFile(folder, name, kept);
    else if (kept.kind === 'link') await putLink(folder, name, kept.to);
    else {
      if (there !== 'folder') await mkdir(folder.at(name), { mode: 0o700 });
      await inFolder(folder.at(name), async inner => {
        await putBack(inner, `${path}${name}/`, kept.entries);
        if (inner.mode !== kept.mode) await inner.chmod(kept.mode);
      });
    }
  }
}

async function putLink(folder: Folder, name: string, to: string): Promise<void> {
  const at = folder.at(name);
  if ((await readlink(at).catch(() => undefined)) === to) return;
  await unlink(at).catch(() => {});
  await symlink(to, at);
}

/** Beside the old one first and then in its place: whoever reads it sees the one or the other. */
async function putFile(folder: Folder, name: string, kept: KeptFile): Promise<void> {
  const at = folder.at(name);
  if (await isStill(at, kept)) return;
  const beside = folder.at(`.${name.slice(0, 100)}.put-back`);
  await unlink(beside).catch(() => {});
  await inNewFile(beside, async file => {
    await file.writeFile(kept.content);
    await file.chmod(kept.mode);
    await file.utimes(kept.mtimeMs / 1000, kept.mtimeMs / 1000);
  });
  await rename(beside, at);
}

const isStill = (path: string, kept: KeptFile): Promise<boolean> =>
  inFile(path, async file => {
    const { size, mode, mtimeMs } = await file.stat();
    return (
      size === kept.content.length &&
      (mode & 0o777) === kept.mode &&
      Math.abs(mtimeMs - kept.mtimeMs) < SAME_TIME &&
      kept.content.equals(await file.readFile())
    );
  }).catch(() => false);

/** Removes an entry and what is in it; pipes and the like, which were not kept, stay. */
async function takeAway(folder: Folder, path: string, name: string): Promise<void> {
  const at = folder.at(name);
  const kind = await kindAt(at);
  if (kind === 'file' || kind === 'link') await unlink(at);
  if (kind !== 'folder') return;
  await inFolder(at, inner => putBack(inner, `${path}${name}/`, new Map()));
  await rmdir(at).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOTEMPTY') throw error;
  });
}
