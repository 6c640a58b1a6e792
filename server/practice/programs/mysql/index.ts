// MySQL: initialises its data directory once, then accepts connections. Knows its life and its log, no SQL.

import { parseReference } from '../reference.ts';
import { hasCommand, profileOf } from '../shell/profiles.ts';
import { runAsShell } from '../shell-images.ts';
import { exitOf, untilAborted } from '../signals.ts';
import type { Container, Program } from '../types.ts';
import { DATA, MysqlData } from './data.ts';
import { MysqlServer } from './server.ts';

const PORT = 3306;
const ENTRYPOINT = 'docker-entrypoint.sh';
/** A first start writes the system tables; a later one only recovers. */
const INITIALISE_MS = 4_000;
const START_MS = 1_200;
const PASSWORDS = ['MYSQL_ROOT_PASSWORD', 'MYSQL_ALLOW_EMPTY_PASSWORD', 'MYSQL_RANDOM_ROOT_PASSWORD'];

const PASSWORD_LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';

/** The image's own data directory, for a container without a volume. */
const EMPTY_DATA = { [`${DATA}/.keep`]: '' };

const time = (container: Container) => new Date(container.clock.now()).toISOString();

export function mysql(image: string): Program {
  const profile = profileOf(parseReference(image).repository)!;
  return {
    image,
    config: {
      entrypoint: [ENTRYPOINT],
      cmd: ['mysqld'],
      env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', MYSQL_MAJOR: '8.0' },
      files: EMPTY_DATA,
    },
    has: executable =>
      executable === ENTRYPOINT || executable === 'mysqld' || hasCommand(profile, executable),
    run(container) {
      const argv = container.argv[0] === ENTRYPOINT ? container.argv.slice(1) : container.argv;
      return /^(mysqld$|-)/.test(argv[0] ?? '') ? serve(container) : runAsShell({ ...container, argv });
    },
  };
}

async function serve(container: Container): Promise<number> {
  const version = container.image.slice(container.image.lastIndexOf(':') + 1);
  const say = (level: string, code: string, text: string) =>
    container.logError(`${time(container)} 0 [${level}] [MY-${code}] [Server] ${text}`);
  const entry = (text: string) =>
    container.log(`${time(container).slice(0, 19).replace('T', ' ')}+00:00 [Note] [Entrypoint]: ${text}`);
  container.use({ cpuMillis: 40, memoryBytes: 150 * 1024 * 1024 });
  entry(`Entrypoint script for MySQL Server ${version} started.`);
  const data = new MysqlData(container.files);
  if (!data.initialised) {
    if (!PASSWORDS.some(name => container.env[name])) {
      container.logError(
        `${time(container).slice(0, 19).replace('T', ' ')}+00:00 [ERROR] [Entrypoint]: Database is uninitialized and password option is not specified\n    You need to specify one of the following as an environment variable:\n    - MYSQL_ROOT_PASSWORD\n    - MYSQL_ALLOW_EMPTY_PASSWORD\n    - MYSQL_RANDOM_ROOT_PASSWORD`,
      );
      return 1;
    }
    entry('Initializing database files');
    say(
      'System',
      '013169',
      `/usr/sbin/mysqld (mysqld ${version}) initializing of server in progress as process 80`,
    );
    await container.clock.sleep(INITIALISE_MS, container.signal);
    if (container.signal.aborted) return exitOf(container);
    let password = container.env['MYSQL_ROOT_PASSWORD'] ?? '';
    if (container.env['MYSQL_RANDOM_ROOT_PASSWORD']) {
      password = container.random.text(32, PASSWORD_LETTERS);
      entry(`GENERATED ROOT PASSWORD: ${password}`);
    }
    data.initialise(container.env, password);
    entry('Database files initialized');
    entry('MySQL init process done. Ready for start up.');
  }
  say('System', '010116', `/usr/sbin/mysqld (mysqld ${version}) starting as process 1`);
  await container.clock.sleep(START_MS, container.signal);
  if (container.signal.aborted) return exitOf(container);
  say('System', '013576', 'InnoDB initialization has started.');
  say('System', '013577', 'InnoDB initialization has ended.');
  const server = new MysqlServer(container, data, version);
  container.listen(PORT, (stream, peer) => server.accept(stream, peer));
  say(
    'System',
    '010931',
    `/usr/sbin/mysqld: ready for connections. Version: '${version}'  socket: '/var/run/mysqld/mysqld.sock'  port: ${PORT}  MySQL Community Server - GPL.`,
  );
  container.use({ cpuMillis: 6 });
  await untilAborted(container.signal);
  if (container.signal.reason === 'SIGTERM') {
    say(
      'System',
      '013172',
      `Received SHUTDOWN from user <via user signal>. Shutting down mysqld (Version: ${version}).`,
    );
    await container.clock.sleep(300, container.killed);
    say(
      'System',
      '010910',
      `/usr/sbin/mysqld: Shutdown complete (mysqld ${version})  MySQL Community Server - GPL.`,
    );
  }
  return exitOf(container);
}
