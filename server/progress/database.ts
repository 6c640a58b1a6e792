// The SQLite file behind the progress store: opened, brought to today's schema, set aside when it is broken. Knows no attempts.

import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import type { Text } from '#common/protocol/index.ts';
import type { Clock } from '../clock.ts';
import { MIGRATIONS, TABLES } from './schema.ts';

/** Another process may hold the file for a moment. Milliseconds. */
const BUSY_TIMEOUT = 2000;

/** SQLite's codes for a disk or file that fails, as opposed to a mistake in a statement: busy, locked, read-only, I/O, corrupt, full, cannot open, not a database. */
const FILE_FAILS = new Set([5, 6, 8, 10, 11, 13, 14, 26]);

export function openDatabase(file: string): DatabaseSync {
  if (file !== ':memory:') mkdirSync(dirname(file), { recursive: true });
  const database = new DatabaseSync(file, { timeout: BUSY_TIMEOUT, enableForeignKeyConstraints: true });
  try {
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;');
    const [check] = database.prepare('PRAGMA quick_check').all() as { quick_check: string }[];
    if (check?.quick_check !== 'ok') throw new Error(`the file is damaged: ${check?.quick_check}`);
    const { user_version: version } = database.prepare('PRAGMA user_version').get() as {
      user_version: number;
    };
    if (version > MIGRATIONS.length) throw new NewerDatabase(version);
    for (const [index, sql] of MIGRATIONS.entries()) {
      if (index < version) continue;
      inTransaction(database, () => {
        database.exec(sql);
        database.exec(`PRAGMA user_version = ${index + 1}`);
      });
    }
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

class NewerDatabase extends Error {
  constructor(version: number) {
    super(
      `it was written by a newer version of this project (schema ${version}, this one knows ${MIGRATIONS.length})`,
    );
  }
}

/** A broken file is moved aside, never deleted; a newer or unreadable one is left alone. Either way the labs can run. */
export function recover(file: string, clock: Clock, error: unknown): [DatabaseSync, Text] {
  const why = error instanceof Error ? error.message : String(error);
  const broken =
    !(error instanceof NewerDatabase) &&
    existsSync(file) &&
    /not a database|malformed|damaged|corrupt/i.test(why);
  if (broken) {
    const aside = `${file}.broken-${clock.now()}`;
    try {
      renameSync(file, aside);
      for (const suffix of ['-wal', '-shm'])
        if (existsSync(file + suffix)) renameSync(file + suffix, aside + suffix);
      return [
        openDatabase(file),
        {
          'zh-TW': `進度資料庫壞了（${why}）。舊檔案保留在 ${aside}，現在從空白開始記錄。`,
          en: `The progress database was damaged (${why}). The old file is kept as ${aside}; recording starts afresh.`,
        },
      ];
    } catch {
      // The folder cannot be written either; memory is what is left.
    }
  }
  return [openDatabase(':memory:'), trouble(file, error)];
}

export function trouble(file: string, error: unknown): Text {
  const why = error instanceof Error ? error.message : String(error);
  return {
    'zh-TW': `進度存不進 ${file}：${why}。課程照常進行，但這次的進度只留到程式結束。`,
    en: `Progress cannot be stored in ${file}: ${why}. Lessons go on, but this progress is only kept until the program ends.`,
  };
}

export const codeOf = (error: unknown) => (error as { errcode?: number } | undefined)?.errcode;

export function isDatabaseError(error: unknown): boolean {
  const code = codeOf(error);
  // The low byte is the kind of failure, the rest its detail.
  return code !== undefined && FILE_FAILS.has(code & 0xff);
}

export function copy(from: DatabaseSync, to: DatabaseSync): void {
  try {
    putBack(
      to,
      Object.fromEntries(
        Object.keys(TABLES).map(table => [table, from.prepare(`SELECT * FROM ${table}`).all() as Row[]]),
      ),
    );
  } catch {
    // What cannot be read any more is lost to this run; the file itself is untouched.
  }
}

export type Row = Record<string, SQLInputValue>;

export function putBack(database: DatabaseSync, tables: Record<string, Row[]>): void {
  database.exec('DELETE FROM attempts');
  for (const [table, columns] of Object.entries(TABLES)) {
    const statement = database.prepare(
      `INSERT INTO ${table} (${columns.map(column => `"${column}"`).join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`,
    );
    for (const row of tables[table] ?? []) statement.run(...columns.map(column => row[column] ?? null));
  }
}

export function inTransaction(database: DatabaseSync, task: () => void): void {
  database.exec('BEGIN IMMEDIATE');
  try {
    task();
    database.exec('COMMIT');
  } catch (error) {
    database.exec('ROLLBACK');
    throw error;
  }
}
