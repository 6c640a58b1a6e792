// katib-db-manager: keeps what trials measured in Katib's MySQL and hands it out again, over gRPC. Knows no experiment.

import { DialError, healthMethods, serveGrpc } from '../../network/index.ts';
import { MysqlConnection } from '../mysql/client.ts';
import { type Result, SqlError } from '../mysql/packets.ts';
import { klog } from '../operator/index.ts';
import { exitOf, untilAborted } from '../signals.ts';
import type { Container, Program } from '../types.ts';
import {
  answering,
  deleteObservationLog,
  getObservationLog,
  type LoggedMetric,
  reportObservationLog,
} from './messages.ts';

const PORT = 6789;
const RETRY_MS = 5_000;
/** After a minute of tries it gives up. */
const TRIES = 12;
const FATAL = 255;
const TABLE = `CREATE TABLE IF NOT EXISTS observation_logs (trial_name VARCHAR(255) NOT NULL, id INT AUTO_INCREMENT PRIMARY KEY, time DATETIME(6), metric_name VARCHAR(255) NOT NULL, value TEXT NOT NULL)`;

const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`;
/** `2026-11-24 06:00:00.123`, and back to RFC 3339. */
const sqlTime = (time: string) => new Date(time).toISOString().slice(0, 23).replace('T', ' ');
const wireTime = (time: string) => `${time.replace(' ', 'T')}Z`;

function databaseOf({ env }: Container) {
  return {
    where: {
      host: env['KATIB_MYSQL_DB_HOST'] ?? 'katib-mysql',
      port: Number(env['KATIB_MYSQL_DB_PORT'] ?? 3306),
    },
    account: {
      user: env['DB_USER'] ?? 'root',
      password: env['DB_PASSWORD'] ?? '',
      database: env['KATIB_MYSQL_DB_DATABASE'] ?? 'katib',
    },
  };
}

/** As Go's driver says it. */
const wordsOf = (error: SqlError) => `Error ${error.code} (${error.state}): ${error.message}`;

/** Every statement on a connection of its own: the server may have been restarted since the last. */
async function query(container: Container, statement: string): Promise<Result> {
  const { where, account } = databaseOf(container);
  const dialled: { error?: DialError } = {};
  const dial = async (host: string, port: number) => {
    try {
      return await container.network.dial(host, port);
    } catch (error) {
      if (error instanceof DialError) dialled.error = error;
      throw error;
    }
  };
  let connection: MysqlConnection | undefined;
  try {
    connection = await MysqlConnection.open({ ...where, dial }, account);
    return await connection.query(statement);
  } catch (error) {
    if (!(error instanceof SqlError)) throw error;
    throw dialled.error ? new Error(dialled.error.message) : new Error(wordsOf(error));
  } finally {
    connection?.close();
  }
}

const methods = (container: Container) => ({
  ...healthMethods(),
  ...answering(reportObservationLog, async ({ trialName = '', observationLog }) => {
    const rows = ((observationLog?.metricLogs ?? []) as LoggedMetric[]).map(
      ({ timeStamp, metric }) =>
        `(${[trialName, sqlTime(timeStamp), metric.name, metric.value].map(quoted).join(', ')})`,
    );
    if (rows.length > 0)
      await query(
        container,
        `INSERT INTO observation_logs (trial_name, time, metric_name, value) VALUES ${rows.join(', ')}`,
      );
    return {};
  }),
  ...answering(getObservationLog, async ({ trialName = '', metricName }) => {
    const found = await query(
      container,
      `SELECT time, metric_name, value FROM observation_logs WHERE trial_name = ${quoted(trialName)}`,
    );
    const rows = ('rows' in found ? found.rows : []) as string[][];
    const metricLogs = rows
      .map(([time = '', name = '', value = '']) => ({ timeStamp: wireTime(time), metric: { name, value } }))
      .filter(({ metric }) => !metricName || metric.name === metricName)
      .sort((a, b) => (a.timeStamp < b.timeStamp ? -1 : a.timeStamp > b.timeStamp ? 1 : 0));
    return { observationLog: { metricLogs } };
  }),
  ...answering(deleteObservationLog, async ({ trialName = '' }) => {
    await query(container, `DELETE FROM observation_logs WHERE trial_name = ${quoted(trialName)}`);
    return {};
  }),
});

function dbManager(image: string): Program {
  return {
    image,
    async run(container) {
      const log = (level: string, place: string, text: string) =>
        container.logError(klog(container, level, place, text));
      container.use({ cpuMillis: 3, memoryBytes: 18 * 1024 * 1024 });
      for (let attempt = 1; ; attempt++) {
        if (container.signal.aborted) return exitOf(container);
        try {
          await query(container, 'SELECT 1');
          break;
        } catch (error) {
          log('E', 'connection.go:40', `Ping to Katib db failed: ${(error as Error).message}`);
          if (attempt >= TRIES) {
            const why = 'Timeout waiting for DB conn successfully opened.';
            log('F', 'main.go:104', `Failed to open db connection: DB open failed: ${why}`);
            return FATAL;
          }
        }
        await container.clock.sleep(RETRY_MS, container.signal);
      }
      log('I', 'init.go:27', 'Initializing v1beta1 DB schema');
      await query(container, TABLE);
      const served = methods(container);
      container.listen(PORT, stream => serveGrpc(stream, served));
      log('I', 'main.go:115', `Start Katib manager: 0.0.0.0:${PORT}`);
      await untilAborted(container.signal);
      return exitOf(container);
    },
  };
}

export const dbManagers: readonly Program[] = [
  dbManager('docker.io/kubeflowkatib/katib-db-manager'),
  dbManager('ghcr.io/kubeflow/katib/katib-db-manager'),
];
