import assert from 'node:assert/strict';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { writeInHome } from './home-file.ts';
import { layOutShellFiles, writeKubeconfig } from './shell-files.ts';

let folder: string;
let home: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'home-file-'));
  home = join(folder, 'home');
  mkdirSync(home);
  mkdirSync(join(folder, 'theirs'));
  writeFileSync(join(folder, 'theirs', 'config'), 'precious');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));
const theirs = () =>
  readdirSync(join(folder, 'theirs')).map(name => `${name}: ${readFileSync(join(folder, 'theirs', name))}`);

test('a file is written with its folders, and again over itself, with its mode', async () => {
  await writeInHome(home, 'a/b/c.yaml', 'one', 0o600);
  await writeInHome(home, 'a/b/c.yaml', 'two', 0o600);
  assert.equal(readFileSync(join(home, 'a/b/c.yaml'), 'utf8'), 'two');
  assert.equal(statSync(join(home, 'a/b/c.yaml')).mode & 0o777, 0o600);
  assert.deepEqual(readdirSync(join(home, 'a/b')), ['c.yaml']);
});

test('a link in the place of the file, of a folder on the way, or of the file written beside it is not followed', async () => {
  const config = join(folder, 'theirs', 'config');
  symlinkSync(config, join(home, 'config'));
  symlinkSync(config, join(home, '.config.new'));
  await writeInHome(home, 'config', 'ours');
  symlinkSync(join(folder, 'theirs'), join(home, 'sub'));
  await writeInHome(home, 'sub/config', 'ours');
  assert.deepEqual(theirs(), ['config: precious']);
  for (const path of ['config', 'sub/config']) assert.equal(readFileSync(join(home, path), 'utf8'), 'ours');
  assert.equal(lstatSync(join(home, 'sub')).isDirectory(), true);
});

test('a folder with the file’s name gives way, a home that is a link is refused', async () => {
  mkdirSync(join(home, 'c.yaml/inner'), { recursive: true });
  await writeInHome(home, 'c.yaml', 'ours');
  assert.equal(readFileSync(join(home, 'c.yaml'), 'utf8'), 'ours');
  rmSync(home, { recursive: true });
  symlinkSync(join(folder, 'theirs'), home);
  await assert.rejects(writeInHome(home, 'config', 'ours'));
  assert.deepEqual(theirs(), ['config: precious']);
});

test('the kubeconfig of a new session goes to no place that a shell of the last one pointed to', async () => {
  const source = join(folder, 'kubeconfig');
  writeFileSync(source, 'clusters: [{ cluster: { server: https://127.0.0.1:1 } }]\n');
  mkdirSync(join(home, '.kube'));
  for (const [planted, to] of [
    ['.kube/config', 'theirs/config'],
    ['.kube', 'theirs'],
  ] as const) {
    rmSync(join(home, planted), { recursive: true, force: true });
    symlinkSync(join(folder, to), join(home, planted));
    await layOutShellFiles({ folder, tools: [] });
    await writeKubeconfig(home, source, 'https://192.168.49.2:8443');
    assert.deepEqual(theirs(), ['config: precious']);
    assert.match(readFileSync(join(home, '.kube', 'config'), 'utf8'), /192\.168\.49\.2/);
    assert.equal(lstatSync(join(home, '.kube', 'config')).mode & 0o777, 0o600);
  }
});
