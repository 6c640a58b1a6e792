// The progress store over node:sqlite: every write outlives this process when it returns. A database that cannot be used is set aside with
// a clear message, and the labs go on in memory. Knows no sessions.

import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import type { Text } from '#common/protocol/index.ts';
import type { Clock } from '../clock.ts';
import { EXPORT_FORMAT, MIGRATIONS, TABLES } from './schema.ts';
import type { AttemptRecord, LabSummary, LatchRecord, Progress, StepRecord } from './types.ts';

/** Another process may hold the file for a moment. Milliseconds. */
const BUSY_TIMEOUT = 2000;

export interface ProgressOptions {
  /** Path of the database; created with its folder. ':memory:' keeps nothing. */
  file: string;
  clock: Clock;
  /** The most the file may grow to, in pages of 4 KB. */
  maxPages?: number;
}

/** A learner's whole history takes a few hundred KB; beyond this something is wrong. Pages of 4 KB. */
const MAX_PAGES = 64 * 1024;
/** SQLite's codes for a disk or file that fails, as opposed to a mistake in a statement: busy, locked, read-only, I/O, corrupt, full, cannot open, not a database. */
const FILE_FAILS = new Set([5, 6, 8, 10, 11, 13, 14, 26]);

/** Opens the store; never throws: what is wrong is in `problem`, and what cannot be kept on disk is kept in memory. */
export function openProgress({ file, clock, maxPages = MAX_PAGES }: ProgressOptions): Progress {
  let problem: Text | undefined;
  let database: DatabaseSync;
  try {
    database = openDatabase(file);
    database.exec(`PRAGMA max_page_count = ${maxPages}`);
  } catch (error) {
    [database, problem] = recover(file, clock, error);
  }

  /** Runs one write. A full disk or a broken file must not take the lesson with it. */
  const write = <T>(task: () => T): T => {
    try {
      return task();
    } catch (error) {
      if (!isDatabaseError(error)) throw error;
      problem = trouble(file, error);
      const memory = openDatabase(':memory:');
      copy(database, memory);
      try {
        database.close();
      } catch {
        // It is broken; there is nothing left to close.
      }
      database = memory;
      return task();
    }
  };

  const all = (sql: string, ...values: SQLInputValue[]) =>
    database.prepare(sql).all(...values) as Record<string, SQLInputValue>[];
  const run = (sql: string, ...values: SQLInputValue[]) => database.prepare(sql).run(...values);
  const note = (
    attempt: number,
    at: string,
    kind: string,
    step: string | null,
    check: string | null,
    value: string | null,
  ) =>
    run(
      'INSERT INTO events (attempt, at, kind, step, "check", value) VALUES (?, ?, ?, ?, ?, ?)',
      attempt,
      at,
      kind,
      step,
      check,
      value,
    );

  return {
    get problem() {
      return problem;
    },
    current(lab) {
      const [row] = all(
        'SELECT * FROM attempts WHERE lab = ? AND ended_at IS NULL ORDER BY id DESC LIMIT 1',
        lab,
      );
      return row && attemptOf(row);
    },
    begin(lab, cluster, at) {
      return write(() => {
        const { lastInsertRowid } = run(
          'INSERT INTO attempts (lab, cluster, started_at) VALUES (?, ?, ?)',
          lab,
          cluster,
          at,
        );
        return { id: Number(lastInsertRowid), lab, cluster, startedAt: at };
      });
    },
    steps: attempt =>
      all('SELECT step, passed_at, hints FROM steps WHERE attempt = ?', attempt).map(
        (row): StepRecord => ({
          step: String(row.step),
          passedAt: text(row.passed_at),
          hints: Number(row.hints),
        }),
      ),
    latches: attempt =>
      all('SELECT step, "check", value, held FROM latches WHERE attempt = ?', attempt).map(
        (row): LatchRecord => ({
          step: String(row.step),
          check: String(row.check),
          value: String(row.value),
          held: row.held === 1,
        }),
      ),
    passed: (attempt, step, at) =>
      write(() => {
        run(
          'INSERT INTO steps (attempt, step, passed_at) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET passed_at = coalesce(passed_at, excluded.passed_at)',
          attempt,
          step,
          at,
        );
        note(attempt, at, 'passed', step, null, null);
      }),
    hint: (attempt, step, taken, at) =>
      write(() => {
        run(
          'INSERT INTO steps (attempt, step, hints) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET hints = excluded.hints',
          attempt,
          step,
          taken,
        );
        note(attempt, at, 'hint', step, null, String(taken));
      }),
    latch: (attempt, { step, check, value, held }, at) =>
      write(() => {
        run(
          'INSERT INTO latches (attempt, step, "check", value, held) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value, held = excluded.held',
          attempt,
          step,
          check,
          value,
          held ? 1 : 0,
        );
        note(attempt, at, held ? 'latched' : 'answered', step, check, value);
      }),
    verdict: (attempt, step, check, state, at) =>
      void write(() => note(attempt, at, 'verdict', step, check, state)),
    completed: (attempt, at) =>
      write(() => {
        run('UPDATE attempts SET completed_at = coalesce(completed_at, ?) WHERE id = ?', at, attempt);
        note(attempt, at, 'completed', null, null, null);
      }),
    end: (attempt, at) => void write(() => run('UPDATE attempts SET ended_at = ? WHERE id = ?', at, attempt)),
    overview() {
      return all(
        'SELECT lab, count(*) AS attempts, max(id) AS last, max(completed_at) AS completed FROM attempts GROUP BY lab ORDER BY lab',
      ).map((row): LabSummary => {
        const [last] = all('SELECT max(at) AS at FROM events WHERE attempt = ?', row.last as number);
        const [attempt] = all('SELECT started_at FROM attempts WHERE id = ?', row.last as number);
        return {
          lab: String(row.lab),
          attempts: Number(row.attempts),
          passed: all(
            'SELECT step FROM steps WHERE attempt = ? AND passed_at IS NOT NULL ORDER BY passed_at',
            row.last as number,
          ).map(step => String(step.step)),
          completedAt: text(row.completed),
          lastAt: text(last?.at) ?? String(attempt?.started_at),
        };
      });
    },
    forget: lab =>
      void write(() =>
        lab === undefined ? run('DELETE FROM attempts') : run('DELETE FROM attempts WHERE lab = ?', lab),
      ),
    export: () => ({
      format: EXPORT_FORMAT,
      version: MIGRATIONS.length,
      ...Object.fromEntries(Object.keys(TABLES).map(table => [table, all(`SELECT * FROM ${table}`)])),
    }),
    import(data) {
      const tables = checkExport(data);
      write(() => inTransaction(database, () => putBack(database, tables)));
    },
    close() {
      try {
        database.close();
      } catch {
        // Already closed.
      }
    },
  };
}

function openDatabase(file: string): DatabaseSync {
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
function recover(file: string, clock: Clock, error: unknown): [DatabaseSync, Text] {
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

function trouble(file: string, error: unknown): Text {
  const why = error instanceof Error ? error.message : String(error);
  return {
    'zh-TW': `進度存不進 ${file}：${why}。課程照常進行，但這次的進度只留到程式結束。`,
    en: `Progress cannot be stored in ${file}: ${why}. Lessons go on, but this progress is only kept until the program ends.`,
  };
}

function isDatabaseError(error: unknown): boolean {
  const code = (error as { errcode?: number } | undefined)?.errcode;
  // The low byte is the kind of failure, the rest its detail.
  return code !== undefined && FILE_FAILS.has(code & 0xff);
}

function copy(from: DatabaseSync, to: DatabaseSync): void {
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

type Row = Record<string, SQLInputValue>;

function putBack(database: DatabaseSync, tables: Record<string, Row[]>): void {
  database.exec('DELETE FROM attempts');
  for (const [table, columns] of Object.entries(TABLES)) {
    const statement = database.prepare(
      `INSERT INTO ${table} (${columns.map(column => `"${column}"`).join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`,
    );
    for (const row of tables[table] ?? []) statement.run(...columns.map(column => row[column] ?? null));
  }
}

function inTransaction(database: DatabaseSync, task: () => void): void {
  database.exec('BEGIN IMMEDIATE');
  try {
    task();
    database.exec('COMMIT');
  } catch (error) {
    database.exec('ROLLBACK');
    throw error;
  }
}

/** Refuses what is not an export of this project, before anything is touched. */
function checkExport(data: unknown): Record<string, Row[]> {
  const value = data as Record<string, unknown> | null;
  if (typeof value !== 'object' || value === null || value.format !== EXPORT_FORMAT) {
    throw new Error(`This is not a progress file of this project: it has no format "${EXPORT_FORMAT}".`);
  }
  if (typeof value.version !== 'number' || value.version > MIGRATIONS.length) {
    throw new Error(
      `This progress file is of version ${value.version}; this program knows up to ${MIGRATIONS.length}.`,
    );
  }
  const tables: Record<string, Row[]> = {};
  for (const table of Object.keys(TABLES)) {
    const rows = value[table];
    if (!Array.isArray(rows)) throw new Error(`This progress file has no list "${table}".`);
    tables[table] = rows as Row[];
  }
  return tables;
}

const text = (value: SQLInputValue | undefined) => (typeof value === 'string' ? value : undefined);

function attemptOf(row: Record<string, SQLInputValue>): AttemptRecord {
  return {
    id: Number(row.id),
    lab: String(row.lab),
    cluster: String(row.cluster) as AttemptRecord['cluster'],
    startedAt: String(row.started_at),
    completedAt: text(row.completed_at),
    endedAt: text(row.ended_at),
  };
}
