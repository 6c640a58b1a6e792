// The database of Kubeflow Pipelines' API server: made at its first start, in tables named as the real server names them.

import { MysqlConnection } from './mysql/client.ts';
import type { Container } from './types.ts';

const ID = 'UUID varchar(255) NOT NULL';
const MADE = 'CreatedAtInSec bigint NOT NULL';
const NAMED = 'Name varchar(255) NOT NULL, Description longtext';

const TABLES: Record<string, string> = {
  db_statuses: 'HaveSamplesLoaded tinyint',
  default_experiments: 'DefaultExperimentId varchar(255)',
  experiments: `${ID}, ${NAMED}, ${MADE}, Namespace varchar(255) NOT NULL, StorageState varchar(255) NOT NULL`,
  jobs: `${ID}, DisplayName varchar(255) NOT NULL, Name varchar(255) NOT NULL, Namespace varchar(255) NOT NULL, Enabled tinyint NOT NULL, ${MADE}, UpdatedAtInSec bigint`,
  pipeline_versions: `${ID}, ${MADE}, ${NAMED}, Status varchar(255) NOT NULL, PipelineId varchar(255) NOT NULL, PipelineSpec longtext NOT NULL`,
  pipelines: `${ID}, ${MADE}, ${NAMED}, Status varchar(255) NOT NULL, Namespace varchar(63)`,
  resource_references:
    'ResourceUUID varchar(255) NOT NULL, ResourceType varchar(255) NOT NULL, ReferenceUUID varchar(255) NOT NULL, ReferenceName varchar(255) NOT NULL, ReferenceType varchar(255) NOT NULL, Relationship varchar(255) NOT NULL',
  run_details: `${ID}, ExperimentUUID varchar(255) NOT NULL, DisplayName varchar(255) NOT NULL, Name varchar(255) NOT NULL, Namespace varchar(255) NOT NULL, ${MADE}, FinishedAtInSec bigint, Conditions varchar(125) NOT NULL, State varchar(255), WorkflowRuntimeManifest longtext NOT NULL`,
  run_metrics:
    'RunUUID varchar(255) NOT NULL, NodeID varchar(255) NOT NULL, Name varchar(255) NOT NULL, NumberValue double, Format varchar(255)',
  tasks: `${ID}, Namespace varchar(255) NOT NULL, PipelineName varchar(255) NOT NULL, RunUUID varchar(255) NOT NULL, PodName varchar(255) NOT NULL, ${MADE}, FinishedTimestamp bigint, Fingerprint varchar(255) NOT NULL`,
};

/** A connection to the server's own database; rejects with what MySQL says. */
async function open(container: Container, host: string, port: number) {
  const { env, network } = container;
  const database = env['DBCONFIG_MYSQLCONFIG_DBNAME'] ?? env['DBCONFIG_DBNAME'] ?? 'mlpipeline';
  const connection = await MysqlConnection.open(
    { host, port, dial: (name, number) => network.dial(name, number) },
    {
      user: env['DBCONFIG_MYSQLCONFIG_USER'] ?? env['DBCONFIG_USER'] ?? 'root',
      password: env['DBCONFIG_MYSQLCONFIG_PASSWORD'] ?? env['DBCONFIG_PASSWORD'] ?? '',
    },
  );
  return { connection, database };
}

/** Makes database and tables where they are not there yet. */
export async function preparePipelineTables(container: Container, host: string, port: number): Promise<void> {
  const { connection, database } = await open(container, host, port);
  await connection.query(`CREATE DATABASE IF NOT EXISTS ${database}`);
  await connection.use(database);
  for (const [name, columns] of Object.entries(TABLES))
    await connection.query(`CREATE TABLE IF NOT EXISTS ${name} (${columns})`);
  connection.close();
}

/** The rows of one table that belong to a namespace. */
export async function pipelineRows(
  container: Container,
  at: { host: string; port: number },
  table: string,
  namespace: string,
): Promise<Record<string, string | null>[]> {
  const { connection, database } = await open(container, at.host, at.port);
  await connection.use(database);
  const where = `WHERE Namespace = '${namespace.replaceAll("'", "''")}'`;
  const result = await connection.query(`SELECT * FROM ${table} ${where}`);
  connection.close();
  if (!('columns' in result)) return [];
  return result.rows.map(cells =>
    Object.fromEntries(result.columns.map((column, index) => [column.name, cells[index] ?? null])),
  );
}
