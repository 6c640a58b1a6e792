import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, type TestContext, test } from 'node:test';
import { createKubectl } from './kubectl.ts';

const script = (version: string) => `#!/bin/sh\nprintf '{"clientVersion":{"gitVersion":"${version}"}}'\n`;

let folder: string;
let bin: string;
let cache: string;

beforeEach(async t => {
  folder = await mkdtemp(join(tmpdir(), 'kbd-kubectl-'));
  bin = join(folder, 'bin');
  cache = join(folder, 'cache');
  await mkdir(bin);
  (t as TestContext).after(() => rm(folder, { recursive: true, force: true }));
});

async function put(path: string, text: string) {
  await writeFile(path, text);
  await chmod(path, 0o755);
}

/** A download site that serves one binary for linux/amd64. */
async function downloads(
  t: TestContext,
  binary: string,
  sum = createHash('sha256').update(binary).digest('hex'),
) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    if (request.url?.endsWith('/bin/linux/amd64/kubectl.sha256')) response.end(sum);
    else if (request.url?.endsWith('/bin/linux/amd64/kubectl')) response.end(binary);
    else response.writeHead(404).end();
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  return { asked, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

const make = (downloadsUrl = 'http://127.0.0.1:9') =>
  createKubectl({
    cache,
    path: `${bin}:/usr/bin-that-is-not-there:/bin-neither`,
    downloads: downloadsUrl,
    platform: 'linux',
    arch: 'x64',
  });

test('the one on the PATH comes first, with its version', async () => {
  await put(join(bin, 'kubectl'), script('v1.33.1'));
  const kubectl = make();
  assert.deepEqual(await kubectl.look(), {
    state: 'found',
    path: join(bin, 'kubectl'),
    version: 'v1.33.1',
    source: 'path',
  });
  assert.equal(kubectl.path(), join(bin, 'kubectl'));
});

test('one that is too old is named, and a newer one in the cache is taken instead', async () => {
  await put(join(bin, 'kubectl'), script('v1.28.4'));
  const kubectl = make();
  const status = await kubectl.look();
  assert.equal(status.state, 'too-old');
  assert.match('note' in status ? status.note.en : '', /v1\.28\.4.*v1\.29 or newer/);
  assert.equal(kubectl.path(), undefined);
  await mkdir(join(cache, 'v1.36.2'), { recursive: true });
  await put(join(cache, 'v1.36.2', 'kubectl'), script('v1.36.2'));
  assert.deepEqual(await kubectl.look(), {
    state: 'found',
    path: join(cache, 'v1.36.2', 'kubectl'),
    version: 'v1.36.2',
    source: 'cache',
  });
});

test('something else of that name is no kubectl', async () => {
  await put(join(bin, 'kubectl'), '#!/bin/sh\necho hello\n');
  assert.equal((await make().look()).state, 'missing');
  await put(join(bin, 'kubectl'), '#!/bin/sh\nexit 1\n');
  assert.equal((await make().look()).state, 'missing');
});

test('the official one is fetched for the platform, verified and kept', async t => {
  const site = await downloads(t, script('v1.36.2'));
  const kubectl = make(site.url);
  assert.equal((await kubectl.look()).state, 'missing');
  const fetching = kubectl.fetch();
  assert.equal(kubectl.status().state, 'fetching');
  assert.equal(kubectl.fetch(), fetching);
  assert.equal((await fetching).state, 'found');
  assert.deepEqual(await readdir(join(cache, 'v1.36.2')), ['kubectl']);
  assert.equal(site.asked.length, 2);
  assert.equal((await make('http://127.0.0.1:9').look()).state, 'found');
});

test('one that does not match its checksum is thrown away', async t => {
  const site = await downloads(t, script('v1.36.2'), 'f'.repeat(64));
  const kubectl = make(site.url);
  const status = await kubectl.fetch();
  assert.equal(status.state, 'missing');
  assert.match('note' in status ? status.note.en : '', /does not match its checksum/);
  assert.deepEqual(await readdir(cache).catch(() => []), []);
});

test('offline it says so', async () => {
  const kubectl = make();
  const status = await kubectl.fetch();
  assert.equal(status.state, 'offline');
  assert.match('note' in status ? status.note.en : '', /seems to be offline/);
});
