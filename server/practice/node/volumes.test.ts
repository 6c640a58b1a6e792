// Volumes made from API objects, as a container sees them: the kubelet's links, updates at one stroke, and no writing.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CONFIG_MAPS } from './resources.ts';
import { testNode } from './test-node.ts';

const IMAGE = 'docker.io/library/busybox:1.35';
const NAMED = { namespace: 'life', name: 'settings' };

async function configured(t: Parameters<typeof testNode>[0], mount: object = {}) {
  const node = await testNode(t);
  const put = async (data: Record<string, string>) => {
    const found = await node.api.get(CONFIG_MAPS, NAMED).catch(() => undefined);
    const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: found?.metadata ?? NAMED, data };
    await (found ? node.api.update(CONFIG_MAPS, map) : node.api.create(CONFIG_MAPS, map));
  };
  await put({ colour: 'blue', 'deep.conf': 'a=1\n' });
  await node.run('p', {
    containers: [
      {
        name: 'c',
        image: IMAGE,
        command: ['sleep', '3600'],
        volumeMounts: [{ name: 'v', mountPath: '/etc/config', ...mount }],
      },
    ],
    volumes: [{ name: 'v', configMap: { name: 'settings' } }],
  });
  await node.pass(1_000);
  const sh = async (script: string) => {
    const { out, err } = await node.exec('p', ['sh', '-c', script]);
    return out + err;
  };
  return { ...node, put, sh };
}

describe('a volume made from a config map', () => {
  it('holds its keys as links through ..data into a dated folder', async t => {
    const { sh } = await configured(t);
    const [dated, data, ...keys] = (await sh('ls -A /etc/config')).trim().split('\n');
    assert.match(dated ?? '', /^\.\.2026_11_23_23_10_00\.\d+$/);
    assert.deepEqual([data, ...keys], ['..data', 'colour', 'deep.conf']);
    assert.equal(await sh('readlink /etc/config/..data'), `${dated}\n`);
    assert.equal(await sh('readlink /etc/config/colour'), '..data/colour\n');
    assert.equal(await sh('cat /etc/config/colour; ls /etc/config'), 'bluecolour\ndeep.conf\n');
    assert.equal(await sh('cat /etc/config/..data/deep.conf'), 'a=1\n');
  });

  it('is brought up to date at one stroke, and only when something changed', async t => {
    const { put, sh, pass } = await configured(t);
    const before = await sh('readlink /etc/config/..data');
    await pass(120_000);
    assert.equal(await sh('readlink /etc/config/..data'), before);
    await put({ colour: 'green', size: '3' });
    await pass(61_000);
    const after = await sh('readlink /etc/config/..data');
    assert.match(after, /^\.\.2026_11_23_23_1[2-4]_\d\d\.\d+\n$/);
    assert.notEqual(after, before);
    assert.equal(await sh('ls /etc/config; cat /etc/config/colour'), 'colour\nsize\ngreen');
    assert.equal(await sh('ls -A /etc/config | wc -l'), '4\n');
  });

  it('cannot be written to, by whatever command', async t => {
    const { sh, put, pass } = await configured(t);
    const on = (path: string) => `/etc/config/${path}`;
    assert.equal(
      await sh('echo red > /etc/config/colour'),
      `sh: can't create ${on('colour')}: Read-only file system\n`,
    );
    assert.equal(
      await sh('rm /etc/config/colour'),
      `rm: can't remove '${on('colour')}': Read-only file system\n`,
    );
    assert.equal(await sh('touch /etc/config/new'), `touch: ${on('new')}: Read-only file system\n`);
    assert.equal(
      await sh('mkdir /etc/config/d'),
      `mkdir: can't create directory '${on('d')}': Read-only file system\n`,
    );
    assert.equal(await sh('ls /etc/config; cat /etc/config/colour'), 'colour\ndeep.conf\nblue');
    // The kubelet itself still may.
    await put({ colour: 'green' });
    await pass(130_000);
    assert.equal(await sh('cat /etc/config/colour'), 'green');
  });

  it('shows one key at a sub-path as a file of its own, which stays as it was', async t => {
    const { put, sh, pass } = await configured(t, { mountPath: '/etc/colour', subPath: 'colour' });
    assert.equal(await sh('cat /etc/colour; test -L /etc/colour || echo " file"'), 'blue file\n');
    await put({ colour: 'green' });
    await pass(130_000);
    assert.equal(await sh('cat /etc/colour'), 'blue');
  });
});
