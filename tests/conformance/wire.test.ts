// The wire below kubectl: protocols, media types, sizes, broken input, watches. Always a proper Status, never a crash.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { parse } from 'yaml';
import { type ApiAnswer, type ApiRequest, api } from '../support/api.ts';
import { NO_KUBECTL, sharedCluster } from '../support/practice.ts';
import { entries, protobufBody } from '../support/protobuf.ts';

const cluster = sharedCluster({ controlPlaneOnly: true });
const JSON_TYPE = { 'content-type': 'application/json' };
const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps';

interface Status {
  kind: string;
  status: string;
  reason: string;
  message: string;
  code: number;
}

async function ask(path: string, options: ApiRequest = {}): Promise<ApiAnswer> {
  const { url, kubeconfig } = await cluster();
  return api(kubeconfig, url, path, options);
}

async function refused(path: string, options: ApiRequest): Promise<Status> {
  const answer = await ask(path, options);
  const status = answer.json as Status;
  assert.equal(status?.kind, 'Status', answer.text.slice(0, 200));
  assert.equal(status.code, answer.status);
  return status;
}

const post = (body: string | Uint8Array, headers: Record<string, string> = JSON_TYPE) =>
  refused(CONFIG_MAPS, { method: 'POST', headers, body });

test('one port speaks HTTP/1.1 and HTTP/2', async () => {
  const { url, kubeconfig } = await cluster();
  assert.equal((await ask('/version')).status, 200);
  const config = parse(readFileSync(kubeconfig, 'utf8'));
  const decode = (text: string) => Buffer.from(text, 'base64');
  const session = connectHttp2(url, {
    ca: decode(config.clusters[0].cluster['certificate-authority-data']),
    cert: decode(config.users[0].user['client-certificate-data']),
    key: decode(config.users[0].user['client-key-data']),
  });
  const stream = session.request({ ':path': '/api/v1/namespaces/default' });
  let text = '';
  for await (const chunk of stream) text += chunk;
  session.close();
  assert.equal(JSON.parse(text).metadata.name, 'default');
});

test('every answer carries an audit id and forbids caching', async () => {
  const answer = await ask('/api/v1/namespaces/default');
  assert.match(String(answer.headers['audit-id']), /^[0-9a-f-]{36}$/);
  assert.equal(answer.headers['cache-control'], 'no-cache, private');
  assert.equal((await ask('/version', { headers: { 'audit-id': 'mine' } })).headers['audit-id'], 'mine');
});

test('JSON is compact with a newline, indented when a person asks', async () => {
  const compact = await ask('/api/v1/namespaces/default');
  assert.match(compact.text, /^\{"[^\n]*\}\n$/);
  assert.match((await ask('/api/v1/namespaces/default?pretty=true')).text, /^\{\n {2}"/);
  assert.match(
    (await ask('/api/v1/namespaces/default', { headers: { 'user-agent': 'curl/8.0' } })).text,
    /^\{\n/,
  );
});

test('YAML goes in and out', async () => {
  const body = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: yaml\ndata:\n  a: "1"\n';
  const created = await ask(CONFIG_MAPS, {
    method: 'POST',
    headers: { 'content-type': 'application/yaml', accept: 'application/yaml' },
    body,
  });
  assert.equal(created.status, 201);
  assert.equal(created.headers['content-type'], 'application/yaml');
  assert.equal(parse(created.text).data.a, '1');
});

test('protobuf goes in, and kubectl reads what it said', { skip: NO_KUBECTL }, async () => {
  const create = async (resource: string, body: Buffer) => {
    const headers = { 'content-type': 'application/vnd.kubernetes.protobuf' };
    const answer = await ask(`/apis/${resource}`, { method: 'POST', headers, body });
    assert.equal(answer.status, 201, answer.text);
  };
  await create(
    'storage.k8s.io/v1/volumeattributesclasses',
    protobufBody('storage.k8s.io/v1', 'VolumeAttributesClass', {
      1: { 1: 'wire-gold' },
      2: 'csi.example.com',
      3: entries({ iops: '4000' }),
    }),
  );
  await create(
    'apiregistration.k8s.io/v1/apiservices',
    protobufBody('apiregistration.k8s.io/v1', 'APIService', {
      1: { 1: 'v1.wire.example.com' },
      2: {
        1: { 1: 'default', 2: 'nobody', 3: 8443 },
        2: 'wire.example.com',
        3: 'v1',
        4: true,
        7: 1000,
        8: 15,
      },
    }),
  );
  const { kubectl } = await cluster();
  const read = async (name: string, path: string) =>
    (await kubectl(['get', name, '-o', `jsonpath=${path}`])).text;
  assert.equal(
    await read('volumeattributesclass/wire-gold', '{.driverName} {.parameters}'),
    'csi.example.com {"iops":"4000"}',
  );
  assert.equal(
    await read('apiservice/v1.wire.example.com', '{.spec}'),
    '{"group":"wire.example.com","groupPriorityMinimum":1000,"insecureSkipTLSVerify":true,' +
      '"service":{"name":"nobody","namespace":"default","port":8443},"version":"v1","versionPriority":15}',
  );
  await kubectl(['delete', 'apiservice/v1.wire.example.com', 'volumeattributesclass/wire-gold']);
});

test('typed lists leave kind and apiVersion out of their items, watch events do not', async () => {
  const list = (await ask('/api/v1/namespaces')).json as { kind: string; items: object[] };
  assert.equal(list.kind, 'NamespaceList');
  assert.equal('kind' in (list.items[0] ?? {}), false);
  const watched = await ask('/api/v1/namespaces?watch=1&timeoutSeconds=1');
  const first = JSON.parse(watched.text.split('\n')[0] ?? '') as { type: string; object: { kind: string } };
  assert.equal(first.type, 'ADDED');
  assert.equal(first.object.kind, 'Namespace');
});

test('tables and bare metadata are served where they are asked for', async () => {
  const as = (form: string) => ({
    headers: { accept: `application/json;as=${form};v=v1;g=meta.k8s.io,application/json` },
  });
  const table = (await ask('/api/v1/namespaces', as('Table'))).json as {
    kind: string;
    columnDefinitions: { name: string; priority: number }[];
    rows: { cells: unknown[]; object: { kind: string; metadata: { name: string } } }[];
  };
  assert.equal(table.kind, 'Table');
  assert.deepEqual(
    table.columnDefinitions.map(column => column.name),
    ['Name', 'Status', 'Age'],
  );
  assert.equal(table.rows[0]?.cells[0], 'default');
  assert.equal(table.rows[0]?.object.kind, 'PartialObjectMetadata');
  const bare = (await ask('/api/v1/namespaces?includeObject=None', as('Table'))).json as { rows: object[] };
  assert.equal('object' in (bare.rows[0] ?? {}), false);
  const metadata = (await ask('/api/v1/namespaces', as('PartialObjectMetadataList'))).json as {
    kind: string;
    items: { kind: string; spec?: unknown }[];
  };
  assert.equal(metadata.kind, 'PartialObjectMetadataList');
  assert.equal(metadata.items[0]?.kind, 'PartialObjectMetadata');
  assert.equal(metadata.items[0]?.spec, undefined);
});

test('only the first event of a watched table has columns', async () => {
  const answer = await ask('/api/v1/namespaces?watch=1&timeoutSeconds=1', {
    headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' },
  });
  const events = answer.text
    .trim()
    .split('\n')
    .map(line => JSON.parse(line).object as { columnDefinitions: unknown[] | null });
  assert.equal(events[0]?.columnDefinitions?.length, 3);
  assert.equal(events[1]?.columnDefinitions, null);
});

test('a watch with initial events ends them with a bookmark', async () => {
  const query =
    'watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&timeoutSeconds=1';
  const answer = await ask(`/api/v1/namespaces?${query}`);
  const events = answer.text
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as { type: string; object: { metadata: { annotations?: object } } });
  const bookmark = events.find(event => event.type === 'BOOKMARK');
  assert.deepEqual(bookmark?.object.metadata.annotations, { 'k8s.io/initial-events-end': 'true' });
});

test('a large answer is compressed for who takes gzip', async () => {
  const data = { text: 'x'.repeat(200_000) };
  await ask(CONFIG_MAPS, {
    method: 'POST',
    headers: JSON_TYPE,
    body: JSON.stringify({ metadata: { name: 'large' }, data }),
  });
  const plain = await ask(`${CONFIG_MAPS}/large`);
  assert.equal(plain.headers['content-encoding'], undefined);
  const small = await ask(`${CONFIG_MAPS}/large`, { headers: { 'accept-encoding': 'gzip' } });
  assert.equal(small.headers['content-encoding'], 'gzip');
  assert.ok(Number(small.headers['content-length'] ?? small.text.length) < 20_000);
});

test('warnings travel as headers', async () => {
  const answer = await ask(CONFIG_MAPS, {
    method: 'POST',
    headers: JSON_TYPE,
    body: '{"metadata":{"name":"warned"},"data":{"a":"1","a":"2"},"extra":1}',
  });
  assert.equal(answer.status, 201);
  const warnings = String(answer.headers.warning);
  assert.match(warnings, /299 - "unknown field \\"extra\\""/);
  assert.match(warnings, /299 - "duplicate field \\"data\.a\\""/);
});

test('broken bodies are bad requests in words of the Go decoder', async () => {
  const cases: [body: string, message: RegExp][] = [
    [
      '{bad',
      /^the object provided is unrecognized \(must be of type ConfigMap\): couldn't get version\/kind; json parse error: invalid character 'b' looking for beginning of object key string \(\{bad\)$/,
    ],
    ['', /couldn't get version\/kind; json parse error: unexpected end of JSON input \(<empty>\)$/],
    ['[]', /cannot unmarshal array into Go value/],
    ['"text"', /cannot unmarshal string into Go value/],
    [
      '{"metadata":{"name":5}}',
      /cannot unmarshal number into Go struct field ObjectMeta\.metadata\.name of type string/,
    ],
    ['{"kind":"Secret","apiVersion":"v1","metadata":{"name":"a"}}', /./],
  ];
  for (const [body, message] of cases) {
    const status = await post(body);
    assert.equal(status.code, 400, body);
    assert.equal(status.reason, 'BadRequest', body);
    assert.match(status.message, message, body);
  }
});

test('media types that nobody speaks are refused', async () => {
  assert.equal((await post('x', { 'content-type': 'text/plain' })).code, 415);
  assert.equal((await refused('/api/v1/namespaces', { headers: { accept: 'text/html' } })).code, 406);
  const patch = await refused(`${CONFIG_MAPS}/kube-root-ca.crt`, {
    method: 'PATCH',
    headers: JSON_TYPE,
    body: '{}',
  });
  assert.equal(patch.code, 415);
  assert.match(
    patch.message,
    /accepted media types include: application\/json-patch\+json, application\/merge-patch\+json/,
  );
});

test('a body above 3 MiB is too large', async () => {
  const status = await post(`{"data":{"a":"${'x'.repeat(3.2 * 1024 * 1024)}"}}`);
  assert.equal(status.code, 413);
  assert.equal(status.message, 'Request entity too large: limit is 3145728');
});

test('deep nesting and YAML bombs are refused without harm', async () => {
  assert.equal((await post('['.repeat(10_001))).code, 400);
  assert.equal((await post(`{"data":${'{"a":'.repeat(9000)}1${'}'.repeat(9000)}}`)).code, 400);
  const lines = ['a: &a ["x","x","x","x","x","x","x","x","x"]'];
  for (let i = 1; i < 12; i++) {
    const [from, to] = [String.fromCharCode(96 + i), String.fromCharCode(97 + i)];
    lines.push(`${to}: &${to} [${Array(9).fill(`*${from}`).join(',')}]`);
  }
  assert.equal((await post(lines.join('\n'), { 'content-type': 'application/yaml' })).code, 400);
  assert.equal((await post(`a: ${'['.repeat(100_000)}`, { 'content-type': 'application/yaml' })).code, 400);
  assert.equal((await ask('/healthz')).text, 'ok');
});

test('options that make no sense are invalid in the words of their kind', async () => {
  const dryRun = await refused(`${CONFIG_MAPS}?dryRun=Some`, {
    method: 'POST',
    headers: JSON_TYPE,
    body: '{}',
  });
  assert.match(
    dryRun.message,
    /^CreateOptions\.meta\.k8s\.io "" is invalid: dryRun: Unsupported value: "Some": supported values: "All"/,
  );
  const manager = await refused(`${CONFIG_MAPS}?fieldManager=${'m'.repeat(200)}`, {
    method: 'POST',
    headers: JSON_TYPE,
    body: '{}',
  });
  assert.match(manager.message, /fieldManager: Too long: may not be more than 128 bytes/);
  assert.equal((await refused('/api/v1/namespaces?limit=many', {})).code, 400);
});

test('methods and paths that do not exist are told apart', async () => {
  assert.equal((await refused('/api/v1/pods', { method: 'POST', headers: JSON_TYPE, body: '{}' })).code, 405);
  assert.equal((await ask('/api/v1/nope')).text, '404 page not found\n');
  assert.equal((await ask('/api/v1/namespaces/default/nodes')).status, 404);
  assert.equal((await refused('/api/v1/namespaces/default/pods/x/exec', { method: 'POST' })).code, 400);
});

test('anonymous requests and bad tokens are told apart', async () => {
  const anonymous = await refused('/api/v1/pods', { credentials: false });
  assert.equal(
    anonymous.message,
    'pods is forbidden: User "system:anonymous" cannot list resource "pods" in API group "" at the cluster scope',
  );
  const root = await refused('/', { credentials: false });
  assert.equal(root.message, 'forbidden: User "system:anonymous" cannot get path "/"');
  const token = await refused('/api/v1/pods', {
    credentials: false,
    headers: { authorization: 'Bearer nope' },
  });
  assert.equal(token.code, 401);
  assert.equal((await ask('/healthz', { credentials: false })).text, 'ok');
});

test('impersonation needs a permission of its own', async () => {
  const as = (user: string, extra: Record<string, string> = {}) =>
    ask('/apis/authentication.k8s.io/v1/selfsubjectreviews', {
      method: 'POST',
      headers: { ...JSON_TYPE, 'impersonate-user': user, ...extra },
      body: '{}',
    });
  const account = (await as('system:serviceaccount:a:b')).json as {
    status: { userInfo: { groups: string[] } };
  };
  assert.deepEqual(account.status.userInfo.groups, [
    'system:serviceaccounts',
    'system:serviceaccounts:a',
    'system:authenticated',
  ]);
  const refusal = await refused('/api/v1/pods', {
    credentials: false,
    headers: { 'impersonate-user': 'jane' },
  });
  assert.equal(
    refusal.message,
    'users "jane" is forbidden: User "system:anonymous" cannot impersonate resource "users" in API group "" at the cluster scope',
  );
});

test('health endpoints list their checks', async () => {
  const answer = await ask('/readyz?verbose');
  assert.match(answer.text, /^\[\+\]ping ok\n/);
  assert.match(answer.text, /\[\+\]shutdown ok\nreadyz check passed\n$/);
  assert.equal((await ask('/livez/ping')).text, 'ok');
});

test('a client that breaks off in the middle of a body or a handshake harms nobody', async () => {
  const { url } = await cluster();
  const port = Number(new URL(url).port);
  for (const piece of [
    '',
    'POST /api/v1/namespaces HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"a"',
    'NONSENSE\r\n\r\n',
    '\0\0\0',
  ]) {
    await new Promise<void>(resolve => {
      const socket = connectTls(
        { port, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] },
        () => {
          socket.write(piece);
          setTimeout(() => socket.destroy(), 20);
        },
      );
      socket.on('error', () => {});
      socket.once('close', () => resolve());
    });
  }
  assert.equal((await ask('/healthz')).text, 'ok');
});

test('a watcher that never reads is cut before it costs much', async () => {
  const { url, kubeconfig } = await cluster();
  const config = parse(readFileSync(kubeconfig, 'utf8'));
  const decode = (text: string) => Buffer.from(text, 'base64');
  const socket = connectTls({
    port: Number(new URL(url).port),
    host: '127.0.0.1',
    ALPNProtocols: ['http/1.1'],
    ca: decode(config.clusters[0].cluster['certificate-authority-data']),
    cert: decode(config.users[0].user['client-certificate-data']),
    key: decode(config.users[0].user['client-key-data']),
  });
  const closed = new Promise<void>(resolve => socket.once('close', () => resolve()));
  socket.on('error', () => {});
  await new Promise<void>(resolve => socket.once('secureConnect', () => resolve()));
  socket.write(`GET ${CONFIG_MAPS}?watch=1 HTTP/1.1\r\nHost: x\r\n\r\n`);
  socket.pause();
  const body = (text: string) => JSON.stringify({ metadata: { name: 'flood' }, data: { text } });
  await ask(CONFIG_MAPS, { method: 'POST', headers: JSON_TYPE, body: body('') });
  for (let i = 0; i < 60; i++) {
    await ask(`${CONFIG_MAPS}/flood`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/merge-patch+json' },
      body: JSON.stringify({ data: { text: String(i).padEnd(500_000, 'x') } }),
    });
  }
  socket.resume();
  await closed;
});
