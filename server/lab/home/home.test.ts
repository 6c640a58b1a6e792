import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { keepHome, putBackHome } from './index.ts';

let outside: string;
let home: string;
const at = (name: string) => join(home, name);
const text = (name: string) => readFileSync(at(name), 'utf8');

beforeEach(() => {
  outside = mkdtempSync(join(tmpdir(), 'home-'));
  home = join(outside, 'home');
  mkdirSync(at('sub/deep'), { recursive: true });
  writeFileSync(at('mine.yaml'), 'a: 1\n');
  writeFileSync(at('sub/deep/run.sh'), '#!/bin/sh\n', { mode: 0o755 });
  chmodSync(at('sub/deep/run.sh'), 0o755);
  writeFileSync(join(outside, 'secret'), 'secret');
});
afterEach(() => rmSync(outside, { recursive: true, force: true }));

test('what was changed, removed or made comes back, is back, and goes, with times and rights as they were', async () => {
  const then = new Date('2026-01-02T03:04:05Z');
  utimesSync(at('mine.yaml'), then, then);
  const kept = await keepHome(home);
  writeFileSync(at('mine.yaml'), 'a: 2\n');
  rmSync(at('sub'), { recursive: true });
  writeFileSync(at('new.yaml'), 'b: 1\n');
  mkdirSync(at('new/folder'), { recursive: true });
  writeFileSync(at('new/folder/x'), 'x');
  await putBackHome(home, kept);
  assert.deepEqual(readdirSync(home), ['mine.yaml', 'sub']);
  assert.equal(text('mine.yaml'), 'a: 1\n');
  assert.equal(statSync(at('mine.yaml')).mtimeMs, then.getTime());
  assert.equal(text('sub/deep/run.sh'), '#!/bin/sh\n');
  assert.equal(statSync(at('sub/deep/run.sh')).mode & 0o777, 0o755);
});

test('a folder where a file was, and a file where a folder was, change places again', async () => {
  const kept = await keepHome(home);
  rmSync(at('mine.yaml'));
  mkdirSync(at('mine.yaml/inner'), { recursive: true });
  rmSync(at('sub'), { recursive: true });
  writeFileSync(at('sub'), 'now a file');
  await putBackHome(home, kept);
  assert.equal(text('mine.yaml'), 'a: 1\n');
  assert.equal(text('sub/deep/run.sh'), '#!/bin/sh\n');
});

test('a link is kept as a link and never followed, neither to read nor to write', async () => {
  symlinkSync(join(outside, 'secret'), at('link'));
  symlinkSync(outside, at('door'));
  const kept = await keepHome(home);
  assert.ok('entries' in kept);
  assert.deepEqual(kept.entries.get('link'), { kind: 'link', to: join(outside, 'secret') });
  assert.deepEqual(kept.entries.get('door'), { kind: 'link', to: outside });

  rmSync(at('link'));
  rmSync(at('mine.yaml'));
  rmSync(at('sub'), { recursive: true });
  mkdirSync(join(outside, 'deep'));
  symlinkSync(join(outside, 'secret'), at('mine.yaml'));
  symlinkSync(outside, at('sub'));
  await putBackHome(home, kept);
  assert.equal(readFileSync(join(outside, 'secret'), 'utf8'), 'secret');
  assert.deepEqual(readdirSync(join(outside, 'deep')), []);
  assert.ok(lstatSync(at('mine.yaml')).isFile());
  assert.ok(lstatSync(at('sub')).isDirectory());
  assert.equal(readlinkSync(at('link')), join(outside, 'secret'));
});

test('what programs keep for themselves is left alone, and so are pipes', async () => {
  writeFileSync(at('.bash_history'), 'one\n');
  mkdirSync(at('.kube/cache'), { recursive: true });
  writeFileSync(at('.kube/config'), 'then');
  execFileSync('mkfifo', [at('pipe')]);
  const kept = await keepHome(home);
  writeFileSync(at('.bash_history'), 'one\ntwo\n');
  writeFileSync(at('.kube/cache/discovery'), 'x');
  writeFileSync(at('.kube/config'), 'now');
  await putBackHome(home, kept);
  assert.equal(text('.bash_history'), 'one\ntwo\n');
  assert.ok(existsSync(at('.kube/cache/discovery')));
  assert.equal(text('.kube/config'), 'then');
  assert.ok(existsSync(at('pipe')));
});

test('too much is not kept, says so, and is left as it is', async () => {
  writeFileSync(at('large'), Buffer.alloc(8 * 1024 * 1024));
  const large = await keepHome(home);
  assert.match('not' in large ? large.not.en : '', /more than 8 MiB, so they were not kept/);
  await putBackHome(home, large);
  assert.ok(existsSync(at('large')));
  rmSync(at('large'));
  mkdirSync(at('many'));
  for (let n = 0; n < 2000; n++) writeFileSync(at(`many/${n}`), '');
  const many = await keepHome(home);
  assert.match('not' in many ? many.not['zh-TW'] : '', /超過 2000 個/);
});

test('a file that did not change is not read again', async () => {
  const before = await keepHome(home);
  writeFileSync(at('sub/other'), 'x');
  const after = await keepHome(home, before);
  assert.ok('entries' in before && 'entries' in after);
  const content = (kept: typeof before) => {
    const file = kept.entries.get('mine.yaml');
    return file?.kind === 'file' ? file.content : undefined;
  };
  assert.equal(content(after), content(before));
  writeFileSync(at('mine.yaml'), 'a: 3\n');
  const later = await keepHome(home, after);
  assert.equal('entries' in later && content(later)?.toString(), 'a: 3\n');
});

test('a file that cannot be read is named', {
  skip: process.getuid?.() === 0 && 'root reads everything',
}, async () => {
  chmodSync(at('mine.yaml'), 0);
  const kept = await keepHome(home);
  assert.match('not' in kept ? kept.not.en : '', /^~\/mine\.yaml cannot be read/);
});
