// Keeps the files of a learner's home folder as they are now: no link is followed, and not more than memory has room for. Knows no
// cluster and no steps.

import { readlink } from 'node:fs/promises';
import type { Text } from '#common/protocol/index.ts';
import { say } from '../../check/index.ts';
import { type Folder, inFile, inFolder, kindAt } from '../../workspace/index.ts';

/** More than this is not kept: every step that passes keeps the files once more, in memory. In bytes, and in entries. */
const MOST_BYTES = 8 * 1024 * 1024;
const MOST_ENTRIES = 2000;
/** What programs keep for themselves. It is neither kept nor taken away. */
const NOT_THE_LEARNERS = new Set([
  '.bash_history',
  '.cache',
  '.lesshst',
  '.viminfo',
  '.kube/cache',
  '.kube/http-cache',
]);
/** An entry that is gone by now, or another sort of thing: as if it had not been there. */
const CHANGED_MEANWHILE = new Set(['ENOENT', 'ELOOP', 'ENOTDIR', 'EINVAL', 'ENXIO']);

export interface KeptFile {
  kind: 'file';
  mode: number;
  content: Buffer;
  /** A file's time says to which attempt it belongs. In milliseconds. */
  mtimeMs: number;
  /** Together they tell whether the file is still the one that was read. */
  ino: number;
  ctimeMs: number;
}
export type Kept =
  | KeptFile
  | { kind: 'link'; to: string }
  | { kind: 'folder'; mode: number; entries: Map<string, Kept> };

/** The files as they were, or why they were not kept. */
export type KeptHome = { entries: Map<string, Kept> } | { not: Text };

/** `.kube/cache` below the home folder, and its like. */
export const isOfPrograms = (path: string): boolean => NOT_THE_LEARNERS.has(path);

/** Files that `before` holds and that did not change are not read again. */
export async function keepHome(home: string, before?: KeptHome): Promise<KeptHome> {
  const room = { bytes: MOST_BYTES, entries: MOST_ENTRIES };
  const earlier = before && 'entries' in before ? before.entries : undefined;
  try {
    return { entries: await inFolder(home, folder => keepFolder(folder, '', room, earlier)) };
  } catch (error) {
    return { not: error instanceof NotKept ? error.why : unreadable('~') };
  }
}

class NotKept extends Error {
  readonly why: Text;
  constructor(why: Text) {
    super(why.en);
    this.why = why;
  }
}

interface Room {
  bytes: number;
  entries: number;
}

async function keepFolder(
  folder: Folder,
  path: string,
  room: Room,
  before: Map<string, Kept> | undefined,
): Promise<Map<string, Kept>> {
  const entries = new Map<string, Kept>();
  for (const name of await folder.names()) {
    if (isOfPrograms(path + name)) continue;
    try {
      const kept = await keepEntry(folder.at(name), path + name, room, before?.get(name));
      if (kept) entries.set(name, kept);
    } catch (error) {
      if (CHANGED_MEANWHILE.has((error as NodeJS.ErrnoException).code ?? '')) continue;
      throw error instanceof NotKept ? error : new NotKept(unreadable(`~/${path}${name}`));
    }
  }
  return entries;
}

async function keepEntry(
  at: string,
  path: string,
  room: Room,
  before: Kept | undefined,
): Promise<Kept | undefined> {
  const kind = await kindAt(at);
  if (kind === undefined || kind === 'other') return undefined;
  if (--room.entries < 0) throw new NotKept(TOO_MANY);
  if (kind === 'link') return { kind, to: await readlink(at) };
  if (kind === 'file') return keepFile(at, room, before);
  const within = before?.kind === 'folder' ? before.entries : undefined;
  return inFolder(at, async inner => ({
    kind,
    mode: inner.mode,
    entries: await keepFolder(inner, `${path}/`, room, within),
  }));
}

const keepFile = (path: string, room: Room, before: Kept | undefined): Promise<KeptFile> =>
  inFile(path, async file => {
    const { size, mode, mtimeMs, ino, ctimeMs } = await file.stat();
    room.bytes -= size;
    if (room.bytes < 0) throw new NotKept(TOO_LARGE);
    const same = before?.kind === 'file' && before.ino === ino && before.ctimeMs === ctimeMs;
    const content = same ? before.content : await read(file, size);
    return { kind: 'file', mode: mode & 0o777, content, mtimeMs, ino, ctimeMs };
  });

/** No more than it was when its size was asked for: it may be growing. */
async function read(file: { read: (buffer: Buffer) => Promise<{ bytesRead: number }> }, size: number) {
  const content = Buffer.alloc(size);
  let length = 0;
  while (length < size) {
    const { bytesRead } = await file.read(content.subarray(length));
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return content.subarray(0, length);
}

const TOO_LARGE = say(
  `家目錄裡的檔案加起來超過 ${MOST_BYTES / 1024 / 1024} MiB，沒有一起留下來，所以檔案不會跟著變回去。`,
  `The files in your home folder come to more than ${MOST_BYTES / 1024 / 1024} MiB, so they were not kept and stay as they are.`,
);
const TOO_MANY = say(
  `家目錄裡的檔案超過 ${MOST_ENTRIES} 個，沒有一起留下來，所以檔案不會跟著變回去。`,
  `There are more than ${MOST_ENTRIES} files in your home folder, so they were not kept and stay as they are.`,
);
const unreadable = (path: string) =>
  say(
    `${path} 讀不到，家目錄裡的檔案沒有一起留下來，所以檔案不會跟著變回去。`,
    `${path} cannot be read, so the files in your home folder were not kept and stay as they are.`,
  );
