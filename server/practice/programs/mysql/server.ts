// One connection to the MySQL server: greeting, login, commands. Knows neither SQL nor where the data lies.

import type { ByteStream } from '../../network/index.ts';
import type { Container } from '../types.ts';
import type { MysqlData } from './data.ts';
import {
  COMMAND,
  errorPacket,
  greeting,
  okPacket,
  onPackets,
  PLUGIN,
  passwordHolds,
  readLogin,
  resultPackets,
  SqlError,
  send,
  switchPlugin,
} from './packets.ts';
import { runStatement, type Sitting } from './statements.ts';

const SALT_BYTES = 20;
const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';

/** Counts what `mysqladmin status` tells. */
export class MysqlServer {
  private readonly container: Container;
  private readonly data: MysqlData;
  private readonly version: string;
  private readonly startedAt: number;
  /** Ids of connections begin where the server's own threads end. */
  private connections = 7;
  private open = 0;
  private questions = 0;

  constructor(container: Container, data: MysqlData, version: string) {
    this.container = container;
    this.data = data;
    this.version = version;
    this.startedAt = container.clock.now();
  }

  accept(stream: ByteStream, peer: string): void {
    const salt = Buffer.from(this.container.random.text(SALT_BYTES, LETTERS), 'latin1');
    // Whoever is in the pod itself comes through the socket.
    const host = this.container.files.readText('/etc/hosts')?.includes(`${peer}\t`) ? 'localhost' : peer;
    const sitting: Sitting = {
      user: '',
      host,
      database: '',
      connection: ++this.connections,
      version: this.version,
      hostname: this.container.env['HOSTNAME'] ?? '',
      now: () => this.container.clock.now(),
    };
    let state: 'login' | 'password' | 'open' = 'login';
    let wanted = '';
    this.open++;
    stream.onClose(() => {
      this.open--;
    });
    stream.onEnd(() => stream.end());
    onPackets(stream, (payload, sequence) => {
      const reply = (...packets: Uint8Array[]) => {
        for (const [index, packet] of packets.entries()) send(stream, sequence + 1 + index, packet);
      };
      try {
        if (state === 'open') return reply(...this.command(payload, sitting, stream));
        let auth: Uint8Array = payload;
        if (state === 'login') {
          const login = readLogin(payload);
          sitting.user = login.user;
          wanted = login.database;
          auth = login.auth;
          if (login.plugin !== PLUGIN) {
            state = 'password';
            return reply(switchPlugin(salt));
          }
        }
        this.admit(sitting, auth, salt, wanted);
        state = 'open';
        reply(okPacket());
      } catch (error) {
        reply(errorPacket(asSqlError(error)));
        if (state !== 'open') stream.end();
      }
    });
    send(stream, 0, greeting(this.version, sitting.connection, salt));
  }

  private admit(sitting: Sitting, auth: Uint8Array, salt: Buffer, database: string): void {
    const kept = this.data.password(sitting.user);
    if (kept === undefined || !passwordHolds(kept, auth, salt))
      throw new SqlError(
        1045,
        '28000',
        `Access denied for user '${sitting.user}'@'${sitting.host}' (using password: ${auth.length > 0 ? 'YES' : 'NO'})`,
      );
    if (database) this.use(sitting, database);
  }

  private use(sitting: Sitting, database: string): void {
    if (!this.data.has(database)) throw new SqlError(1049, '42000', `Unknown database '${database}'`);
    sitting.database = database;
  }

  private command(payload: Buffer, sitting: Sitting, stream: ByteStream): Uint8Array[] {
    const text = payload.toString('utf8', 1);
    switch (payload[0]) {
      case COMMAND.quit:
        stream.end();
        return [];
      case COMMAND.ping:
        return [okPacket()];
      case COMMAND.useDatabase:
        this.use(sitting, text);
        return [okPacket()];
      case COMMAND.statistics:
        return [Buffer.from(this.statistics())];
      case COMMAND.query:
        this.questions++;
        return resultPackets(runStatement(text, this.data, sitting));
      default:
        throw new SqlError(1047, '08S01', 'Unknown command');
    }
  }

  private statistics(): string {
    const uptime = Math.max(1, Math.floor((this.container.clock.now() - this.startedAt) / 1000));
    const tables = this.data.databases().reduce((sum, name) => sum + this.data.tables(name).length, 0);
    return `Uptime: ${uptime}  Threads: ${this.open + 1}  Questions: ${this.questions}  Slow queries: 0  Opens: ${tables}  Flush tables: 3  Open tables: ${tables}  Queries per second avg: ${(this.questions / uptime).toFixed(3)}`;
  }
}

/** A full disk and the like come as MySQL would tell them. */
const asSqlError = (error: unknown): SqlError =>
  error instanceof SqlError
    ? error
    : new SqlError(1105, 'HY000', error instanceof Error ? error.message : String(error));
