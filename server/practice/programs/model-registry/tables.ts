// The registry's tables in MySQL, which are those of ML Metadata: contexts (models and versions), artifacts, what belongs to
// what, and the properties of each. Speaks SQL to one connection; knows no HTTP.

import type { MysqlConnection } from '../mysql/client.ts';
import { ARTIFACT_STATES, type Entity, type Json, type Kind } from './kinds.ts';

const ID = 'id int NOT NULL AUTO_INCREMENT';
const TIMES = 'create_time_since_epoch bigint NOT NULL, last_update_time_since_epoch bigint NOT NULL';
const NAME = 'name varchar(255)';
const EXTERNAL = 'external_id varchar(255)';
const VALUES = [
  'name varchar(255) NOT NULL, is_custom_property tinyint NOT NULL',
  'int_value int, double_value double, string_value mediumtext, byte_value mediumblob',
  'proto_value mediumblob, bool_value tinyint',
].join(', ');

const TABLES: Record<string, string> = {
  Type: `${ID}, name varchar(255) NOT NULL, version varchar(255), type_kind tinyint NOT NULL, description text, input_type text, output_type text, ${EXTERNAL}`,
  Context: `${ID}, type_id int NOT NULL, ${NAME}, ${TIMES}, ${EXTERNAL}`,
  ContextProperty: `context_id int NOT NULL, ${VALUES}`,
  ParentContext: 'context_id int NOT NULL, parent_context_id int NOT NULL',
  Artifact: `${ID}, type_id int NOT NULL, uri text, state int, ${NAME}, ${TIMES}, ${EXTERNAL}`,
  ArtifactProperty: `artifact_id int NOT NULL, ${VALUES}`,
  Attribution: `${ID}, context_id int NOT NULL, artifact_id int NOT NULL`,
  schema_migrations: 'version bigint NOT NULL, dirty tinyint NOT NULL',
};
/** Types with their kind (executions 0, artifacts 1, contexts 2) in the order of their ids. */
const TYPES: [string, number][] = [
  ['mlmd.Dataset', 1],
  ['mlmd.Model', 1],
  ['mlmd.Metrics', 1],
  ['mlmd.Statistics', 1],
  ['mlmd.Train', 0],
  ['mlmd.Transform', 0],
  ['mlmd.Process', 0],
  ['mlmd.Evaluate', 0],
  ['mlmd.Deploy', 0],
  ['kf.RegisteredModel', 2],
  ['kf.ModelVersion', 2],
  ['kf.DocArtifact', 1],
  ['kf.ModelArtifact', 1],
  ['kf.ServingEnvironment', 2],
  ['kf.InferenceService', 2],
  ['kf.ServeModel', 0],
];
const SCHEMA_VERSION = 21;

type Row = Record<string, string | null>;

const literal = (value: Json | undefined): string =>
  value === undefined || value === null
    ? 'NULL'
    : typeof value === 'number'
      ? String(value)
      : typeof value === 'boolean'
        ? String(Number(value))
        : `'${String(value).replaceAll("'", "''")}'`;

export class Tables {
  private readonly connection: MysqlConnection;
  constructor(connection: MysqlConnection) {
    this.connection = connection;
  }

  /** Makes what is not there yet; a second time changes nothing. */
  async migrate(): Promise<void> {
    for (const [name, columns] of Object.entries(TABLES))
      await this.connection.query(`CREATE TABLE IF NOT EXISTS ${name} (${columns})`);
    const known = new Set((await this.rows('Type')).map(row => row['name']));
    for (const [index, [name, type_kind]] of TYPES.entries())
      if (!known.has(name)) await this.insert('Type', { id: index + 1, name, type_kind });
    if ((await this.rows('schema_migrations')).length === 0)
      await this.insert('schema_migrations', { version: SCHEMA_VERSION, dirty: 0 });
  }

  async dirty(): Promise<boolean> {
    return (await this.rows('schema_migrations')).some(row => row['dirty'] !== '0');
  }

  /** Everything of one kind, in the order of ids. */
  async list(kind: Kind): Promise<Entity[]> {
    const rows = await this.rows(kind.table, 'type_id', typeId(kind));
    rows.sort((a, b) => Number(a['id']) - Number(b['id']));
    // One question at a time: a connection answers in turn.
    const entities: Entity[] = [];
    for (const row of rows) entities.push(await this.entity(kind, row));
    return entities;
  }

  async get(kind: Kind, id: number): Promise<Entity | undefined> {
    const [row] = (await this.rows(kind.table, 'id', id)).filter(r => Number(r['type_id']) === typeId(kind));
    return row && this.entity(kind, row);
  }

  /** Whether a row of this kind has this name already; names of what belongs to something begin with its id. */
  async taken(kind: Kind, name: string): Promise<boolean> {
    const found = await this.rows(kind.table, 'name', name);
    return found.some(row => Number(row['type_id']) === typeId(kind));
  }

  /** Ids of the artifacts of a model version. */
  async artifactsOf(version: number): Promise<string[]> {
    return (await this.rows('Attribution', 'context_id', version)).map(row => row['artifact_id'] ?? '');
  }

  /** Adds one and gives it its id. */
  async create(kind: Kind, entity: Entity, storedName: string, now: number, owner?: number): Promise<number> {
    const id = await this.nextId(kind.table);
    await this.insert(kind.table, {
      id,
      type_id: typeId(kind),
      name: storedName,
      external_id: entity['externalId'],
      create_time_since_epoch: now,
      last_update_time_since_epoch: now,
      ...(kind.table === 'Artifact' && artifactColumns(entity)),
    });
    await this.insertProperties(kind, id, entity);
    if (owner !== undefined && kind.table === 'Context')
      await this.insert('ParentContext', { context_id: id, parent_context_id: owner });
    if (owner !== undefined && kind.table === 'Artifact')
      await this.insert('Attribution', {
        id: await this.nextId('Attribution'),
        context_id: owner,
        artifact_id: id,
      });
    return id;
  }

  async update(kind: Kind, id: number, entity: Entity, now: number): Promise<void> {
    const changes: Record<string, Json | undefined> = {
      external_id: entity['externalId'],
      last_update_time_since_epoch: now,
      ...(kind.table === 'Artifact' && artifactColumns(entity)),
    };
    const list = Object.entries(changes).map(([column, value]) => `${column} = ${literal(value)}`);
    await this.connection.query(`UPDATE ${kind.table} SET ${list.join(', ')} WHERE id = ${id}`);
    await this.connection.query(
      `DELETE FROM ${kind.table}Property WHERE ${kind.table.toLowerCase()}_id = ${id}`,
    );
    await this.insertProperties(kind, id, entity);
  }

  ping(): Promise<void> {
    return this.connection.ping();
  }

  private async insertProperties(kind: Kind, id: number, entity: Entity): Promise<void> {
    const table = `${kind.table}Property`;
    const key = `${kind.table.toLowerCase()}_id`;
    for (const [field, name] of Object.entries(kind.properties)) {
      const value = entity[field];
      if (value === undefined || value === null) continue;
      const column = field === 'registeredModelId' ? 'int_value' : 'string_value';
      const kept = typeof value === 'object' ? JSON.stringify(value) : value;
      await this.insert(table, { [key]: id, name, is_custom_property: 0, [column]: kept });
    }
    for (const [name, value] of Object.entries((entity['customProperties'] ?? {}) as Record<string, Entity>))
      await this.insert(table, { [key]: id, name, is_custom_property: 1, ...customColumn(value) });
  }

  private async entity(kind: Kind, row: Row): Promise<Entity> {
    const key = `${kind.table.toLowerCase()}_id`;
    const properties = await this.rows(`${kind.table}Property`, key, Number(row['id']));
    const own = new Map(properties.filter(p => p['is_custom_property'] === '0').map(p => [p['name'], p]));
    const entity: Entity = {
      id: row['id'] ?? '',
      createTimeSinceEpoch: row['create_time_since_epoch'] ?? '',
      lastUpdateTimeSinceEpoch: row['last_update_time_since_epoch'] ?? '',
      name: shownName(kind, row['name'] ?? ''),
      customProperties: Object.fromEntries(
        properties
          .filter(p => p['is_custom_property'] === '1')
          .map((p): [string, Json] => [p['name'] ?? '', customValue(p)]),
      ),
    };
    if (row['external_id']) entity['externalId'] = row['external_id'];
    for (const [field, name] of Object.entries(kind.properties)) {
      const kept = own.get(name);
      const value = kept?.['int_value'] ?? kept?.['string_value'];
      if (value !== undefined && value !== null)
        entity[field] = field === 'tasks' || field === 'language' ? JSON.parse(value) : value;
    }
    if (kind.table === 'Artifact') {
      if (row['uri']) entity['uri'] = row['uri'];
      entity['state'] = ARTIFACT_STATES[Number(row['state'])] ?? 'UNKNOWN';
    }
    return entity;
  }

  private async nextId(table: string): Promise<number> {
    const ids = (await this.rows(table)).map(row => Number(row['id']));
    return Math.max(0, ...ids) + 1;
  }

  private async rows(table: string, column?: string, value?: string | number): Promise<Row[]> {
    const where = column ? ` WHERE ${column} = ${literal(value)}` : '';
    const result = await this.connection.query(`SELECT * FROM ${table}${where}`);
    if (!('columns' in result)) return [];
    return result.rows.map(cells =>
      Object.fromEntries(result.columns.map((c, at) => [c.name, cells[at] ?? null])),
    );
  }

  private async insert(table: string, values: Record<string, Json | undefined>): Promise<void> {
    const names = Object.keys(values);
    const cells = names.map(name => literal(values[name]));
    await this.connection.query(`INSERT INTO ${table} (${names.join(', ')}) VALUES (${cells.join(', ')})`);
  }
}

const typeId = (kind: Kind) => TYPES.findIndex(([name]) => name === kind.type) + 1;

const artifactColumns = (entity: Entity) => ({
  uri: entity['uri'],
  state: ARTIFACT_STATES.indexOf(String(entity['state'])),
});

/** Versions and artifacts are kept as `7:name`, with the id of what they belong to. */
const shownName = (kind: Kind, name: string) =>
  kind.type === 'kf.RegisteredModel' ? name : name.slice(name.indexOf(':') + 1);

function customColumn(value: Entity): Record<string, Json | undefined> {
  switch (value['metadataType']) {
    case 'MetadataIntValue':
      return { int_value: Number(value['int_value']) };
    case 'MetadataDoubleValue':
      return { double_value: value['double_value'] };
    case 'MetadataBoolValue':
      return { bool_value: value['bool_value'] };
    default:
      return { string_value: value['string_value'] };
  }
}

function customValue(row: Row): Entity {
  if (row['int_value'] !== null) return { int_value: row['int_value']!, metadataType: 'MetadataIntValue' };
  if (row['double_value'] !== null)
    return { double_value: Number(row['double_value']), metadataType: 'MetadataDoubleValue' };
  if (row['bool_value'] !== null)
    return { bool_value: row['bool_value'] === '1', metadataType: 'MetadataBoolValue' };
  return { metadataType: 'MetadataStringValue', string_value: row['string_value'] ?? '' };
}
