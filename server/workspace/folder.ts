// A folder held open, so that nobody can put a link in its place between two looks at it. Knows no snapshots.
//
// The learner's shell may move things about while they are read or written here, and the server's rights are not the shell's.
// Where the system shows open files as paths (Linux), every name is looked up in the open folder itself; elsewhere shells have no
// walls that this could break.

import { constants } from 'node:fs';
import { type FileHandle, lstat, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';

const { O_RDONLY, O_WRONLY, O_CREAT, O_EXCL, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK } = constants;
const BY_HANDLE = process.platform === 'linux';

export interface Folder {
  /** The path by which an entry of exactly this folder is reached. */
  at(name: string): string;
  names(): Promise<string[]>;
  /** Permission bits. */
  readonly mode: number;
  chmod(mode: number): Promise<void>;
}

/** Holds a folder open while `use` runs. Rejects when it is no folder, or a link to one. */
export const inFolder = <T>(path: string, use: (folder: Folder) => Promise<T>): Promise<T> =>
  holding(open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW), async handle => {
    const { mode } = await handle.stat();
    const own = BY_HANDLE ? `/proc/self/fd/${handle.fd}` : path;
    return use({
      mode: mode & 0o777,
      at: name => join(own, name),
      names: async () => (await readdir(own)).sort(),
      chmod: wanted => handle.chmod(wanted),
    });
  });

/** A file as it is: no link is followed, and a pipe without a writer does not hold us up. */
export const inFile = <T>(path: string, use: (file: FileHandle) => Promise<T>): Promise<T> =>
  holding(open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK), use);

/** A file that is not there yet; rejects when something is. */
export const inNewFile = <T>(path: string, use: (file: FileHandle) => Promise<T>): Promise<T> =>
  holding(open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600), use);

async function holding<T>(opening: Promise<FileHandle>, use: (handle: FileHandle) => Promise<T>): Promise<T> {
  const handle = await opening;
  try {
    return await use(handle);
  } finally {
    await handle.close();
  }
}

/** What kind of entry is there; `other` is a pipe, a socket or a device. */
export async function kindAt(path: string): Promise<'file' | 'folder' | 'link' | 'other' | undefined> {
  const found = await lstat(path).catch(() => undefined);
  if (!found) return undefined;
  if (found.isSymbolicLink()) return 'link';
  return found.isFile() ? 'file' : found.isDirectory() ? 'folder' : 'other';
}
