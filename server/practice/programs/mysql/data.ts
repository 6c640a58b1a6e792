// What a MySQL server keeps, as files below its data directory: databases, tables with their rows, accounts. On a volume
// they outlive the container. Knows no SQL.

import type { ContainerFileSystem } from '../files.ts';
import { type Cell, keptPassword } from './packets.ts';

export const DATA = '/var/lib/mysql';
const ACCOUNTS = `${DATA}/mysql.ibd`;
const MARK = `${DATA}/ibdata1`;
/** Every server has these; they are not kept as files here. */
const OWN = ['information_schema', 'mysql', 'performance_schema', 'sys'];

export interface Table {
  columns: { name: string; type: string }[];
  rows: Cell[][];
}

export class MysqlData {
  private readonly files: ContainerFileSystem;

  constructor(files: ContainerFileSystem) {
    this.files = files;
  }

  get initialised(): boolean {
    return this.files.exists(MARK);
  }

  /** The first start: accounts, and a database if one is asked for. Later starts leave all as it is, passwords too. */
  initialise(env: Record<string, string>, rootPassword: string): void {
    const accounts: Record<string, string> = { root: keptPassword(rootPassword) };
    const user = env['MYSQL_USER'];
    if (user) accounts[user] = keptPassword(env['MYSQL_PASSWORD'] ?? '');
    this.files.write(ACCOUNTS, JSON.stringify(accounts));
    if (env['MYSQL_DATABASE']) this.create(env['MYSQL_DATABASE']);
    this.files.write(MARK, 'innodb');
  }

  /** What is kept of an account's password; undefined when there is no such account. */
  password(user: string): string | undefined {
    const accounts: Record<string, string> = JSON.parse(this.files.readText(ACCOUNTS) ?? '{}');
    return Object.hasOwn(accounts, user) ? accounts[user] : undefined;
  }

  databases(): string[] {
    const found = this.files.list(DATA).filter(name => this.files.isFolder(`${DATA}/${name}`));
    return [...new Set([...found, ...OWN])].sort();
  }

  has(database: string): boolean {
    return this.databases().includes(database);
  }

  isOwn(database: string): boolean {
    return OWN.includes(database);
  }

  create(database: string): void {
    this.files.mkdir(`${DATA}/${database}`);
  }

  /** How many tables went with it. */
  drop(database: string): number {
    const tables = this.tables(database).length;
    this.files.remove(`${DATA}/${database}`);
    return tables;
  }

  tables(database: string): string[] {
    return this.files
      .list(`${DATA}/${database}`)
      .filter(name => name.endsWith('.ibd'))
      .map(name => name.slice(0, -4));
  }

  table(database: string, name: string): Table | undefined {
    const text = this.files.readText(`${DATA}/${database}/${name}.ibd`);
    return text === undefined ? undefined : JSON.parse(text);
  }

  write(database: string, name: string, table: Table): void {
    this.files.write(`${DATA}/${database}/${name}.ibd`, JSON.stringify(table));
  }

  dropTable(database: string, name: string): void {
    this.files.remove(`${DATA}/${database}/${name}.ibd`);
  }
}
