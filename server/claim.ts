// Holds the data folder for one run of the server: two in one folder would take each other's sockets, homes and kept clusters.
// Knows nothing of what is in it.

import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** SQLite's codes: another process holds the file; the file or its folder cannot be written. */
const BUSY = 5;
const UNWRITABLE = new Set([8, 14]);

/** Why this run cannot begin. The message is all that its owner needs. */
export class CannotClaim extends Error {
  override name = 'CannotClaim';
}

export interface Claim {
  /** Tells whoever comes too late where this run is found. */
  servesAt(address: string): void;
  /** May be called again, which does nothing. */
  release(): void;
}

/** Makes the folder when it is not there. Throws CannotClaim with what to do. */
export function claimFolder(folder: string): Claim {
  const addressFile = join(folder, 'address');
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw unwritable(folder, error);
  }
  let lock: DatabaseSync | undefined;
  try {
    // The system lets go of this lock when the process ends, however it ends: no stale mark is ever in the way.
    lock = new DatabaseSync(join(folder, 'in-use'), { timeout: 0 });
    lock.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    lock?.close();
    lock = undefined;
    const code = (error as { errcode?: number }).errcode ?? 0;
    if (code === BUSY) throw taken(folder, addressFile);
    if (UNWRITABLE.has(code & 0xff)) throw unwritable(folder, error);
    // A file system without locks: as it was before there were any.
  }
  let held = true;
  return {
    servesAt: address => writeFileSync(addressFile, `${address}\n`),
    release: () => {
      // By a second call the folder may be another's.
      if (!held) return;
      held = false;
      rmSync(addressFile, { force: true });
      lock?.close();
    },
  };
}

function taken(folder: string, addressFile: string): CannotClaim {
  let at = '';
  try {
    at = `, at ${readFileSync(addressFile, 'utf8').trim()}`;
  } catch {
    // It is just starting.
  }
  return new CannotClaim(
    `Another run of this server already uses ${folder}${at}. Press Enter in its terminal for a link, or stop it; or give this one its own folder and port: npm start -- --port 4681 --data FOLDER`,
  );
}

function unwritable(folder: string, error: unknown): CannotClaim {
  const why = error instanceof Error ? error.message : String(error);
  return new CannotClaim(
    `The folder ${folder}, where sessions and progress are kept, cannot be used (${why}). Make it a folder that you may write to, or choose another: npm start -- --data FOLDER`,
  );
}
