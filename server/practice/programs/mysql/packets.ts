// MySQL's wire format, both sides: packets, handshakes, answers. Knows no SQL and no connections.

import { createHash } from 'node:crypto';
import type { ByteStream } from '../../network/index.ts';

export const COMMAND = { quit: 1, useDatabase: 2, query: 3, statistics: 9, ping: 14 } as const;
export const PLUGIN = 'mysql_native_password';
/** Long password, connect with a database, protocol 4.1, transactions, secure connection, plugins. */
const CAPABILITIES = 0x1 | 0x8 | 0x200 | 0x2000 | 0x8000 | 0x80000;
const WITH_DATABASE = 0x8;
const PLUGINS = 0x80000;
const LENGTH_ENCODED_AUTH = 0x200000;
const UTF8 = 255;
const BINARY = 63;
const AUTOCOMMIT = 2;
const LONGLONG = 8;
const VAR_STRING = 253;

export interface Column {
  name: string;
  numeric?: boolean;
}
export type Cell = string | null;
/** What a statement came to: rows, or how many it changed. */
export type Result = { columns: Column[]; rows: Cell[][] } | { affected: number };

/** In MySQL's numbers and words. */
export class SqlError extends Error {
  readonly code: number;
  readonly state: string;
  constructor(code: number, state: string, message: string) {
    super(message);
    this.code = code;
    this.state = state;
  }
}

/** Hands over whole packets as they arrive. */
export function onPackets(stream: ByteStream, take: (payload: Buffer, sequence: number) => void): void {
  let waiting = Buffer.alloc(0);
  stream.onData(chunk => {
    waiting = Buffer.concat([waiting, chunk]);
    while (waiting.length >= 4) {
      const size = waiting.readUIntLE(0, 3);
      if (waiting.length < 4 + size) return;
      const payload = waiting.subarray(4, 4 + size);
      const sequence = waiting[3]!;
      waiting = waiting.subarray(4 + size);
      take(payload, sequence);
    }
  });
}

export function send(stream: ByteStream, sequence: number, payload: Uint8Array): void {
  const head = Buffer.alloc(4);
  head.writeUIntLE(payload.length, 0, 3);
  head[3] = sequence & 255;
  stream.write(Buffer.concat([head, payload]));
}

const zeroEnded = (text: string) => Buffer.from(`${text}\0`, 'utf8');
const number = (value: number, bytes: number) => {
  const out = Buffer.alloc(bytes);
  out.writeUIntLE(value, 0, bytes);
  return out;
};

/** A length-encoded integer. */
function length(value: number): Buffer {
  if (value < 251) return Buffer.from([value]);
  return value < 65_536
    ? Buffer.concat([Buffer.from([0xfc]), number(value, 2)])
    : Buffer.concat([Buffer.from([0xfd]), number(value, 3)]);
}

const text = (value: string) => Buffer.concat([length(Buffer.byteLength(value)), Buffer.from(value)]);

/** Reads a payload from its front. */
export class Reader {
  private at = 0;
  private readonly bytes: Buffer;
  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }
  get left(): number {
    return this.bytes.length - this.at;
  }
  take(count: number): Buffer {
    this.at += count;
    return this.bytes.subarray(this.at - count, this.at);
  }
  number(bytes: number): number {
    return this.take(bytes).readUIntLE(0, bytes);
  }
  length(): number {
    const first = this.number(1);
    return first < 251 ? first : this.number(first === 0xfc ? 2 : 3);
  }
  zeroEnded(): string {
    const end = this.bytes.indexOf(0, this.at);
    const found = this.bytes.toString('utf8', this.at, end < 0 ? undefined : end);
    this.at = end < 0 ? this.bytes.length : end + 1;
    return found;
  }
  rest(): string {
    return this.take(this.left).toString('utf8');
  }
  cell(): Cell {
    if (this.bytes[this.at] !== 0xfb) return this.take(this.length()).toString('utf8');
    this.at++;
    return null;
  }
}

const sha1 = (...parts: Uint8Array[]) => {
  const hash = createHash('sha1');
  for (const part of parts) hash.update(part);
  return hash.digest();
};
/** What a server keeps of a password; empty for none. */
export const keptPassword = (password: string) =>
  password === '' ? '' : sha1(sha1(Buffer.from(password))).toString('hex');

/** What a client sends instead of its password. */
export function scramble(password: string, salt: Uint8Array): Buffer {
  if (password === '') return Buffer.alloc(0);
  const once = sha1(Buffer.from(password));
  const mask = sha1(salt, sha1(once));
  return Buffer.from(once.map((byte, index) => byte ^ mask[index]!));
}

export function passwordHolds(kept: string, sent: Uint8Array, salt: Uint8Array): boolean {
  if (kept === '' || sent.length === 0) return kept === '' && sent.length === 0;
  const mask = sha1(salt, Buffer.from(kept, 'hex'));
  return sha1(Buffer.from(sent.map((byte, index) => byte ^ mask[index]!))).toString('hex') === kept;
}

export function greeting(version: string, connection: number, salt: Buffer): Buffer {
  return Buffer.concat([
    Buffer.from([10]),
    zeroEnded(version),
    number(connection, 4),
    salt.subarray(0, 8),
    Buffer.from([0]),
    number(CAPABILITIES & 0xffff, 2),
    Buffer.from([UTF8]),
    number(AUTOCOMMIT, 2),
    number(CAPABILITIES >>> 16, 2),
    Buffer.from([salt.length + 1]),
    Buffer.alloc(10),
    salt.subarray(8),
    Buffer.from([0]),
    zeroEnded(PLUGIN),
  ]);
}

export function readGreeting(payload: Buffer): { version: string; connection: number; salt: Buffer } {
  const reader = new Reader(payload);
  reader.number(1);
  const version = reader.zeroEnded();
  const connection = reader.number(4);
  const first = reader.take(8);
  reader.take(19);
  return { version, connection, salt: Buffer.concat([first, reader.take(12)]) };
}

export interface Login {
  user: string;
  auth: Buffer;
  database: string;
  plugin: string;
}

export function loginPacket(login: Login): Buffer {
  return Buffer.concat([
    number(CAPABILITIES, 4),
    number(0xffffff, 4),
    Buffer.from([UTF8]),
    Buffer.alloc(23),
    zeroEnded(login.user),
    Buffer.from([login.auth.length]),
    login.auth,
    zeroEnded(login.database),
    zeroEnded(login.plugin),
  ]);
}

export function readLogin(payload: Buffer): Login {
  const reader = new Reader(payload);
  const capabilities = reader.number(4);
  reader.take(28);
  const user = reader.zeroEnded();
  const auth = reader.take(capabilities & LENGTH_ENCODED_AUTH ? reader.length() : reader.number(1));
  const database = capabilities & WITH_DATABASE && reader.left > 0 ? reader.zeroEnded() : '';
  return { user, auth, database, plugin: capabilities & PLUGINS ? reader.zeroEnded() : PLUGIN };
}

/** Asks a client that prefers another way to log in for ours. */
export const switchPlugin = (salt: Buffer) =>
  Buffer.concat([Buffer.from([0xfe]), zeroEnded(PLUGIN), salt, Buffer.from([0])]);

export const okPacket = (affected = 0) =>
  Buffer.concat([Buffer.from([0]), length(affected), length(0), number(AUTOCOMMIT, 2), number(0, 2)]);

export const errorPacket = (error: SqlError) =>
  Buffer.concat([Buffer.from([0xff]), number(error.code, 2), Buffer.from(`#${error.state}${error.message}`)]);

export function readError(payload: Buffer): SqlError {
  const reader = new Reader(payload);
  reader.number(1);
  const code = reader.number(2);
  return new SqlError(code, reader.take(6).toString('utf8').slice(1), reader.rest());
}

const END = Buffer.from([0xfe, 0, 0, AUTOCOMMIT, 0]);
export const isEnd = (payload: Buffer) => payload[0] === 0xfe && payload.length < 9;

/** The packets of one answer, in order. */
export function resultPackets(result: Result): Buffer[] {
  if (!('columns' in result)) return [okPacket(result.affected)];
  const column = ({ name, numeric }: Column) =>
    Buffer.concat([
      ...['def', '', '', '', name, name].map(text),
      Buffer.from([0x0c]),
      number(numeric ? BINARY : UTF8, 2),
      number(1024, 4),
      Buffer.from([numeric ? LONGLONG : VAR_STRING]),
      Buffer.alloc(5),
    ]);
  const row = (cells: Cell[]) =>
    Buffer.concat(cells.map(cell => (cell === null ? Buffer.from([0xfb]) : text(cell))));
  return [length(result.columns.length), ...result.columns.map(column), END, ...result.rows.map(row), END];
}

export function readColumn(payload: Buffer): Column {
  const reader = new Reader(payload);
  for (let skipped = 0; skipped < 4; skipped++) reader.cell();
  const name = reader.cell() ?? '';
  reader.cell();
  reader.take(7);
  return { name, numeric: reader.number(1) === LONGLONG };
}
