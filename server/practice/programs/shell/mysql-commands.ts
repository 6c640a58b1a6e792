// mysql and mysqladmin in a container's shell: options, tables of results, the interactive prompt. Knows no wire format
// and no SQL.

import { type CustomCommand, defineCommand } from 'just-bash';
import { MysqlConnection, SOCKET } from '../mysql/client.ts';
import { type Cell, type Column, type Result, SqlError } from '../mysql/packets.ts';
import type { ShellTools } from './types.ts';

const PORT = 3306;
/** Errors of the client library itself, not of a server that answered. */
const CLIENT_ERRORS = { from: 2000, to: 2999 };
const LOST = new Set([2006, 2013]);
const WITH_VALUE = ['host', 'user', 'port', 'database', 'execute', 'protocol', 'socket'];
const SHORT: Record<string, string> = {
  h: 'host',
  u: 'user',
  P: 'port',
  D: 'database',
  e: 'execute',
  S: 'socket',
};

interface Options {
  values: Map<string, string>;
  flags: Set<string>;
  /** Undefined: none was given; null: it is to be asked for. */
  password: string | null | undefined;
  rest: string[];
}

function readOptions(args: readonly string[]): Options {
  const read: Options = { values: new Map(), flags: new Set(), password: undefined, rest: [] };
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (arg === '--password' || arg === '-p') read.password = null;
    else if (arg.startsWith('--password=')) read.password = arg.slice('--password='.length);
    else if (/^-p./.test(arg)) read.password = arg.slice(2);
    else if (arg.startsWith('--')) {
      const [name = '', value] = arg.slice(2).split(/=(.*)/s);
      if (WITH_VALUE.includes(name)) read.values.set(name, value ?? args[++i] ?? '');
      else read.flags.add(name);
    } else if (arg.startsWith('-') && SHORT[arg[1]!])
      read.values.set(SHORT[arg[1]!]!, arg.length > 2 ? arg.slice(2) : (args[++i] ?? ''));
    else if (arg.startsWith('-')) for (const letter of arg.slice(1)) read.flags.add(letter);
    else read.rest.push(arg);
  }
  return read;
}

export function mysqlCommands(tools: ShellTools): CustomCommand[] {
  return [
    defineCommand('mysql', (args, ctx) => mysql(args, ctx, tools)),
    defineCommand('mysqladmin', (args, ctx) => mysqladmin(args, ctx, tools)),
  ];
}

/** Connects as the options say; undefined when the password was not typed. */
async function connect(
  program: string,
  options: Options,
  env: (name: string) => string | undefined,
  tools: ShellTools,
) {
  if (typeof options.password === 'string')
    tools.printError(
      `${program}: [Warning] Using a password on the command line interface can be insecure.\n`,
    );
  let password = options.password ?? env('MYSQL_PWD') ?? '';
  if (options.password === null) {
    const typed = await tools.io.terminal?.readLine('Enter password: ', { silent: true });
    if (typed === 'interrupt') return undefined;
    password = typeof typed === 'object' ? typed.line : '';
  }
  const host = options.values.get('host');
  const database = options.values.get('database') ?? (program === 'mysql' ? options.rest[0] : undefined);
  return MysqlConnection.open(
    {
      // This name means the socket, whatever it resolves to.
      ...(host === undefined || host === 'localhost' ? {} : { host }),
      port: Number(options.values.get('port') ?? PORT),
      dial: (to, port) => tools.container.network.dial(to, port),
    },
    { user: options.values.get('user') ?? 'root', password, ...(database ? { database } : {}) },
  );
}

const done = (exitCode: number, stderr = '') => ({ stdout: '', stderr, exitCode });
const shown = (error: SqlError, at = '') => `ERROR ${error.code} (${error.state})${at}: ${error.message}\n`;

async function mysql(args: readonly string[], ctx: any, tools: ShellTools) {
  const options = readOptions(args);
  if (options.flags.has('V') || options.flags.has('version'))
    return {
      ...done(0),
      stdout: `mysql  Ver ${tagOf(tools)} for Linux on x86_64 (MySQL Community Server - GPL)\n`,
    };
  let connection: MysqlConnection | undefined;
  try {
    connection = await connect('mysql', options, name => ctx.env.get(name), tools);
    if (!connection) return done(1);
    tools.signal.addEventListener('abort', () => connection?.close(), { once: true });
    const statements =
      options.values.get('execute') ?? Buffer.from(String(ctx.stdin ?? ''), 'latin1').toString();
    if (!options.values.has('execute') && !ctx.stdin && tools.io.terminal)
      return done(await talk(connection, tools));
    return await runAll(connection, statements, options, tools);
  } catch (error) {
    if (error instanceof SqlError) return done(1, shown(error));
    throw error;
  } finally {
    connection?.close();
  }
}

const tagOf = ({ container }: ShellTools) => container.image.slice(container.image.lastIndexOf(':') + 1);

/** Statements with the ending that each has (`;` or `\G`), and what is left without one. */
function split(text: string): {
  statements: { text: string; vertical: boolean; line: number }[];
  rest: string;
} {
  const statements: { text: string; vertical: boolean; line: number }[] = [];
  let rest = text;
  let line = 1;
  for (;;) {
    const found = /^((?:[^;'"`\\]|\\(?![gG])|'(?:[^']|'')*'|"[^"]*"|`[^`]*`)*)(;|\\g|\\G)/.exec(rest);
    if (!found) return { statements, rest };
    const body = found[1] ?? '';
    const start = line + body.slice(0, body.search(/\S|$/)).split('\n').length - 1;
    if (body.trim()) statements.push({ text: body.trim(), vertical: found[2] === '\\G', line: start });
    line += found[0].split('\n').length - 1;
    rest = rest.slice(found[0].length);
  }
}

/** USE is the client's own command: it tells the server by another message. */
async function ask(connection: MysqlConnection, statement: string): Promise<Result | 'changed'> {
  const database = /^use\s+(`[^`]+`|\S+)$/i.exec(statement)?.[1];
  if (database === undefined) return connection.query(statement);
  await connection.use(database.replaceAll('`', ''));
  return 'changed';
}

async function runAll(connection: MysqlConnection, text: string, options: Options, tools: ShellTools) {
  const { statements, rest } = split(text);
  if (rest.trim())
    statements.push({ text: rest.trim(), vertical: false, line: text.trimEnd().split('\n').length });
  // On a terminal, or when asked for, results are drawn as tables.
  const drawn =
    (tools.io.tty && !options.flags.has('B') && !options.flags.has('batch')) ||
    options.flags.has('t') ||
    options.flags.has('table');
  const names = !options.flags.has('N') && !options.flags.has('skip-column-names');
  let stdout = '';
  for (const { text: statement, vertical, line } of statements) {
    try {
      const result = await ask(connection, statement);
      if (result === 'changed' || !('columns' in result) || result.rows.length === 0) continue;
      if (vertical) stdout += verticalRows(result.columns, result.rows);
      else if (drawn) stdout += drawTable(result.columns, result.rows);
      else stdout += plainRows(result.columns, result.rows, names && !options.flags.has('s'));
    } catch (error) {
      if (!(error instanceof SqlError)) throw error;
      return { stdout, stderr: shown(error, ` at line ${line}`), exitCode: 1 };
    }
  }
  return { stdout, stderr: '', exitCode: 0 };
}

const cellText = (cell: Cell) => cell ?? 'NULL';

const plainRows = (columns: Column[], rows: Cell[][], names: boolean) =>
  [...(names ? [columns.map(c => c.name)] : []), ...rows.map(row => row.map(cellText))]
    .map(row => `${row.join('\t')}\n`)
    .join('');

function drawTable(columns: Column[], rows: Cell[][]): string {
  const widths = columns.map((c, i) => Math.max(c.name.length, ...rows.map(row => cellText(row[i]!).length)));
  const rule = `+${widths.map(w => '-'.repeat(w + 2)).join('+')}+\n`;
  const head = `|${columns.map((c, i) => ` ${c.name.padEnd(widths[i]!)} `).join('|')}|\n`;
  const body = rows.map(row => {
    const cells = row.map((cell, i) =>
      columns[i]!.numeric
        ? ` ${cellText(cell).padStart(widths[i]!)} `
        : ` ${cellText(cell).padEnd(widths[i]!)} `,
    );
    return `|${cells.join('|')}|\n`;
  });
  return `${rule}${head}${rule}${body.join('')}${rule}`;
}

function verticalRows(columns: Column[], rows: Cell[][]): string {
  const width = Math.max(...columns.map(c => c.name.length));
  const stars = '*'.repeat(27);
  return rows
    .map(
      (row, index) =>
        `${stars} ${index + 1}. row ${stars}\n${columns.map((c, i) => `${c.name.padStart(width)}: ${cellText(row[i]!)}\n`).join('')}`,
    )
    .join('');
}

/** The monitor: statements over several lines, until `exit` or Ctrl-D. */
async function talk(connection: MysqlConnection, tools: ShellTools): Promise<number> {
  const terminal = tools.io.terminal!;
  const { clock } = tools.container;
  const history: string[] = [];
  tools.print(
    `Welcome to the MySQL monitor.  Commands end with ; or \\g.\nYour MySQL connection id is ${connection.connection}\nServer version: ${connection.version} MySQL Community Server - GPL\n\nType 'help;' or '\\h' for help. Type '\\c' to clear the current input statement.\n\n`,
  );
  let text = '';
  while (!tools.signal.aborted) {
    const typed = await terminal.readLine(text.trim() ? '    -> ' : 'mysql> ', { history });
    if (typed === 'interrupt') {
      text = '';
      continue;
    }
    if (typed === 'end') break;
    const line = typed.line.trim();
    if (!text.trim() && /^(exit|quit|\\q)\s*;?$/i.test(line)) break;
    if (/\\c\s*;?$/.test(line)) {
      text = '';
      continue;
    }
    if (!text.trim() && /^use\s+\S+$/i.test(line)) text = `${line};`;
    else text += `${typed.line}\n`;
    const { statements, rest } = split(text);
    text = rest;
    for (const { text: statement, vertical } of statements) {
      const began = clock.now();
      try {
        const result = await ask(connection, statement);
        tools.print(told(result, vertical, `(${((clock.now() - began) / 1000).toFixed(2)} sec)`));
      } catch (error) {
        if (!(error instanceof SqlError)) throw error;
        tools.print(shown(error));
        if (LOST.has(error.code)) return 1;
      }
    }
  }
  tools.print('Bye\n');
  return 0;
}

function told(result: Result | 'changed', vertical: boolean, took: string): string {
  if (result === 'changed') return 'Database changed\n';
  if (!('columns' in result))
    return `Query OK, ${result.affected} ${result.affected === 1 ? 'row' : 'rows'} affected ${took}\n\n`;
  const count = result.rows.length;
  if (count === 0) return `Empty set ${took}\n\n`;
  const rows = vertical ? verticalRows(result.columns, result.rows) : drawTable(result.columns, result.rows);
  return `${rows}${count} ${count === 1 ? 'row' : 'rows'} in set ${took}\n\n`;
}

async function mysqladmin(args: readonly string[], ctx: any, tools: ShellTools) {
  const options = readOptions(args);
  const [command] = options.rest;
  if (command === undefined || !['ping', 'status', 'create', 'shutdown'].includes(command))
    return done(1, `mysqladmin: Unknown command: '${command ?? ''}'\n`);
  let connection: MysqlConnection | undefined;
  try {
    connection = await connect('mysqladmin', options, name => ctx.env.get(name), tools);
    if (!connection) return done(1);
    if (command === 'ping') {
      await connection.ping();
      return { ...done(0), stdout: 'mysqld is alive\n' };
    }
    if (command === 'status') return { ...done(0), stdout: `${await connection.statistics()}\n` };
    if (command === 'shutdown') {
      tools.container.terminate();
      return done(0);
    }
    await connection.query(`CREATE DATABASE \`${options.rest[1] ?? ''}\``);
    return done(0);
  } catch (error) {
    if (!(error instanceof SqlError)) throw error;
    if (connection) return done(1, `mysqladmin: CREATE DATABASE failed; error: '${error.message}'\n`);
    const unreachable = error.code >= CLIENT_ERRORS.from && error.code <= CLIENT_ERRORS.to;
    const host = options.values.get('host') ?? 'localhost';
    const advice =
      error.code === 2002
        ? `Check that mysqld is running and that the socket: '${SOCKET}' exists!\n`
        : error.code === 2003
          ? `Check that mysqld is running on ${host} and that the port is ${options.values.get('port') ?? 0}.\nYou can check this by doing 'telnet ${host} ${options.values.get('port') ?? 0}'\n`
          : '';
    return {
      stdout: '',
      stderr: `mysqladmin: connect to server at '${host}' failed\nerror: '${error.message}'\n${advice}`,
      // A server that refuses the login is alive all the same.
      exitCode: command === 'ping' && !unreachable ? 0 : 1,
    };
  } finally {
    connection?.close();
  }
}
