// The tables of the progress database and how older ones become today's. Knows only SQL.

/** Each entry brings the database from its index to the next version; never change one that was released. */
export const MIGRATIONS: readonly string[] = [
  `CREATE TABLE attempts (
     id INTEGER PRIMARY KEY,
     lab TEXT NOT NULL,
     cluster TEXT NOT NULL,
     started_at TEXT NOT NULL,
     completed_at TEXT,
     ended_at TEXT
   ) STRICT;
   CREATE INDEX attempts_by_lab ON attempts (lab, id);
   CREATE TABLE steps (
     attempt INTEGER NOT NULL REFERENCES attempts (id) ON DELETE CASCADE,
     step TEXT NOT NULL,
     passed_at TEXT,
     hints INTEGER NOT NULL DEFAULT 0,
     PRIMARY KEY (attempt, step)
   ) STRICT;
   CREATE TABLE latches (
     attempt INTEGER NOT NULL REFERENCES attempts (id) ON DELETE CASCADE,
     step TEXT NOT NULL,
     "check" TEXT NOT NULL,
     value TEXT NOT NULL,
     held INTEGER NOT NULL,
     PRIMARY KEY (attempt, step, "check")
   ) STRICT;
   CREATE TABLE events (
     id INTEGER PRIMARY KEY,
     attempt INTEGER NOT NULL REFERENCES attempts (id) ON DELETE CASCADE,
     at TEXT NOT NULL,
     kind TEXT NOT NULL,
     step TEXT,
     "check" TEXT,
     value TEXT
   ) STRICT;
   CREATE INDEX events_by_attempt ON events (attempt, id);`,
  `ALTER TABLE steps ADD COLUMN solution_at TEXT;
   CREATE TABLE results (
     attempt INTEGER PRIMARY KEY REFERENCES attempts (id) ON DELETE CASCADE,
     at TEXT NOT NULL,
     seconds INTEGER NOT NULL,
     tries INTEGER NOT NULL,
     wrong_answers INTEGER NOT NULL,
     hints INTEGER NOT NULL,
     solutions INTEGER NOT NULL,
     points INTEGER NOT NULL,
     most INTEGER NOT NULL
   ) STRICT;`,
];

/** What an export file calls itself. */
export const EXPORT_FORMAT = 'kubeflow-by-doing/progress';

/** Tables in an order in which rows can be put back, with their columns. */
export const TABLES: Record<string, readonly string[]> = {
  attempts: ['id', 'lab', 'cluster', 'started_at', 'completed_at', 'ended_at'],
  steps: ['attempt', 'step', 'passed_at', 'hints', 'solution_at'],
  latches: ['attempt', 'step', 'check', 'value', 'held'],
  events: ['id', 'attempt', 'at', 'kind', 'step', 'check', 'value'],
  results: ['attempt', 'at', 'seconds', 'tries', 'wrong_answers', 'hints', 'solutions', 'points', 'most'],
};

/** Tables that came after the first version: an older export has none of them. */
export const SINCE: Record<string, number> = { results: 2 };
