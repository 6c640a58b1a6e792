// One client's connection to a MySQL server: log in, ask, read the answer. Knows no terminal.

import { type ByteStream, DialError } from '../../network/index.ts';
import {
  type Cell,
  COMMAND,
  type Column,
  isEnd,
  loginPacket,
  onPackets,
  PLUGIN,
  Reader,
  type Result,
  readColumn,
  readError,
  readGreeting,
  SqlError,
  scramble,
  send,
} from './packets.ts';

export const SOCKET = '/var/run/mysqld/mysqld.sock';
const REFUSED = 111;
const NO_SUCH_FILE = 2;
const UNREACHABLE = 113;
const TIMED_OUT = 110;

export interface Account {
  user: string;
  password: string;
  database?: string;
}

/** Where the server is; without a host: the socket in the same container. */
export interface Where {
  host?: string;
  port: number;
  dial(host: string, port: number): Promise<ByteStream>;
}

export class MysqlConnection {
  version = '';
  connection = 0;
  private readonly stream: ByteStream;
  private readonly packets: Buffer[] = [];
  private waiting: (() => void) | undefined;
  private over = false;

  private constructor(stream: ByteStream) {
    this.stream = stream;
    onPackets(stream, payload => {
      this.packets.push(payload);
      this.waiting?.();
    });
    const ended = () => {
      this.over = true;
      this.waiting?.();
    };
    stream.onEnd(ended);
    stream.onClose(ended);
  }

  /** Rejects with a SqlError in the client library's or the server's words. */
  static async open(where: Where, account: Account): Promise<MysqlConnection> {
    let stream: ByteStream;
    try {
      stream = await where.dial(where.host ?? '127.0.0.1', where.port);
    } catch (error) {
      if (error instanceof DialError) throw unreachable(where, error);
      throw error;
    }
    const own = new MysqlConnection(stream);
    const { version, connection, salt } = readGreeting(await own.next());
    own.version = version;
    own.connection = connection;
    const auth = scramble(account.password, salt);
    const { user, database = '' } = account;
    send(stream, 1, loginPacket({ user, auth, database, plugin: PLUGIN }));
    await own.accepted();
    return own;
  }

  private async next(): Promise<Buffer> {
    for (;;) {
      const packet = this.packets.shift();
      if (packet) return packet;
      if (this.over) throw new SqlError(2013, 'HY000', 'Lost connection to MySQL server during query');
      await new Promise<void>(resolve => {
        this.waiting = resolve;
      });
    }
  }

  private async accepted(): Promise<Buffer> {
    const packet = await this.next();
    if (packet[0] === 0xff) throw readError(packet);
    return packet;
  }

  private ask(command: number, text = ''): void {
    if (this.over) throw new SqlError(2006, 'HY000', 'MySQL server has gone away');
    send(this.stream, 0, Buffer.concat([Buffer.from([command]), Buffer.from(text)]));
  }

  async query(statement: string): Promise<Result> {
    this.ask(COMMAND.query, statement);
    const head = await this.accepted();
    const reader = new Reader(head);
    if (head[0] === 0) {
      reader.number(1);
      return { affected: reader.length() };
    }
    const columns: Column[] = [];
    for (let left = reader.length(); left > 0; left--) columns.push(readColumn(await this.next()));
    await this.next();
    const rows: Cell[][] = [];
    for (;;) {
      const packet = await this.accepted();
      if (isEnd(packet)) return { columns, rows };
      const row = new Reader(packet);
      rows.push(columns.map(() => row.cell()));
    }
  }

  async use(database: string): Promise<void> {
    this.ask(COMMAND.useDatabase, database);
    await this.accepted();
  }

  async ping(): Promise<void> {
    this.ask(COMMAND.ping);
    await this.accepted();
  }

  async statistics(): Promise<string> {
    this.ask(COMMAND.statistics);
    return (await this.accepted()).toString('utf8');
  }

  close(): void {
    if (!this.over) this.ask(COMMAND.quit);
    this.stream.end();
  }
}

function unreachable({ host, port }: Where, error: DialError): SqlError {
  if (host === undefined)
    return new SqlError(
      2002,
      'HY000',
      `Can't connect to local MySQL server through socket '${SOCKET}' (${NO_SUCH_FILE})`,
    );
  if (error.reason === 'no such host')
    return new SqlError(2005, 'HY000', `Unknown MySQL server host '${host}' (-2)`);
  const number =
    error.reason === 'connection refused'
      ? REFUSED
      : error.reason === 'no route to host'
        ? UNREACHABLE
        : TIMED_OUT;
  return new SqlError(2003, 'HY000', `Can't connect to MySQL server on '${host}:${port}' (${number})`);
}
