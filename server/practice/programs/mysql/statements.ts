// The SQL that this server knows: databases, tables, whole rows and a few functions. What is beyond it is refused in
// MySQL's own words. Knows no connections.

import type { MysqlData, Table } from './data.ts';
import { type Cell, type Column, type Result, SqlError } from './packets.ts';

/** Who asks, and where; `database` changes with USE. */
export interface Sitting {
  user: string;
  host: string;
  database: string;
  connection: number;
  version: string;
  hostname: string;
  now(): number;
}

const NAME = '(?:`[^`]+`|[\\w$]+)';
const TABLE = `(${NAME}(?:\\s*\\.\\s*${NAME})?)`;
const CONDITION = `(?:\\s+WHERE\\s+(${NAME})\\s*=\\s*('(?:[^']|'')*'|"[^"]*"|-?[\\d.]+))?`;
/** Statements and clauses that MySQL has and this server has not. */
const BEYOND =
  /^(ALTER|ANALYZE|BEGIN|CALL|CHANGE|COMMIT|DESC|DESCRIBE|EXPLAIN|FLUSH|GRANT|HANDLER|KILL|LOAD|LOCK|OPTIMIZE|PREPARE|RENAME|REPAIR|REPLACE|RESET|REVOKE|ROLLBACK|SAVEPOINT|SET|START|STOP|TRUNCATE|UNLOCK|UPDATE|WITH|XA|SHOW|CREATE|DROP|SELECT|INSERT|DELETE)\b\s*(\w*)/i;
const NUMERIC = /int|decimal|numeric|float|double/i;

const plain = (name: string) => name.replace(/^`|`$/g, '');
const literal = (word: string): Cell =>
  /^null$/i.test(word) ? null : /^['"]/.test(word) ? word.slice(1, -1).replaceAll("''", "'") : word;
const fail = (code: number, state: string, message: string) => new SqlError(code, state, message);
const syntax = (near: string) =>
  fail(
    1064,
    '42000',
    `You have an error in your SQL syntax; check the manual that corresponds to your MySQL server version for the right syntax to use near '${near}' at line 1`,
  );

type Handler = (found: RegExpExecArray, data: MysqlData, sitting: Sitting) => Result;

function place(name: string, data: MysqlData, sitting: Sitting): { database: string; name: string } {
  const parts = name.split(/\s*\.\s*/).map(plain);
  const database = parts.length > 1 ? parts[0]! : sitting.database;
  if (!database) throw fail(1046, '3D000', 'No database selected');
  if (!data.has(database)) throw fail(1049, '42000', `Unknown database '${database}'`);
  return { database, name: parts.at(-1)! };
}

function tableAt(name: string, data: MysqlData, sitting: Sitting) {
  const at = place(name, data, sitting);
  const table = data.table(at.database, at.name);
  if (!table) throw fail(1146, '42S02', `Table '${at.database}.${at.name}' doesn't exist`);
  return { ...at, table };
}

function columnIndex(table: Table, name: string, clause: string): number {
  const index = table.columns.findIndex(c => c.name.toLowerCase() === plain(name).toLowerCase());
  if (index < 0) throw fail(1054, '42S22', `Unknown column '${plain(name)}' in '${clause}'`);
  return index;
}

function matching(table: Table, column: string | undefined, value: string | undefined) {
  if (column === undefined || value === undefined) return () => true;
  const index = columnIndex(table, column, 'where clause');
  return (row: Cell[]) => row[index] === literal(value);
}

const asList = (name: string, values: string[]): Result => ({
  columns: [{ name }],
  rows: values.map(v => [v]),
});

/** A LIKE pattern: `%` any text, `_` any character. */
const like = (pattern: string | undefined) => {
  if (pattern === undefined) return () => true;
  const escaped = pattern
    .replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
    .replaceAll('%', '.*')
    .replaceAll('_', '.');
  const expression = new RegExp(`^${escaped}$`, 'i');
  return (text: string) => expression.test(text);
};

const LIKE = "(?:\\s+LIKE\\s+'([^']*)')?";

const STATEMENTS: readonly [string, Handler][] = [
  [
    `SHOW\\s+(?:DATABASES|SCHEMAS)${LIKE}`,
    ([, pattern], data) =>
      asList(pattern ? `Database (${pattern})` : 'Database', data.databases().filter(like(pattern))),
  ],
  [
    `SHOW\\s+TABLES(?:\\s+(?:FROM|IN)\\s+(${NAME}))?${LIKE}`,
    ([, from, pattern], data, sitting) => {
      const { database } = place(`${from ?? sitting.database}${from || sitting.database ? '.x' : ''}`, data, {
        ...sitting,
        database: '',
      });
      return asList(
        `Tables_in_${database}${pattern ? ` (${pattern})` : ''}`,
        data.tables(database).filter(like(pattern)),
      );
    },
  ],
  [
    `USE\\s+(${NAME})`,
    ([, name = ''], data, sitting) => {
      if (!data.has(plain(name))) throw fail(1049, '42000', `Unknown database '${plain(name)}'`);
      sitting.database = plain(name);
      return { affected: 0 };
    },
  ],
  [
    `CREATE\\s+(?:DATABASE|SCHEMA)\\s+(IF\\s+NOT\\s+EXISTS\\s+)?(${NAME})(?:\\s+(?:DEFAULT\\s+)?(?:CHARACTER\\s+SET|CHARSET|COLLATE)\\s*=?\\s*\\w+)*`,
    ([, quiet, name = ''], data) => {
      if (!data.has(plain(name))) data.create(plain(name));
      else if (!quiet) throw fail(1007, 'HY000', `Can't create database '${plain(name)}'; database exists`);
      return { affected: 1 };
    },
  ],
  [
    `DROP\\s+(?:DATABASE|SCHEMA)\\s+(IF\\s+EXISTS\\s+)?(${NAME})`,
    ([, quiet, word = ''], data, sitting) => {
      const name = plain(word);
      if (data.isOwn(name)) throw fail(3552, 'HY000', `Access to system schema '${name}' is rejected.`);
      if (!data.has(name)) {
        if (quiet) return { affected: 0 };
        throw fail(1008, 'HY000', `Can't drop database '${name}'; database doesn't exist`);
      }
      if (sitting.database === name) sitting.database = '';
      return { affected: data.drop(name) };
    },
  ],
  [
    `CREATE\\s+TABLE\\s+(IF\\s+NOT\\s+EXISTS\\s+)?${TABLE}\\s*\\(([\\s\\S]+)\\)[^()]*`,
    ([, quiet, name = '', body = ''], data, sitting) => {
      const at = place(name, data, sitting);
      if (data.table(at.database, at.name)) {
        if (quiet) return { affected: 0 };
        throw fail(1050, '42S01', `Table '${at.name}' already exists`);
      }
      const columns = splitList(body)
        .filter(part => !/^(PRIMARY|UNIQUE|KEY|INDEX|CONSTRAINT|FOREIGN|CHECK)\b/i.test(part))
        .map(part => {
          const found = new RegExp(`^(${NAME})\\s+(\\w+)`).exec(part);
          if (!found) throw syntax(`${part})`);
          return { name: plain(found[1]!), type: found[2]!.toLowerCase() };
        });
      data.write(at.database, at.name, { columns, rows: [] });
      return { affected: 0 };
    },
  ],
  [
    `DROP\\s+TABLE\\s+(IF\\s+EXISTS\\s+)?${TABLE}`,
    ([, quiet, name = ''], data, sitting) => {
      const at = place(name, data, sitting);
      if (data.table(at.database, at.name)) data.dropTable(at.database, at.name);
      else if (!quiet) throw fail(1051, '42S02', `Unknown table '${at.database}.${at.name}'`);
      return { affected: 0 };
    },
  ],
  [
    `INSERT\\s+INTO\\s+${TABLE}\\s*(?:\\(([^()]*)\\)\\s*)?VALUES?\\s*(\\([\\s\\S]*\\))`,
    ([, name = '', listed, tuples = ''], data, sitting) => {
      const { database, name: short, table } = tableAt(name, data, sitting);
      const places = listed
        ? splitList(listed).map(column => columnIndex(table, column, 'field list'))
        : table.columns.map((_column, index) => index);
      const added = splitList(tuples).map((tuple, index) => {
        const values = splitList(tuple.replace(/^\(|\)$/g, ''));
        if (values.length !== places.length)
          throw fail(1136, '21S01', `Column count doesn't match value count at row ${index + 1}`);
        const row: Cell[] = table.columns.map(() => null);
        for (const [at, value] of values.entries()) row[places[at]!] = literal(value);
        return row;
      });
      data.write(database, short, { ...table, rows: [...table.rows, ...added] });
      return { affected: added.length };
    },
  ],
  [
    `UPDATE\\s+${TABLE}\\s+SET\\s+([\\s\\S]+?)${CONDITION}`,
    ([, name = '', list = '', column, value], data, sitting) => {
      const { database, name: short, table } = tableAt(name, data, sitting);
      const changes = splitList(list).map(part => {
        const [, field = '', word = ''] = new RegExp(`^(${NAME})\\s*=\\s*([\\s\\S]+)$`).exec(part) ?? [];
        if (!field) throw syntax(part);
        return [columnIndex(table, field, 'field list'), literal(word)] as const;
      });
      const fits = matching(table, column, value);
      let affected = 0;
      const rows = table.rows.map(row => {
        if (!fits(row)) return row;
        const next = [...row];
        for (const [at, cell] of changes) next[at] = cell;
        if (next.some((cell, at) => cell !== row[at])) affected++;
        return next;
      });
      data.write(database, short, { ...table, rows });
      return { affected };
    },
  ],
  [
    `DELETE\\s+FROM\\s+${TABLE}${CONDITION}`,
    ([, name = '', column, value], data, sitting) => {
      const { database, name: short, table } = tableAt(name, data, sitting);
      const goes = matching(table, column, value);
      const rows = table.rows.filter(row => !goes(row));
      data.write(database, short, { ...table, rows });
      return { affected: table.rows.length - rows.length };
    },
  ],
  [
    `SELECT\\s+(.+?)\\s+FROM\\s+${TABLE}${CONDITION}(?:\\s+LIMIT\\s+(\\d+))?`,
    ([, wanted = '', name = '', column, value, limit], data, sitting) => {
      const { table } = tableAt(name, data, sitting);
      const rows = table.rows.filter(matching(table, column, value));
      if (/^COUNT\s*\(\s*\*\s*\)$/i.test(wanted))
        return { columns: [{ name: wanted, numeric: true }], rows: [[String(rows.length)]] };
      const places =
        wanted === '*'
          ? table.columns.map((_column, index) => index)
          : splitList(wanted).map(c => columnIndex(table, c, 'field list'));
      return {
        columns: places.map(at => {
          const { name: title, type } = table.columns[at]!;
          return { name: title, numeric: NUMERIC.test(type) };
        }),
        rows: rows
          .slice(0, limit === undefined ? undefined : Number(limit))
          .map(row => places.map(at => row[at] ?? null)),
      };
    },
  ],
  [
    'SELECT\\s+((?:(?!\\bFROM\\b)[\\s\\S])+)',
    ([, list = ''], data, sitting) => {
      const values = splitList(list).map(word => expression(word, data, sitting));
      return { columns: values.map(v => v.column), rows: [values.map(v => v.cell)] };
    },
  ],
];

const PARSED = STATEMENTS.map(([text, run]) => [new RegExp(`^${text}$`, 'i'), run] as const);

/** Runs one statement, without its semicolon; throws a SqlError. */
export function runStatement(statement: string, data: MysqlData, sitting: Sitting): Result {
  const text = statement.replace(/\/\*[\s\S]*?\*\/|^--\s.*$/gm, ' ').trim();
  if (text === '') throw fail(1065, '42000', 'Query was empty');
  for (const [shape, run] of PARSED) {
    const found = shape.exec(text);
    if (found) return run(found, data, sitting);
  }
  const beyond = BEYOND.exec(text);
  if (!beyond || beyond[2] === '') throw syntax(beyond ? '' : text);
  throw fail(1235, '42000', `This version of MySQL doesn't yet support '${beyond[0].trim().toUpperCase()}'`);
}

/** At its top-level commas. */
function splitList(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let quote = '';
  let part = '';
  for (const character of text) {
    if (quote) quote = character === quote ? '' : quote;
    else if (character === "'" || character === '"' || character === '`') quote = character;
    else if (character === '(') depth++;
    else if (character === ')') depth--;
    if (character === ',' && depth === 0 && !quote) {
      parts.push(part.trim());
      part = '';
    } else part += character;
  }
  return [...parts, part.trim()];
}

/** One item of a SELECT without a table. */
function expression(word: string, data: MysqlData, sitting: Sitting): { column: Column; cell: Cell } {
  const [, text = word, alias] = /^(.*\S)\s+AS\s+(\S+)$/is.exec(word) ?? [];
  const named = (cell: Cell, numeric = false) => ({
    column: { name: alias ? plain(alias) : /^['"]/.test(text) ? (literal(text) ?? '') : text, numeric },
    cell,
  });
  const sum = /^(-?\d+)\s*([-+*])\s*(-?\d+)$/.exec(text);
  if (sum) {
    const [a, b] = [Number(sum[1]), Number(sum[3])];
    return named(String(sum[2] === '+' ? a + b : sum[2] === '-' ? a - b : a * b), true);
  }
  if (/^-?\d+(\.\d+)?$/.test(text)) return named(text, true);
  if (/^null$|^(['"]).*\1$/is.test(text)) return named(literal(text));
  const variable = /^@@(?:global\.|session\.)?(\w+)$/i.exec(text)?.[1]?.toLowerCase();
  const variables: Record<string, string> = {
    version: sitting.version,
    hostname: sitting.hostname,
    port: '3306',
    datadir: '/var/lib/mysql/',
  };
  if (variable !== undefined) {
    if (!Object.hasOwn(variables, variable))
      throw fail(1193, 'HY000', `Unknown system variable '${variable}'`);
    return named(variables[variable]!, variable === 'port');
  }
  const call = /^(\w+)\s*\(\s*\)$/.exec(text)?.[1]?.toUpperCase();
  const account = `${sitting.user}@${sitting.host}`;
  const functions: Record<string, () => Cell> = {
    VERSION: () => sitting.version,
    DATABASE: () => sitting.database || null,
    USER: () => account,
    CURRENT_USER: () => `${sitting.user}@${sitting.host === 'localhost' ? 'localhost' : '%'}`,
    CONNECTION_ID: () => String(sitting.connection),
    NOW: () => new Date(sitting.now()).toISOString().slice(0, 19).replace('T', ' '),
  };
  if (call !== undefined && Object.hasOwn(functions, call))
    return named(functions[call]!(), call === 'CONNECTION_ID');
  if (call !== undefined)
    throw sitting.database
      ? fail(1305, '42000', `FUNCTION ${sitting.database}.${call} does not exist`)
      : fail(1046, '3D000', 'No database selected');
  if (/^`?\w+`?$/.test(text)) throw fail(1054, '42S22', `Unknown column '${plain(text)}' in 'field list'`);
  if (/[()+\-*/<>=]/.test(text) && data)
    throw fail(1235, '42000', `This version of MySQL doesn't yet support '${text}'`);
  throw syntax(text);
}
