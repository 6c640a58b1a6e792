// Keeps a cluster in a file, so that it outlives this server: written a moment after each change, whole or not at all, and read
// back only when it is undamaged and belongs to what asks. Knows no cluster.
//
// The file is one line of JSON (whose it is, its digest), a line break, and the bytes.

import { createHash } from 'node:crypto';
import { unlinkSync } from 'node:fs';
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Text } from '#common/protocol/index.ts';
import type { Clock, Timer } from '../clock.ts';

/** After a change until it is in the file, in milliseconds: what a power cut may cost. */
const SAVE_AFTER = 500;
/** A save that takes long is done seldom: this many times as long as it took lies between two. */
const REST = 10;
/** A larger file is not written, and not read, in bytes. A full Kubeflow takes a twentieth of it. */
export const MOST_BYTES = 64 * 1024 * 1024;

interface Head {
  format: 1;
  /** Whose it is: the attempt, and what the cluster was started with. */
  tag: string;
  sha256: string;
}

/** `none`: there is nothing, or it belongs to something else. `lost`: there is something that cannot be used, and why. */
export type Kept = { state: 'kept'; bytes: Uint8Array } | { state: 'none' } | { state: 'lost'; why: Text };

export async function readKept(file: string, tag: string): Promise<Kept> {
  try {
    if ((await stat(file)).size > MOST_BYTES + 4096) return { state: 'lost', why: TOO_BIG };
    const text = await readFile(file);
    const end = text.indexOf(10);
    const head = JSON.parse(text.subarray(0, end).toString('utf8')) as Head;
    const bytes = text.subarray(end + 1);
    if (head.format !== 1) return { state: 'lost', why: OTHER_VERSION };
    if (head.tag !== tag) return { state: 'none' };
    if (digest(bytes) !== head.sha256) return { state: 'lost', why: DAMAGED };
    return { state: 'kept', bytes: new Uint8Array(bytes) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { state: 'none' };
    return { state: 'lost', why: DAMAGED };
  }
}

export interface Keeper {
  /** From now on the cluster is kept under this tag; undefined forgets the file and keeps nothing. */
  keep(tag: string | undefined): void;
  /** The cluster has changed since the last `save`. */
  changed(): void;
  /** Writes what is not written yet. */
  close(): Promise<void>;
}

export interface KeeperOptions {
  file: string;
  save: () => Promise<Uint8Array>;
  clock: Clock;
  /** Told why the cluster could not be written; it goes on without. */
  onFault: (error: Error) => void;
}

export function createKeeper({ file, save, clock, onFault }: KeeperOptions): Keeper {
  let tag: string | undefined;
  let dirty = false;
  let closed = false;
  let rest = 0;
  let timer: Timer | undefined;
  let writing: Promise<void> = Promise.resolve();

  const write = async (): Promise<void> => {
    if (tag === undefined || !dirty) return;
    const whose = tag;
    dirty = false;
    const began = clock.now();
    try {
      const bytes = await save();
      if (bytes.length > MOST_BYTES)
        throw new Error(`the cluster takes ${bytes.length} bytes; at most ${MOST_BYTES} are kept`);
      const head: Head = { format: 1, tag: whose, sha256: digest(bytes) };
      await writeWhole(file, [`${JSON.stringify(head)}\n`, bytes], () => tag === whose);
    } catch (error) {
      // An older state must not come back as if it were this one.
      forget(file);
      onFault(error as Error);
    }
    rest = (clock.now() - began) * REST;
  };

  const plan = () => {
    if (closed || tag === undefined || timer) return;
    timer = clock.after(Math.max(SAVE_AFTER, rest), () => {
      timer = undefined;
      writing = writing.then(write).then(() => {
        if (dirty) plan();
      });
    });
  };

  return {
    keep: next => {
      if (closed || tag === next) return;
      tag = next;
      if (next === undefined) {
        timer?.cancel();
        timer = undefined;
        forget(file);
        return;
      }
      dirty = true;
      plan();
    },
    changed: () => {
      dirty = true;
      plan();
    },
    close: async () => {
      if (closed) return;
      closed = true;
      timer?.cancel();
      await writing;
      // What is on the nodes' disks changes without a word.
      dirty = true;
      await write();
    },
  };
}

/** Beside the file first, then in its place; `wanted` is asked last of all. */
async function writeWhole(
  file: string,
  parts: (string | Uint8Array)[],
  wanted: () => boolean,
): Promise<void> {
  const beside = `${file}.new`;
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const handle = await open(beside, 'w', 0o600);
  try {
    for (const part of parts) await handle.writeFile(part);
    await handle.sync();
  } finally {
    await handle.close();
  }
  if (wanted()) await rename(beside, file);
  else await rm(beside, { force: true });
}

function forget(file: string): void {
  try {
    unlinkSync(file);
  } catch {
    // It is not there.
  }
}

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('base64');
}

const DAMAGED: Text = { 'zh-TW': '它的檔案損壞了', en: 'its file is damaged' };
const TOO_BIG: Text = { 'zh-TW': '它的檔案太大', en: 'its file is too large' };
export const OTHER_VERSION: Text = {
  'zh-TW': '它是另一個版本存下的',
  en: 'it was kept by another version',
};
