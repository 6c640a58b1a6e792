// Model Registry's server as its clients see it, with a MySQL beside it, on a fake clock.

import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { testNode } from '../../node/test-node.ts';

const IMAGE = 'ghcr.io/kubeflow/model-registry/server:v0.3.7';
const API = 'http://localhost:8080/api/model_registry/v1alpha3';

async function world(t: TestContext) {
  const node = await testNode(t);
  const database = async () => {
    await node.run('db', {
      containers: [
        {
          name: 'c',
          image: 'mysql:8.4',
          env: [
            { name: 'MYSQL_ROOT_PASSWORD', value: 'test' },
            { name: 'MYSQL_DATABASE', value: 'metadb' },
          ],
          volumeMounts: [{ name: 'data', mountPath: '/var/lib/mysql' }],
        },
      ],
      volumes: [{ name: 'data', hostPath: { path: '/data' } }],
    });
    await node.pass(12_000);
    return (await node.pod('db')).status.podIP as string;
  };
  const registry = async (host: string, password = 'test', name = 'registry') => {
    await node.run(name, {
      containers: [
        {
          name: 'server',
          image: IMAGE,
          command: ['/model-registry', 'proxy'],
          args: [
            '--port=8080',
            '--embedmd-database-type=mysql',
            `--embedmd-database-dsn=root:${password}@tcp(${host}:3306)/metadb?charset=utf8mb4`,
          ],
        },
        { name: 'c', image: 'nginx:1.27' },
      ],
    });
    await node.pass(8_000);
  };
  /** Asks as curl does; the value is status and body. */
  const ask = async (method: string, path: string, body?: unknown, name = 'registry') => {
    const sent = body === undefined ? [] : ['-d', typeof body === 'string' ? body : JSON.stringify(body)];
    const url = path.startsWith('/readyz') ? `http://localhost:8080${path}` : `${API}${path}`;
    const { out } = await node.exec(name, ['curl', '-s', '-X', method, ...sent, '-w', '\n%{http_code}', url]);
    const at = out.lastIndexOf('\n');
    const text = out.slice(0, at).trimEnd();
    return {
      status: Number(out.slice(at + 1)),
      text,
      value: text.startsWith('{') ? JSON.parse(text) : undefined,
    };
  };
  const log = (name: string) => node.log(name, { container: 'server' });
  return { ...node, database, registry, ask, log };
}

describe('model registry', () => {
  it('keeps models, versions and artifacts, and finds them again', async t => {
    const { database, registry, ask, log } = await world(t);
    await registry(await database());
    assert.match(
      await log('registry'),
      /Successfully connected to MySQL database\n[\s\S]*EmbedMD service connected\n/,
    );
    assert.deepEqual((await ask('GET', '/readyz/health')).text, 'OK');

    const model = await ask('POST', '/registered_models', { name: 'house-prices', description: "Anna's" });
    assert.equal(model.status, 201);
    assert.match(
      model.text,
      /^\{"createTimeSinceEpoch":"\d+","customProperties":\{\},"description":"Anna's","id":"1","lastUpdateTimeSinceEpoch":"\d+","name":"house-prices","state":"LIVE"\}$/,
    );
    const version = await ask('POST', '/registered_models/1/versions', {
      name: 'v1',
      registeredModelId: '1',
      customProperties: { rows: { metadataType: 'MetadataIntValue', int_value: '506' } },
    });
    assert.equal(version.value.id, '2');
    assert.deepEqual(version.value.customProperties, {
      rows: { int_value: '506', metadataType: 'MetadataIntValue' },
    });
    const artifact = await ask('POST', '/model_versions/2/artifacts', {
      artifactType: 'model-artifact',
      name: 'weights',
      uri: 'pvc://models/house-prices',
      modelFormatName: 'xgboost',
    });
    assert.equal(artifact.status, 201);
    assert.deepEqual(
      { ...artifact.value, createTimeSinceEpoch: '', lastUpdateTimeSinceEpoch: '' },
      {
        artifactType: 'model-artifact',
        createTimeSinceEpoch: '',
        customProperties: {},
        id: '1',
        lastUpdateTimeSinceEpoch: '',
        modelFormatName: 'xgboost',
        name: 'weights',
        state: 'UNKNOWN',
        uri: 'pvc://models/house-prices',
      },
    );
    assert.equal((await ask('GET', '/registered_model?name=house-prices')).value.id, '1');
    assert.equal((await ask('GET', '/model_version?name=v1&parentResourceId=1')).value.id, '2');
    assert.deepEqual(
      (await ask('GET', '/model_versions/2/artifacts')).value.items.map((one: any) => one.name),
      ['weights'],
    );
    await ask('PATCH', '/registered_models/1', { state: 'ARCHIVED' });
    const archived = (await ask('GET', '/registered_models/1')).value;
    assert.deepEqual([archived.state, archived.description], ['ARCHIVED', "Anna's"]);
  });

  it('pages its lists', async t => {
    const { database, registry, ask } = await world(t);
    await registry(await database());
    for (const name of ['a', 'b', 'c']) await ask('POST', '/registered_models', { name });
    const first = (await ask('GET', '/registered_models?pageSize=2&sortOrder=DESC')).value;
    assert.deepEqual(
      [first.items.map((one: any) => one.name), first.size, first.pageSize],
      [['c', 'b'], 2, 2],
    );
    const token = encodeURIComponent(first.nextPageToken);
    const second = (await ask('GET', `/registered_models?pageSize=2&sortOrder=DESC&nextPageToken=${token}`))
      .value;
    assert.deepEqual([second.items.map((one: any) => one.name), second.nextPageToken], [['a'], '']);
  });

  it('refuses in its own words', async t => {
    const { database, registry, ask } = await world(t);
    await registry(await database());
    await ask('POST', '/registered_models', { name: 'x' });
    const refused = async (method: string, path: string, body?: unknown) => {
      const { status, value } = await ask(method, path, body);
      return [status, value.code, value.message];
    };
    assert.deepEqual(await refused('POST', '/registered_models', { name: 'x' }), [
      409,
      'Conflict',
      'registered model with name x already exists: conflict',
    ]);
    assert.deepEqual(await refused('POST', '/registered_models', {}), [
      422,
      'Bad Request',
      "required field 'name' is zero value.",
    ]);
    assert.deepEqual(await refused('GET', '/registered_models/99'), [
      404,
      'Not Found',
      'no registered model found for id 99: not found',
    ]);
    assert.deepEqual(await refused('GET', '/registered_models/x'), [
      400,
      'Bad Request',
      'strconv.ParseInt: parsing "x": invalid syntax: bad request',
    ]);
    assert.deepEqual(await refused('POST', '/registered_models', { name: 'y', colour: 'red' }), [
      400,
      'Bad Request',
      'json: unknown field "colour"',
    ]);
    assert.equal((await ask('DELETE', '/registered_models/1')).status, 405);
  });

  it('says that its database is down until it is there, and keeps what the database keeps', async t => {
    const { database, registry, ask, log, api, pass } = await world(t);
    const address = await database();
    await api.delete({ group: '', version: 'v1', resource: 'pods' }, { namespace: 'life', name: 'db' });
    await pass(31_000);
    await registry(address);
    assert.match(
      await log('registry'),
      /Connecting to EmbedMD service\.\.\.\nW.* Retrying connection to MySQL \(attempt 1\/25\): dial tcp .*:3306: connect: .*\n/,
    );
    const down = await ask('GET', '/registered_models');
    assert.equal(down.status, 503);
    assert.equal(
      down.text,
      'Datastore service is down or unavailable. Please check that the database is reachable and try again later.',
    );
    assert.equal((await ask('GET', '/readyz/health')).text, 'database connector not initialized');
    const again = await database();
    await registry(again, 'test', 'second');
    assert.equal((await ask('POST', '/registered_models', { name: 'kept' }, 'second')).status, 201);
    await registry(again, 'test', 'third');
    const { items } = (await ask('GET', '/registered_models', undefined, 'third')).value;
    assert.deepEqual(
      items.map((one: any) => one.name),
      ['kept'],
    );
    await api.delete({ group: '', version: 'v1', resource: 'pods' }, { namespace: 'life', name: 'db' });
    await pass(31_000);
    const gone = await ask('GET', '/readyz/health', undefined, 'third');
    assert.equal(gone.status, 503);
    assert.match(gone.text, /^database connection error: dial tcp .*:3306: connect: /);
    await registry(await database(), 'wrong', 'fourth');
    assert.match(
      await log('fourth'),
      /attempt 1\/25\): Error 1045 \(28000\): Access denied for user 'root'@'10\.244\.0\.\d+' \(using password: YES\)/,
    );
  });
});
