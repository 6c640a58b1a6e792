// The progress store over node:sqlite: every write outlives this process when it returns. A database that cannot be used is set aside with
// a clear message, and the labs go on in memory. Knows no sessions.

import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import type { LabProgress, Text } from '#common/protocol/index.ts';
import type { Clock } from '../clock.ts';
import {
  codeOf,
  copy,
  inTransaction,
  isDatabaseError,
  openDatabase,
  putBack,
  type Row,
  recover,
  trouble,
} from './database.ts';
import { EXPORT_FORMAT, MIGRATIONS, SINCE, TABLES } from './schema.ts';
import type { AttemptRecord, LatchRecord, Progress, ResultRecord, StepRecord } from './types.ts';

export interface ProgressOptions {
  /** Path of the database; created with its folder. ':memory:' keeps nothing. */
  file: string;
  clock: Clock;
  /** The most the file may grow to, in pages of 4 KB. */
  maxPages?: number;
}

/** A learner's whole history takes a few hundred KB; beyond this something is wrong. Pages of 4 KB. */
const MAX_PAGES = 64 * 1024;
/** SQLite's code for a row that belongs to one that is not there. */
const FOREIGN_KEY_FAILS = 787;

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

  const listeners = new Set<() => void>();
  const changed = () => {
    for (const listener of [...listeners]) listener();
  };

  /** Runs one write. A full disk or a broken file must not take the lesson with it. */
  const write = <T>(task: () => T, strict = false): T => {
    try {
      return task();
    } catch (error) {
      // Another process with the same file has forgotten this attempt: there is nothing to write to.
      if (codeOf(error) === FOREIGN_KEY_FAILS && !strict) return undefined as T;
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
      all('SELECT step, passed_at, hints, solution_at FROM steps WHERE attempt = ?', attempt).map(
        (row): StepRecord => ({
          step: String(row.step),
          passedAt: text(row.passed_at),
          hints: Number(row.hints),
          ...(row.solution_at === null ? {} : { solutionAt: text(row.solution_at) }),
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
    solution: (attempt, step, at) =>
      write(() => {
        run(
          'INSERT INTO steps (attempt, step, solution_at) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET solution_at = coalesce(solution_at, excluded.solution_at)',
          attempt,
          step,
          at,
        );
        note(attempt, at, 'solution', step, null, null);
      }),
    turnBack: (attempt, { steps, latches, completedAt }, what, step, at) =>
      write(() =>
        inTransaction(database, () => {
          run('UPDATE steps SET passed_at = NULL WHERE attempt = ?', attempt);
          for (const record of steps)
            if (record.passedAt !== undefined)
              run(
                'INSERT INTO steps (attempt, step, passed_at) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET passed_at = excluded.passed_at',
                attempt,
                record.step,
                record.passedAt,
              );
          run('DELETE FROM latches WHERE attempt = ?', attempt);
          for (const latch of latches)
            run(
              'INSERT INTO latches (attempt, step, "check", value, held) VALUES (?, ?, ?, ?, ?)',
              attempt,
              latch.step,
              latch.check,
              latch.value,
              latch.held ? 1 : 0,
            );
          run('UPDATE attempts SET completed_at = ? WHERE id = ?', completedAt ?? null, attempt);
          note(attempt, at, what, step, null, null);
        }),
      ),
    result: (attempt, { points, ...result }, at) =>
      void write(() =>
        run(
          'INSERT OR IGNORE INTO results (attempt, at, seconds, tries, wrong_answers, hints, solutions, points, most) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
          attempt,
          at,
          result.seconds,
          result.tries,
          result.wrongAnswers,
          result.hints,
          result.solutions,
          points.got,
          points.most,
        ),
      ),
    resultOf(attempt) {
      const [row] = all('SELECT * FROM results WHERE attempt = ?', attempt);
      return row && resultOf(row);
    },
    tries: attempt => {
      const [row] = all(
        'SELECT count(*) AS tries FROM attempts WHERE lab = (SELECT lab FROM attempts WHERE id = ?) AND id <= ?',
        attempt,
        attempt,
      );
      return Number(row?.tries ?? 1);
    },
    wrongAnswers: attempt => {
      // Each answer is noted when it is given, and a right one once more when it is latched.
      const [row] = all(
        `SELECT sum(kind = 'answered') - sum(kind = 'latched') AS wrong FROM events WHERE attempt = ?1 AND kind IN ('answered', 'latched')
           AND (step, "check") IN (SELECT step, "check" FROM events WHERE attempt = ?1 AND kind = 'answered')`,
        attempt,
      );
      return Math.max(0, Number(row?.wrong ?? 0));
    },
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
        `SELECT lab, count(*) AS attempts, max(id) AS last, max(coalesce(results.at, completed_at)) AS completed
           FROM attempts LEFT JOIN results ON results.attempt = attempts.id GROUP BY lab ORDER BY lab`,
      ).map((row): LabProgress => {
        const [last] = all('SELECT max(at) AS at FROM events WHERE attempt = ?', row.last as number);
        const [attempt] = all('SELECT started_at FROM attempts WHERE id = ?', row.last as number);
        const [best] = all(
          'SELECT points, most FROM results JOIN attempts ON attempts.id = results.attempt WHERE lab = ? ORDER BY 1.0 * points / max(most, 1) DESC LIMIT 1',
          row.lab as string,
        );
        return {
          ...(best ? { best: { got: Number(best.points), most: Number(best.most) } } : {}),
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
    forget(lab) {
      write(() =>
        lab === undefined ? run('DELETE FROM attempts') : run('DELETE FROM attempts WHERE lab = ?', lab),
      );
      changed();
    },
    export: () => ({
      format: EXPORT_FORMAT,
      version: MIGRATIONS.length,
      ...Object.fromEntries(Object.keys(TABLES).map(table => [table, all(`SELECT * FROM ${table}`)])),
    }),
    import(data) {
      const tables = checkExport(data);
      try {
        write(() => inTransaction(database, () => putBack(database, tables)), true);
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        throw new Error(`This progress file does not fit together (${why}); nothing was changed.`);
      }
      changed();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
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
    if (rows === undefined && value.version < (SINCE[table] ?? 0)) continue;
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

function resultOf(row: Record<string, SQLInputValue>): ResultRecord {
  return {
    seconds: Number(row.seconds),
    tries: Number(row.tries),
    wrongAnswers: Number(row.wrong_answers),
    hints: Number(row.hints),
    solutions: Number(row.solutions),
    points: { got: Number(row.points), most: Number(row.most) },
  };
}
