// Model Registry's server: waits for its MySQL as long as the real one does, then answers REST from its tables. Knows its life
// and its log; what it answers lies in rest.ts.

import { DialError } from '../../network/index.ts';
import { flagOf } from '../flags.ts';
import { generalServer } from '../general.ts';
import { MysqlConnection } from '../mysql/client.ts';
import { SqlError } from '../mysql/packets.ts';
import { klog } from '../operator/index.ts';
import { exitOf, untilAborted } from '../signals.ts';
import type { Container, HttpRequest, HttpResponse, Program } from '../types.ts';
import { answer } from './rest.ts';
import { Tables } from './tables.ts';

/** It tries so often, waiting a second longer each time, before it gives up. */
const ATTEMPTS = 25;
const START_MS = 200;
const DOWN =
  'Datastore service is down or unavailable. Please check that the database is reachable and try again later.';
const HEX = '0123456789abcdef';

interface Dsn {
  user: string;
  password: string;
  host: string;
  port: number;
  database: string;
}

/** `root:test@tcp(model-registry-db:3306)/metadb?charset=utf8mb4` */
function parseDsn(text: string): Dsn | undefined {
  const found = /^([^:@]*)(?::(.*))?@tcp\(([^:)]+)(?::(\d+))?\)\/([^?]*)/.exec(text);
  if (!found) return undefined;
  const [, user = '', password = '', host = '', port = '3306', database = ''] = found;
  return { user, password, host, port: Number(port), database };
}

/** In the words of Go's driver. */
const reason = (error: unknown): string =>
  error instanceof SqlError
    ? `Error ${error.code} (${error.state}): ${error.message}`
    : error instanceof Error
      ? error.message
      : String(error);

class Registry {
  private readonly container: Container;
  private readonly dsn: Dsn;
  private connection: MysqlConnection | undefined;
  /** Requests take turns at the connection. */
  private turn: Promise<unknown> = Promise.resolve();
  connected = false;

  constructor(container: Container, dsn: Dsn) {
    this.container = container;
    this.dsn = dsn;
  }

  /** A connection that answers: the one there is, or a new one. Rejects with what the driver would say. */
  async open(): Promise<Tables> {
    try {
      await this.connection?.ping();
    } catch {
      this.connection = undefined;
    }
    if (!this.connection) {
      let dialled: DialError | undefined;
      const dial = async (host: string, port: number) => {
        try {
          return await this.container.network.dial(host, port);
        } catch (error) {
          if (error instanceof DialError) dialled = error;
          throw error;
        }
      };
      try {
        this.connection = await MysqlConnection.open({ ...this.dsn, dial }, this.dsn);
      } catch (error) {
        throw dialled ?? error;
      }
    }
    return new Tables(this.connection);
  }

  /** Runs one after the other: id of the next row and the row belong together. */
  exclusively<T>(work: (tables: Tables) => Promise<T>): Promise<T> {
    const next = this.turn.then(async () => work(await this.open()));
    this.turn = next.catch(() => undefined);
    return next;
  }

  /** 32 random hexadecimal digits, as a new name has. */
  uuid = (): string => {
    const text = this.container.random.text(32, HEX);
    return [text.slice(0, 8), text.slice(8, 12), text.slice(12, 16), text.slice(16, 20), text.slice(20)].join(
      '-',
    );
  };

  async handle(request: HttpRequest): Promise<HttpResponse> {
    const { clock } = this.container;
    if (request.path.startsWith('/readyz/')) return this.ready(request.path);
    if (!this.connected)
      return { status: 503, headers: { 'Content-Type': 'text/plain; charset=utf-8' }, body: `${DOWN}\n` };
    const start = clock.now();
    try {
      const { response, name } = await this.exclusively(tables =>
        answer(request, tables, clock.now(), this.uuid),
      );
      if (name) this.log(`${request.method} ${request.path} ${name} ${took(clock.now() - start)}`);
      return response;
    } catch (error) {
      const body = JSON.stringify({ code: 'Internal Server Error', message: reason(error) });
      return {
        status: 500,
        headers: { 'Content-Type': 'application/json; charset=UTF-8' },
        body: `${body}\n`,
      };
    }
  }

  private log(text: string): void {
    const at = new Date(this.container.clock.now()).toISOString();
    this.container.logError(`${at.slice(0, 10).replaceAll('-', '/')} ${at.slice(11, 19)} ${text}`);
  }

  /** `/readyz/isDirty` asks for the database alone, `/readyz/health` for the registry too. */
  private async ready(path: string): Promise<HttpResponse> {
    let failure = this.connected ? '' : 'database connector not initialized';
    if (this.connected)
      try {
        const dirty = await this.exclusively(tables => tables.dirty());
        if (dirty) failure = 'database schema is in dirty state';
      } catch (error) {
        failure = `database connection error: ${reason(error)}`;
      }
    const status = failure ? 503 : 200;
    if (!/[?&]format=json/.test(path))
      return {
        status,
        headers: { 'Content-Type': 'text/plain; charset=utf-8' },
        body: failure ? `${failure}\n` : 'OK',
      };
    const check = (Name: string) => ({ Name, Status: failure ? 'fail' : 'pass', Message: failure });
    const body = { status: failure ? 'fail' : 'pass', checks: { database: check('database') } };
    return { status, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) };
  }
}

const took = (ms: number) => (ms >= 1000 ? `${ms / 1000}s` : ms > 0 ? `${ms}ms` : '0s');
function program(image: string): Program {
  return {
    image,
    config: { entrypoint: ['/model-registry'] },
    async run(container) {
      // Only MySQL is spoken here; with a PostgreSQL it does what a server of which nothing is known does.
      const dsn = parseDsn(flagOf(container, 'embedmd-database-dsn') ?? '');
      if (flagOf(container, 'embedmd-database-type') !== 'mysql' || !dsn) return generalServer.run(container);
      return serve(container, dsn);
    },
  };
}

async function serve(container: Container, dsn: Dsn): Promise<number> {
  const say = (level: 'I' | 'W' | 'E' | 'F', place: string, text: string) =>
    container.logError(klog(container, level, place, text));
  container.use({ cpuMillis: 3, memoryBytes: 34 * 1024 * 1024 });
  await container.clock.sleep(START_MS, container.signal);
  if (container.signal.aborted) return exitOf(container);
  const port = Number(flagOf(container, 'port') ?? 8080);
  const registry = new Registry(container, dsn);
  container.serveHttp(port, request => registry.handle(request));
  say('I', 'proxy.go:184', `Proxy server started at ${flagOf(container, 'hostname') ?? '0.0.0.0'}:${port}`);
  say('I', 'proxy.go:92', 'Connecting to EmbedMD service...');
  for (let attempt = 1; ; attempt++) {
    try {
      await registry.open();
      break;
    } catch (error) {
      if (container.signal.aborted) return exitOf(container);
      if (attempt > ATTEMPTS) {
        container.logError(
          `{{ALERT}} error connecting to datastore: failed to connect to MySQL: ${reason(error)}`,
        );
        return 1;
      }
      say(
        'W',
        'connect.go:61',
        `Retrying connection to MySQL (attempt ${attempt}/${ATTEMPTS}): ${reason(error)}`,
      );
      await container.clock.sleep(attempt * 1000, container.signal);
      if (container.signal.aborted) return exitOf(container);
    }
  }
  say('I', 'connect.go:75', 'Successfully connected to MySQL database');
  say('I', 'service.go:118', 'Connected to EmbedMD service');
  say('I', 'service.go:122', 'Running migrations...');
  await registry.exclusively(tables => tables.migrate());
  say('I', 'service.go:135', 'Migrations completed');
  say('I', 'service.go:140', 'Syncing types...');
  say('I', 'service.go:147', 'Syncing types completed');
  registry.connected = true;
  say('I', 'proxy.go:126', 'EmbedMD service connected');
  await untilAborted(container.signal);
  return exitOf(container);
}

export const modelRegistry: readonly Program[] = [
  program('ghcr.io/kubeflow/model-registry/server'),
  program('ghcr.io/kubeflow/hub/server'),
];
