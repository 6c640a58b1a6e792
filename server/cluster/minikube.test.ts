import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { parse } from 'yaml';
import { type DoubleProfile, minikubeDouble } from '../../tests/support/minikube-double.ts';
import { createMinikubeProvider, minikubeFolder, type RunCommand, runCommand, stateOf } from './minikube.ts';

async function withProfiles(t: TestContext, profiles: DoubleProfile[]) {
  const folder = await mkdtemp(join(tmpdir(), 'kbd-minikube-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const double = await minikubeDouble(folder, profiles);
  const run: RunCommand = (file, args, timeout) =>
    new Promise(resolve => {
      execFile(
        file,
        args,
        { timeout, env: { PATH: `${double.bin}:/usr/bin:/bin` } },
        (error, stdout, stderr) =>
          resolve({ code: typeof error?.code === 'number' ? error.code : error ? -1 : 0, stdout, stderr }),
      );
    });
  return { folder, double, provider: createMinikubeProvider({ run, env: { MINIKUBE_HOME: double.home } }) };
}

test('without minikube there is one line on how to get it', async () => {
  const provider = createMinikubeProvider({
    run: async () => ({ code: -1, stdout: '', stderr: '' }),
    env: {},
  });
  const [offer, ...more] = await provider.available();
  assert.equal(more.length, 0);
  assert.equal(offer?.state, 'unavailable');
  assert.match(offer!.note.en, /https:\/\/minikube\.sigs\.k8s\.io/);
});

test('a minikube without a profile says how to make one', async t => {
  const { provider } = await withProfiles(t, []);
  const [offer] = await provider.available();
  assert.equal(offer?.state, 'unavailable');
  assert.match(offer!.note.en, /minikube start/);
});

test('an older minikube without a profile prints a sentence, which says no more', async () => {
  const stderr = '* Exiting due to MK_USAGE_NO_PROFILE: No minikube profile was found.';
  const provider = createMinikubeProvider({ run: async () => ({ code: 14, stdout: '', stderr }), env: {} });
  assert.match((await provider.available())[0]!.note.en, /has no cluster yet/);
});

test('a minikube that hangs, with what it started, is not waited for; one that talks nonsense is quoted', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'kbd-minikube-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const offerOf = async (script: string, timeout = 5000) => {
    await writeFile(join(folder, 'minikube'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    const run: RunCommand = (file, args) => runCommand(join(folder, file), args, timeout);
    return (await createMinikubeProvider({ run, env: {} }).available())[0]!;
  };
  const begun = performance.now();
  // The child of the script keeps its output open.
  const hangs = await offerOf('sleep 61.5', 300);
  assert.ok(performance.now() - begun < 3000);
  assert.equal(hangs.state, 'unavailable');
  assert.match(hangs.note.en, /did not answer in time.*minikube profile list/);
  assert.throws(() => execFileSync('pgrep', ['-f', 'sleep 61.5']), 'what it started is still there');
  const broken = await offerOf('echo "{ \\"valid\\": [ {"; echo "! docker is unhappy" >&2');
  assert.equal(broken.state, 'unavailable');
  assert.match(broken.note.en, /cannot be read \(! docker is unhappy\)/);
  assert.match((await offerOf('echo null')).note.en, /cannot be read|has no cluster yet/);
});

test('each profile is offered with its state and version', async t => {
  const { provider } = await withProfiles(t, [
    { name: 'minikube', state: 'running', version: 'v1.36.2' },
    { name: 'old', state: 'stopped', version: 'v1.31.0' },
    { name: 'nap', state: 'paused' },
    { name: 'gone', state: 'nonexistent' },
  ]);
  const offers = await provider.available();
  assert.deepEqual(
    offers.map(offer => [offer.profile, offer.state, offer.version]),
    [
      ['minikube', 'available', 'v1.36.2'],
      ['old', 'stopped', 'v1.31.0'],
      ['nap', 'stopped', 'v1.35.1'],
      ['gone', 'unavailable', 'v1.35.1'],
    ],
  );
  assert.match(offers[1]!.note.en, /minikube start -p old/);
});

test('attaching writes a kubeconfig of our own with everything inside, and runs only commands that read', async t => {
  const { folder, double, provider } = await withProfiles(t, [
    { name: 'lab', state: 'running', ip: '192.168.58.2' },
  ]);
  const [offer] = await provider.available();
  const cluster = await provider.attach(folder, offer!, {}, () => {});
  assert.deepEqual(cluster.server, { host: '192.168.58.2', port: 8443 });
  assert.equal(cluster.socketPath, undefined);
  assert.equal((await stat(cluster.kubeconfig)).mode & 0o777, 0o600);
  const config = parse(await readFile(cluster.kubeconfig, 'utf8'));
  assert.equal(config['current-context'], 'lab');
  assert.equal(config.clusters[0].cluster.server, 'https://192.168.58.2:8443');
  const text = (base64: string) => Buffer.from(base64, 'base64').toString();
  assert.equal(text(config.clusters[0].cluster['certificate-authority-data']), 'the authority');
  assert.equal(text(config.users[0].user['client-certificate-data']), 'certificate of lab');
  assert.equal(text(config.users[0].user['client-key-data']), 'key of lab');
  for (const call of await double.calls()) assert.match(call, /^(status|ip|profile list) /);
});

test('a profile that has stopped in the meantime is refused with the way out', async t => {
  const { folder, provider } = await withProfiles(t, [{ name: 'lab', state: 'stopped' }]);
  const [offer] = await provider.available();
  await assert.rejects(
    provider.attach(folder, { ...offer!, state: 'available' }, {}, () => {}),
    /minikube start -p lab/,
  );
});

test('several nodes are judged by the first, and what is not JSON is no state', () => {
  assert.equal(
    stateOf('[{"Name":"a","Host":"Running","APIServer":"Running"},{"Name":"a-m02","Host":"Stopped"}]'),
    'available',
  );
  assert.equal(stateOf('* Profile "minikube" not found.'), 'unavailable');
});

test('MINIKUBE_HOME may be the folder or the one above', () => {
  assert.equal(minikubeFolder({}, '/home/u'), '/home/u/.minikube');
  assert.equal(minikubeFolder({ MINIKUBE_HOME: '/data' }, '/home/u'), '/data/.minikube');
  assert.equal(minikubeFolder({ MINIKUBE_HOME: '/data/.minikube' }, '/home/u'), '/data/.minikube');
});

test('a command that is nowhere on the PATH is told as such, and so is one that is a folder', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kbd-path-'));
  const path = process.env['PATH'];
  await mkdir(join(folder, 'minikube'));
  process.env['PATH'] = folder;
  try {
    for (const name of ['minikube', 'no-such-command'])
      assert.deepEqual(await runCommand(name, [], 1000), { code: -1, stdout: '', stderr: '' });
  } finally {
    process.env['PATH'] = path;
    await rm(folder, { recursive: true });
  }
});
